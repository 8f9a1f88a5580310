"""What stands in documents is found where people would look for it."""

from __future__ import annotations

import base64
import io
import random
import sqlite3
from email.message import EmailMessage
from typing import Any

import pytest

from scanner.documents.macros import macros
from scanner.model import Finding, Skipped
from scanner.options import Limits, Options
from tests.support import containers, documents
from tests.support.rules import results, rule, scanner
from tests.support.tokens import text

RNG = random.Random(50)
TOKEN = f"acmt_{text(RNG, 24)}"
OTHER = f"acmt_{text(RNG, 24)}"
FIXED = rule("acme-token", "acmt_ + base62{24}")
SCANNER = scanner(FIXED)
HALVES = (TOKEN[:11], TOKEN[11:])


def found(data: bytes, path: str = "paper") -> list[tuple[str, int]]:
    """The way in and the line of each finding; nothing may be skipped."""
    told = results(SCANNER, data, path)
    assert [result for result in told if isinstance(result, Skipped)] == []
    return [
        ("!".join(r.origin.inside) and ("!".join(r.origin.inside), r.span.start_line)) or ("", r.span.start_line)
        for r in told
        if isinstance(r, Finding)
    ]


def reasons(data: bytes, limits: Limits = Limits()) -> list[str]:  # noqa: B008 - frozen
    told = results(scanner(FIXED, options=Options(limits=limits)), data, "paper")
    return [f"{result.origin}: {result.reason}" for result in told if isinstance(result, Skipped)]


def test_word_with_a_value_in_several_runs() -> None:
    assert found(documents.word(["first"], ["key: ", *HALVES, " end"])) == [("word/document.xml", 2)]
    assert found(containers.zipped(("deep", documents.word(HALVES)))) == [("deep!word/document.xml", 1)]
    assert found(documents.word(["a"], rows=[["name", "value"], ["api", TOKEN]])) == [("word/document.xml", 3)]


def test_excel_by_rows_of_shared_and_formatted_texts() -> None:
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont

    assert found(documents.excel({"A1": "x", "B7": TOKEN, "C7": "y"})) == [("xl/worksheets/sheet1.xml", 7)]
    rich = CellRichText(HALVES[0], TextBlock(InlineFont(b=True), HALVES[1]))
    assert found(documents.excel({"C3": rich})) == [("xl/worksheets/sheet1.xml", 3)]
    assert found(documents.excel({"C3": f'="{TOKEN}"'})) == [("xl/worksheets/sheet1.xml", 1)]


def test_powerpoint_and_its_notes() -> None:
    assert found(documents.slides(*HALVES)) == [("ppt/slides/slide1.xml", 1)]
    assert found(documents.slides("nothing", notes=TOKEN))[0][0] == "ppt/notesSlides/notesSlide1.xml"


def test_open_document_with_spans() -> None:
    assert found(documents.open_document("key ", *HALVES)) == [("content.xml", 2)]


def test_excel_before_2007() -> None:
    cells = {(line, 0): f"line {line}" for line in range(400)} | {(5, 1): TOKEN}
    assert [where for where, _ in found(documents.old_excel(cells))] == ["Workbook"]


def test_encrypted_office_documents_are_said() -> None:
    closed = documents.encrypted(documents.word([TOKEN]), OTHER)
    assert reasons(closed) == ["paper: an encrypted document"]
    assert reasons(containers.tarred(("a", closed))) == ["paper!a: an encrypted document"]


def test_macros() -> None:
    """Compressed: letters as they are, and what came before as where it stands."""
    source = f'Attribute VB_Name = "{TOKEN}"\r\n'.encode()
    chunk = b"".join(b"\0" + source[at : at + 8] for at in range(0, len(source), 8))
    packed = b"\1" + (0xB000 | len(chunk) - 1).to_bytes(2, "little") + chunk
    assert list(macros(b"what the editor remembers" + packed)) == [source]
    again = b"\x02a" + (0 << 12 | 9 - 3).to_bytes(2, "little")  # one letter, then nine more of it
    packed = b"\1" + (0xB000 | len(chunk) + len(again) - 1).to_bytes(2, "little") + chunk + again
    assert all(text.startswith(source) for text in macros(packed))
    assert list(macros(packed[:40])) != []
    assert list(macros(b"nothing of the kind")) == []


