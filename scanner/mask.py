"""A secret as people may see it: enough to recognise, too little to use."""

from __future__ import annotations

from scanner.model import printable

_HEAD = 16
_TAIL = 4


def masked(secret: bytes, prefix: str = "") -> str:
    """The rule's prefix, an ellipsis and the last four characters; never more than a quarter of the secret in all."""
    text = secret.decode("utf-8", "replace").strip()
    budget = len(text) // 4
    head = prefix[: min(budget, _HEAD)] if prefix and text.startswith(prefix[:_HEAD]) else ""
    tail = text[len(text) - min(_TAIL, budget - len(head)) :]
    return printable(f"{head}…{tail}")
