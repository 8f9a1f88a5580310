"""Every kind of archive is told by its bytes and taken apart; what cannot be is said."""

from __future__ import annotations

import gzip
import io
import lzma
import random
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
import rpmfile
import zstandard

from scanner.model import Finding, Place, Skipped
from scanner.options import Limits, Options
from scanner.unpack import kinds
from tests.support import containers
from tests.support.rules import results, rule, scanner
from tests.support.tokens import text

TOKEN = f"acmt_{text(random.Random(41), 24)}".encode()
FIXED = rule("acme-token", "acmt_ + base62{24}")
CONTENT = b"# settings\ntoken = " + TOKEN + b"\n"
SCANNER = scanner(FIXED)
NOISE = random.Random(42).randbytes(90_000)
FILES = (("first", NOISE), ("etc/app.ini", CONTENT), ("last", b"x" * 100))


def found(data: bytes, path: str = "box") -> list[tuple[str, ...]]:
    """Where the token was found; nothing may be skipped."""
    told = results(SCANNER, data, path)
    assert [result for result in told if isinstance(result, Skipped)] == []
    return [result.origin.inside for result in told if isinstance(result, Finding)]


def reasons(data: bytes, limits: Limits = Limits()) -> list[str]:  # noqa: B008 - frozen
    told = results(scanner(FIXED, options=Options(limits=limits)), data, "box")
    return [f"{result.origin}: {result.reason}" for result in told if isinstance(result, Skipped)]


def coders() -> dict[str, list[dict[str, Any]]]:
    import py7zr

    lzma1, lzma2 = {"id": py7zr.FILTER_LZMA}, {"id": py7zr.FILTER_LZMA2, "preset": 6}
    return {
        "lzma2": [lzma2],
        "lzma": [lzma1],
        "x86, lzma2": [{"id": py7zr.FILTER_X86}, lzma2],
        "x86, lzma": [{"id": py7zr.FILTER_X86}, lzma1],
        "arm, lzma2": [{"id": py7zr.FILTER_ARM}, lzma2],
        "delta": [{"id": py7zr.FILTER_DELTA}, lzma2],
        "bzip2": [{"id": py7zr.FILTER_BZIP2}],
        "deflate": [{"id": py7zr.FILTER_DEFLATE}],
        "zstd": [{"id": py7zr.FILTER_ZSTD, "level": 3}],
        "copy": [{"id": py7zr.FILTER_COPY}],
    }


@pytest.mark.parametrize("name", coders())
def test_7z(name: str) -> None:
    assert found(containers.seven_zipped(*FILES, filters=coders()[name])) == [("etc/app.ini",)]


def test_7z_that_does_not_open() -> None:
    import py7zr

    ppmd = [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 24}]
    assert reasons(containers.seven_zipped(("a", CONTENT), ("b", b"x"), filters=ppmd)) == [
        "box!a: a member is coded in a way that is not known here, and so are 1 more members"
    ]
    assert reasons(containers.seven_zipped(("a", CONTENT), password="p")) == ["box!a: a member is encrypted"]
    closed = containers.seven_zipped(("a", CONTENT), password="p", header_encryption=True)
    assert reasons(closed) == ["box: its directory is encrypted"]


@pytest.mark.parametrize("old", [False, True])
def test_cpio(old: bool) -> None:
    data = containers.cpio(*FILES, old=old)
    assert found(data) == [("etc/app.ini",)]
    assert found(containers.cpio(("early", b"x"), old=old) + bytes(300) + gzip.compress(data))[0][-1] == "etc/app.ini"


def test_ar() -> None:
    members = (("short", NOISE[:33]), ("a name that is longer than sixteen bytes.ini", CONTENT))
    assert found(containers.archived(*members)) == [("a name that is longer than sixteen bytes.ini",)]


def test_ar_as_bsd_writes_it() -> None:
    name = b"a name in front of the content.ini"
    head = b"#1/%-13d%-12d%-6d%-6d%-8o%-10d`\n" % (len(name), 0, 0, 0, 0o644, len(name) + len(CONTENT))
    assert found(b"!<arch>\n" + head + name + CONTENT) == [("a name in front of the content.ini",)]


