"""The program: it wires the rooms below together and talks to people. Nobody imports it.

The four rooms lie flat at the top of the repository, and `rules` and `scanner` are also names of unrelated packages on
PyPI. `check_rooms` makes sure that this installation got its own.
"""

from __future__ import annotations

import os.path
from types import ModuleType

import responders
import rules
import scanner
from scanner.errors import CannotRun

__version__ = "0.1.0"


def check_rooms(rooms: tuple[ModuleType, ...] = (rules, scanner, responders), home: str = __file__) -> None:
    """Raises CannotRun when a room was taken by another distribution's package of the same name.

    `home` is a file of this package; the rooms lie beside that package. It is done at every start, so it only compares
    paths.
    """
    beside = os.path.dirname(os.path.dirname(os.path.realpath(home)))  # noqa: PTH120  (pathlib costs 9 ms at start)
    for room in rooms:
        found = os.path.realpath(room.__file__ or "")
        if os.path.dirname(os.path.dirname(found)) != beside:  # noqa: PTH120
            raise CannotRun(
                f"the package {room.__name__!r} in use is not keyfuse's own (found: {found or 'nothing'}); "
                "install keyfuse in an environment of its own, for example with `pipx install keyfuse`"
            )
