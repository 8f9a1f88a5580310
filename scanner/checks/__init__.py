"""Checksums and inner structure of tokens: one pure function each, and one table of them by the names rules use.

A pass is near-certain proof that the value was minted by its issuer's code (or by somebody who copied it). What a
failure means is the rule's to say.
"""

from __future__ import annotations

from collections.abc import Mapping

from scanner.checks import azure, files, keys, sums, tokens
from scanner.checks.check import Check

__all__ = ["CHECKS", "Check"]

CHECKS: Mapping[str, Check] = {
    **sums.CHECKS,
    **azure.CHECKS,
    **keys.CHECKS,
    **tokens.CHECKS,
    **files.CHECKS,
}
"""Every check by the name that rule files give it."""
