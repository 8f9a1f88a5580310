"""Whatever is done to a container, a scan of it ends, within its limits, and says what it could not read."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable

import pytest
import zstandard

from scanner.model import Blob, Finding, Origin, Place, Skipped
from scanner.options import Limits, Options
from scanner.unpack.kinds import kind_of
from scanner.unpack.members import members
from tests.support import containers, documents
from tests.support.mutation import mutated
from tests.support.rules import results, rule, scanner
from tests.support.tokens import text

TOKEN = f"acmt_{text(random.Random(60), 24)}"
LINE = f"key = {TOKEN}\n".encode()
LIMITS = Limits(total_bytes=4 << 20, member_bytes=2 << 20, members=400, seconds_per_document=2)
SCANNER = scanner(rule("acme-token", "acmt_ + base62{24}"), options=Options(limits=LIMITS))


def mail() -> bytes:
    inner = containers.zipped(("a", LINE))
    import base64

    return (
        b"From a@example.org Mon\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n"
        b"Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=a.zip\n\n"
        + base64.encodebytes(inner)
        + b"--bb\nContent-Transfer-Encoding: quoted-printable\n\nkey =\n x\n--bb--\n"
    )


SEEDS: dict[str, Callable[[], bytes]] = {
    "zip": lambda: containers.zipped(("a", LINE * 30), ("b.gz", gzip.compress(LINE))),
    "tar": lambda: containers.tarred(("a", LINE), ("b.zip", containers.zipped(("a", LINE)))),
    "7z": lambda: containers.seven_zipped(("a", LINE), ("b", LINE * 20)),
    "ar": lambda: containers.debian(("a", LINE)),
    "cpio": lambda: containers.cpio(("a", LINE), ("b", LINE)),
    "rpm": lambda: containers.rpm(("a", LINE), script=LINE),
    "iso": lambda: containers.iso(("long name", LINE), rock_ridge="1.09"),
    "zstd": lambda: zstandard.compress(containers.tarred(("a", LINE))),
    "image": lambda: containers.image([[("a", LINE)], [("b", LINE)]], pack=gzip.compress),
    "pdf": lambda: documents.pdf(TOKEN, "two", title="t"),
    "rtf": lambda: rb"{\rtf1 {\b key}{\i " + TOKEN.encode() + rb"}\par{\pict 0a0b}\u100?}",
    "mail": mail,
    "notebook": lambda: documents.notebook(["a\n", TOKEN], output={"image/png": "iVBORw0KGgo="}),
    "word": lambda: documents.word(["a", TOKEN], rows=[["x", "y"]]),
    "excel": lambda: documents.excel({"A1": TOKEN, "B3": 4}),
    "xls": lambda: documents.old_excel({(1, 1): TOKEN}),
    "encrypted": lambda: documents.encrypted(documents.word(["a"]), "p") + LINE,
    "sqlite": lambda: documents.database(
        lambda db: db.executescript(f"CREATE TABLE t(a, b); INSERT INTO t VALUES (1, '{TOKEN}'); DELETE FROM t;")
    ),
    "pyc": lambda: documents.bytecode(f"a = {TOKEN!r}\n"),
    "class": lambda: documents.java_class(b"a", TOKEN.encode()),
}


@pytest.mark.parametrize("kind", SEEDS)
def test_damage_never_ends_a_scan(kind: str) -> None:
    seed = SEEDS[kind]()
    assert [r for r in results(SCANNER, seed) if isinstance(r, Finding)]
    rng = random.Random(kind)
    for _ in range(25 if len(seed) < 20_000 else 8):
        data = mutated(seed, rng)
        for result in results(SCANNER, data):
            assert isinstance(result, Finding | Skipped)
            if isinstance(result, Skipped):
                assert "internal error" not in result.reason


@pytest.mark.parametrize("kind", SEEDS)
def test_damage_never_exceeds_the_limits(kind: str) -> None:
    rng = random.Random(f"{kind} again")
    seed = SEEDS[kind]()
    for _ in range(8 if len(seed) < 20_000 else 3):
        data = mutated(seed, rng)
        found = kind_of(data)
        if not found:
            continue
        import io

        leaves = members(io.BytesIO(data), found, Origin(Place.FILE, "x"), len(data), LIMITS)
        sizes = [len(leaf.data) for leaf in leaves if isinstance(leaf, Blob)]
        assert sum(sizes) <= 4 * LIMITS.total_bytes
        assert len(sizes) <= 4 * LIMITS.members
