"""What a value is when it is no secret: a placeholder, a reference to one, a hash, an id, a path, plain prose, code.

Every function takes the value alone, without quotes, and gives the reason in a word or two, or None. Expressions are
compiled when first needed: starting up must not pay for them.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from scanner.likelihood import likelihood
from scanner.published import published

_STORES = (
    rb"arn|vault|op|ssm|env|file|keyring|keychain|secrets?|gsm|sm|aws-sm|awssm|aws-secretsmanager|azkv|akv|keyvault|gcp"
    rb"|projects|bao|sops|infisical|doppler|lastpass|bws|conjur|chamber|pass|ref\+\w+|k8s|kms|akeyless|hashivault"
)
_OBJECTS = (
    rb"os\.environ|os\.getenv|process\.env|ENV\[|env\.|secrets?\.|vars?\.|local\.|data\.|module\.|config\.|self\.|this\."
    rb"|settings\.|getenv|import\.meta|System\.|Environment\.|req\.|request\.|params\.|props\.|Rails\.|options\."
)
_REFERENCE = rb"|".join((
    rb"[$%#@!]?\{\{[^{}]*\}\}|[$#%@]\{[\w.:-]+[^\[\]()]*\}|\$\(",
    rb"\$\$?[A-Za-z_]\w*(?:[.:\[/)}]|->|$)|\$env:|\$\w+\$$",
    rb"%\(?[A-Za-z_]\w*(?:\)[sd]|%)|<%|\[%|\{%",
    rb"![A-Z][A-Za-z]+ |@Value|@Microsoft\.KeyVault",
    rb"(?:" + _STORES + rb")[:/]/?/?\S",
    rb"(?:" + _OBJECTS + rb")",
))  # fmt: skip
_INSIDE = rb"|".join((
    rb"[$#%]\{[\w.:/@|?!#%+*,= '\"-]{1,80}\}|\{\{[^{}]*\}\}|%\([\w.]+\)[sdr]|%\{[^}]*\}|\\\(\w+\)",
    rb"^<[A-Za-z_][^<>]{0,60}>|\{[A-Za-z_][\w.!:\[\]'\"()]{0,60}\}|\{\d?\}|^\[[A-Za-z_ -]{2,40}\]$",
    rb"%[sdvqrx@](?![0-9A-Za-z])|%[A-Z_]{3,}%",
    rb"\$\([^)]*\)|\$[A-Z][A-Z_]{3,}|secretKeyRef",
))  # fmt: skip
_SEALED = rb"|".join((
    rb"U2FsdGVkX1|ENC\[|ENC\(|enc:|encrypted:|\{cipher\}|\$ANSIBLE_VAULT|!vault|vault:v\d+:|AQICAH|Ag[A-D][A-Za-z0-9+/]{200}",
    rb"\{(?:SSHA|SHA|MD5|SMD5|CRYPT|bcrypt|noop|pbkdf2)[\w-]*\}|SCRAM-|bcrypt",
    rb"pbkdf2[_:]|sha(?:1|256|384|512)[:$-]|md5[:$]",
    rb"\$(?:\d{1,2}|2[abxy]|y|apr1|argon2\w*|scrypt|pbkdf2[\w-]*|S|P|H|sha1)\$.",
    rb"-----BEGIN (?:CERT|PUBLIC|X509|PGP PUBLIC|PGP MESS|NEW CERT|TRUSTED)|ssh-(?:rsa|ed25519|dss) |ecdsa-sha2",
))  # fmt: skip
_STAND_INS = (
    rb"change(?:me|it|this)|placeholder|example|sample|redacted|removed|masked|hidden|obfuscated|snipped|dummy|fake|todo"
    rb"|fixme|insert|replace|fill(?:in|me)|your|foo(?:bar|baz)|lorem|ipsum|undefined|unknown|unspecified"
    rb"|not(?:set|used|real|needed)|goeshere|tobe|deadbeef|irrelevant|whatever|abcd?efg|abc123|1234567890|0123456789"
    rb"|qwerty|anything|invalid|test(?:token|key|secret|value|api)|000000"
)
"""Texts that stand where a value is to be put; looked for in small letters, without separators."""
_FILLERS = rb"\.\.\.|\*\*\*|___|---|###|===|\?\?\?|&&&|xxx|XXX|0000-0000|\xe2\x80\xa6"
_STAND_IN_WORDS = (
    rb"(?:^|[-_ ])(?:my[-_ ](?!very)|some[-_ ]|put[-_ ]|xyz|the[-_ ])|\b(?:here|none|null|nil|tbd|snip)\b|n/?a$"
    rb"|default$|ignored?$|token$|(?:api|access|auth|secret|private)[-_ ]?key$"
)
_WORDS = frozenset(
    b"""utf-8 utf8 utf-16 ascii latin1 latin-1 iso-8859-1 true false yes no on off null none nil undefined nan str
    string text bool boolean int integer number float bytes object any array list dict map optional required unicode
    char varchar varchar2 nvarchar binary base64 byte void function const var let final static public private protected
    readonly async await return self this cls default empty blank value values key keys name type input output hidden
    disabled enabled enable disable auto always never basic bearer digest oauth oauth2 jwt apikey api_key ldap saml
    kerberos plain plaintext md5 sha1 sha256 hash hashed encrypted header cookie query body form json xml yaml field
    column label email user username login account id uuid token tokens secrets password passwords passwd pwd pass
    passphrase credential credentials key-value refresh access access_token refresh_token id_token new old current
    confirm confirmation user_password new_password old_password current_password in out textfield securestring
    secretstr client client_secret client_id prompt generated random file path vault manual automatic keyring
    environment env system local remote global internal external per-user shared inherit same secretkeyref""".split()
)
_TOYS = rb"pass|pwd|admin|test|secret|demo|user|welcome|qwerty|root|hello|guest|default|login|i2e|abc|temp|super"
_COMMON = frozenset(
    b"password passwd pass secret admin root test tests testing user username guest default postgres mysql"
    b" redis rabbitmq mongo mongodb 123456 12345678 1234 qwerty letmein hunter2 pw pwd token key value string"
    b" true false empty blank localhost password1 password123 pass123 test123 admin123 mypassword mysecret"
    b" supersecret topsecret secretpassword hello world foo bar baz xxx yyy zzz abc abc123 changeit changeme"
    b" welcome demo sa app dev prod local none null nil todo tbd".split()
)
_SPELLED = bytes.maketrans(b"0@$5!1347", b"oassiieat")
_UUID = rb"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_FORMS = (
    (rb"[-+]?(?:0x[0-9A-Fa-f]{1,8}|[\d_,.]+(?:[eE][-+]?\d+)?)[a-zA-Z%]{0,2}$", "a number"),
    (rb"[v^~=<>]{0,2}\d+(?:\.\d+|\.[x*]){1,3}(?:[-+.][0-9A-Za-z.]{1,20})?$", "a version"),
    (
        rb"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|$)|\d\d?[/.]\d\d?[/.]\d{2,4}$|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ",
        "a date",
    ),
    (rb"[\w.+-]+@[\w-]+\.[\w.-]+$", "an e-mail address"),
    (rb"(?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s@]*$|www\.|(?:mailto|data|urn|tel):", "a URL"),
    (rb"[A-Z][A-Za-z0-9]*(?:-[A-Z][a-z0-9]+)+$", "a header"),
    (
        rb"(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|local|internal|example|test|gov|edu|app|cloud|co|de|uk|eu)(?::\d+)?$",
        "a host",
    ),
    (rb"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?$", "an address"),
    (
        rb"[A-Za-z@][\w./@+-]*[-:@_=]v?\d{1,4}(?:\.\d{1,6}){1,3}(?:[-.+][A-Za-z][A-Za-z0-9]*)?$",
        "a package and its version",
    ),
)
_LOOSE_FORMS = (
    (
        (
            rb"(?:~|\.{1,2})?/(?:[\w.@~-]+/)+[\w.@~*-]*$|[A-Za-z]:\\|(?:[\w.-]+/){2,}[\w.-]*$"
            rb"|(?:~|\.{1,2})/[\w.-]+$|/[a-z_.-]{3,}$"
        ),
        "a path",
    ),
    (
        (
            rb"[\w./-]*\.(?:json|ya?ml|toml|txt|pem|key|crt|cer|p12|pfx|jks|env|ini|conf|cfg|xml|html?|php|js|ts|tsx|py"
            rb"|rb|go|java|cs|sh|md|rst|png|svg|css|log|db|gpg|asc|pub|vue|example)$"
        ),
        "a file",
    ),
    (rb"[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)+$", "an expression"),
)
"""Forms that random text can have by chance."""
_CODE = rb"|".join((
    rb".{0,60}\[[^\]]{0,20}(?:A-Z|a-z|0-9|a-f|\\[dws])|.{0,20}(?:0-9[Aa]-[ZzFf]|A-Za-z|a-zA-Z)|[A-Za-z_][\w.:>-]*\([^()]*\)?[;,]?$|[A-Za-z_][\w.]*\[[\w'\"\]\[.]*$|[A-Za-z_]\w*(?:->|::)\w",
    rb".{0,60}(?:=>|&&|\|\|)|.*\w\s[=!]=\s\w|.*\+ ?['\"`]|['\"`] ?\+|[\[({]|function\b|new [A-Z]|lambda\b",
))  # fmt: skip


@cache
def _compiled(expression: bytes) -> re.Pattern[bytes]:
    return re.compile(expression)


def placeholder(value: bytes) -> str | None:
    """Texts that stand where a value is to be put: `changeme`, `<your key>`, `xxxx`, rows of one character."""
    lower = value.lower()
    if lower in _WORDS:
        return "a word of the language"
    if _compiled(_STAND_INS).search(lower.translate(None, b" -_")):
        return "a placeholder"
    if _compiled(_STAND_IN_WORDS).search(lower) or _compiled(_FILLERS).search(value):
        return "a placeholder"
    if len(set(value)) <= min(4, 1 + len(value) // 8):
        return "one character over and over"
    return "a row of neighbours" if _in_a_row(value) else None


def _in_a_row(value: bytes) -> bool:
    """Whether the characters mostly follow one another, as in `abcdef` and `987654`, or one unit is repeated."""
    if len(value) >= 6:
        steps = [second - first for first, second in pairwise(value)]
        if max(steps.count(1), steps.count(-1), steps.count(0)) * 4 > len(steps) * 3:
            return True
    return len(value) >= 16 and any(value[unit:] == value[:-unit] for unit in (1, 2, 3, 4, 5, 6, 8))


def reference(value: bytes) -> str | None:
    """Texts that name where the secret is kept: a variable, a template's hole, an entry of a secret manager."""
    if value.isalnum():
        return None
    if _compiled(_REFERENCE).match(value) and (value[:1] != b"$" or likelihood(value) < 25):
        return "a reference"
    inside = _compiled(_INSIDE).search(value)
    if inside and (2 * (inside.end() - inside.start()) >= len(value) or likelihood(value) < 40):
        return "a reference"
    return None