def test_office_documents_with_hostile_xml() -> None:
    marks = containers.zipped(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<a" * 300_000))
    assert reasons(marks) == []
    entities = b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><a>&b;</a>' + TOKEN.encode()
    assert len(found(containers.zipped(("[Content_Types].xml", b""), ("word/document.xml", entities)))) == 1
    rows = b"<row><c>" * 200_000
    assert reasons(containers.zipped(("[Content_Types].xml", b""), ("xl/worksheets/sheet1.xml", rows))) == []
    shared = b"<si>" + b"a" * 1_000_000 + b"</si>"
    cells = b"<row>" + b'<c t="s"><v>0</v></c>' * 40 + b"</row>"
    bomb = containers.zipped(
        ("[Content_Types].xml", b""), ("xl/sharedStrings.xml", shared), ("xl/worksheets/sheet1.xml", cells)
    )
    assert ["when unpacked" in reason for reason in reasons(bomb, Limits(total_bytes=30 << 20))] == [True]


@pytest.mark.parametrize("compressed", [False, True])
def test_pdf(compressed: bool) -> None:
    assert found(documents.pdf("one", f"key {TOKEN}", compressed=compressed)) == [("page 2", 1)]
    assert found(documents.pdf("one", title=TOKEN, compressed=compressed))[0][0] == "(document information)"


def test_pdf_with_attachments_and_compressed_objects() -> None:
    inner = containers.zipped(("in.txt", TOKEN.encode()))
    assert found(documents.changed_pdf(documents.pdf("one"), lambda w: w.add_attachment("a.zip", inner))) == [
        ("a.zip!in.txt", 1)
    ]

    def hide(writer: Any) -> None:
        from pypdf.generic import DecodedStreamObject

        stream = DecodedStreamObject()
        stream.set_data(f"var k = '{TOKEN}'".encode())
        writer._add_object(stream.flate_encode())

    script = documents.changed_pdf(documents.pdf("one"), hide)
    assert found(script) == [("", 1)]


def test_encrypted_pdf() -> None:
    plain = documents.pdf(TOKEN)
    closed = documents.changed_pdf(plain, lambda w: w.encrypt(TOKEN, algorithm="AES-256"))
    assert reasons(closed) == ["paper: an encrypted PDF"]
    opened = documents.changed_pdf(plain, lambda w: w.encrypt("", OTHER, algorithm="AES-256"))
    assert found(opened) == [("page 1", 1)]


def test_damaged_pdf_is_read_stream_by_stream() -> None:
    for cut in (250, 330):
        told = results(SCANNER, documents.pdf("one", TOKEN)[:-cut])
        assert [r.secret.reveal().decode() for r in told if isinstance(r, Finding)] == [TOKEN]
        assert [r.reason.startswith("a damaged PDF") for r in told if isinstance(r, Skipped)] == [True]


def test_pdf_that_takes_too_long() -> None:
    data = documents.pdf("one", "two")
    assert ["took longer than 0 s" in reason for reason in reasons(data, Limits(seconds_per_document=0))] == [True]


def test_rtf() -> None:
    data = rf"{{\rtf1\ansi{{\fonttbl{{\f0 Arial;}}}}\f0 hello\par key {{\b {HALVES[0]}}}{{\i {HALVES[1]}}}\par}}"
    assert found(data.encode()) == [("text", 2)]
    letters = "".join(rf"\'{ord(sign):02x}" for sign in TOKEN)
    assert found(rf"{{\rtf1 {letters}}}".encode()) == [("text", 1)]
    letters = "".join(rf"\u{ord(sign)}?" for sign in TOKEN)
    assert found(rf"{{\rtf1 {letters}}}".encode()) == [("text", 1)]
    inner = containers.zipped(("in.txt", TOKEN.encode())).hex()
    assert found(rf"{{\rtf1 {{\object{{\*\objdata {inner}}}}}}}".encode()) == [("object 1!in.txt", 1)]


def mail(**parts: Any) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "of keys"
    message.set_content("see the file\n")
    for name, data in parts.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


def test_mail_with_attachments() -> None:
    inner = containers.zipped(("in.txt", TOKEN.encode()))
    assert found(mail(first=b"x", backup=inner).as_bytes()) == [("backup!in.txt", 1)]
    forwarded = mail()
    forwarded.add_attachment(mail(backup=inner))
    assert found(forwarded.as_bytes()) == [("backup!in.txt", 1)]


def test_mail_with_encoded_text() -> None:
    lines = f"line\nkey {TOKEN}\n"
    for how in ("base64", "quoted-printable", "7bit"):
        message = mail()
        message.set_content(lines, cte=how)
        assert len(found(message.as_bytes())) == 1
    wide = EmailMessage()
    wide["Subject"] = "x"
    wide.set_content(base64.encodebytes(lines.encode("utf-16")).decode())
    del wide["Content-Transfer-Encoding"]
    wide["Content-Transfer-Encoding"] = "base64"
    assert len(found(wide.as_bytes())) == 1


def test_mail_with_an_encoded_header() -> None:
    words = " ".join(f"=?utf-8?b?{base64.b64encode(half.encode()).decode()}?=" for half in HALVES)
    assert found(f"Message-ID: <1@example.org>\nSubject: {words}\n\nbody\n".encode()) == [("headers", 1)]


def test_mailboxes() -> None:
    inner = containers.zipped(("in.txt", TOKEN.encode()))
    box = b"".join(b"From a@example.org Mon Jan  1\n" + m.as_bytes() + b"\n" for m in (mail(), mail(backup=inner)))
    assert found(box) == [("message 2/backup!in.txt", 1)]


def test_uuencoded_mail() -> None:
    import binascii

    coded = b"".join(binascii.b2a_uu(TOKEN.encode()[at : at + 45]) for at in range(0, len(TOKEN), 45))
    body = b"Subject: x\nMessage-ID: <1@example.org>\n\nhi\nbegin 644 key.txt\n" + coded + b"`\nend\n"
    assert found(body) == [("key.txt", 1)]


def test_encrypted_mail_is_said() -> None:
    head = b'MIME-Version: 1.0\nContent-Type: multipart/encrypted; boundary="b"\n\n--b\n\nx\n--b--\n'
    assert [reason.partition(": ")[2] for reason in reasons(head)] == ["an encrypted message"]


def test_notebooks() -> None:
    assert found(documents.notebook(["a = 1\n", f"key = '{TOKEN}'\n"]))[0][0] == ""
    letters = "".join(f"\\u{ord(sign):04x}" for sign in TOKEN)
    escaped = documents.notebook(["a = 1\n"], ["x\n", "TOKEN"]).replace(b"TOKEN", letters.encode())
    assert len(found(escaped)) == 1
    picture = io.BytesIO()
    from PIL import Image, PngImagePlugin

    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", TOKEN, zip=True)
    Image.new("RGB", (4, 4)).save(picture, "png", pnginfo=about)
    shown = documents.notebook(["show()"], output={"image/png": base64.b64encode(picture.getvalue()).decode()})
    assert found(shown) == [("cell 1/picture.png!zTXt Comment", 1)]


@pytest.mark.parametrize("packed", [False, True])
def test_png(packed: bool) -> None:
    from PIL import Image, PngImagePlugin

    for add, kind in (("add_text", "zTXt" if packed else "tEXt"), ("add_itxt", "iTXt")):
        about, out = PngImagePlugin.PngInfo(), io.BytesIO()
        getattr(about, add)("Comment", f"by {TOKEN}", zip=packed)
        Image.new("RGB", (4, 4)).save(out, "png", pnginfo=about)
        assert found(out.getvalue()) == [(f"{kind} Comment", 1)]


def test_pictures_with_exif_and_comments() -> None:
    from PIL import Image

    picture, word = Image.new("RGB", (4, 4)), 0x010E
    for length in (0, 40, 70):  # so that the length before it is a letter, too
        exif, out = picture.getexif(), io.BytesIO()
        exif[word] = TOKEN + " " * length
        picture.save(out, "jpeg", exif=exif, comment=OTHER + " " * length)
        assert found(out.getvalue()) == [("APP1", 1), ("COM", 1)]
    out = io.BytesIO()
    picture.save(out, "gif", comment=(TOKEN + " " * 20).encode())
    assert found(out.getvalue()) == [("comment", 1)]
    out = io.BytesIO()
    exif = picture.getexif()
    exif[word] = TOKEN
    picture.save(out, "png", exif=exif)
    assert found(out.getvalue()) == [("eXIf", 1)]


def test_what_follows_a_picture() -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "png")
    hidden = containers.seven_zipped(("in.txt", TOKEN.encode()))
    assert found(out.getvalue() + hidden) == [("(what follows)!in.txt", 1)]


