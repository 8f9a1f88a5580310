"""The modules that are compiled, as they are in their sources."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import scanner.sources.git.pack as package
from scanner.sources.git.pack.store import opened

MODULES = ("table", "delta", "walk", "trees")
FOLDER = Path(package.__path__[0])


@contextmanager
def uncompiled() -> Iterator[None]:
    """While this lasts, whoever imports one of them gets it uncompiled."""
    names = [f"{package.__name__}.{name}" for name in MODULES]
    kept = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    opened.cache_clear()
    try:
        for short, name in zip(MODULES, names, strict=True):
            loader = SourceFileLoader(name, str(FOLDER / f"{short}.py"))
            spec = spec_from_loader(name, loader)
            assert spec is not None
            module = sys.modules[name] = module_from_spec(spec)
            loader.exec_module(module)
            assert module.COMPILED is False
        yield
    finally:
        opened.cache_clear()
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(kept)
