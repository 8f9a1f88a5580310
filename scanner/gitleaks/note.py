"""What of a configuration is not carried over as it stands, in words."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """Why a configuration cannot be used; its own tool would refuse it too. The caller adds file and rule."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that is read otherwise: of which rule ("" for the file), what it is, why, and what happens instead.

    `lost` tells that the rule as a whole is not used, so that something is not looked for.
    """

    rule: str
    what: str
    why: str
    instead: str
    lost: bool = False

    def __str__(self) -> str:
        return f"{f'rule {self.rule}: ' if self.rule else ''}{self.text}"

    @property
    def text(self) -> str:
        """The note without its rule: alike for all rules that it concerns."""
        return f"{self.what}: {self.why}; {self.instead}"
