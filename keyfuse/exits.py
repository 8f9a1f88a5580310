"""The exit codes, all of them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the process tells its caller. When several apply, the commands say which wins."""

    OK = 0
    """nothing found, or done"""
    LEAKS = 1
    """leaks found"""
    USAGE = 2
    """usage or configuration error"""
    CANNOT_RUN = 3
    """could not run"""
    INCOMPLETE = 4
    """nothing found, but something could not be scanned (listed)"""
    UNPROVEN = 5
    """a leak action was wanted and is not proven done"""
    INTERRUPTED = 130
    """interrupted"""
