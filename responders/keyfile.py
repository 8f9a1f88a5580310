"""The installation's own key, in a file that its owner alone can read: makes fingerprints and seals pending secrets.

It lies apart from the database: who has only the database cannot test guesses against its fingerprints. It is made
once. Losing it orphans every fingerprint, so it is never replaced silently.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from pathlib import Path

from responders.errors import KeyFileError
from scanner.model import Fingerprinter, Secret

FILE_NAME = "keyfuse.key"
_MARK = "keyfuse-key-1"
_BYTES = 32
_NONCE = 12
# What says that this directory was in use before, and its fingerprints need the old key.
TRACES = ("keyfuse.db", "shapes.json")


class Sealer:
    """Encrypts a secret that a pending action needs after a restart (AES-256-GCM, a key derived for this by HKDF).

    `purpose` is bound to the result (the action's id): what was sealed for one action does not open for another.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        # On the start-up path nobody seals, and cryptography costs tens of milliseconds.
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

        self._key = HKDF(SHA256(), length=32, salt=None, info=b"keyfuse sealing 1").derive(key)

    def seal(self, secret: Secret, purpose: str) -> bytes:
        """The secret, encrypted."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, secret.reveal(), purpose.encode())

    def unseal(self, sealed: bytes, purpose: str) -> Secret:
        """The secret again. Raises KeyFileError when it was sealed with another key or for another purpose."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

        try:
            return Secret(AESGCM(self._key).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode()))
        except (InvalidTag, ValueError):
            raise KeyFileError(
                "a sealed secret does not open with this installation's key: the key file or the record was replaced; "
                "the action has to be started anew from the leak itself"
            ) from None

    def __repr__(self) -> str:
        return "Sealer(***)"


def load_or_create(data_dir: Path) -> Fingerprinter:
    """This installation's fingerprinter; makes directory (0700) and key file (0600) on first use.

    Raises KeyFileError when the file is damaged, readable by others, or missing from a directory that was in use.
    """
    return Fingerprinter(_load_or_create(data_dir))


def sealer(data_dir: Path) -> Sealer:
    """What seals and unseals under the same key file. Raises KeyFileError like `load_or_create`."""
    return Sealer(_load_or_create(data_dir))


def _load_or_create(data_dir: Path) -> bytes:
    path = data_dir / FILE_NAME
    try:
        found = _load(path)
        return _create(data_dir, path) if found is None else found
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be used ({error.strerror}); check owner and mode") from None


def _load(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"the key file {path} is not a regular file; put the saved key file in its place")
        if os.name == "posix" and status.st_mode & 0o077:
            raise KeyFileError(f"the key file {path} can be read by others; run: chmod 600 {path}")
        text = file.read(4096)
    return _parse(path, text)


def _parse(path: Path, text: bytes) -> bytes:
    try:
        mark, digits, check = text.decode("ascii").split()
        key = bytes.fromhex(digits)
    except ValueError:
        mark, key, check = "", b"", ""
    if mark != _MARK or len(key) != _BYTES or not hmac.compare_digest(check, _check(key)):
        raise KeyFileError(
            f"the key file {path} is damaged; restore it from a backup, since no stored fingerprint can be matched "
            "without it"
        )
    return key


def _check(key: bytes) -> str:
    return hashlib.sha256(b"keyfuse key check" + key).hexdigest()[:8]


def _create(data_dir: Path, path: Path) -> bytes:
    for trace in TRACES:
        if (data_dir / trace).exists():
            raise KeyFileError(
                f"the key file {path} is missing, but {data_dir / trace} was made with it; restore the key file from a "
                "backup, or move the whole directory away to start afresh"
            )
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = os.urandom(_BYTES)
    fresh = data_dir / f".{FILE_NAME}.{os.getpid()}.{os.urandom(4).hex()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(f"{_MARK} {key.hex()} {_check(key)}\n")
            file.flush()
            os.fsync(file.fileno())
        # A link either appears with its whole content or fails because another process was first.
        os.link(fresh, path)
    except FileExistsError:
        return _parse(path, path.read_bytes())
    finally:
        fresh.unlink(missing_ok=True)
    _sync_directory(data_dir)
    return key


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
