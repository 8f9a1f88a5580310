"""What the name of a variable, key, flag or field says about the value beside it."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache, lru_cache
from typing import NamedTuple


class Promise(IntEnum):
    """What kind of value a name promises."""

    PASSWORD = 1
    """thought up by people: need not look random"""
    SECRET = 2
    """made by machines or people"""
    TOKEN = 3
    KEY = 4
    """made by machines"""
    AUTH = 5
    """the content of an Authorization header, or part of it"""
    LABEL = 6
    """a key of some sort: to a lock as likely as to a table"""


class Sense(NamedTuple):
    """What a name promises, and whether it says so plainly (`db_password`) or with a word more (`password_demo`)."""

    promise: Promise
    plain: bool


# What names end in, in small letters. The alternatives are tried from left to right, so longer ones come first.
_QUALIFIED = (
    rb"api|access|secret|private|encrypt|encryption|decryption|auth|app|application|client|consumer|master|sign|signing"
    rb"|shared|account|service|license|aes|hmac|jwt|session|storage|subscription|crypto?|cipher|root|admin|integration"
    rb"|webhook|developer|partner|merchant|customer|user|team|project|server|write|deploy|registration"
)
_FOREIGN = (
    rb"kennwort|senha|contrase(?:n|\xc3\xb1)a|mot[-_ ]de[-_ ]passe|\xe5\xaf\x86\xe7\xa0\x81"
    rb"|\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8|\xed\x8c\xa8\xec\x8a\xa4\xec\x9b\x8c\xeb\x93\x9c"
    rb"|\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"
)
_CORES = (
    rb"(?P<password>(?<!ht)pass(?:[-_ ]?phrase|[-_ ]?code|wor[dt]s?|wrd|wd)|pwd|" + _FOREIGN + rb""
    rb"|(?:db|user|my|root|admin|smtp|ftp|ldap|mail|bind|sql|svc)p(?:ass|w)(?![a-z]))"
    rb"|(?P<key>(?:" + _QUALIFIED + rb")[-_ .]?keys?)|(?P<secret>secret[-_]?id|secrete?s?|credentials?)"
    rb"|(?P<token>tokens?|bearer)|(?P<auth>(?:proxy[-_]?)?authori[sz]ation)"
    rb"|(?P<label>keys?)|(?P<alone>pass|pw|psw|psswd|auth(?:[-_]?code)?)"
)
_ALONE = {b"a": Promise.AUTH, b"p": Promise.PASSWORD}
"""What short cores promise, by their first letter, where they are words of their own: `userPass`, but not `compass`."""
_WORDS = rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"

_AFTER = frozenset(
    b"""account action age alg algo algorithm alias append arn array at attr attribute attributes audience
    authentication backend bits bucket budget buffer builder button by cache callback change changed char chars
    check checker checking checks checksum cipher ciphertext claim claims class cmd code codes column command
    comment config configuration confirmation controller cost count created data date days decode delim delimiter
    desc description dialog digest dir directory disabled doc docs domain email enabled enc encode encrypted end
    endpoint endswith engine entity env equals err error errors event example exception exchange expiration expire
    expired expires expiry export factory field fields file filename files find fingerprint flow flows fn folder
    for forgot form format from func function generator get getter grant group guid handler hash hashed hasher
    hashes header headers help hint host hostname hours icon id ids import in index info input invalid is issuer
    iterations iterator join kind label labels len length lifetime limit line link list location login lookup
    lower manager map match matches max message messages method min minutes mode model module mount mounts msg n
    name names namespace no not note object offset on optional options opts owner package page param parameter
    parameters params parser path paths pattern per placeholder plugin policies policy pop port pos position
    prefix price prompt properties property protected protection provider query rate ratio re reader realm
    recovery ref reference refs regex regexp replace request required reset response result results role rotation
    rounds row rule rules salt schema scope scopes score screen seconds secs selector separator server service set
    setter settings size source spec split src start startswith state states status storage store stream strength
    strip stub style suffix symbol table target template text thumbprint time timeout title to total trim ttl type
    types updated upper uri uris url urls usage used user username uuid valid validation validator var variable
    vault version view volume writer y""".split()
)
"""Words after the core that make it something else than the value itself."""

_BEFORE = frozenset(
    b"""allow are censor change check count csrf delete disable empty enable encrypted error fetch find forget forgot
    forgotten gen generate get has hash hashed have hide invalid is lookup max min missing needs no not num parse
    prompt pub public redact remember remove require required requires reset sanitize save show strip support supports
    toggle total use using validate verified was xsrf""".split()
)
"""Words right before the core, or at a name's beginning, with which the value is no secret."""
_BEFORE_TOKENS = frozenset(
    b"""begin blank bos cached cancel cancellation close comment completion continuation delimiter end eos generated
    identifier input keyword left lexer mask n next number open operator optional output pad padding page pagination
    prev previous reasoning request right sep separator sequence special start stop string syntax unk""".split()
)
"""The same before `token`: those of parsers, of language models, and of pages."""
_BEFORE_KEYS = frozenset(
    b"""arrow cache config dedup dict foreign gpg host hot i18n idempotency index issue jira lock map node object page
    partition pgp primary registry routing row shortcut sort sorting ssh storage translation unique wrapped""".split()
)
"""The same before `key`: those of tables, keyboards and machines."""

_GLUED = rb"(?:[0-9]+|key|str|string|value|val|plain|raw|test|dev|prod|new|old|hex|b64|base64)?[0-9]*$"


@cache
def _compiled(expression: bytes) -> re.Pattern[bytes]:
    return re.compile(expression)


def _core(name: bytes) -> tuple[Promise, int, int] | None:
    """The last core of a name: what it promises, where it begins and ends."""
    last = None
    for found in _compiled(_CORES).finditer(name.lower()):
        start, end = found.span()
        if found.lastgroup != "alone":
            last = Promise[str(found.lastgroup).upper()], start, end
        elif not name[end : end + 1].islower() and (
            not name[start - 1 : start].isalpha()
            or (name[start - 1 : start].islower() and name[start : start + 1].isupper())
        ):
            last = _ALONE[found.group()[:1]], start, end
    return last


@lru_cache(maxsize=8192)
def sense(name: bytes) -> Sense | None:
    """What a name promises, or None where it promises no secret: `token_type`, `passwordField`, `max_tokens`.

    `name` is an identifier or a key, with dots, dashes and capitals as written.
    """
    found = _core(name)
    if found is None:
        return None
    promise, start, end = found
    before, core, after = name[:start], name[start:end], name[end:]
    if after[:1].islower() and not _compiled(_GLUED).match(after):
        return None
    if before[-1:].isupper() and core[:1].islower():
        return None
    words = _compiled(_WORDS)
    following = [word.lower() for word in words.findall(after)]
    if any(word in _AFTER for word in following):
        return None
    preceding = [word.lower() for word in words.findall(before)]
    against = _BEFORE
    if promise in (Promise.TOKEN, Promise.LABEL):
        against = _BEFORE | (_BEFORE_TOKENS if promise is Promise.TOKEN else _BEFORE_KEYS)
    if preceding and (preceding[-1] in against or preceding[0] in against):
        return None
    plural = core[-1:] in b"sS" and not core.lower().endswith(b"ss")
    vague = promise is Promise.LABEL or (promise is Promise.AUTH and len(core) == 4)
    return Sense(promise, plain=not (following or plural or vague))
