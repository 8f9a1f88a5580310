"""What a value is when it is no secret: a placeholder, a reference to one, a hash, an id, a path, plain prose, code.

Every function takes the value alone, without quotes, and gives the reason in a word or two, or None.
"""

from __future__ import annotations

import re

from scanner.likelihood import likelihood

_REFERENCE = re.compile(
    rb"[$%#@!]?\{\{[^{}]*\}\}|[$#%@]\{[\w.:-]+[^\[\]()]*\}|\$\(|\$\$?[A-Za-z_]\w*(?:[.:\[/)}]|->|$)|%\(?[A-Za-z_]\w*(?:\)[sd]|%)|<%|\[%|\{%"
    rb"|\$env:|\$[A-Z_]+$|![A-Z][A-Za-z]+ |@Value|(?:arn|vault|op|ssm|env|file|keyring|keychain|secret|secrets|gsm|sm|aws-sm"
    rb"|azkv|akv|gcp|awssm|bao|sops|infisical|doppler|lastpass|bws|conjur|chamber|pass|ref\+\w+|k8s|kms|akeyless"
    rb"|hashivault|aws-secretsmanager|keyvault|projects)[:/]/?/?\S|@Microsoft\.KeyVault|"
    rb"(?:os\.environ|os\.getenv|process\.env|ENV\[|env\.|secrets?\.|vars?\.|local\.|data\.|module\.|config\.|self\.|this"
    rb"\.|settings\.|getenv|import\.meta|System\.|Environment\.|req\.|request\.|params\.|props\.|Rails\.|options\.)",
)
_INSIDE = re.compile(
    rb"[$#%]\{[\w.:/@|?!#%+*,= '\"-]{1,80}\}|\{\{[^{}]*\}\}|%\([\w.]+\)[sdr]|^<[A-Za-z_][^<>]{0,60}>|%[A-Z_]{3,}%|\$\([^)]*\)|secretKeyRef|%\{[^}]*\}"
    rb"|\{[a-z_][\w.!:]{0,40}\}|%[sdvqrx@](?![0-9A-Za-z])|\{\d?\}|\\\(\w+\)|\$[A-Z][A-Z_]{3,}"
)
_ENCRYPTED = re.compile(
    rb"U2FsdGVkX1|ENC\[|ENC\(|enc:|encrypted:|\$ANSIBLE_VAULT|\{cipher\}|!vault|\{(?:SSHA|SHA|MD5|SMD5|CRYPT|bcrypt|noop|pbkdf2)[\w-]*\}"
    rb"|\$(?:1|2[abxy]?|5|6|y|7|apr1|argon2\w*|scrypt|pbkdf2[\w-]*|S|P|H|sha1)\$.|pbkdf2[_:]|sha(?:1|256|384|512)[:$-]|md5[:$]|bcrypt"
    rb"|-----BEGIN (?:CERT|PUBLIC|X509|PGP PUBLIC|PGP MESS|NEW CERT|TRUSTED)|ssh-(?:rsa|ed25519|dss) |ecdsa-sha2|vault:v\d+:|AQICAH"
)
_PLACEHOLDER = re.compile(
    rb"(?i:change[-_ ]?(?:me|it|this)|place[-_ ]?holder|example|sample|redacted|removed|masked|hidden|obfuscated|snip(?:ped)?\b"
    rb"|dummy|fake|todo|fixme|tbd\b|insert|replace|fill[-_ ]?(?:in|me)|your|(?:^|[-_ ])my[-_ ](?!very)|put[-_ ].*here|here\b"
    rb"|foo(?:bar|baz)|lorem|ipsum|undefined|unknown|unspecified|not[-_ ]?(?:set|used|real|a[-_ ]|needed|important|provided)|(?:^|[-_ ])some[-_ ]"
    rb"|none\b|null\b|nil\b|default$|goes[-_ ]?here|to[-_ ]?be[-_ ]|n/?a$|deadbeef|(?:^|[-_ ])xyz|ignored?$|irrelevant|whatever"
    rb"|abcd?efg|abc[-_]?123|1234567890|0123456789|qwerty|any[-_]?thing|invalid|test[-_ ]?(?:token|key|secret|value|api)"
    rb"|(?:api|access|auth|secret|private)[-_ ]?(?:key|token)$|^the[-_ ]|token$)|\.\.\.|\xe2\x80\xa6|\*\*\*|xxx|XXX|___|---|###|===|000000|\?\?\?|&&&"
)
_WORDS = frozenset(
    b"utf-8 utf8 utf-16 ascii latin1 latin-1 iso-8859-1 true false yes no on off null none nil undefined nan str string text bool boolean int integer number float bytes object any "
    b"array list dict map optional required unicode char varchar binary base64 byte void function const var let final static "
    b"public private protected readonly async await return self this cls default empty blank value values key keys name type "
    b"input output hidden disabled enabled auto always never basic bearer digest oauth oauth2 jwt apikey api_key ldap saml kerberos "
    b"plain plaintext md5 sha1 sha256 hash hashed encrypted header cookie query body form json xml yaml field column label text "
    b"email user username login account id uuid token tokens secrets password passwords passwd pwd pass credential "
    b"credentials key-value refresh access access_token refresh_token id_token new old current confirm confirmation "
    b"passphrase user_password new_password old_password current_password in out optional enable disable "
    b"varchar2 nvarchar textfield securestring secretstr client client_secret client_id prompt generated random file path vault "
    b"manual automatic keyring environment env system local remote global internal external per-user shared inherit same".split()
)
_UUID = re.compile(rb"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_DATE = re.compile(rb"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|$)|\d\d?[/.]\d\d?[/.]\d{2,4}$|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ")
_VERSION = re.compile(rb"[v^~=<>]{0,2}\d+(?:\.\d+|\.[x*]){1,3}(?:[-+.][0-9A-Za-z.]{1,20})?$")
_NUMBER = re.compile(rb"[-+]?(?:0x[0-9A-Fa-f]{1,8}|[\d_,.]+(?:[eE][-+]?\d+)?)[a-zA-Z%]{0,2}$")
_EMAIL = re.compile(rb"[\w.+-]+@[\w-]+\.[\w.-]+$")
_URL = re.compile(rb"(?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s@]*$|www\.|(?:mailto|data|urn|tel):")
_PATH = re.compile(
    rb"(?:~|\.{1,2})?/(?:[\w.@~-]+/)+[\w.@~*-]*$|[A-Za-z]:\\|(?:[\w.-]+/){2,}[\w.-]*$|(?:~|\.{1,2})/[\w.-]+$|/[a-z_.-]{3,}$"
    rb"|[\w./-]*\.(?:json|ya?ml|toml|txt|pem|key|crt|cer|p12|pfx|jks|env|ini|conf|cfg|xml|html?|php|js|ts|tsx|py|rb|go|java|cs|sh"
    rb"|md|rst|png|svg|css|log|db|gpg|asc|pub|vue|example)$"
)
_HOST = re.compile(
    rb"(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|local|internal|example|test|gov|edu|app|cloud|co|de|uk|eu)(?::\d+)?$"
)
_IP = re.compile(rb"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?$")
_CODE = re.compile(
    rb"[A-Za-z_][\w.:>-]*\([^()]*\)?[;,]?$|[A-Za-z_][\w.]*\[[\w'\"]*\]?$|.{0,60}(?:=>|&&|\|\|)|[A-Za-z_]\w*(?:->|::)\w"
    rb"|.*\w\s[=!]=\s\w|.*\+ ?['\"`]|['\"`] ?\+|[\[({]|function\b|new [A-Z]|lambda\b"
)
_HEADER = re.compile(rb"[A-Z][A-Za-z0-9]*(?:-[A-Z][a-z0-9]+)+$")
_DOTTED = re.compile(rb"[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)+$")


