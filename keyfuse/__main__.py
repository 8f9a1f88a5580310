"""The way in. What a pre-commit hook calls goes straight to its own fast path; all else goes through click."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs keyfuse and exits with one of `keyfuse.exits.Exit`."""
    from keyfuse.doorway import guarded  # noqa: PLC0415  (so that even an import that fails is told in one sentence)

    sys.exit(guarded(_run))


def _run() -> int:
    words = sys.argv[1:]
    if words[:2] == ["hook", "run"] and "--help" not in words:
        from keyfuse.hook import run  # noqa: PLC0415  (the hook must not pay for click)

        return run(words[2:])
    from keyfuse.cli import run_cli  # noqa: PLC0415  (and click must not pay for the hook)

    return run_cli(words)


if __name__ == "__main__":
    main()
