"""`keyfuse audit` with default settings on a tree of files of every kind, as it would be called."""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.support import containers, documents
from tests.support.tokens import github_token

RNG = random.Random(70)


def run(*words: str | Path, home: Path, cache: Path, stdin: bytes = b"") -> tuple[int, dict[str, Any]]:
    """The exit code of an audit, and its report."""
    environment = os.environ | {
        "HOME": str(home),
        "KEYFUSE_DATA_DIR": str(home / "data"),
        "KEYFUSE_CACHE_DIR": str(cache),
        "KEYFUSE_CONFIG": "",
    }
    command = [sys.executable, "-m", "keyfuse", "audit", *map(str, words), "--format", "json"]
    done = subprocess.run(command, input=stdin, capture_output=True, env=environment, cwd=home)
    return done.returncode, json.loads(done.stdout)


def kinds(token: str) -> dict[str, tuple[str, Callable[[], bytes]]]:
    """Files by their names: the way in to where the token is, and what makes them."""
    line = f"settings = 1\ntoken = {token}\n".encode()
    mail = b"MIME-Version: 1.0\nContent-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n"
    return {
        "latin-1.txt": ("", lambda: "Größe: 1\n".encode("latin-1") + line),
        "windows.ini": ("", lambda: b"\xef\xbb\xbf" + line.replace(b"\n", b"\r\n")),
        "wide.reg": ("", lambda: b"\xff\xfe" + line.decode().encode("utf-16-le")),
        "app.min.js": ("", lambda: b"var a=1;" * 20_000 + b"var k='" + token.encode() + b"';" + b"b();" * 9_000),
        ".hidden/.env": ("", lambda: line),
        "web/node_modules/left/.npmrc": ("", lambda: line),
        "yarn.lock": ("", lambda: line),
        "tests/fixture.json": ("", lambda: line),
        f"{token}.txt": ("", lambda: b"only the name"),
        "program": ("", lambda: b"\x7fELF" + bytes(9000) + line + bytes(100)),
        "lib.jar": ("a/b.properties", lambda: containers.zipped(("a/b.properties", line))),
        "no-suffix": ("a.ini", lambda: containers.tarred(("a.ini", line))),
        "wrong.png": ("a.ini", lambda: containers.seven_zipped(("a.ini", line))),
        "acme.deb": ("data.tar.zst!a.ini", lambda: containers.debian(("a.ini", line))),
        "acme.rpm": ("a.ini", lambda: containers.rpm(("a.ini", line))),
        "disk.iso": ("a.ini", lambda: containers.iso(("a.ini", line), joliet=3)),
        "log.zst": ("log", lambda: zstandard.compress(line)),
        "image.tar": ("blobs/sha256/" + "0" * 64 + "!a", lambda: containers.image([[("a", line)], [(".wh.a", b"")]])),
        "paper.pdf": ("page 1", lambda: documents.pdf(token)),
        "paper.docx": ("word/document.xml", lambda: documents.word(["a"], [token[:9], token[9:]])),
        "sheet.xlsx": ("xl/worksheets/sheet1.xml", lambda: documents.excel({"B2": token})),
        "show.pptx": ("ppt/slides/slide1.xml", lambda: documents.slides(token[:9], token[9:])),
        "paper.odt": ("content.xml", lambda: documents.open_document(token[:9], token[9:])),
        "paper.rtf": ("text", lambda: rb"{\rtf1 {\b %s}{\i %s}}" % (token[:9].encode(), token[9:].encode())),
        "backup.eml": ("a.zip!a", lambda: mail + base64.encodebytes(containers.zipped(("a", line)))),
        "data.db": (
            "table t",
            lambda: documents.database(lambda db: db.executescript(f"CREATE TABLE t AS SELECT '{token}' a")),
        ),
        "module.pyc": ("", lambda: documents.bytecode(f"a = {token!r}\n")),
    }


def test_what_is_found_with_default_settings(tmp_path: Path, rule_cache: Path) -> None:
    tree = tmp_path / "tree"
    wanted = {}
    for number in range(len(kinds(""))):
        token = github_token(RNG)
        name, (way, make) = list(kinds(token).items())[number]
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make())
        wanted[name.replace(token, "***")] = way
    code, report = run(tree, "--min-confidence", "low", home=tmp_path, cache=rule_cache)
    found = {each["path"].removeprefix(f"{tree}/"): "!".join(each["inside"]) for each in report["findings"]}
    assert found == wanted
    assert (code, report["skipped"]) == (1, [])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (containers.zipped(("a", bytes(60 << 20))), "grows more than 1000 times"),
        (gzip.compress(random.Random(1).randbytes(9000))[:-40], "cut short"),
        (b"Rar!\x1a\x07\x01\0" + bytes(100), "RAR archives are not looked into"),
        (containers.seven_zipped(("a", b"x"), password="p"), "encrypted"),
    ],
)
def test_what_could_not_be_looked_into_counts(data: bytes, reason: str, tmp_path: Path, rule_cache: Path) -> None:
    (tmp_path / "box").write_bytes(data)
    code, report = run(tmp_path / "box", home=tmp_path, cache=rule_cache)
    assert (code, len(report["skipped"])) == (4, 1)
    assert reason in report["skipped"][0]["reason"]


def test_large_archives_from_standard_input(tmp_path: Path, rule_cache: Path) -> None:
    token = github_token(RNG).encode()
    noise = random.Random(2).randbytes(4 << 20) * 9
    data = containers.tarred(("noise", noise), ("etc/app.ini", b"token = " + token))
    code, report = run("-", home=tmp_path, cache=rule_cache, stdin=data)
    assert code == 1
    assert [each["inside"] for each in report["findings"]] == [["etc/app.ini"]]