def placeholder(value: bytes) -> str | None:
    """Texts that stand where a value is to be put: `changeme`, `<your key>`, `xxxx`, rows of one character."""
    if value.lower() in _WORDS:
        return "a word of the language"
    if _PLACEHOLDER.search(value):
        return "a placeholder"
    if len(set(value)) <= min(4, 1 + len(value) // 8):
        return "one character over and over"
    return "a row of neighbours" if _in_a_row(value) else None


def _in_a_row(value: bytes) -> bool:
    """Whether the characters mostly follow one another, as in `abcdef` and `987654`, or one unit is repeated."""
    if len(value) >= 6:
        steps = [second - first for first, second in zip(value, value[1:], strict=False)]
        if max(steps.count(1), steps.count(-1), steps.count(0)) * 4 > len(steps) * 3:
            return True
    if len(value) >= 16:
        for unit in (1, 2, 3, 4, 5, 6, 8):
            if value[unit:] == value[:-unit]:
                return True
    return False


def reference(value: bytes) -> str | None:
    """Texts that name where the secret is kept: a variable, a template's hole, an entry of a secret manager."""
    if _REFERENCE.match(value) and (value[:1] != b"$" or likelihood(value) < 25):
        return "a reference"
    inside = _INSIDE.search(value)
    if inside and (2 * (inside.end() - inside.start()) >= len(value) or likelihood(value) < 40):
        return "a reference"
    return None


def sealed(value: bytes) -> str | None:
    """Encrypted values, password hashes, public keys and certificates."""
    return "encrypted, hashed or public" if _ENCRYPTED.match(value) else None


def identified(value: bytes) -> str | None:
    """Texts of a form that secrets do not have: dates, versions, numbers, addresses, paths."""
    for pattern, reason in _FORMS:
        if pattern.match(value):
            return reason
    for pattern, reason in _LOOSE:
        if pattern.match(value):
            return reason if likelihood(value) < 15 else None
    return None


_LOOSE = ((_PATH, "a path"), (_DOTTED, "an expression"))
"""Forms that random text can have by chance."""

_FORMS = (
    (_NUMBER, "a number"),
    (_VERSION, "a version"),
    (_DATE, "a date"),
    (_EMAIL, "an e-mail address"),
    (_URL, "a URL"),
    (_HEADER, "a header"),
    (_HOST, "a host"),
    (_IP, "an address"),
)


def code(value: bytes) -> str | None:
    """Expressions: calls, subscripts, operators."""
    return "an expression" if _CODE.match(value) else None


def uuid(value: bytes) -> bool:
    """Whether the value is a UUID and nothing else."""
    return _UUID.fullmatch(value) is not None


def why(value: bytes) -> str | None:
    """The first reason not to take the value for a secret, the cheap ones first."""
    return sealed(value) or reference(value) or placeholder(value) or identified(value) or code(value)