def keys(db: sqlite3.Connection, rows: int, special: int) -> None:
    db.execute("CREATE TABLE api_keys(id INTEGER PRIMARY KEY, made INT, provider TEXT, token TEXT, state TEXT)")
    for number in range(rows):
        token = TOKEN if number == special else "0" * 29
        db.execute(
            "INSERT INTO api_keys(made, provider, token, state) VALUES (1700000000, 'acme', ?, 'live')", (token,)
        )
    db.commit()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16le", "utf-16be"])
def test_rows_of_sqlite(encoding: str) -> None:
    """In the file's own bytes the values of a row stand without anything between them."""
    data = documents.database(lambda db: keys(db, 3, 1), encoding=encoding)
    assert [where for where, _ in found(data)] == ["table api_keys"]


def test_long_values_of_sqlite() -> None:
    def fill(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE notes(text TEXT)")
        for at in range(3900, 4100, 7):
            db.execute("DELETE FROM notes")
            db.execute("INSERT INTO notes VALUES (?)", (". " * (at // 2) + TOKEN + " ." * 9000,))

    assert "table notes" in [where for where, _ in found(documents.database(fill))]


def test_deleted_rows_of_sqlite() -> None:
    def one(db: sqlite3.Connection) -> None:
        keys(db, 30, 20)
        db.execute("DELETE FROM api_keys WHERE token LIKE 'acmt%'")

    def most(db: sqlite3.Connection) -> None:
        keys(db, 2000, 900)
        db.execute("DELETE FROM api_keys WHERE id > 1 AND id < 1900")

    def dropped(db: sqlite3.Connection) -> None:
        keys(db, 2000, 900)
        db.execute("DROP TABLE api_keys")

    for fill in (one, most, dropped):
        assert {where for where, _ in found(documents.database(fill))} == {"(deleted rows)"}, fill


def test_tables_of_sqlite_without_row_numbers() -> None:
    def fill(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE pairs(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        db.executemany("INSERT INTO pairs VALUES (?, ?)", [(f"n{n:05}", "v" * 40) for n in range(900)])
        db.execute("UPDATE pairs SET value = ? WHERE name = 'n00400'", (TOKEN,))

    assert "table pairs" in [where for where, _ in found(documents.database(fill))]


def test_python_bytecode() -> None:
    """The length of a text stands before it, and could be a letter of it."""
    for filler in range(0, 60, 7):
        data = documents.bytecode(f"def f():\n    return ({TOKEN + ' ' * filler!r}, 1)\n")
        assert len(found(data)) == 1


def test_java_classes() -> None:
    for filler in range(0, 60, 7):
        assert len(found(documents.java_class(b"name", TOKEN.encode() + b" " * filler, b"Code"))) == 1
    jar = containers.zipped(("A.class", documents.java_class(b"x", TOKEN.encode() + b" " * 70)))
    assert [where for where, _ in found(jar)] == ["A.class"]


def test_the_same_secret_in_a_document_is_one_finding() -> None:
    message = mail()
    message.set_content(f"key {TOKEN}\n", cte="base64")
    message["Comment"] = TOKEN
    lines = [line for _, line in found(message.as_bytes())]
    assert len(lines) == 2  # two lines of one file, and no third time for what they decode to
