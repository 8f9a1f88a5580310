"""`keyfuse hook run`: looks at what is about to be committed or pushed, and answers with an exit code.

Every commit waits for this, so nothing is loaded that is not needed: no scanner when nothing is staged, no registry
when nothing was found. And whatever goes wrong, it never ends as if it had looked: then the answer is 2 or 3, which git
takes for a refusal, with the reason and the way around it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from keyfuse.exits import Exit
from keyfuse.hook.message import Outcome, could_not_check, text
from keyfuse.hook.order import Order, read_order
from keyfuse.hook.stage import Stage
from scanner.errors import KeyfuseError, UsageError


def main(words: Sequence[str]) -> int:
    """Runs one check. Raises UsageError for words that make no sense."""
    order = read_order(words)
    try:
        outcome = _look(order)
    except KeyfuseError as error:
        sys.stderr.write(could_not_check(order.stage, str(error)))
        return Exit.USAGE if isinstance(error, UsageError) else Exit.CANNOT_RUN
    except OSError as error:
        reason = error.strerror or type(error).__name__
        sys.stderr.write(could_not_check(order.stage, f"{reason} ({error.filename})" if error.filename else reason))
        return Exit.CANNOT_RUN
    except Exception as error:  # a defect must refuse the commit and say how to go on, not look like a leak
        sys.stderr.write(could_not_check(order.stage, _defect(error)))
        return Exit.CANNOT_RUN
    sys.stderr.write(text(order.stage, outcome, verbose=order.verbose, allow_incomplete=order.allow_incomplete))
    if outcome.blocking:
        return Exit.LEAKS
    return Exit.INCOMPLETE if outcome.skipped and not order.allow_incomplete else Exit.OK


def _look(order: Order) -> Outcome:
    if order.stage is Stage.PRE_COMMIT:
        from keyfuse.hook.commit import look_at_commit  # noqa: PLC0415  (a commit must not pay for pushes)

        return look_at_commit(order.words, os.environ)
    from keyfuse.hook.push import look_at_push  # noqa: PLC0415  (nor a push for commits)

    return look_at_push(order.stage, order.words, sys.stdin.buffer, os.environ)


def _defect(error: Exception) -> str:
    """Where it happened, but not the error's own text: it may quote what was scanned."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f" at {os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}" if at is not None else ""  # noqa: PTH119
    missing = f" (module {error.name})" if isinstance(error, ImportError) and error.name else ""
    return f"keyfuse itself failed with {type(error).__name__}{missing}{where}"
