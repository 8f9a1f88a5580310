"""Findings into files and onto terminals, one format a module. It knows neither engine nor sources."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TextIO

from scanner.report.model import Report

FORMATS: Mapping[str, tuple[str, str]] = {
    "text": ("scanner.report.text", "write_text"),
    "json": ("scanner.report.json_v1", "write_json"),
    "jsonl": ("scanner.report.json_v1", "write_jsonl"),
    "sarif": ("scanner.report.sarif", "write_sarif"),
    "html": ("scanner.report.html", "write_html"),
    "csv": ("scanner.report.csv", "write_csv"),
    "junit": ("scanner.report.junit", "write_junit"),
    "gitlab": ("scanner.report.gitlab", "write_gitlab"),
    "markdown": ("scanner.report.markdown", "write_markdown"),
}
"""Format name -> module and function, imported when asked for: an audit writes one of them."""


def write(form: str, report: Report, out: TextIO, *, color: bool = False) -> None:
    """Writes a report in one of FORMATS. Only `text` knows colours. Raises KeyError for an unknown format."""
    module, function = FORMATS[form]
    writer = getattr(import_module(module), function)
    if form == "text":
        writer(report, out, color=color)
    else:
        writer(report, out)
