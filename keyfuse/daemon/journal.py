"""The daemon's log: one event a line, for people or as JSON. What it is given to say is made printable here."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from scanner.model import printable

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Journal:
    """Says what happened: `journal.info("scan finished", target="web", findings=2)`. Values hold no secrets."""

    def __init__(self, stream: TextIO | None = None, *, form: str = "text", level: str = "info") -> None:
        self._stream = stream or sys.stderr
        self._logger = logging.Logger("keyfuse.daemon", logging.DEBUG)
        self._handler = logging.StreamHandler(self._stream)
        self._logger.addHandler(self._handler)
        self.settle(form=form, level=level)

    def settle(self, *, form: str, level: str) -> None:
        """Chooses between `text` and `json`, and the least level that is written."""
        self._handler.setFormatter(_Json() if form == "json" else _Text())
        self._handler.setLevel(LEVELS[level])

    def debug(self, event: str, **details: object) -> None:
        """What only helps to find a defect."""
        self._logger.debug(event, extra={"details": details})

    def info(self, event: str, **details: object) -> None:
        """What happens in the normal course."""
        self._logger.info(event, extra={"details": details})

    def warning(self, event: str, **details: object) -> None:
        """What somebody should look at."""
        self._logger.warning(event, extra={"details": details})

    def error(self, event: str, **details: object) -> None:
        """What does not work and needs somebody."""
        self._logger.error(event, extra={"details": details})


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        details = "".join(f" {name}={_quoted(_shown(value))}" for name, value in _details(record).items())
        return f"{_time(record)} {record.levelname.lower():7} {printable(record.getMessage())}{details}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        for name, value in _details(record).items():
            line[name] = value if isinstance(value, bool | int | float) else _shown(value)
        return json.dumps(line, ensure_ascii=False)


def _details(record: logging.LogRecord) -> dict[str, object]:
    details: dict[str, object] = getattr(record, "details", {})
    return details


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else printable(str(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if not text or " " in text or '"' in text or "=" in text else text
