"""What a key looks like: one file of token kinds per provider, in `builtin/`. Data only; see `docs/rules.md`."""

from __future__ import annotations

import os.path

FOLDER = os.path.join(os.path.dirname(__file__), "builtin")  # noqa: PTH118, PTH120  (pathlib costs 9 ms at start)
"""Where the shipped rule files lie."""
