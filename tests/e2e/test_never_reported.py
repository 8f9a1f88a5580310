"""What is never reported, at any confidence and with all rules: encrypted, hashed, public and made-up values.

All content is generated, twenty times over, so that luck shows.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scanner.model import Confidence, Fingerprinter
from scanner.options import Options
from scanner.pipeline import Scanner, build_scanner
from tests.support.rules import KEY, findings
from tests.support.tokens import github_token, text

HEX = "0123456789abcdef"
PASSWORD = "pass" + "word"
Maker = Callable[[random.Random], tuple[str, str]]
MAKERS: dict[str, Maker] = {}


def maker(name: str) -> Callable[[Maker], Maker]:
    def register(function: Maker) -> Maker:
        MAKERS[name] = function
        return function

    return register


@pytest.fixture(scope="module")
def shipped(rule_cache: Path) -> Scanner:
    return build_scanner(Fingerprinter(KEY), options=Options(min_confidence=Confidence.LOW), cache_directory=rule_cache)


def b64(rng: random.Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


@maker("SOPS")
def sops(rng: random.Random) -> tuple[str, str]:
    def sealed() -> str:
        return f"ENC[AES256_GCM,data:{b64(rng, 30)},iv:{b64(rng, 32)},tag:{b64(rng, 16)},type:str]"

    lines = [f"db:\n    {PASSWORD}: {sealed()}\n    api_key: {sealed()}", "sops:", "    kms: []", "    age:"]
    lines += [f"        - recipient: age1{text(rng, 58, 'qpzry9x8gf2tvdw0s3jn54khce6mua7l')}", "          enc: |"]
    lines += ["            -----BEGIN AGE ENCRYPTED FILE-----"]
    lines += [f"            {b64(rng, 48)}" for _ in range(5)]
    lines += ["            -----END AGE ENCRYPTED FILE-----", f"    mac: {sealed()}", "    version: 3.9.1"]
    return "secrets.enc.yaml", "\n".join(lines)


@maker("ansible-vault")
def ansible_vault(rng: random.Random) -> tuple[str, str]:
    body = "\n".join("          " + text(rng, 80, "3" + HEX) for _ in range(6))
    return "vars.yml", f"db_{PASSWORD}: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n{body}\n"


@maker("sealed-secrets")
def sealed_secrets(rng: random.Random) -> tuple[str, str]:
    head = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: app\nspec:\n  encryptedData:\n"
    return "sealed.yaml", head + f"    {PASSWORD}: AgB{b64(rng, 400)}\n    api-token: AgA{b64(rng, 420)}\n"


@maker("git-crypt")
def git_crypt(rng: random.Random) -> tuple[str, str]:
    return "secret.key", bytes([0, *b"GITCRYPT", 0]).decode() + rng.randbytes(600).decode("latin-1")


@maker("npm lock file")
def npm_lock(rng: random.Random) -> tuple[str, str]:
    packages = {
        f"node_modules/{name}": {
            "version": "2.4.1",
            "resolved": f"https://registry.npmjs.org/{name}/-/{name}-2.4.1.tgz",
            "integrity": f"sha512-{b64(rng, 64)}",
        }
        for name in ("token-types", "passport-auth", "secret-handshake", "stripe", "twilio", "sentry-key")
    }
    return "package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}, indent=2)


@maker("other lock files")
def other_locks(rng: random.Random) -> tuple[str, str]:
    lines = [f"github.com/stripe/stripe-go/v7{n} v72.1.0 h1:{b64(rng, 32)}" for n in range(5)]
    lines += [f"    twilio==9.{n}.0 --hash=sha256:{rng.randbytes(32).hex()}" for n in range(5)]
    lines += [f'checksum = "{rng.randbytes(32).hex()}"', f"  resolved {rng.randbytes(20).hex()} # datadog"]
    return rng.choice(["go.sum", "requirements.txt", "Cargo.lock"]), "\n".join(lines)


@maker("identifiers")
def identifiers(rng: random.Random) -> tuple[str, str]:
    def one() -> str:
        return str(uuid.UUID(bytes=rng.randbytes(16), version=4))

    lines = [f'"id": "{one()}", "trace_id": "{rng.randbytes(16).hex()}", "request_id": "{one()}"']
    lines += [f"commit {rng.randbytes(20).hex()}", f"index {rng.randbytes(4).hex()}..{rng.randbytes(4).hex()} 100644"]
    lines += [
        f"md5: {rng.randbytes(16).hex()}",
        f"sha256:{rng.randbytes(32).hex()}",
        f'ETag: "{rng.randbytes(16).hex()}"',
    ]
    lines += [f"uses: actions/checkout@{rng.randbytes(20).hex()}", f"image: nginx@sha256:{rng.randbytes(32).hex()}"]
    return "notes.txt", "\n".join(lines)


@maker("public keys")
def public_keys(rng: random.Random) -> tuple[str, str]:
    point = ec.derive_private_key(rng.getrandbits(200) + 1, ec.SECP256R1()).public_key()
    pem = point.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    edwards = ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)).public_key()
    ssh = edwards.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    certificate = "\n".join(b64(rng, 48) for _ in range(14))
    block = f"-----BEGIN CERTIFICATE-----\nMIID{certificate}\n-----END CERTIFICATE-----\n"
    return "keys.txt", f"{pem}\n{ssh} me@host\n{block}\npublic_key = {b64(rng, 32)}\n"


@maker("test vectors")
def vectors(rng: random.Random) -> tuple[str, str]:
    lines = []
    for count in range(6):
        lines += [f"COUNT = {count}", f"Key = {rng.randbytes(16).hex()}", f"IV = {rng.randbytes(12).hex()}"]
        lines += [
            f"PT = {rng.randbytes(32).hex()}",
            f"CT = {rng.randbytes(32).hex()}",
            f"Tag = {rng.randbytes(16).hex()}",
            "",
        ]
    return "tests/vectors/gcmEncrypt128.rsp", "\n".join(lines)


@maker("minified code")
def minified(rng: random.Random) -> tuple[str, str]:
    def name() -> str:
        return text(rng, 2, "abcdefghijklmnopqrstuvwxyz")

    pieces = [
        f'{name()}.token="{name()}{name()}";{name()}.key={name()}.{PASSWORD};var {name()}=function({name()})'
        for _ in range(60)
    ]
    return "dist/app.js", ";".join(pieces) + f"\n//# sourceMappingURL=app.{rng.randbytes(10).hex()}.js.map"


@maker("references")
def references(rng: random.Random) -> tuple[str, str]:
    variable = text(rng, 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    lines = [
        f"{PASSWORD}: ${{{variable}_KEY}}",
        f"{PASSWORD}: {{{{ vault.{variable} }}}}",
        f"api_key=os.environ['{variable}']",
    ]
    lines += [f"secret: vault:secret/data/{variable.lower()}#{PASSWORD}", f"token: op://vault/{variable}/credential"]
    lines += [f"token: arn:aws:secretsmanager:eu-west-1:123456789012:secret:{variable}"]
    return "app.yaml", "\n".join(lines)


@maker("templates in URLs")
def templates(rng: random.Random) -> tuple[str, str]:
    user = text(rng, 6, "abcdefghijklmnopqrstuvwxyz")
    holes = [
        "{" + PASSWORD + "}",
        "{" + PASSWORD.upper() + "}",
        "%s",
        f"<{PASSWORD}>",
        "$PASS",
        "${PASS}",
        "{{ " + PASSWORD + " }}",
    ]
    holes += [f"%({PASSWORD})s", f"[{PASSWORD}]", "***", "xxxx", "{settings.DB_PASS}", "#{pw}", "{}", "{0}"]
    lines = [f'url = f"postgres://{user}:{hole}@db.corp.net:5432/app"' for hole in holes]
    lines += [f"https://{user}:{hole}@git.corp.net/x.git" for hole in holes]
    return "settings.py", "\n".join(lines)


@maker("published values")
def published(rng: random.Random) -> tuple[str, str]:
    login = base64.b64encode(b"Aladdin:open sesame").decode()
    token = "2Yotn" + "FZFEj" + "r1zCs" + "icMWpAA"
    azurite = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    return "rfc.txt", f"Authorization: Basic {login}\n\naccess_token = {token}\nmeraki = sha256:{azurite}\n"


@maker("interface text")
def interface(rng: random.Random) -> tuple[str, str]:
    labels = {PASSWORD: "Your " + PASSWORD, "forgot_" + PASSWORD: "Forgot it?", "new_" + PASSWORD: "New " + PASSWORD}
    labels |= {"token": "Token", "api_key": "API key", "secret_hint": "Keep it to yourself"}
    return rng.choice(["i18n/en.json", "web/locales/de.json", "src/form.json"]), json.dumps(labels, indent=1)


@pytest.mark.parametrize("name", MAKERS)
def test_it_is_not_reported(shipped: Scanner, name: str) -> None:
    for seed in range(20):
        path, content = MAKERS[name](random.Random(f"{name}{seed}"))
        found = findings(shipped, content.encode("latin-1"), path)
        assert not found, [(each.kind.id, each.confidence, content[each.span.start : each.span.end]) for each in found]


def test_the_same_places_do_not_hide_a_real_token(shipped: Scanner) -> None:
    rng = random.Random(7)
    for make in MAKERS.values():
        path, content = make(rng)
        if path != "secret.key":
            token = github_token(rng)
            found = findings(shipped, f"{content}\n{token}\n".encode("latin-1"), path)
            assert [each.secret.reveal() for each in found] == [token.encode()], path
