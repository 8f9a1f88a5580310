"""The way in. What a pre-commit hook calls goes straight to its own fast path; all else goes through click."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs keyfuse and exits with one of `keyfuse.exits.Exit`."""
    from keyfuse.haste import leave, make_haste  # noqa: PLC0415  (first of all: it is about what the others load)

    make_haste()
    from keyfuse.doorway import guarded  # noqa: PLC0415  (so that even an import that fails is told in one sentence)

    code = guarded(_run)
    if _is_hook(sys.argv[1:]) or sys.argv[1:2] == ["audit"]:
        leave(code)
    sys.exit(code)


def _run() -> int:
    words = sys.argv[1:]
    if _is_hook(words):
        from keyfuse.hook import run  # noqa: PLC0415  (the hook must not pay for click)

        return run(words[2:])
    if words[:1] == ["audit"]:
        from keyfuse.order import plain  # noqa: PLC0415  (a plain audit must not pay for click either)

        if order := plain(words[1:]):
            from keyfuse.auditing import audit  # noqa: PLC0415
            from keyfuse.session import Session  # noqa: PLC0415

            with Session() as session:
                return audit(order, session)
    from keyfuse.cli import run_cli  # noqa: PLC0415  (and click must not pay for the hook)

    return run_cli(words)


def _is_hook(words: list[str]) -> bool:
    return words[:2] == ["hook", "run"] and "--help" not in words


if __name__ == "__main__":
    main()
