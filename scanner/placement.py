"""What a match is worth where it stands: documentation, tests and other people's published code show made-up values.

A token of one vendor's own form stays what it is: people paste real ones everywhere. Forms that anybody can make up
(keys in PEM, JSON Web Tokens, URLs, values beside a keyword) are worth less there.
"""

from __future__ import annotations

from scanner.model import Confidence, Severity
from scanner.rule import Family, Rule
from scanner.surroundings import Medium, Purpose, Purposes, surroundings


def placed(
    rule: Rule, confidence: Confidence, proven: bool, start: int, path: str, purposes: Purposes
) -> Confidence | None:
    """The confidence of a match at this offset of a file; None where it says nothing.

    `proven` is whether a checksum speaks for it; `purposes` are the file's. What the names beside values say is judged
    by `scanner.generic`.
    """
    if proven or rule.whole or rule.identifier or rule.family is Family.GENERIC:
        return confidence
    medium, _ = surroundings(path)
    purpose = purposes.at(start)
    if confidence is Confidence.LOW:
        slight = rule.kind.severity is Severity.LOW
        if (slight and medium is Medium.CODE) or ((slight or rule.general) and purpose is not Purpose.USE):
            return None
    return min(confidence, _most(rule, purpose))


def _most(rule: Rule, purpose: Purpose) -> Confidence:
    if purpose is Purpose.USE:
        return Confidence.HIGH
    own = not rule.general
    if rule.family is Family.PREFIXED and own:
        return Confidence.MEDIUM
    if rule.family is Family.STRUCTURED and own and purpose is Purpose.TEST:
        return Confidence.MEDIUM
    return Confidence.LOW