@pytest.mark.parametrize("pack", [zstandard.compress, lzma.compress, gzip.compress])
def test_debian_packages(pack: Callable[[bytes], bytes]) -> None:
    assert found(containers.debian(*FILES, pack=pack)) == [("data.tar.zst", "etc/app.ini")]


@pytest.mark.parametrize("pack", [zstandard.compress, lzma.compress, gzip.compress])
def test_rpm_packages(pack: Callable[[bytes], bytes]) -> None:
    data = containers.rpm(*FILES, pack=pack)
    with rpmfile.open(fileobj=io.BytesIO(data)) as package:
        assert package.headers["name"] == b"acme"
    assert found(data) == [("etc/app.ini",)]


def test_the_scripts_of_rpm_packages() -> None:
    assert found(containers.rpm(("a", b""), script=b"curl -H " + TOKEN)) == [("(package header)",)]


@pytest.mark.parametrize("names", [{}, {"joliet": 3}, {"rock_ridge": "1.09"}])
def test_iso(names: dict[str, Any]) -> None:
    data = containers.iso(("a long name.bin", NOISE), ("another long name.ini", CONTENT), **names)
    assert found(data) == [("another long name.ini",) if names else ("FILE1.BIN",)]
    assert [inside[1:] for inside in found(gzip.compress(data))] == found(data)


def test_zstd() -> None:
    assert found(zstandard.compress(CONTENT), "app.log.zst") == [("app.log",)]
    assert found(zstandard.compress(NOISE) + zstandard.compress(CONTENT)) == [("content",)]
    assert found(zstandard.compress(containers.tarred(*FILES))) == [("etc/app.ini",)]
    assert reasons(zstandard.compress(NOISE)[:-9]) == ["box!content: a damaged member: it is cut short"]


def test_lzma_without_a_magic_number() -> None:
    assert found(lzma.compress(CONTENT, lzma.FORMAT_ALONE)) == [("content",)]
    assert found(lzma.compress(containers.tarred(*FILES), lzma.FORMAT_ALONE)) == [("etc/app.ini",)]


