"""Encrypts a value to somebody's OpenPGP public key, through GnuPG.

GnuPG rather than a library: PGPy is no longer maintained and fails on current Python, and the bindings of Sequoia call
their interface unstable, whereas `gpg --recipient-file` has been there since 2017 and is at hand where PGP keys are.
"""

from __future__ import annotations

import base64
import binascii
import shutil
import subprocess
import tempfile
from pathlib import Path

from scanner.errors import CannotRun, UsageError
from scanner.model import Secret

MOST_BYTES = 1 << 20
SECONDS = 60


class Recipient:
    """Whoever has the private half of a public key file (ASCII-armoured, binary, or binary in base64).

    Raises UsageError when the file is no key that can be encrypted to, CannotRun when there is no `gpg`.
    """

    def __init__(self, key_file: Path) -> None:
        self._name = str(key_file)
        try:
            with key_file.open("rb") as file:
                self._key = _decoded(file.read(MOST_BYTES))
        except OSError as error:
            raise UsageError(f"the PGP key file {key_file} cannot be read ({error.strerror})") from None
        program = shutil.which("gpg")
        if program is None:
            raise CannotRun("--pgp-key needs GnuPG, and there is no `gpg` on PATH; install it (package gnupg)")
        self._program = program
        self.encrypt(Secret(b"probe"))  # before a key is issued whose value could then not be shown

    def encrypt(self, secret: Secret) -> str:
        """The value as an ASCII-armoured OpenPGP message."""
        with tempfile.TemporaryDirectory(prefix="keyfuse-gpg-") as home:
            key = Path(home, "recipient.key")
            key.write_bytes(self._key)
            command = [self._program, "--batch", "--no-tty", "--no-options", "--quiet", "--homedir", home]
            command += ["--trust-model", "always", "--armor", "--recipient-file", str(key), "--encrypt"]
            try:
                done = subprocess.run(command, input=secret.reveal(), capture_output=True, timeout=SECONDS, check=False)
            except (OSError, subprocess.TimeoutExpired):
                raise CannotRun("gpg could not be run to its end; try: gpg --version") from None
        if done.returncode != 0 or not done.stdout.startswith(b"-----BEGIN PGP MESSAGE-----"):
            raise UsageError(f"{self._name} is not a PGP public key that can be encrypted to")
        return done.stdout.decode("ascii")


def _decoded(data: bytes) -> bytes:
    """Key material that was given as bare base64, as bytes; anything else as it is."""
    if data.lstrip().startswith(b"-----BEGIN"):
        return data
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return data
