"""Credentials that the configuration gives by reference: an environment variable, a file, or the system's keyring.

Nothing is read before it is needed, and what was read is a `Secret`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scanner.errors import ConfigError
from scanner.model import Secret

LARGEST = 64 * 1024
"""Bytes of a credential file."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where one credential is found; `keyring` is a service and a user, with a slash between them."""

    variable: str = ""
    file: Path | None = None
    keyring: str = ""

    def __bool__(self) -> bool:
        return bool(self.variable or self.file or self.keyring)


def resolve(reference: Reference, what: str, environ: Mapping[str, str]) -> Secret:
    """The credential. `what` is the setting's name without its ending. Raises ConfigError with the next step."""
    if reference.variable:
        value = environ.get(reference.variable, "").strip()
        if not value:
            raise ConfigError(f"the environment variable {reference.variable} ({what}_env) is not set")
        return Secret(value.encode())
    if reference.file is not None:
        return _from_file(reference.file, what)
    if reference.keyring:
        return _from_keyring(reference.keyring, what)
    raise ConfigError(f"no {what} is configured; set {what}_env, {what}_file or {what}_keyring")


def _from_file(path: Path, what: str) -> Secret:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1).strip()
    except OSError as error:
        raise ConfigError(f"the file {path} ({what}_file) cannot be read ({error.strerror})") from None
    if not content or len(content) > LARGEST:
        raise ConfigError(f"the file {path} ({what}_file) is {'too large' if content else 'empty'}")
    return Secret(content)


def _from_keyring(place: str, what: str) -> Secret:
    service, slash, user = place.rpartition("/")
    if not slash:
        raise ConfigError(f'{what}_keyring must be "service/user"')
    try:
        import keyring  # noqa: PLC0415  (an extra that few need, and slow to load)
    except ImportError:
        raise ConfigError(f"{what}_keyring needs the package keyring: pip install 'keyfuse[keyring]'") from None
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # whatever the system's own keyring raises
        raise ConfigError(f"the system's keyring cannot be asked for {what} ({type(error).__name__})") from None
    if not found:
        raise ConfigError(f"the system's keyring has nothing under the name that {what}_keyring gives")
    return Secret(str(found).encode())
