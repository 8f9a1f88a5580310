"""The formats as they look, so that a change of one shows in review. KEYFUSE_WRITE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from scanner.report import FORMATS, write
from tests.support.findings import full_report

HERE = Path(__file__).parent / "reports"
SUFFIX = {"text": "txt", "junit": "xml", "markdown": "md", "sarif": "sarif", "gitlab": "gitlab.json"}


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_looks_as_it_did(form: str) -> None:
    out = io.StringIO()
    write(form, full_report(), out)
    golden = HERE / f"report.{SUFFIX.get(form, form)}"
    if os.environ.get("KEYFUSE_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(out.getvalue(), encoding="utf-8")
    assert out.getvalue() == golden.read_text(encoding="utf-8")
