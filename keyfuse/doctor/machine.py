"""The machine below keyfuse: Python, git, the matching engine, the rules and their cache."""

from __future__ import annotations

import platform
import re
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from keyfuse import __version__, check_rooms
from keyfuse.doctor.verdict import Level, Verdict
from keyfuse.hook.repository import git
from keyfuse.session import Session
from rules import FOLDER
from scanner import rulebook
from scanner.model import printable

OLDEST_PYTHON = (3, 11)
OLDEST_GIT = (2, 30)
"""Older ones are neither tested nor still mended by anybody."""


def python(name: str, _session: Session) -> Iterator[Verdict]:
    """Whether this Python is new enough."""
    said = f"{platform.python_implementation()} {platform.python_version()}, keyfuse {__version__}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield Verdict(name, Level.FAIL, said, "install keyfuse with Python 3.11 or newer")
    else:
        yield Verdict(name, Level.OK, said)


def rooms(name: str, _session: Session) -> Iterator[Verdict]:
    """Whether `rules` and `scanner` are keyfuse's own: there are others of these names on PyPI."""
    check_rooms()
    yield Verdict(name, Level.OK, f"keyfuse's own, in {Path(__file__).parents[2]}")


def git_program(name: str, _session: Session) -> Iterator[Verdict]:
    """Whether there is a git, and a recent one."""
    said = git(Path.cwd(), "version").stdout.decode("utf-8", "replace").strip()
    numbers = re.search(r"([0-9]+)\.([0-9]+)", said)
    if numbers is None:
        yield Verdict(name, Level.WARN, f"{said!r} names no version", "make sure that `git` on PATH is git")
    elif (int(numbers[1]), int(numbers[2])) < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        yield Verdict(name, Level.WARN, f"{said} is old", f"install git {oldest} or newer; older ones are not tested")
    else:
        yield Verdict(name, Level.OK, said)


def engine(name: str, _session: Session) -> Iterator[Verdict]:
    """Whether Hyperscan loads on this processor and compiles something."""
    mend = "reinstall it: python -m pip install --force-reinstall hyperscan"
    try:
        from scanner.engine.database import platform_key  # noqa: PLC0415  (an import that fails is what is looked for)

        platform_key()  # compiles a little
        yield Verdict(name, Level.OK, f"hyperscan {version('hyperscan')} loads and compiles")
    except ImportError as error:
        yield Verdict(name, Level.FAIL, f"hyperscan cannot be loaded: {error}", mend)


def rules(name: str, session: Session) -> Iterator[Verdict]:
    """Whether the rules load, and whether their compiled form is kept. Raises RuleError."""
    from scanner.engine.engine import open_engine  # noqa: PLC0415  (see `engine`: it may not load)

    own = session.config.rules.files
    files = (Path(FOLDER), *own) if own else None  # as an audit reads them, so that both use one cache
    cache = session.config.cache_dir
    compiled = []

    def load() -> rulebook.RuleBook:
        compiled.append(True)
        return rulebook.load(files)

    def opened() -> rulebook.RuleBook:
        return open_engine(load, rulebook.stamp(files), cache).book

    began = time.monotonic()
    book = opened()
    count = len(book.rules)
    if book.unused:
        said = f"{len(book.unused)} rules of your own files are not used: {printable(book.unused[0])}"
        yield Verdict(name, Level.WARN, said, "`keyfuse rules check FILE` lists all of them")
    if not compiled:
        yield Verdict(name, Level.OK, f"{count} rules, compiled and fresh in {cache}")
        return
    seconds = time.monotonic() - began
    compiled.clear()
    opened()
    if compiled:
        said = (
            f"{count} rules, but their compiled form cannot be kept in {cache}: every start takes {seconds:.1f} s more"
        )
        yield Verdict(name, Level.WARN, said, "make that directory your own with mode 0700, or set KEYFUSE_CACHE_DIR")
    else:
        yield Verdict(name, Level.OK, f"{count} rules, compiled anew in {seconds:.1f} s and kept in {cache}")
