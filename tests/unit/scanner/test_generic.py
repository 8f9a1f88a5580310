"""What is judged a secret, and how sure.

Names and values are put together here, so that this file holds no pair itself.
"""

import base64
import random
import string

import pytest

from scanner.assignments import Syntax
from scanner.generic import Context, Rejected, find, judge
from scanner.model import Confidence
from scanner.surroundings import Medium, Purpose
from tests.support import tokens

PASSWORD = b"pass" + b"word"
TOKEN = b"to" + b"ken"
SECRET = b"client_" + b"secret"
API_KEY = b"api_" + b"key"
HEADER = b"Author" + b"ization"
CODE = Context(Medium.CODE)
CONFIG = Context(Medium.CONFIG)
TEST = Context(Medium.CODE, Purpose.TEST)
EXAMPLE = Context(Medium.TEXT, Purpose.EXAMPLE)

INVENTED = b"purple42" + b"!Xq"
TOY = b"s3cr" + b"3t!"


def random_value(length: int = 32, alphabet: str = tokens.BASE62, seed: int = 3) -> bytes:
    return tokens.text(random.Random(seed), length, alphabet).encode()


@pytest.mark.parametrize("name", [TOKEN, SECRET, API_KEY])
@pytest.mark.parametrize("syntax", [Syntax.QUOTED, Syntax.ELEMENT, Syntax.NAMED, Syntax.DEFAULT])
def test_random_values_of_plain_names_are_sure(name: bytes, syntax: Syntax) -> None:
    assert judge(name, random_value(), syntax, CODE) is Confidence.HIGH


@pytest.mark.parametrize("seed", range(20))
def test_shorter_random_values_are_likely(seed: int) -> None:
    judged = judge(TOKEN, random_value(12, string.ascii_lowercase + "0123456789", seed), Syntax.QUOTED, CODE)
    assert isinstance(judged, Rejected) or judged <= Confidence.MEDIUM


def test_where_it_stands_counts() -> None:
    value = random_value()
    assert judge(TOKEN, value, Syntax.QUOTED, TEST) is Confidence.MEDIUM
    assert judge(TOKEN, value, Syntax.QUOTED, EXAMPLE) is Confidence.LOW
    assert judge(TOKEN, value, Syntax.QUOTED, Context(Medium.GENERATED)) is Confidence.LOW
    assert judge(PASSWORD, INVENTED, Syntax.QUOTED, CODE) >= Confidence.MEDIUM  # type: ignore[operator]
    assert judge(PASSWORD, INVENTED, Syntax.QUOTED, TEST) is Confidence.LOW
    assert isinstance(judge(PASSWORD, b"kennwort" + b"eingeben", Syntax.QUOTED, Context(Medium.WORDING)), Rejected)


def test_passwords_need_not_be_random_and_toys_are_low() -> None:
    assert judge(PASSWORD, b"hun" + b"ter2!" + b"Fox", Syntax.QUOTED, CODE) is Confidence.MEDIUM
    assert judge(PASSWORD, TOY, Syntax.QUOTED, CODE) is Confidence.LOW
    assert judge(PASSWORD, b"kuni" + b"gunde", Syntax.QUOTED, CODE) is Confidence.LOW
    assert judge(PASSWORD, b"mon" + b"key", Syntax.BARE, CONFIG) is Confidence.LOW


def test_tokens_must_be_random() -> None:
    for value in (b"session_cookie", b"refreshing", b"application.name", b"a sentence of words"):
        assert isinstance(judge(TOKEN, value, Syntax.QUOTED, CODE), Rejected)


def test_a_prefix_of_words_hides_no_random_token() -> None:
    value = b"packages_read_" + random_value(28, "0123456789abcdef")
    assert judge(TOKEN, value, Syntax.QUOTED, CODE) is Confidence.HIGH


@pytest.mark.parametrize(
    ("name", "value", "syntax", "context"),
    [
        (b"token_" + b"type", random_value(), Syntax.QUOTED, CODE),
        (PASSWORD, b"other_variable", Syntax.BARE, CODE),
        (PASSWORD, b"change" + b"me", Syntax.QUOTED, CODE),
        (PASSWORD, b"${DB_" + b"PASS}", Syntax.BARE, CONFIG),
        (PASSWORD, PASSWORD, Syntax.QUOTED, CODE),
        (PASSWORD, b"Enter your " + PASSWORD, Syntax.QUOTED, CODE),
        (PASSWORD, b"newPasswordInput", Syntax.NAMED, CODE),
        (PASSWORD, b"string", Syntax.BARE, CONFIG),
        (PASSWORD, b"true", Syntax.BARE, CONFIG),
        (PASSWORD, b"abc", Syntax.QUOTED, CODE),
        (PASSWORD, "пароль".encode(), Syntax.QUOTED, CODE),
        (PASSWORD, b"required", Syntax.SPACE, Context()),
        (PASSWORD, b"orange_juice", Syntax.LISTED, CODE),
        (PASSWORD, b"somebody", Syntax.CALL, Context(Medium.CODE, after=b'", "x")')),
        (SECRET, b"arn:aws:secretsmanager:x", Syntax.QUOTED, CODE),
        (TOKEN, b"/var/run/" + b"service/account", Syntax.QUOTED, CODE),
        (TOKEN, b"2024-01-31T12:00:00Z", Syntax.QUOTED, CODE),
        (HEADER, base64.b64encode(b"somebody:"), Syntax.BARE, Context()),
    ],
)
def test_what_is_none(name: bytes, value: bytes, syntax: Syntax, context: Context) -> None:
    judged = judge(name, value, syntax, context)
    assert isinstance(judged, Rejected)
    assert judged.reason


