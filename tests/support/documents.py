"""Documents of every kind, written by the libraries that people write them with."""

from __future__ import annotations

import io
import json
import py_compile
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def word(*paragraphs: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> bytes:
    """A Word document: paragraphs of runs that are formatted in turn, then a table."""
    import docx

    document = docx.Document()
    for runs in paragraphs:
        paragraph = document.add_paragraph()
        for number, text in enumerate(runs):
            paragraph.add_run(text).bold = bool(number & 1)
    if rows:
        table = document.add_table(len(rows), len(rows[0]))
        for line, cells in enumerate(rows):
            for place, text in enumerate(cells):
                table.cell(line, place).text = text
    return _saved(document.save)


def excel(cells: dict[str, Any]) -> bytes:
    """An Excel workbook of one sheet."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for place, value in cells.items():
        sheet[place] = value
    return _saved(book.save)


def old_excel(cells: dict[tuple[int, int], str]) -> bytes:
    """A workbook as Excel wrote it before 2007."""
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("one")
    for (line, column), text in cells.items():
        sheet.write(line, column, text)
    return _saved(book.save)


def encrypted(document: bytes, password: str) -> bytes:
    """An Office document that needs a password."""
    from msoffcrypto.format.ooxml import OOXMLFile

    out = io.BytesIO()
    OOXMLFile(io.BytesIO(document)).encrypt(password, out)
    return out.getvalue()


def slides(*runs: str, notes: str = "") -> bytes:
    """A PowerPoint presentation of one slide, with one paragraph of runs."""
    import pptx

    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    frame = slide.shapes.placeholders[1].text_frame
    for number, text in enumerate(runs):
        run = frame.paragraphs[0].add_run()
        run.text = text
        run.font.bold = bool(number & 1)
    if notes:
        slide.notes_slide.notes_text_frame.text = notes
    return _saved(show.save)


def open_document(*runs: str) -> bytes:
    """An OpenDocument text: a first paragraph, and one of spans."""
    from odf.opendocument import OpenDocumentText
    from odf.text import P, Span

    document = OpenDocumentText()
    document.text.addElement(P(text="the first"))
    paragraph = P()
    for text in runs:
        paragraph.addElement(Span(text=text))
    document.text.addElement(paragraph)
    return _saved(document.save)


def pdf(*pages: str, compressed: bool = True, title: str = "") -> bytes:
    """A PDF of one line a page."""
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=int(compressed))
    if title:
        canvas.setTitle(title)
    for text in pages:
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def changed_pdf(data: bytes, change: Callable[[Any], object]) -> bytes:
    """A PDF after something was done to it with pypdf's writer."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def notebook(*sources: Sequence[str], output: dict[str, Any] | None = None) -> bytes:
    """A Jupyter notebook: the lines of each cell, and what the last one put out."""
    cells: list[dict[str, Any]] = []
    for lines in sources:
        cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": list(lines)}
        cells.append(cell)
    if output:
        cells[-1]["outputs"] = [{"data": output, "output_type": "display_data", "metadata": {}}]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()


def database(fill: Callable[[sqlite3.Connection], object], *, encoding: str = "utf-8") -> bytes:
    """An SQLite database whose deleted rows are not written over."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "data.db")
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        fill(connection)
        connection.commit()
        connection.close()
        return path.read_bytes()


def bytecode(source: str) -> bytes:
    """What Python compiles a module to."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "module.py")
        path.write_text(source, encoding="utf-8")
        return Path(py_compile.compile(str(path), f"{folder}/module.pyc", doraise=True) or "").read_bytes()


def java_class(*texts: bytes) -> bytes:
    """A Java class with these constants, as a compiler lays them out."""
    pool = b"".join(b"\x01" + len(text).to_bytes(2) + text for text in texts)
    return b"\xca\xfe\xba\xbe\0\0\0\x3d" + (len(texts) + 1).to_bytes(2) + pool + bytes(12)


def _saved(save: Callable[[Any], object]) -> bytes:
    out = io.BytesIO()
    save(out)
    return out.getvalue()
