"""What file names say."""

import pytest

from scanner.sources.files import Frame
from scanner.surroundings import Medium, Purpose, surroundings


@pytest.mark.parametrize(
    ("path", "medium", "purpose"),
    [
        ("src/app.py", Medium.CODE, Purpose.USE),
        ("deploy/values.yaml", Medium.CONFIG, Purpose.USE),
        (".env.production", Medium.CONFIG, Purpose.USE),
        ("Dockerfile.dev", Medium.CONFIG, Purpose.USE),
        ("notes.txt", Medium.TEXT, Purpose.USE),
        ("README.md", Medium.TEXT, Purpose.EXAMPLE),
        ("tests/test_login.py", Medium.CODE, Purpose.TEST),
        ("pkg\\testdata\\a.go", Medium.CODE, Purpose.TEST),
        ("docs/tests/a.py", Medium.CODE, Purpose.EXAMPLE),
        ("src/latest/attestation.go", Medium.CODE, Purpose.USE),
        ("web/locales/de.json", Medium.WORDING, Purpose.USE),
        ("assets/pt_BR.json", Medium.WORDING, Purpose.USE),
        ("app/strings.po", Medium.WORDING, Purpose.USE),
        ("package-lock.json", Medium.GENERATED, Purpose.USE),
        ("poetry.lock", Medium.GENERATED, Purpose.USE),
        ("dist/app.min.js", Medium.GENERATED, Purpose.USE),
        ("web/node_modules/x/docs/a.js", Medium.CODE, Purpose.PUBLISHED),
        ("lib\\site-packages\\x.yaml", Medium.CONFIG, Purpose.PUBLISHED),
        ("src/vendor.py", Medium.CODE, Purpose.USE),
        ("", Medium.TEXT, Purpose.USE),
    ],
)
def test_names(path: str, medium: Medium, purpose: Purpose) -> None:
    assert surroundings(path) == (medium, purpose)


def test_where_the_target_lies_says_nothing_of_what_is_in_it() -> None:
    below = Frame("/home/me/tests/project", "/home/me/tests/project").origin("src/app.py")
    assert (below.path, below.name) == ("/home/me/tests/project/src/app.py", "src/app.py")
    assert Frame("tests", "tests").origin("app.py").name == "tests/app.py"
    assert below.within("docs/a.py").name == "docs/a.py"
