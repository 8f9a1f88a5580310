"""Where a user's files lie on this platform. The only place that knows platformdirs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from scanner.errors import CannotRun


class Directories(NamedTuple):
    """keyfuse's own directories; none of them need exist."""

    config: Path
    data: Path
    cache: Path


def directories(env: Mapping[str, str]) -> Directories:
    """The platform's directories for keyfuse. Raises CannotRun for a user who has no home."""
    if sys.platform != "linux":
        from platformdirs import PlatformDirs  # noqa: PLC0415  (heavy, and on the way of every command)

        dirs = PlatformDirs("keyfuse", appauthor=False)
        return Directories(dirs.user_config_path, dirs.user_data_path, dirs.user_cache_path)
    return Directories(  # platformdirs says the same (a test compares them), but takes 5 ms to say it
        _xdg(env, "XDG_CONFIG_HOME", ".config"),
        _xdg(env, "XDG_DATA_HOME", ".local/share"),
        _xdg(env, "XDG_CACHE_HOME", ".cache"),
    )


def _xdg(env: Mapping[str, str], variable: str, usual: str) -> Path:
    """The XDG base directory specification: a variable that is unset, empty or relative is ignored."""
    chosen = env.get(variable, "").strip()
    if chosen.startswith("/"):
        return Path(chosen, "keyfuse")
    home = env.get("HOME")
    try:
        return Path(home or Path.home(), usual, "keyfuse")
    except RuntimeError:
        raise CannotRun(
            "this user has no home directory; set KEYFUSE_DATA_DIR, KEYFUSE_CACHE_DIR and KEYFUSE_CONFIG"
        ) from None
