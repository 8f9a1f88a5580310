"""Names and values are found in every syntax that people write, and the first pass hits each of them.

The samples are put together here: `{n}` is the name and `{v}` the value, so that this file holds no pair itself.
"""

from collections.abc import Callable

import hyperscan
import pytest

from scanner.assignments import Pair, Syntax, in_text, pairs
from scanner.cues import TRIGGER

PASSWORD = "pass" + "word"
VALUE = "pur" + "ple42!x"

SAMPLES: dict[str, tuple[str, Syntax]] = {
    "python": ('{n} = "{v}"', Syntax.QUOTED),
    "python, single quotes": ("{n} = '{v}'", Syntax.QUOTED),
    "python, bytes": ("{n} = b'{v}'", Syntax.QUOTED),
    "python, three quotes": ('{n} = """{v}"""', Syntax.QUOTED),
    "python, annotated": ('{n}: str = "{v}"', Syntax.QUOTED),
    "python, optional": ('{n}: str | None = "{v}"', Syntax.QUOTED),
    "python, keyword argument": ('connect(user, {n}="{v}")', Syntax.QUOTED),
    "python, wrapped": ('{n} = SecretStr("{v}")', Syntax.QUOTED),
    "python, fallback": ('{n} = os.environ.get("X", "{v}")', Syntax.DEFAULT),
    "python, subscript": ('settings["{n}"] = "{v}"', Syntax.QUOTED),
    "python, requests": ('get(url, auth=("me", "{v}"))', Syntax.QUOTED),
    "go": ("{n} := `{v}`", Syntax.QUOTED),
    "go, typed": ('var {n} string = "{v}"', Syntax.QUOTED),
    "go, bytes": ('{n} := []byte("{v}")', Syntax.QUOTED),
    "javascript, object": ("{{ {n}: '{v}' }}", Syntax.QUOTED),
    "javascript, fallback": ("const x = process.env.{n} || '{v}'", Syntax.DEFAULT),
    "java": ('final String {n} = "{v}";', Syntax.QUOTED),
    "java, property": ('System.setProperty("db.{n}", "{v}");', Syntax.LISTED),
    "java, setter": ('user.set_{n}("{v}");', Syntax.CALL),
    "c": ('char {n}[] = "{v}";', Syntax.QUOTED),
    "c, define": ('#define DB_{n} "{v}"', Syntax.SPACE),
    "c#, map": ('{{ "{n}", "{v}" }}', Syntax.LISTED),
    "php": ("define('{n}', '{v}');", Syntax.LISTED),
    "php, array": ("'{n}' => '{v}',", Syntax.QUOTED),
    "php, appended": ('${n} .= "{v}"', Syntax.QUOTED),
    "ruby": (':{n} => "{v}"', Syntax.QUOTED),
    "compared": ('if {n} == "{v}":', Syntax.COMPARED),
    "compared the other way round": ('if ("{v}" === {n}) {{', Syntax.COMPARED),
    "json": ('"{n}": "{v}",', Syntax.QUOTED),
    "json in a string": ('"{{\\"{n}\\": \\"{v}\\"}}"', Syntax.QUOTED),
    "json, name and value": ('{{"name": "{n}", "value": "{v}"}}', Syntax.NAMED),
    "yaml": ("{n}: {v}\n", Syntax.BARE),
    "yaml, anchor": ("{n}: &anchor {v}\n", Syntax.BARE),
    "yaml, block": ("{n}: |\n  {v}\n", Syntax.BARE),
    "yaml, name and value": ("- name: {n}\n  value: {v}\n", Syntax.NAMED),
    "yaml, list of variables": ("  - X=1\n  - DB_{n}={v}\n", Syntax.BARE),
    "toml": ('{n} = "{v}"\n', Syntax.QUOTED),
    "properties": ("db.{n}={v}\n", Syntax.BARE),
    "hcl": ('variable "{n}" {{\n  type    = string\n  default = "{v}"\n}}\n', Syntax.QUOTED),
    "ini": ("{n} = {v}\n", Syntax.BARE),
    "shell": ("export {n}={v}\n", Syntax.BARE),
    "shell, before a command": ("{n}={v} ./run\n", Syntax.BARE),
    "shell, default": ("x=${{{n}:-{v}}}\n", Syntax.BARE),
    "option": ("tool --{n} {v}\n", Syntax.FLAG),
    "option, equals": ("tool --{n}={v}\n", Syntax.BARE),
    "option, powershell": ("Connect -{n} '{v}'\n", Syntax.SPACE),
    "dockerfile": ("ENV {n} {v}\n", Syntax.SPACE),
    "curl": ("curl -u me:{v} https://x.org\n", Syntax.FLAG),
    "mysql": ("mysql -ume -p{v} db\n", Syntax.FLAG),
    "sshpass": ("sshpass -p '{v}' ssh me@x\n", Syntax.FLAG),
    "powershell": ("ConvertTo-SecureString -String '{v}' -AsPlainText", Syntax.QUOTED),
    "sql": ("CREATE USER me IDENTIFIED BY '{v}'", Syntax.QUOTED),
    "sql, postgresql": ("CREATE ROLE me LOGIN {n} '{v}'", Syntax.QUOTED),
    "xml": ("<{n}>{v}</{n}>", Syntax.ELEMENT),
    "xml over lines": ("<{n}>\n    {v}\n</{n}>", Syntax.ELEMENT),
    "xml, attribute": ('<user {n}="{v}"/>', Syntax.QUOTED),
    "xml, key and value": ('<add key="{n}" value="{v}"/>', Syntax.NAMED),
    "plist": ("<key>{n}</key>\n<string>{v}</string>", Syntax.NAMED),
    "html": ("<a onclick=\"go(&quot;{n}:{v}&quot;)\">", Syntax.BARE),
    "query": ("https://x.org/?a=1&{n}={v}&b=2", Syntax.QUERY),
    "connection string": ('"Server=x;{n}={v};"', Syntax.BARE),
    "comment": ("// {n}: {v}\n", Syntax.BARE),
    "prose": ("the {n} is {v}\n", Syntax.PROSE),
    "prose, for somebody": ("{n} for admin: {v}\n", Syntax.PROSE),
}  # fmt: skip