def test_tar_from_before_there_was_a_magic_number() -> None:
    head = bytearray(containers.tarred(("etc/app.ini", CONTENT), form=tarfile.USTAR_FORMAT))
    head[257:265] = bytes(8)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head[:512])
    assert found(bytes(head)) == [("etc/app.ini",)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_images_of_containers(pack: Callable[[bytes], bytes]) -> None:
    """Layer by layer: what a later layer deletes is still there."""
    layers = [[("etc/app.ini", CONTENT)], [("etc/.wh.app.ini", b"")]]
    assert found(containers.image(layers, pack=pack)) == [("blobs/sha256/" + "0" * 64, "etc/app.ini")]
    history = containers.image([], config=b'{"config": {"Env": ["TOKEN=' + TOKEN + b'"]}}')
    assert found(history) == [("blobs/sha256/config",)]


PACKERS: dict[str, Callable[[str, bytes], bytes]] = {
    "zip": lambda name, data: containers.zipped((name, data)),
    "tar": lambda name, data: containers.tarred((name, data)),
    "7z": lambda name, data: containers.seven_zipped((name, data)),
    "ar": lambda name, data: containers.archived((name, data)),
    "cpio": lambda name, data: containers.cpio((name, data)),
    "rpm": lambda name, data: containers.rpm((name, data)),
    "iso": lambda name, data: containers.iso((name, data), rock_ridge="1.09"),
    "zst": lambda name, data: zstandard.compress(data),
    "xz": lambda name, data: lzma.compress(data),
}


@pytest.mark.parametrize("seed", range(8))
def test_nested_eight_deep_in_any_order_without_telling_names(seed: int) -> None:
    rng = random.Random(seed)
    data, way = CONTENT, rng.sample(list(PACKERS), 8)
    for number, kind in enumerate(way):
        data = PACKERS[kind](f"n{number}", data)
    [inside] = found(data)
    assert len(inside) >= 7  # a compressed TAR archive is one container


def test_names_of_members_are_looked_at() -> None:
    for pack in (containers.zipped, containers.tarred, containers.seven_zipped):
        name = f"backup/{TOKEN.decode()}.txt"
        told = results(SCANNER, gzip.compress(pack((name, b"nothing"))))
        assert [(f.origin.place, f.origin.inside[-1]) for f in told if isinstance(f, Finding)] == [
            (Place.FILE_NAME, name)
        ]


def test_targets_of_links_are_looked_at() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        entry = tarfile.TarInfo("link")
        entry.type, entry.linkname = tarfile.SYMTYPE, f"/run/{TOKEN.decode()}"
        archive.addfile(entry)
    assert found(out.getvalue()) == [("link",)]


def test_what_is_told_and_not_opened() -> None:
    for magic in (b"Rar!\x1a\x07\x01\0", b"MSCF\0\0\0\0", b"\x04\x22\x4d\x18", b"hsqs"):
        data = magic + bytes(40) + CONTENT
        assert [reason.partition(" ")[0] for reason in reasons(data)] == ["box:"]
        assert [r.origin.inside for r in results(SCANNER, data) if isinstance(r, Finding)] == [()]
        assert len(reasons(containers.tarred(("a", data)))) == 1


def test_a_damaged_archive_is_looked_at_as_it_lies_there() -> None:
    for data in (b"7z\xbc\xaf\x27\x1c" + b"\1" * 30 + CONTENT, b"PK\x03\x04" + CONTENT):
        told = results(SCANNER, containers.tarred(("a", data)))
        assert [r.origin.inside for r in told if isinstance(r, Finding)] == [("a",)]
        assert len([r for r in told if isinstance(r, Skipped)]) == 1


def test_what_comes_before_the_damage_is_found() -> None:
    for pack in (gzip.compress, zstandard.compress, lzma.compress):
        cut = pack(CONTENT * 2000 + NOISE)[:-60_000]
        told = results(SCANNER, cut)
        assert [r for r in told if isinstance(r, Finding)], pack
        assert len([r for r in told if isinstance(r, Skipped)]) == 1


@pytest.mark.parametrize("pack", PACKERS)
def test_bombs_cost_a_line(pack: str) -> None:
    data = PACKERS[pack]("bomb", bytes(40 << 20))
    limits = Limits(total_bytes=20 << 20)
    if len(data) < 5 << 20:
        assert [reason for reason in reasons(data, limits) if "when unpacked" in reason], pack


def test_an_archive_that_holds_itself() -> None:
    limits = Limits(depth=5)
    data = b"x"
    for number in range(9):
        data = containers.zipped(*((f"{number}.{copy}", data) for copy in range(2)))
    assert len(reasons(data, limits)) == 2**5


def test_heads_that_claim_the_memory() -> None:
    entry = tarfile.TarInfo("a")
    entry.type, entry.size = tarfile.XHDTYPE, 2 << 30
    data = gzip.compress(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(5 << 20))
    assert [reason.partition(": ")[2] for reason in reasons(data)] == ["a damaged gzip stream (ReadError)"]
    huge = b"7z\xbc\xaf\x27\x1c\0\4" + bytes(4) + (0).to_bytes(8, "little") + (1 << 40).to_bytes(8, "little") + bytes(4)
    assert len(reasons(huge)) == 1


def test_plain_text_is_no_container() -> None:
    plain = [
        b"From here on, it is text.\n",
        b"Date: today\n\nno mail\n",
        b"To: do\n",
        b"{\n 'a': 1}\n",
        b"070701",
        b"BZh9",
    ]
    assert [kinds.kind_of(text) for text in plain[:4]] == [""] * 4
    for text_ in plain:
        assert [r for r in results(SCANNER, text_ + CONTENT) if isinstance(r, Finding)]