def test_logins_in_headers() -> None:
    value = base64.b64encode(b"somebody:" + INVENTED)
    assert judge(HEADER, value, Syntax.BARE, CONFIG) is Confidence.MEDIUM
    assert judge(HEADER, value, Syntax.BARE, EXAMPLE) is Confidence.LOW


def test_uuids_count_under_plain_names_only() -> None:
    value = b"0f2c4b1e-93d7-4a58-b6c0-5d1e8f7a2b39"
    assert judge(API_KEY, value, Syntax.QUOTED, CODE) is Confidence.MEDIUM
    assert judge(b"auth", value, Syntax.QUOTED, CODE) is Confidence.LOW


def test_keys_of_no_known_sort_must_be_very_random() -> None:
    assert judge(b"weather" + b"Key", random_value(), Syntax.QUOTED, CODE) is Confidence.MEDIUM
    assert judge(b"weather" + b"Key", random_value(32, "0123456789abcdef"), Syntax.QUOTED, CODE) is Confidence.LOW
    assert isinstance(judge(b"weather" + b"Key", b"temperature_celsius", Syntax.QUOTED, CODE), Rejected)


def test_what_looks_like_a_hash_is_a_low_password() -> None:
    assert judge(PASSWORD, random_value(32, "0123456789abcdef"), Syntax.ELEMENT, CONFIG) is Confidence.LOW


def found(text: str, path: str) -> list[tuple[str, Confidence]]:
    data = text.encode()
    guesses = find(data, 0, len(data), path=path)
    return [(data[guess.value_start : guess.value_end].decode(), guess.confidence) for guess in guesses]


def test_a_file_s_name_tells_what_its_bare_words_are() -> None:
    value = random_value().decode()
    line = f"{TOKEN.decode()} = {value}\n"
    assert found(line, "app.properties") == [(value, Confidence.HIGH)]
    assert found(line, "app.py") == []
    assert found(f'{TOKEN.decode()} = "{value}"\n', "app.py") == [(value, Confidence.HIGH)]


def test_documentation_inside_python_is_documentation() -> None:
    value = random_value().decode()
    assert found(f'    {TOKEN.decode()}: "{value}"\n', "module.py") == [(value, Confidence.LOW)]
    assert found(f'    {TOKEN.decode()}: "{value}"\n', "module.ts") == [(value, Confidence.HIGH)]
    assign = f'{TOKEN.decode()} = "{value}"\n'
    assert found('"""' + assign + '"""\n', "module.py") == [(value, Confidence.LOW)]
    assert found('"""Text."""\n' + assign, "module.py") == [(value, Confidence.HIGH)]
    assert found(f'{TOKEN.decode()} = """{value}"""\n', "module.py") == [(value, Confidence.HIGH)]


def test_a_value_is_given_without_its_quotes_and_scheme() -> None:
    value = random_value().decode()
    assert found(f'{{"{HEADER.decode()}": "Bearer {value}"}}', "call.js") == [(value, Confidence.HIGH)]


def test_a_guess_says_what_its_name_promises() -> None:
    data = f'{API_KEY.decode()} = "{random_value().decode()}"'.encode()
    (guess,) = find(data, 0, len(data), path="a.go")
    assert (guess.name, guess.reason, guess.syntax) == (API_KEY, "key", Syntax.QUOTED)


@pytest.mark.parametrize("template", ['{n} = "{v}"', '"{n}": "{v}"', "{n}={v}\n", "<{n}>{v}</{n}>", "--{n} {v}\n"])
def test_random_tokens_are_found_in_every_plain_syntax(template: str) -> None:
    missed = 0
    for seed in range(200):
        value = random_value(40, seed=seed).decode()
        missed += [value] != [text for text, _ in found(template.format(n="api_" + "token", v=value), "x.conf")]
    assert missed <= 3