@pytest.fixture(scope="module")
def hits() -> Callable[[bytes], list[int]]:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_ALLOWEMPTY
    expressions = [pattern.encode() for pattern in TRIGGER]
    database.compile(expressions=expressions, ids=list(range(len(TRIGGER))), flags=[flags] * len(TRIGGER))

    def ends(text: bytes) -> list[int]:
        found: set[int] = set()
        database.scan(text, match_event_handler=lambda _id, _from, to, _flags, _context: found.add(to))
        return sorted(found)

    return ends


def sample(template: str, name: str = PASSWORD) -> tuple[bytes, int]:
    text = template.replace("{v}", "\0").format(n=name)
    return text.replace("\0", VALUE).encode(), text.encode().index(b"\0")


def found(text: bytes, at: int, given: list[Pair]) -> list[Pair]:
    return [pair for pair in given if (pair.value_start, pair.value_end) == (at, at + len(VALUE))]


@pytest.mark.parametrize("syntax", SAMPLES)
def test_every_syntax_gives_its_pair(syntax: str, hits: Callable[[bytes], list[int]]) -> None:
    template, expected = SAMPLES[syntax]
    text, at = sample(template)
    padded = b"x = 1\n" * 40 + text + b"\ny = 2\n"
    given = [pair for end in hits(padded) for pair in pairs(padded, end, end)]
    matching = found(padded, at + 240, given)
    assert matching, given
    assert {pair.syntax for pair in matching} == {expected}


@pytest.mark.parametrize("name", ["DB_PASSWORD", "clientSecret", "x-api-key", "kennwort", "密码", "пароль"])
def test_names_of_many_kinds(name: str, hits: Callable[[bytes], list[int]]) -> None:
    text, at = sample('"{n}": "{v}"', name)
    assert any(found(text, at, list(pairs(text, end, end))) for end in hits(text))


@pytest.mark.parametrize(
    "template",
    [
        "{n} = get_value()\n",
        "{n} = settings.value\n",
        "def login(user, {n}=None):\n",
        "{n}: str\n",
        "{n}: value.other,\n",
        "if {n} == other:\n",
        "return {n}\n",
        "{n} = ''\n",
    ],
)
def test_code_gives_none(template: str) -> None:
    text = template.format(n=PASSWORD).encode()
    assert not [pair for end in range(len(text) + 1) for pair in pairs(text, end, end, code=True)]


def test_bare_values_in_strings_and_comments_of_code_are_values() -> None:
    for template in ('x = "{n}={v};"', "# {n}: {v}\n", "    // {n}: {v}\n"):
        text, at = sample(template)
        assert found(text, at, list(pairs(text, at, at + 1, code=True)))


def test_a_closing_quote_opens_nothing() -> None:
    text = f"label = `Confirm {PASSWORD}: `\nother = `something`\n".encode()
    assert not list(pairs(text, 0, len(text)))


def test_escaped_quotes_belong_to_the_value() -> None:
    text = f'{PASSWORD} = "one\\"two"'.encode()
    (pair,) = pairs(text, 0, len(text))
    assert text[pair.value_start : pair.value_end] == b'one\\"two'


def test_quotes_do_not_reach_over_lines() -> None:
    text = f'{PASSWORD} = "one\ntwo"'.encode()
    assert not list(pairs(text, 0, len(text)))


def test_only_pairs_that_touch_the_hit_are_given() -> None:
    text, at = sample('{n} = "{v}"')
    assert not list(pairs(text, len(PASSWORD), len(PASSWORD)))
    both = text + b"\n" + text
    second = at + len(text) + 1
    assert [pair.value_start for pair in pairs(both, second, second)] == [second]
    assert sorted(pair.value_start for pair in pairs(both, 0, len(both))) == [at, second]


def test_the_scheme_of_a_header_is_not_its_value() -> None:
    name = "Author" + "ization"
    for text in (f'"{name}": "Bearer {VALUE}"', f"{name}: Bearer {VALUE}\n"):
        given = list(pairs(text.encode(), 0, len(text)))
        assert found(text.encode(), text.index(VALUE), given)


def test_what_stands_in_text() -> None:
    assert in_text(b'say("')
    assert in_text(b"x = 1  # ")
    assert in_text(b"  // ")
    assert not in_text(b'say("a", ')
    assert not in_text(b"x = ")
