"""What other services report, as leaks: the arrays of GitHub and GitLab. Facts of their forms are in docs/api.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from keyfuse.api.problems import bad
from responders.foreign import UNKNOWN
from responders.incident import Sighting
from responders.issuer import PREFIX, checksum
from responders.leakreport import LeakReport
from responders.provider import Leak
from responders.registry import KnownKey
from scanner.model import Fingerprint, Fingerprinter, Place, Secret, Severity, TokenKind, printable

MOST_TOKEN = 1 << 16
MOST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Token:
    """One reported token: what the service calls its kind, and where it was seen."""

    value: str
    type: str
    where: str
    source: str = ""


def tokens(body: bytes, where: str, most: int) -> list[Token]:
    """A JSON array of {token, type, …}; the place stands in the field `where`. Raises Refusal.

    Fields that nobody here knows are passed over: the services may add some.
    """
    listed = as_json(body)
    if not isinstance(listed, list):
        raise bad("the body is no JSON array of tokens")
    if len(listed) > most:
        raise bad(f"there are more than {most} tokens; send less at once")
    return [_token(each, where) for each in listed]


def as_json(body: bytes) -> Any:
    """A body as JSON. Raises Refusal without quoting it."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise bad("the body is not JSON") from None


def _token(item: object, where: str) -> Token:
    if not isinstance(item, dict) or not isinstance(item.get("token"), str):
        raise bad("each token is an object with a `token` and a `type`")
    if not 1 <= len(item["token"]) <= MOST_TOKEN:
        raise bad(f"a token has 1 to {MOST_TOKEN} characters")
    return Token(item["token"], _text(item, "type"), _text(item, where), _text(item, "source"))


def _text(item: Mapping[str, object], name: str) -> str:
    value = item.get(name)
    return printable(value)[:MOST_TEXT] if isinstance(value, str) else ""


def leaks(found: Sequence[Token], fingerprinter: Fingerprinter, *, source: str, seen_at: datetime) -> list[LeakReport]:
    """One leak for each value, with every place where it was seen."""
    reports: dict[Fingerprint, LeakReport] = {}
    for token in found:
        secret = Secret(token.value.encode("utf-8", "surrogatepass"))
        fingerprint = fingerprinter.of(secret)
        place = Sighting(
            where=token.where or source,
            place=Place.REPORT.value,
            seen_at=seen_at,
            source=f"{source}:{token.source.lower()}" if token.source else source,
        )
        if fingerprint in reports:
            before = reports[fingerprint]
            reports[fingerprint] = replace(before, sightings=(*before.sightings, place))
            continue
        name = token.type or source
        kind = TokenKind(name, name, UNKNOWN, Severity.HIGH)
        masked = f"…{printable(token.value[-4:])}" if len(token.value) >= 16 else "***"
        reports[fingerprint] = LeakReport(Leak(kind, secret), fingerprint, masked, (place,), source)
    return list(reports.values())


def feedback(
    found: Sequence[Token], known: Mapping[Fingerprint, KnownKey], fingerprinter: Fingerprinter
) -> list[dict[str, str]]:
    """What is told back: which tokens are ours, and which look like ours and cannot be.

    Of others nothing is said. Tokens are named by their SHA-256, so that no answer holds a value.
    """
    told: dict[tuple[str, str], dict[str, str]] = {}
    for token in found:
        value = token.value.encode("utf-8", "surrogatepass")
        if fingerprinter.of(value) in known:
            label = "true_positive"
        elif token.value.startswith(PREFIX) and not _issued_here(token.value):
            label = "false_positive"
        else:
            continue
        digest = hashlib.sha256(value).hexdigest()
        told[digest, token.type] = {"token_hash": digest, "token_type": token.type, "label": label}
    return list(told.values())


def _issued_here(value: str) -> bool:
    """Whether the last six characters are the sum that a value of the embedded provider ends in."""
    return value.isascii() and value[-6:] == checksum(value[:-6])
