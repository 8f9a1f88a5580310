"""Plain text for people: tables and field lists without borders, so that `grep` and `cut` work on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scanner.model import printable


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the last one is not padded."""
    cells = [list(heads), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "\n".join(lines)


def fields(pairs: Iterable[tuple[str, str]]) -> str:
    """One `label: text` a line; what has no text is left out."""
    shown = [(label, text) for label, text in pairs if text]
    width = max((len(label) for label, _ in shown), default=0) + 1
    return "\n".join(f"{label + ':':<{width}} {printable(text)}" for label, text in shown)
