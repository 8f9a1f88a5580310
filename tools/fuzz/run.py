"""Coverage-guided fuzzing of what takes content apart: `python -m tools.fuzz.run containers` or `decoders`.

More words are libFuzzer's options. Needs atheris (`pip install atheris`), which is no dependency of anything else.
Seeds are generated into a folder; what is found lies in the working directory as `crash-*`, `timeout-*` or `oom-*`,
and becomes a test. A run without options lasts five minutes.
"""

from __future__ import annotations

import io
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["scanner"]):
    from scanner.documents import office  # noqa: F401 - loaded here, so that it is watched
    from scanner.encodings import unwrap  # noqa: F401 - as above
    from scanner.model import Blob, Origin, Place, Skipped
    from scanner.options import Limits, Options
    from scanner.unpack.formats import KINDS, format_of
    from scanner.unpack.kinds import kind_of
    from scanner.unpack.members import members
    from tests.support.rules import blob, rule, scanner
    from tests.support.tokens import text

    for each in KINDS:
        format_of(each)

from tests.property.test_hostile_containers import SEEDS
from tests.support.encodings import ENCODED

LIMITS = Limits(total_bytes=8 << 20, member_bytes=4 << 20, members=500, depth=6, seconds_per_document=2)
ORIGIN = Origin(Place.FILE, "fuzzed")


def containers(data: bytes) -> None:
    """Takes a content apart; it must end, within its limits, without an error of ours."""
    kind = kind_of(data)
    if not kind:
        return
    size = 0
    for leaf in members(io.BytesIO(data), kind, ORIGIN, len(data), LIMITS):
        if isinstance(leaf, Blob):
            size += len(leaf.data)
        elif isinstance(leaf, Skipped) and "internal error" in leaf.reason:
            raise AssertionError(leaf.reason)
    if size > 6 * LIMITS.total_bytes:
        raise AssertionError(f"{size} bytes out of {len(data)}")


_SCANNER = scanner(rule("acme-token", "acmt_ + base62{24}"), options=Options(limits=LIMITS))
_TOKEN = f"acmt_{text(random.Random(1), 24)}"


def decoders(data: bytes) -> None:
    """Scans a content in which something looks encoded."""
    for result in _SCANNER.scan(blob(data)):
        if isinstance(result, Skipped) and "internal error" in result.reason:
            raise AssertionError(result.reason)


def _seeds(target: str) -> list[bytes]:
    if target == "containers":
        return [make() for make in SEEDS.values()]
    return [write(_TOKEN).encode() for writers in ENCODED.values() for write in writers.values()]


def main() -> None:
    """Fuzzes one target."""
    targets: dict[str, Callable[[bytes], None]] = {"containers": containers, "decoders": decoders}
    target = sys.argv[1] if len(sys.argv) > 1 else ""
    if target not in targets:
        raise SystemExit("which: containers or decoders?")
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{target}-"))
    for number, seed in enumerate(_seeds(target)):
        (folder / f"seed-{number}").write_bytes(seed)
    options = sys.argv[2:] or ["-max_total_time=300", "-timeout=20", "-rss_limit_mb=2048", "-max_len=60000"]
    atheris.Setup([sys.argv[0], *options, str(folder)], targets[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
