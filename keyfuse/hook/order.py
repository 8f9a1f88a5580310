"""What `keyfuse hook run` was asked to do. Read by hand: an option parser costs more time than the check may take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from keyfuse.hook.stage import Stage
from scanner.errors import UsageError
from scanner.model import printable


class Order(NamedTuple):
    """One run. `words` are what git or a hook manager added: a remote's name and URL, or file names."""

    stage: Stage
    allow_incomplete: bool
    verbose: bool
    words: tuple[str, ...]


def read_order(words: Sequence[str]) -> Order:
    """`STAGE [--allow-incomplete] [--verbose] [--] [WORD]…`. Raises UsageError.

    Options count up to the first word that is none, so that a file's name cannot be one.
    """
    if not words or words[0] not in list(Stage):
        said = f", not {printable(words[0])}" if words else ""
        raise UsageError(f"a hook stage is wanted, one of {', '.join(Stage)}{said}")
    options = {"--allow-incomplete": False, "--verbose": False}
    rest = list(words[1:])
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option not in options:
            raise UsageError(f"`keyfuse hook run` does not know {printable(option)}; it knows {', '.join(options)}")
        options[option] = True
    return Order(Stage(words[0]), options["--allow-incomplete"], options["--verbose"], tuple(rest))
