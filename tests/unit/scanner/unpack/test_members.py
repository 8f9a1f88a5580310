"""Archives are taken apart by content, with limits, and nothing in them is lost in silence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.model import Blob, Finding, Origin, Place, Skipped
from scanner.options import Limits, Options
from scanner.pipeline import Result
from tests.support.rules import results, rule, scanner
from tests.support.tokens import text

TOKEN = f"acmt_{text(random.Random(40), 24)}".encode()
FIXED = rule("acme-token", "acmt_ + base62{24}")
CONTENT = b"# settings\ntoken = " + TOKEN + b"\n"
SCANNER = scanner(FIXED)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
        archive.comment = comment
    return out.getvalue()


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def found(data: bytes, path: str = "box", limits: Limits = Limits()) -> list[tuple[str, ...]]:  # noqa: B008 - frozen
    """Where the token was found."""
    told = results(scanner(FIXED, options=Options(limits=limits)), data, path)
    return [result.origin.inside for result in told if isinstance(result, Finding)]


def skipped(data: bytes, limits: Limits = Limits()) -> list[Skipped]:  # noqa: B008 - frozen
    told = results(scanner(FIXED, options=Options(limits=limits)), data, "box")
    return [result for result in told if isinstance(result, Skipped)]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip(method: int) -> None:
    data = zipped(("readme", b"nothing"), ("etc/app.ini", CONTENT), method=method)
    assert found(data) == [("etc/app.ini",)]
    assert skipped(data) == []


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, bytes])
def test_tar(form: int, pack: Callable[[bytes], bytes]) -> None:
    assert found(pack(tarred(("etc/app.ini", CONTENT), ("x" * 90, b""), form=form))) == [("etc/app.ini",)]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files(pack: Callable[[bytes], bytes]) -> None:
    suffix = {gzip.compress: ".gz", bz2.compress: ".bz2", lzma.compress: ".xz"}[pack]
    assert found(pack(CONTENT), "dir/app.log" + suffix) == [("app.log",)]
    assert found(pack(CONTENT), "dir/blob") == [("content",)]
    assert found(pack(b"x\n") + pack(CONTENT)) == [("content",)]


def test_lines_are_those_of_the_member() -> None:
    [finding] = [r for r in results(SCANNER, zipped(("a", CONTENT))) if isinstance(r, Finding)]
    assert (finding.span.start_line, finding.span.start_column) == (2, 9)


def test_nesting_of_all_kinds() -> None:
    data = CONTENT
    for name in ("a.zip", "b.zip", "c.zip", "d.zip"):
        data = gzip.compress(tarred((name, zipped((name, bz2.compress(data))))))
    limits = Limits(depth=20)
    [inside] = found(data, limits=limits)
    assert len(inside) == 12
    assert skipped(data, limits) == []


def test_twelve_deep_by_default() -> None:
    data = CONTENT
    for level in range(12):
        data = zipped((f"level-{level}", data))
    assert [len(inside) for inside in found(data)] == [12]
    assert ["nested more than" in skip.reason for skip in skipped(zipped(("one more", data)))] == [True]


def test_a_zip_behind_something_else() -> None:
    data = b"\x7fELF\0\0\0" + bytes(5000) + zipped(("a", CONTENT))
    assert found(data) == [("a",)]


def test_a_zip_that_is_no_zip_is_still_scanned() -> None:
    data = b"PK\x03\x04" + CONTENT
    assert found(data) == [()]
    assert len(skipped(data)) == 1


def test_comments_of_archives() -> None:
    assert found(zipped(("a", b""), comment=CONTENT)) == [("(archive comment)",)]


def test_a_bomb_costs_a_skipped_and_what_comes_before_is_found() -> None:
    data = zipped(("first", CONTENT), ("bomb", bytes(20 << 20)), ("last", CONTENT))
    limits = Limits(ratio=100)
    assert found(data, limits=limits) == [("first",)]
    assert ["100 times" in skip.reason for skip in skipped(data, limits)] == [True]
    assert len(found(data, limits=Limits(ratio=10_000))) == 2


def test_a_nested_bomb() -> None:
    data = zipped(("bomb", bytes(20 << 20)))
    for level in range(4):
        data = zipped(*((f"{level}-{number}", data) for number in range(16)))
    reasons = {skip.reason for skip in skipped(data, Limits(total_bytes=48 << 20, ratio=10**6))}
    assert reasons == {"holds more than 50,331,648 bytes when unpacked; the rest was not unpacked"}


def test_too_many_members() -> None:
    data = zipped(*((f"m{number}", b"") for number in range(50)), ("last", CONTENT))
    assert found(data, limits=Limits(members=20)) == []
    assert ["more than 20 members" in skip.reason for skip in skipped(data, Limits(members=20))] == [True]


def test_damaged_archives() -> None:
    whole = zipped(("a", CONTENT), ("b", CONTENT * 50), ("c", CONTENT))
    at = whole.index(b"PK\x03\x04", 10) + 40
    broken = whole[:at] + bytes(20) + whole[at + 20 :]
    assert found(broken) == [("a",), ("c",)]
    assert [str(skip.origin) for skip in skipped(broken)] == ["box!b"]
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        cut = pack(random.Random(1).randbytes(5000) + CONTENT)[:-30]
        assert ["damaged" in skip.reason for skip in skipped(cut)] == [True]
    assert ["damaged" in skip.reason for skip in skipped(tarred(("a", CONTENT * 100))[:900])] == [True]


@pytest.mark.parametrize("seed", range(60))
def test_no_damage_ends_a_scan(seed: int) -> None:
    rng = random.Random(seed)
    member = ("deep/a", CONTENT * 3)
    data = bytearray(
        rng.choice(
            [
                zipped(member, ("b.gz", gzip.compress(CONTENT))),
                tarred(member, ("z.zip", zipped(member))),
                gzip.compress(tarred(member)),
                lzma.compress(tarred(member)),
                bz2.compress(CONTENT * 9),
            ]
        )
    )
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    for result in results(SCANNER, bytes(data)):
        assert isinstance(result, Finding | Skipped)


def test_encrypted_members() -> None:
    data = bytearray(zipped(("a", CONTENT), method=zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    data = data.replace(TOKEN, bytes(len(TOKEN)))
    assert [(str(skip.origin), skip.reason) for skip in skipped(bytes(data))] == [("box!a", "an encrypted member")]


def test_names_are_hostile_text() -> None:
    names = [
        "../../etc/passwd",
        "/abs",
        "a\x1b[31mred",
        "n" * 60_000,
        "line\nbreak",
        "\udcff".encode("utf-8", "replace").decode(),
    ]
    data = zipped(*((name, CONTENT) for name in names))
    told = [result for result in results(SCANNER, data) if isinstance(result, Finding)]
    assert len(told) == len(names)
    assert all(str(finding.origin).isprintable() and len(str(finding.origin)) < 2_000 for finding in told)


def test_links_and_devices_in_tar_are_passed_over() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            entry = tarfile.TarInfo("special")
            entry.type = kind
            entry.linkname = "/etc/passwd"
            archive.addfile(entry)
    assert results(SCANNER, out.getvalue()) == []


def test_a_large_member_comes_in_windows() -> None:
    filler = random.Random(2).randbytes(1 << 20).hex().encode() + b"\n"
    border = 16 << 20
    large = (filler * 9)[: border - 12] + b" " + TOKEN + b" " + filler * 2
    told = [result for result in results(SCANNER, gzip.compress(large, 1)) if isinstance(result, Finding)]
    assert [(finding.span.start, finding.span.start_line) for finding in told] == [
        (border - 11, large.count(b"\n", 0, border) + 1)
    ]


def test_a_large_archive_is_read_from_its_stream(tmp_path: Path) -> None:
    path = tmp_path / "big.zip"
    path.write_bytes(zipped(("noise", random.Random(3).randbytes(3 << 20)), ("a", CONTENT)))
    told: list[Result] = []
    with path.open("rb") as file:
        first = Blob(file.read(1 << 20), Origin(Place.FILE, str(path)), stream=file)
        told = list(SCANNER.scan(first))
    assert [finding.origin.inside for finding in told if isinstance(finding, Finding)] == [("a",)]


def test_archives_can_be_left_closed() -> None:
    closed = scanner(FIXED, options=Options(archives=False))
    assert results(closed, zipped(("a", CONTENT))) == []
