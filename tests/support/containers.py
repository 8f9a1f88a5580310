"""Containers of every kind, written by the libraries and programs that people write them with."""

from __future__ import annotations

import io
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import zstandard

Files = Iterable[tuple[str, bytes]]


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
        archive.comment = comment
    return out.getvalue()


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A TAR archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def seven_zipped(*members: tuple[str, bytes], password: str | None = None, **how: Any) -> bytes:
    """A 7z archive."""
    import py7zr

    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password=password, **how) as archive:
        for name, data in members:
            archive.writestr(data, name)
    return out.getvalue()


def archived(*members: tuple[str, bytes]) -> bytes:
    """An ar archive."""
    with TemporaryDirectory() as folder:
        paths = []
        for name, data in members:
            paths.append(Path(folder, name))
            paths[-1].write_bytes(data)
        subprocess.run(["ar", "rc", f"{folder}/out", *paths], check=True)
        return Path(folder, "out").read_bytes()


def debian(*members: tuple[str, bytes], pack: Callable[[bytes], bytes] = zstandard.compress) -> bytes:
    """A Debian package."""
    control = ("./control", b"Package: acme\nVersion: 1\n")
    return archived(
        ("debian-binary", b"2.0\n"),
        ("control.tar.zst", pack(tarred(control))),
        ("data.tar.zst", pack(tarred(*members))),
    )


def cpio(*members: tuple[str, bytes], old: bool = False) -> bytes:
    """A cpio archive, as `cpio -H newc` or `cpio -H odc` writes it."""
    out = b""
    for number, (name, data) in enumerate((*members, ("TRAILER!!!", b"")), 1):
        label = name.encode() + b"\0"
        if old:
            out += b"070707" + b"".join(b"%06o" % field for field in (0, number, 0o100644, 0, 0, 1, 0))
            out += b"%011o%06o%011o" % (0, len(label), len(data)) + label + data
        else:
            fields = (number, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(label), 0)
            out += b"070701" + b"".join(b"%08x" % field for field in fields) + label
            out += bytes(-len(out) % 4)
            out += data + bytes(-len(data) % 4)
    return out


def rpm(*members: tuple[str, bytes], script: bytes = b"", pack: Callable[[bytes], bytes] = zstandard.compress) -> bytes:
    """An RPM package: the fields that a reader asks for, and a compressed cpio archive."""
    lead = struct.pack(">4sBBhh66shh16x", b"\xed\xab\xee\xdb", 3, 0, 0, 1, b"acme-1-1", 1, 5)
    payload = pack(cpio(*members))
    signature = _rpm_header([(1000, struct.pack(">I", len(payload)), 4)])
    fields = [(1000, b"acme\0", 6), (1001, b"1\0", 6), (1002, b"1\0", 6), (1023, script + b"\0", 6)]
    fields += [(1124, b"cpio\0", 6), (1125, b"zstd\0", 6)]
    return lead + signature + bytes(-len(signature) % 8) + _rpm_header(fields) + payload


def _rpm_header(fields: list[tuple[int, bytes, int]]) -> bytes:
    index = store = b""
    for tag, value, kind in fields:
        index += struct.pack(">4I", tag, kind, len(store), 1)
        store += value
    return b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", len(fields), len(store)) + index + store


def iso(*members: tuple[str, bytes], **how: Any) -> bytes:
    """An ISO image. `how` says which long names it has: `joliet=3` or `rock_ridge="1.09"`."""
    import pycdlib

    image = pycdlib.PyCdlib()
    image.new(interchange_level=1, **how)
    for number, (name, data) in enumerate(members):
        label: dict[str, Any] = {"joliet_path": f"/{name}"} if "joliet" in how else {"rr_name": name} if how else {}
        image.add_fp(io.BytesIO(data), len(data), f"/FILE{number}.BIN;1", **label)
    out = io.BytesIO()
    image.write_fp(out)
    image.close()
    return out.getvalue()


def image(layers: Iterable[Files], *, pack: Callable[[bytes], bytes] = bytes, config: bytes = b"{}") -> bytes:
    """A container image as `docker save` writes it: a TAR archive with a TAR archive for each layer."""
    blobs = [(f"blobs/sha256/{number:064x}", pack(tarred(*layer))) for number, layer in enumerate(layers)]
    return tarred(("manifest.json", b"[]"), ("oci-layout", b"{}"), ("blobs/sha256/config", config), *blobs)
