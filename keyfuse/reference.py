"""Secrets that the configuration gives by reference: an environment variable's value, or a file's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scanner.errors import ConfigError
from scanner.model import Secret

SHORTEST = 16


def referred(section: str, name: str, variable: str, file: Path | None, environ: Mapping[str, str]) -> Secret | None:
    """The secret that `<name>_env` or `<name>_file` leads to; None where neither is set. Raises ConfigError."""
    if variable:
        value = environ.get(variable, "").strip().encode("utf-8", "surrogateescape")
        where = f"the environment variable {variable} ({name}_env)"
        if not value:
            raise ConfigError(f"{section}: {where} is not set")
    elif file is not None:
        where = f"the file {file} ({name}_file)"
        try:
            value = file.read_bytes().strip()
        except OSError as error:
            raise ConfigError(f"{section}: {where} cannot be read ({error.strerror})") from None
    else:
        return None
    if len(value) < SHORTEST:
        raise ConfigError(f"{section}: what {where} holds needs at least {SHORTEST} characters")
    return Secret(value)
