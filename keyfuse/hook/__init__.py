"""keyfuse as a git hook.

`run` is what installed hooks call, and the only part of this package that a commit pays for: see `keyfuse.hook.check`.
The rest (`installer`, `script`, `neighbours`, `repository`, `canary`) puts hooks into repositories and tries them.
"""

from __future__ import annotations

from collections.abc import Sequence


def run(words: Sequence[str]) -> int:
    """Runs `keyfuse hook run WORDS`; returns an exit code. Raises UsageError for words that make no sense."""
    from keyfuse.hook.check import main  # noqa: PLC0415  (the installer and the command line do not need the scanner)

    return main(words)
