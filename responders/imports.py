"""Brings keys into the registry from files: CSV, JSON lines, `.env`, IBM's `apikey.json`, Yandex's `api_key.yaml`.

A file is read as a stream, so that a million rows need no more memory than a few. A row that cannot be used is
reported with its line number and costs no other row anything. No value is ever repeated in a message.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scanner.errors import UsageError
from scanner.model import printable

LONGEST_LINE = 1 << 20
_HEAD = 1 << 16


class Format(StrEnum):
    """What a file may be."""

    CSV = "csv"
    JSONL = "jsonl"
    ENV = "env"
    IBM = "ibm"
    YANDEX = "yandex"


FIELDS = (
    "name",
    "value",
    "description",
    "provider",
    "provider_key_id",
    "kind",
    "account_id",
    "iam_id",
    "owners",
    "scopes",
    "created_at",
    "created_by",
    "expires_at",
    "action_when_leaked",
    "if_unsupported",
    "locked",
    "disabled",
)
_ALIASES = {
    "apikey": "value",
    "api_key": "value",
    "key": "value",
    "secret": "value",
    "token": "value",
    "owner": "owners",
    "scope": "scopes",
    "id": "provider_key_id",
    "service_account_id": "iam_id",
    "comment": "description",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One key as a file has it. `fields` hold everything but the value, under this registry's names."""

    line: int
    fields: Mapping[str, object]
    value: bytes


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why; never what is in it."""

    line: int
    reason: str


def detect(head: bytes) -> Format:
    """What a file is, by its first bytes. Raises UsageError when nobody can tell."""
    text = head.decode("utf-8-sig", "replace").lstrip()
    first, _, rest = text.partition("\n")
    if text.startswith("{"):
        if _is_object(first) and rest.lstrip().startswith("{"):
            return Format.JSONL
        if re.search(r'"api_key"\s*:\s*\{', text):
            return Format.YANDEX
        return Format.IBM if re.search(r'"api[kK]ey"\s*:', text) and not _is_flat_row(first) else Format.JSONL
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if any(re.match(r"(?:---|api_key:|secret:)\s*", line) for line in lines[:1]):
        return Format.YANDEX
    if lines and re.match(r"(?:export\s+)?[A-Za-z_][A-Za-z0-9_.-]*\s*=", lines[0]):
        return Format.ENV
    if lines and {_name(cell) for cell in lines[0].split(",")} & {"value"}:
        return Format.CSV
    raise UsageError("it is not clear what kind of file this is; say so with --as csv, jsonl, env, ibm or yandex")


def read_rows(reader: io.BufferedReader[io.FileIO], form: Format | None) -> Iterator[Row | BadRow]:
    """The rows of a file, in order, read as they are asked for.

    Raises UsageError, at the first row, when the file as a whole is not what it should be (a CSV file without a
    column of values, or with one that nobody knows: a misspelt column would change what a key's owner decided).
    """
    form = form or detect(reader.peek(_HEAD)[:_HEAD])
    match form:
        case Format.CSV:
            return _csv(reader)
        case Format.JSONL:
            return _lines(reader, _json_row)
        case Format.ENV:
            return _lines(reader, _env_row)
        case Format.IBM | Format.YANDEX:
            return _whole(reader, form)


# --- CSV ------------------------------------------------------------------------------------------------------------


def _csv(reader: io.BufferedReader[io.FileIO]) -> Iterator[Row | BadRow]:
    text = io.TextIOWrapper(reader, "utf-8-sig", "surrogateescape", newline="")
    try:
        table = csv.reader(text, strict=True)
        columns = _columns(table)
        while True:
            line = table.line_num + 1
            try:
                cells = next(table)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadRow(line, f"not CSV: {error}")
                continue
            if len(cells) == len(columns):
                yield _row(line, dict(zip(columns, cells, strict=True)))
            elif cells:
                yield BadRow(line, f"it has {len(cells)} cells, the first line has {len(columns)}")
    finally:
        text.detach()  # the file is the caller's to close


def _columns(table: Iterator[list[str]]) -> list[str]:
    try:
        head = next(table, [])
    except csv.Error:
        raise UsageError("the first line of the CSV file cannot be read") from None
    columns = [_name(cell) for cell in head]
    for column, cell in zip(columns, head, strict=True):
        if column not in FIELDS:
            raise UsageError(f"the CSV column {printable(cell[:40])!r} is not known; columns are: {', '.join(FIELDS)}")
    if "value" not in columns:
        raise UsageError("the CSV file has no column `value` with the keys themselves")
    if len(set(columns)) < len(columns):
        raise UsageError("the CSV file has the same column twice")
    return columns


# --- line by line ---------------------------------------------------------------------------------------------------


def _lines(
    reader: io.BufferedReader[io.FileIO], parse: Callable[[str], dict[str, object] | str | None]
) -> Iterator[Row | BadRow]:
    number = 0
    while line := reader.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = reader.readline(LONGEST_LINE)
            yield BadRow(number, f"the line is longer than {LONGEST_LINE} bytes")
            continue
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape").strip()
        match parse(text) if text else None:
            case None:
                continue
            case str(reason):
                yield BadRow(number, reason)
            case fields:
                yield _row(number, fields)


def _json_row(text: str) -> dict[str, object] | str | None:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return "not a JSON object"
    if not isinstance(body, dict):
        return "not a JSON object"
    fields = {_name(name): value for name, value in body.items()}
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        return f"the field {printable(unknown[0][:40])!r} is not known; fields are: {', '.join(FIELDS)}"
    return fields


_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)", re.DOTALL)


def _env_row(text: str) -> dict[str, object] | str | None:
    if text.startswith("#"):
        return None
    found = _ASSIGNMENT.fullmatch(text)
    if found is None:
        return "not NAME=VALUE"
    name, value = found.groups()
    if value[:1] in ("'", '"'):
        quoted = re.match(r"""(['"])(.*?)\1\s*(?:#.*)?$""", value)
        if quoted is None:
            return "the quotes do not close"
        value = quoted.group(2)
    else:
        value = re.split(r"\s+#", value, maxsplit=1)[0].strip()
    return {"name": name, "value": value} if value else None


# --- whole files ----------------------------------------------------------------------------------------------------


def _whole(reader: io.BufferedReader[io.FileIO], form: Format) -> Iterator[Row | BadRow]:
    # YAML costs 15 ms and is only needed for these files.
    from responders.handout import MOST_BYTES, parse_ibm, parse_yandex  # noqa: PLC0415

    data = reader.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UsageError(f"the file is larger than {MOST_BYTES} bytes, and holds one key at most")
    text = data.decode("utf-8-sig", "surrogateescape")
    yield _row(1, parse_ibm(text) if form is Format.IBM else parse_yandex(text))


# --- rows -----------------------------------------------------------------------------------------------------------


def _name(cell: str) -> str:
    name = cell.strip().strip('"').lower().replace("-", "_").replace(" ", "_")
    return _ALIASES.get(name, name)


def _row(line: int, fields: Mapping[str, object]) -> Row | BadRow:
    value = fields.get("value")
    if not isinstance(value, str) or not value.strip():
        return BadRow(line, "the value is missing")
    if value.endswith("****"):
        return BadRow(line, "the value is masked; import the key itself, or its provider's listing")
    rest = {name: content for name, content in fields.items() if name != "value" and content not in (None, "")}
    return Row(line, rest, value.strip().encode("utf-8", "surrogateescape"))


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _is_flat_row(first: str) -> bool:
    """Whether a single line is a row of this registry's own fields, rather than a provider's file."""
    try:
        body = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and all(_name(name) in FIELDS for name in body)
