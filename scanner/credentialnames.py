"""What the name of a variable, key, flag or field says about the value beside it."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
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


_ALONE = rb"(?:(?<![A-Za-z])|(?<=[a-z])(?-i:(?=[A-Z])))"
# What names end in. The alternatives are tried from left to right, so longer ones come first.
CORES = (
    rb"(?P<password>(?<!ht)pass(?:[-_ ]?phrase|[-_ ]?code|wor[dt]s?|wrd|wd)|pwd|"
    + _ALONE
    + rb"(?:pass|pw|psw|psswd)(?-i:(?![a-z]))"
    rb"|kennwort|senha|contrase(?:n|\xc3\xb1)a|mot[-_ ]de[-_ ]passe|\xe5\xaf\x86\xe7\xa0\x81"
    rb"|\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8|\xed\x8c\xa8\xec\x8a\xa4\xec\x9b\x8c\xeb\x93\x9c"
    rb"|\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c)"
    rb"|(?P<key>(?:api|access|secret|private|encrypt|encryption|decryption|auth|app|application|client|consumer|master"
    rb"|sign|signing|shared|account|service|license|aes|hmac|jwt|session|storage|subscription|crypto?|cipher|root|admin"
    rb"|integration|webhook|developer|partner|merchant|customer|user|team|project|server|write|deploy|registration)"
    rb"[-_ .]?keys?)"
    rb"|(?P<secret>secret[-_]?id(?-i:(?![a-z]))|secrete?s?|credentials?|credential)"
    rb"|(?P<token>tokens?|bearer)"
    rb"|(?P<auth>(?:proxy[-_]?)?authori[sz]ation|" + _ALONE + rb"auth(?:[-_]?code)?(?-i:(?![a-z])))"
    rb"|(?P<label>keys?(?-i:(?![a-z])))"
)
_CORE = re.compile(CORES, re.IGNORECASE)
_WORDS = re.compile(rb"[A-Z]+(?-i:(?![a-z]))|[A-Z]?[a-z]+|[0-9]+")

_AFTER = frozenset(
    b"id ids uuid guid arn url urls uri uris path paths file filename files dir directory folder name names field fields "
    b"type types kind length len size count min max limit policy policies regex regexp re pattern prefix suffix header "
    b"headers label labels text title hint help message messages msg error errors err exception expires expired expiry "
    b"expiration expire ttl timeout lifetime age hash hashed hashes hasher digest checksum fingerprint thumbprint "
    b"encrypted enc cipher ciphertext placeholder param params parameter parameters property properties attr attribute "
    b"attributes column input form page view screen dialog controller service provider manager handler store storage "
    b"location endpoint host hostname server domain port method mode format version usage enabled disabled required "
    b"optional valid invalid strength score rule rules rotation reset recovery change changed forgot confirmation link "
    b"button icon class style ref reference refs key_ref selector query validator validation generator factory builder "
    b"config configuration settings options opts spec schema model entity object list array map set cache index "
    b"position pos start end offset line row stream reader writer parser buffer iterator scope scopes claim claims "
    b"audience issuer state status code codes grant event action callback func function fn command cmd prompt symbol "
    b"algorithm alg algo bits salt iterations rounds user username login email owner account role group engine backend "
    b"seconds secs minutes hours days time date created updated at by from to for in on is not no y n env var variable "
    b"source src target template doc docs description desc comment note info example test_id count_tokens flow flows "
    b"exchange request response result results check checker checks checking authentication required plugin module "
    b"package import export bucket vault volume mount mounts namespace manager_name lookup getter setter alias "
    b"separator delimiter delim stub protected protection ratio rate per cost price budget usage used total encode decode strip split "
    b"format replace lower upper startswith endswith join pop append trim equals match matches realm char chars".split()
)
"""Words after the core that make it something else than the value itself."""

_BEFORE = frozenset(
    b"max min num number n count total has have is are was no not show hide toggle forgot forgotten forget change reset check request sequence save remember "
    b"verified validate invalid missing generate gen get fetch find lookup parse hash hashed encrypted public pub csrf "
    b"xsrf next prev previous page continuation pagination pad padding eos bos unk mask sep special begin start end "
    b"stop begin syntax delimiter separator cancellation cancel foreign primary partition object row dict map hash_key host hot arrow shortcut idempotency dedup routing lock "
    b"index unique config registry gpg pgp ssh i18n translation storage wrapped node issue jira project_key page  sort sorting cache idempotency "
    b"use using allow require required needs enable disable supports support requires remove delete strip redact sanitize "
    b"censor input prompt completion cached reasoning output generated comment operator keyword identifier lexer string "
    b"close open left right optional error invalid empty blank".split()
)
"""Words right before the core, or at a name's beginning, with which the value is no secret."""

_GLUED = re.compile(rb"(?:[0-9]+|key|str|string|value|val|plain|raw|test|dev|prod|new|old|hex|b64|base64)?[0-9]*$")


@lru_cache(maxsize=8192)
def sense(name: bytes) -> Sense | None:
    """What a name promises, or None where it promises no secret: `token_type`, `passwordField`, `max_tokens`.

    `name` is an identifier or a key, with dots, dashes and capitals as written.
    """
    found = None
    for found in _CORE.finditer(name):
        pass
    if found is None:
        return None
    promise = Promise[str(found.lastgroup).upper()]
    before, core, after = name[: found.start()], name[found.start() : found.end()], name[found.end() :]
    if after and after[:1].islower() and not _GLUED.match(after):
        return None
    if before and before[-1:].isupper() and core[:1].islower():
        return None
    following = [word.lower() for word in _WORDS.findall(after)]
    if any(word in _AFTER for word in following):
        return None
    preceding = [word.lower() for word in _WORDS.findall(before)]
    if preceding and (preceding[-1] in _BEFORE or preceding[0] in _BEFORE):
        return None
    plural = core[-1:] in b"sS" and not core.lower().endswith((b"pass", b"ss"))
    bare_auth = promise is Promise.AUTH and len(core) == 4
    return Sense(promise, plain=not (following or plural or bare_auth or promise is Promise.LABEL))
