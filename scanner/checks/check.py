"""What a check is: a test of a value's inner structure, and how to make a value that passes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A checksum or structure.

    passes    whether the value could have been issued. Pure; hostile bytes give False, never an error.
    complete  turns a value of the right form into one that passes, the same for the same value; None where the form
              alone makes it pass, or where there is no way short of minting one.
    source    how it is known: VERIFIED (recomputed on outside samples), SPEC (a published specification or the issuer's
              own code), STRUCTURE (no checksum, but an inner form), INFERRED or UNVERIFIED.
    weak      a pass does not prove that an issuer minted the value: anybody's tools make such keys and tokens, or
              values of other kinds pass too often.
    """

    passes: Callable[[bytes], bool]
    complete: Callable[[bytes], bytes] | None
    source: str
    weak: bool = False