def common(value: bytes) -> bool:
    """One of the passwords that everybody's documentation and test set-up has."""
    return value.strip().lower() in _COMMON


def toy(value: bytes) -> bool:
    """A password of the kind that documentation and set-ups for development use: `admin`, `s3cret`, `test1234`."""
    return _compiled(_TOYS).search(value.lower().translate(_SPELLED)) is not None


def sealed(value: bytes) -> str | None:
    """Encrypted values, password hashes, public keys and certificates."""
    return "encrypted, hashed or public" if _compiled(_SEALED).match(value) else None


def identified(value: bytes) -> str | None:
    """Texts of a form that secrets do not have: dates, versions, numbers, addresses, paths."""
    for expression, reason in _FORMS:
        if _compiled(expression).match(value):
            return reason
    for expression, reason in () if value.isalnum() else _LOOSE_FORMS:
        if _compiled(expression).match(value):
            return reason if likelihood(value) < 15 else None
    return None


def code(value: bytes) -> str | None:
    """Expressions: calls, subscripts, operators; but not every row of signs that could be one by chance."""
    if not value.isalnum() and _compiled(_CODE).match(value) and (b" " in value or likelihood(value) < 60):
        return "an expression"
    return None


def uuid(value: bytes) -> bool:
    """Whether the value is a UUID and nothing else."""
    return len(value) == 36 and _compiled(_UUID).fullmatch(value) is not None


def why(value: bytes) -> str | None:
    """The first reason not to take the value for a secret, the cheap ones first."""
    if published(value):
        return "known to everybody"
    return placeholder(value) or sealed(value) or reference(value) or identified(value) or code(value)
