"""What is never a secret, by its form alone."""

import random
import string

import pytest

from scanner import nonsecrets
from tests.support import tokens

REFERENCES = (
    "${DB_PASSWORD}", "$DB_PASSWORD", "$(get-secret db)", "{{ vault_db_password }}", "%(db_password)s", "%DB_PASS%",
    "<your password>", "process.env.DB_PASS", "os.environ['X']", "vault:secret/data/db#pass", "op://vault/item/field",
    "arn:aws:secretsmanager:eu-west-1:1:secret:x", "!Ref DatabaseSecret", "@Value('x')", "#{db.password}", "$env:PASS",
    "@Microsoft.KeyVault(SecretUri=x)", "ssm:/prod/db", "ref+awsssm://x", "{password}", "prefix-${SUFFIX}",
)  # fmt: skip
PLACEHOLDERS = (
    "changeme", "change-me-now", "CHANGE_THIS", "your-api-key", "xxxxxxxx", "XXXXXXXX", "****", "........", "aaaaaaaa",
    "todo", "REDACTED", "example", "placeholder", "insert token here", "my_password", "abcdefgh", "1234567890",
    "00000000-0000",
    "none", "null", "string", "true", "required", "test-token", "hijklmnop", "k9k9k9k9k9k9k9k9", "<none>",
)  # fmt: skip
SEALED = (
    "ENC[AES256_GCM,data:x]", "ENC(abc)", "$ANSIBLE_VAULT;1.1;AES256", "{cipher}0a1b", "{SSHA}abcd", "$2b$12$abcd",
    "$6$salt$hash", "$argon2id$v=19$x", "sha256:0a1b", "SCRAM-SHA-256$4096:x", "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----", "ssh-ed25519 AAAA", "U2FsdGVkX1abc",
)  # fmt: skip
FORMS = (
    "2024-01-31", "2024-01-31T12:00:00Z", "1.2.3", "v2.10.1-rc1", ">=1.2.3", "3600", "30s", "0x1F", "someone@host.org",
    "https://host.org/login", "/etc/ssl/private", "./secrets/db.txt", "C:\\keys\\db", "path/to/some/thing", "db.pem",
    "db.internal", "10.0.0.1:5432", "request.session.user", "X-Forwarded-For", "www.host.org",
)  # fmt: skip
CODE = ("get_password()", "getenv('X')", "users[index]", "a => b", "user + 'x'", "self->token", "new Token", "[1, 2]")


@pytest.mark.parametrize("value", REFERENCES)
def test_references(value: str) -> None:
    assert nonsecrets.reference(value.encode()) == "a reference"


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_placeholders(value: str) -> None:
    assert nonsecrets.placeholder(value.encode()) or nonsecrets.reference(value.encode())


@pytest.mark.parametrize("value", SEALED)
def test_sealed_values(value: str) -> None:
    assert nonsecrets.sealed(value.encode())


@pytest.mark.parametrize("value", FORMS)
def test_forms_of_other_things(value: str) -> None:
    assert nonsecrets.identified(value.encode())


@pytest.mark.parametrize("value", CODE)
def test_code(value: str) -> None:
    assert nonsecrets.code(value.encode())


@pytest.mark.parametrize("alphabet", [tokens.BASE62, tokens.BASE62 + "+/", string.ascii_letters + string.punctuation])
def test_random_text_is_hardly_ever_taken_for_one(alphabet: str) -> None:
    rng = random.Random(11)
    values = [tokens.text(rng, 40, alphabet).encode() for _ in range(500)]
    assert sum(nonsecrets.why(value) is not None for value in values) <= 10


@pytest.mark.parametrize("value", ["Summer" + "2019!", "correcthorse", "s3cr3t" + "!", "p@ss" + "w0rd99"])
def test_passwords_are_none(value: str) -> None:
    assert nonsecrets.why(value.encode()) is None


def test_uuids_are_told_apart() -> None:
    assert nonsecrets.uuid(b"123e4567-e89b-12d3-a456-426614174000")
    assert not nonsecrets.uuid(b"123e4567-e89b-12d3-a456-42661417400g")
