"""A quicker start and end: every commit waits for this process, and most of its time goes into loading modules."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any, NoReturn


class Later(ModuleType):
    """Stands for a module until something in it is asked for; then it is loaded, and takes its own place."""

    def __getattr__(self, name: str) -> Any:
        from importlib import import_module  # noqa: PLC0415  (when it must be, and not before)

        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def make_haste() -> None:
    """Puts off what the start does not need.

    `dataclasses` loads `inspect`, and with it the compiler's tables (10 ms), only to write docstrings for classes that
    have none. And loading modules makes many objects that live as long as the process; the collector need not look at
    them ever again.
    """
    sys.modules.setdefault("inspect", Later("inspect"))
    gc.set_threshold(50_000)


def leave(code: int) -> NoReturn:
    """Ends the process at once, without taking its objects apart one by one (10 ms). Nothing may be left to close."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it is gone; the code still says what was found
            stream.flush()
    os._exit(code)
