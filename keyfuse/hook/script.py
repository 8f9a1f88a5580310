"""The text of an installed hook: a small POSIX shell script that finds its own interpreter and asks keyfuse.

It uses nothing but the shell's own commands (one `cat`, where standard input has to serve two hooks), since git is also
started from graphical programs with hardly any PATH. A hook that cannot ask keyfuse refuses, and says why.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass

from keyfuse.hook.stage import Stage

CHAINED = ".keyfuse-chained"
"""What is appended to the name of the hook that was there before."""

_MARK = re.compile(rb"^# keyfuse-hook 1 ([a-z-]+) ([0-9a-f]{16})$", re.MULTILINE)

# -P: the repository's own files are not importable; -E: nor does some other program's PYTHONPATH get in the way.
_START = """'import sys
try:
    from keyfuse.__main__ import main
except ModuleNotFoundError:
    sys.exit(127)
main()'"""

_BODY = """# Put here by `keyfuse hook install`; `keyfuse hook uninstall` takes it out and restores what was here.
keyfuse_python={python}
earlier="${{0%/*}}/{stage}{chained}"
earlier_said=0
{earlier}
{stdin}"$keyfuse_python" -P -E -c {start} hook run {stage} {options}"$@"
keyfuse_said=$?
case $keyfuse_said in
0) exit "$earlier_said" ;;
1|2|3|4|5|130) exit "$keyfuse_said" ;;
126|127) why="there is no keyfuse any more behind $keyfuse_python" ;;
*) why="keyfuse was ended before it was done (status $keyfuse_said)" ;;
esac
printf '%s\\n' "keyfuse: nothing was checked, so this is refused: $why" \\
    "  Put it right:  install keyfuse again, then run: keyfuse hook install {stage}" \\
    "  Or do without: delete $0" \\
    "                 (if {stage}{chained} lies beside it, that was your hook before: rename it to {stage})" \\
    {once} >&2
exit 3
"""

_EARLIER = """if [ -x "$earlier" ]; then
    "$earlier" "$@" || earlier_said=$?
fi"""

# Both hooks are told the same refs, so they are read once. They are lines of text and never hold a NUL.
_EARLIER_REFS = """refs=$(PATH="$PATH:/usr/bin:/bin" cat)
say_refs() { [ -z "$refs" ] || printf '%s\\n' "$refs"; }
if [ -x "$earlier" ]; then
    say_refs | "$earlier" "$@" || earlier_said=$?
fi"""


@dataclass(frozen=True, slots=True)
class Script:
    """What an installed hook does. `python` is the interpreter's absolute path, undecodable bytes as surrogates."""

    stage: Stage
    python: str
    allow_incomplete: bool = False

    def text(self) -> bytes:
        """The file's content."""
        reads_refs = self.stage is not Stage.PRE_COMMIT
        body = _BODY.format(
            python=shlex.quote(self.python),
            stage=self.stage.value,
            chained=CHAINED,
            earlier=_EARLIER_REFS if reads_refs else _EARLIER,
            start=_START,
            options="--allow-incomplete " if self.allow_incomplete else "",
            stdin="say_refs | " if reads_refs else "",
            once=shlex.quote(f"  Only this once: {self.stage.bypass}"),
        ).encode("utf-8", "surrogateescape")
        return b"#!/bin/sh\n" + _mark(self.stage.value.encode(), body) + b"\n" + body


def _mark(stage: bytes, body: bytes) -> bytes:
    return b"# keyfuse-hook 1 %s %s" % (stage, hashlib.sha256(body).hexdigest()[:16].encode())


@dataclass(frozen=True, slots=True)
class Marked:
    """A file that bears keyfuse's mark; `edited` when somebody changed it since it was written."""

    edited: bool


def recognise(content: bytes) -> Marked | None:
    """Whether a hook file was written by keyfuse."""
    found = _MARK.search(content)
    if found is None:
        return None
    expected = b"#!/bin/sh\n" + _mark(found[1], content[found.end() + 1 :]) + b"\n"
    return Marked(edited=content[: found.end() + 1] != expected)
