"""The one door for errors: what was raised becomes one sentence on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from keyfuse import check_rooms
from keyfuse.exits import Exit
from scanner.errors import CannotRun, KeyfuseError, UsageError
from scanner.model import printable


def guarded(run: Callable[[], int]) -> int:
    """Runs the program and returns its exit code, whatever happens."""
    try:
        check_rooms()
        code = run()
        sys.stdout.flush()
    except UsageError as error:
        return _say(error, Exit.USAGE)
    except CannotRun as error:
        return _say(error, Exit.CANNOT_RUN)
    except KeyfuseError as error:
        return _say(error, Exit.CANNOT_RUN)
    except KeyboardInterrupt:
        _say("interrupted", Exit.INTERRUPTED)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader went away. Point stdout at nothing, so that the interpreter's last flush has somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.CANNOT_RUN
    except OSError as error:
        return _say(f"{error.strerror or error} ({error.filename})" if error.filename else error, Exit.CANNOT_RUN)
    except Exception as error:
        return _say(_defect(error), Exit.CANNOT_RUN)
    return code


def _defect(error: Exception) -> str:
    """What a report of a defect needs. Never the exception's own text: it may hold what was being scanned."""
    import traceback  # noqa: PLC0415  (takes 5 ms to load, for what should never happen)

    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}: this is a defect of keyfuse; please report it with these lines\n{frames}"


def _say(message: object, code: Exit) -> int:
    text = "\n".join(printable(line) for line in str(message).splitlines()) or type(message).__name__
    print(f"keyfuse: {text}", file=sys.stderr)  # noqa: T201
    return code
