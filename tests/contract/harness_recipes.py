"""The harnesses of the recipes."""

from __future__ import annotations

from collections.abc import Callable

from tests.contract.vendor import VendorHarness
from tests.support.stores import Clock

HARNESSES: dict[str, Callable[[Clock], VendorHarness]] = {}
