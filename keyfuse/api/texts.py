"""Texts as requests bring them: what may stand in a line, in a description, in an id."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from keyfuse.api.problems import bad

MOST_LINE = 255
MOST_TEXT = 5000
_PARTS = re.compile(r"(.{10}T\d\d:\d\d)(:\d\d)?(?:\.\d+)?(Z|[+-].+)", re.ASCII)


CONTROLS = r"\x00-\x1f\x7f-\x9f"
DAY = r"[1-9]\d{3}-((0[1-9]|1[0-2])-(0[1-9]|1\d|2\d)|(0[13-9]|1[0-2])-30|(0[13578]|1[02])-31)"
TIME = r"([01]\d|2[0-3]):[0-5]\d"
OFFSET = r"(Z|[+-](0\d|1[0-3]):?[0-5]\d)"
MOMENT = rf"^{DAY}T{TIME}(:[0-5]\d(\.\d{{1,9}})?)?{OFFSET}$"
SPAN = rf"^([1-9]\d{{0,3}}[dh]|{DAY}(T{TIME}(:[0-5]\d)?(Z|[+-](0\d|1[0-3]):[0-5]\d)?)?)$"

Line = Annotated[str, StringConstraints(max_length=MOST_LINE, pattern=rf"^[^{CONTROLS}]*$")]
"""One line of text."""
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=MOST_LINE, pattern=rf"^[^\s{CONTROLS}][^{CONTROLS}]*$")
]
"""One line that is not empty and does not begin with a space."""
Words = Annotated[str, StringConstraints(max_length=MOST_TEXT, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$")]
"""Text of several lines."""
Id = Annotated[str, StringConstraints(pattern=r"^[!-.0-~]{1,100}$")]
"""The id of a record: ASCII without spaces and slashes."""
Moment = Annotated[str, StringConstraints(max_length=40, pattern=MOMENT)]
"""A moment as IBM writes it, or in ISO 8601 with an offset."""
NoMoment = Literal[""]
"""Takes a moment away."""


class Body(BaseModel):
    """What a request may bring: nothing that is not named, and nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


def moment(text: str, name: str) -> datetime:
    """A moment as IBM writes it (2049-01-02T18:30+0000), or in ISO 8601 with an offset. Raises Refusal."""
    found = _PARTS.fullmatch(text)
    try:
        if found is None:
            raise ValueError  # noqa: TRY301 - one answer for every way to be wrong
        day, seconds, offset = found.groups()
        return datetime.fromisoformat(f"{day}{seconds or ':00'}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad(f"{name} is a time such as 2026-12-31T18:30+0000") from None


def ibm_moment(at: datetime) -> str:
    """A moment as IBM writes it: minutes, and seconds where there are any."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000" if at.second else "%Y-%m-%dT%H:%M+0000")
