"""What a match is worth where it stands."""

import random

import pytest

from scanner.model import Confidence
from tests.support.rules import findings, rule, scanner
from tests.support.tokens import github_token, text

RNG = random.Random(8)
TOKEN = f"acmt_{text(RNG, 24)}".encode()
VALUE = text(RNG, 32, "0123456789abcdef").encode()
OWN = rule("acme-token", "acmt_ + base62{24}")
NAMED = rule("acme-key", "hex{32}", keywords=("acme",))
SYNTAX = rule("acme-login", pattern=r"acme\((?P<secret>[0-9a-f]{32})\)")
ANYBODYS = rule("login", pattern=r"login\((?P<secret>[0-9a-z]{8,32})\)", general=True)
SLIGHT = rule("acme-hash", "acmh_ + hex{32}", severity="low", confidence="low")
PROVEN = rule("github-pat", "ghp_ + base62{36}", check=("github",))
LOW, MEDIUM, HIGH = Confidence


@pytest.mark.parametrize(
    ("form", "path", "worth"),
    [
        (b"%(own)s", "app.conf", [HIGH]),
        (b"%(own)s", "docs/app.conf", [MEDIUM]),
        (b"%(own)s", "node_modules/x/app.conf", [MEDIUM]),
        (b"acme: %(value)s", "app.conf", [MEDIUM]),
        (b"acme: %(value)s", "tests/app.conf", [LOW]),
        (b"acme: %(value)s", "lib/site-packages/x/app.conf", [LOW]),
        (b"acme(%(value)s)", "app.py", [HIGH]),
        (b"acme(%(value)s)", "tests/app.py", [MEDIUM]),
        (b"acme(%(value)s)", "examples/app.py", [LOW]),
        (b'"""Use acme(%(value)s)."""', "app.py", [LOW]),
        (b'x = """."""\nacme(%(value)s)', "app.py", [HIGH]),
        (b'{"documentation": "as \\"acme(%(value)s)\\""}', "api.json", [LOW]),
        (b'{"documentation": "as", "x": "acme(%(value)s)"}', "api.json", [HIGH]),
        (b"login(%(value)s)", "app.py", [HIGH]),
        (b"login(secret99)", "app.py", [LOW]),
        (b"login(secret99)", "README.md", []),
        (b"acmh_%(value)s", "shadow.txt", [LOW]),
        (b"acmh_%(value)s", "app.go", []),
        (b"acmh_%(value)s", "tests/users.txt", []),
    ],
)
def test_placement(form: bytes, path: str, worth: list[Confidence]) -> None:
    data = form % {b"own": TOKEN, b"value": VALUE}
    found = findings(scanner(OWN, NAMED, SYNTAX, ANYBODYS, SLIGHT), data, path)
    assert [each.confidence for each in found] == worth


def test_a_checksum_outweighs_the_place() -> None:
    [found] = findings(scanner(PROVEN), github_token(RNG).encode(), "docs/README.md")
    assert found.confidence is HIGH
