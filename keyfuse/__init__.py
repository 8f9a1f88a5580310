"""The program: it wires the rooms below together and talks to people. Nobody imports it.

The four rooms lie flat at the top of the repository, and `rules` and `scanner` are also names of unrelated packages on
PyPI. `check_rooms` makes sure that this installation got its own.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from scanner.errors import CannotRun

__version__ = "0.1.0"

ROOMS = ("rules", "scanner", "responders")


def check_rooms() -> None:
    """Raises CannotRun when a room was taken by another distribution's package of the same name."""
    home = Path(__file__).resolve().parent.parent
    for room in ROOMS:
        spec = find_spec(room)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or origin.parent.parent != home:
            raise CannotRun(
                f"the package {room!r} beside keyfuse is not keyfuse's own (found: {origin or 'nothing'}); "
                "install keyfuse in an environment of its own, for example with `pipx install keyfuse`"
            )
