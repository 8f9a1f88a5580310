"""Private keys in text: real ones made here by OpenSSL's and OpenSSH's formats, folded and joined as people do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from scanner.checks import CHECKS

PEM = CHECKS["pem"].passes
PLAIN = form.NoEncryption()
SECRET = form.BestAvailableEncryption(b"a passphrase")
OLD, PKCS8, SSH = form.PrivateFormat.TraditionalOpenSSL, form.PrivateFormat.PKCS8, form.PrivateFormat.OpenSSH

CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)


def text(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, shape: form.PrivateFormat
) -> bytes:
    return key.private_bytes(form.Encoding.PEM, shape, PLAIN).strip()


def test_keys_in_each_form(rsa_key: rsa.RSAPrivateKey) -> None:
    for value in (
        *(text(rsa_key, OLD), text(rsa_key, PKCS8), text(CURVE, OLD), text(CURVE, PKCS8)),
        *(text(EDWARDS, PKCS8), text(EDWARDS, SSH), text(CURVE, SSH)),
        CURVE.private_bytes(form.Encoding.PEM, PKCS8, SECRET),
        CURVE.private_bytes(form.Encoding.PEM, OLD, SECRET),
    ):
        assert PEM(value), value.split(b"\n")[0]


@pytest.mark.parametrize(
    "fold",
    [
        lambda pem: pem.replace(b"\n", b"\r\n"),
        lambda pem: pem.replace(b"\n", rb"\n"),
        lambda pem: pem.replace(b"\n", b" "),
        lambda pem: pem.replace(b"\n", b"\n      "),
        lambda pem: pem.replace(b"\n", b'\\n" +\n    "'),
        lambda pem: pem.replace(b"\n", b'",\n  "'),
        lambda pem: pem.replace(b"\n", b"\n# "),
    ],
)
def test_however_it_is_folded(fold: object, rsa_key: rsa.RSAPrivateKey) -> None:
    assert callable(fold)
    assert PEM(fold(text(rsa_key, PKCS8)))
    assert PEM(fold(text(EDWARDS, SSH)))


def test_what_is_no_key(rsa_key: rsa.RSAPrivateKey) -> None:
    value = text(rsa_key, OLD)
    lines = value.split(b"\n")
    assert not PEM(b"\n".join((lines[0], b"A" * 64, lines[-1])))
    assert not PEM(b"\n".join((lines[0], b"...", lines[-1])))
    assert not PEM(b"\n".join((*lines[:3], *lines[4:])))
    assert not PEM(b"\n".join(lines[:-1]))
    assert not PEM(value.replace(b"BEGIN RSA", b"BEGIN EC"))


@pytest.mark.parametrize("name", ["pem", "ppk", "pgp"])
def test_made_up_files_pass_until_a_byte_changes(name: str) -> None:
    head = {"pem": b"-----BEGIN EC PRIVATE KEY-----x-----END EC PRIVATE KEY-----", "ppk": b"x", "pgp": b"x"}[name]
    complete = CHECKS[name].complete
    assert complete is not None
    value = complete(head)
    assert CHECKS[name].passes(value)
    middle = len(value) // 2
    broken = value[:middle] + value[middle + 5 :]
    assert not CHECKS[name].passes(broken)


def test_openssh_keys_made_by_its_own_program(tmp_path: Path) -> None:
    program = shutil.which("ssh-keygen")
    if program is None:
        pytest.skip("no ssh-keygen here")
    for phrase in ("", "a passphrase"):
        target = tmp_path / f"key{len(phrase)}"
        subprocess.run([program, "-q", "-t", "ed25519", "-N", phrase, "-f", str(target)], check=True)
        assert PEM(target.read_bytes())
