"""What has a token's form and is none: one pure predicate a function. True means "not a secret".

A predicate sees the value alone. Those in `ALWAYS` judge every kind, random ones too, so they ask for much: what chance
writes once in a million tokens must pass. A rule names others out of `FILTERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from scanner import nonsecrets
from scanner.likelihood import invention, likelihood
from scanner.published import published as known_to_all

Filter = Callable[[bytes], bool]

_PLACEHOLDER = re.compile(
    rb"EXAMPLE|PLACEHOLDER|CHANGE_?ME|REDACTED|NOTAREAL|x{6}|\*{4}|\.{4}|_{6}|#{4}|\xe2\x80\xa6|\xe2\x80\xa2"
    rb"|(?<![a-z])(?:sample|dummy|fake|removed|masked|hidden|lorem|ipsum|foo[ _.-]?bar)(?![a-z])"
    rb"|(?<![a-z])(?:your|my|put|insert|enter|replace)[ _.-](?:own|api|key|token|secret|password|access|auth|here|this)"
    rb"|your(?:api|access|secret)?(?:key|token|secret|password)|(?:key|token|secret|password|goes)[ _.-]?here(?![a-z])",
    re.IGNORECASE,
)
_RISING = (b"0123456789", b"abcdefghijklmnopqrstuvwxyz", b"9876543210", b"zyxwvutsrqponmlkjihgfedcba", b"qwertyuiop")
_STEP = 6
_STAIRS = frozenset(run[at : at + _STEP] for run in _RISING for at in range(len(run) - _STEP + 1))
_ALNUM = re.compile(rb"[0-9A-Za-z]+")
_DIGIT = re.compile(rb"[0-9]")
_HOLLOW = re.compile(rb"\.\.\.|\xe2\x80\xa6|\$\{?[A-Za-z_(]|\{\{|<[A-Za-z]|[A-Za-z_]\(|\[\.")
_KEY_LINES = re.compile(rb"[A-Za-z0-9+/]{40}")


def reference(value: bytes) -> bool:
    """Names where the secret is kept, or is a template's hole: `${NAME}`, `{{ name }}`, `%s`, `os.environ[…]`."""
    return nonsecrets.reference(value) is not None


def placeholder(value: bytes) -> bool:
    """Says in words that it is an example or has yet to be filled in."""
    return _PLACEHOLDER.search(value) is not None


def repeated(value: bytes) -> bool:
    """One character, or a few over and over: `aaaaaaaa`, `abcabcabc`, `11111111-1111-…`."""
    letters = b"".join(_ALNUM.findall(value))
    if len(letters) < 8:
        return len(letters) > 1 and len(set(letters)) == 1
    return any(letters[width:] == letters[:-width] for width in range(1, 5))


def stairs(value: bytes) -> bool:
    """Mostly characters in the order of the alphabet, the digits or the keyboard."""
    lower = value.lower()
    climbing = at = 0
    while at <= len(lower) - _STEP:
        step = _STEP if lower[at : at + _STEP] in _STAIRS else 0
        climbing += step
        at += step or 1
    return climbing * 2 >= len(lower) > 0


def published(value: bytes) -> bool:
    """An example of some documentation or specification, or an emulator's fixed key."""
    return known_to_all(value)


def few(value: bytes) -> bool:
    """Too little variety for its length: sixteen and more characters made of fewer than six."""
    return len(value) >= 16 and len(set(value.lower())) < 6


def common(value: bytes) -> bool:
    """A password of the kind that documentation and test set-ups use."""
    return nonsecrets.common(value)


def wordy(value: bytes) -> bool:
    """Words, an identifier or a path rather than chance."""
    return likelihood(value) < 0


def undecided(value: bytes) -> bool:
    """Neither random nor made up like a password."""
    return likelihood(value) < 0 and invention(value) < 0


def digitless(value: bytes) -> bool:
    """Without a digit: random tokens of some length hold one."""
    return _DIGIT.search(value) is None


def letterless(value: bytes) -> bool:
    """Without a letter: a number, a date, a version."""
    return value.upper() == value.lower()


def single_case(value: bytes) -> bool:
    """Without small or without capital letters, where the alphabet has both."""
    return value in (value.lower(), value.upper())


def path(value: bytes) -> bool:
    """A path: slashes enough that chance did not put them there, or the beginning of one."""
    return value.count(b"/") >= 3 or value.startswith((b"/", b"./", b"../", b"~/"))


def hollow(value: bytes) -> bool:
    """A key's first and last line around something else than a key: an ellipsis, a variable, program text."""
    return _HOLLOW.search(value) is not None or len(_KEY_LINES.findall(value)) < 1


def identified(value: bytes) -> bool:
    """Of a form that secrets do not have: a date, a version, a number, an address, a host."""
    return nonsecrets.identified(value) is not None


def sealed(value: bytes) -> bool:
    """Encrypted or hashed already, or public."""
    return nonsecrets.sealed(value) is not None


def code(value: bytes) -> bool:
    """Program text rather than a literal: a call, an index, an operator."""
    return nonsecrets.code(value) is not None


ALWAYS: tuple[Filter, ...] = (placeholder, reference, repeated, stairs, few, published)
"""What judges every kind. A passed checksum does not spare a value: documentation shows valid examples."""

FILTERS: Mapping[str, Filter] = {
    "code": code,
    "common": common,
    "digitless": digitless,
    "few": few,
    "hollow": hollow,
    "identified": identified,
    "letterless": letterless,
    "path": path,
    "placeholder": placeholder,
    "published": published,
    "reference": reference,
    "repeated": repeated,
    "sealed": sealed,
    "single-case": single_case,
    "stairs": stairs,
    "undecided": undecided,
    "wordy": wordy,
}
"""The filters that a rule may name."""
