"""What an AWS access key id tells by itself, and the policy that ends the sessions of a user or role."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LONG_TERM = re.compile(r"AKIA[A-Z0-9]{12,124}")
TEMPORARY = re.compile(r"ASIA[A-Z0-9]{12,124}")
SESSIONS_POLICY = "keyfuse-no-sessions-before"
"""The inline policy that keyfuse writes; a later one replaces it."""
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def account_of(key_id: str) -> str:
    """The account's number, read out of an id; "" where it cannot be (ids from before 2019 do not hold it).

    The tail is base32; bits 1 to 40 of its first six bytes are the number. Facts sheet 4.1: recomputed on ids.
    """
    tail = key_id[4:20]
    if len(tail) != 16 or tail[0] in "IJ":
        return ""
    try:
        head = int.from_bytes(base64.b32decode(tail)[:6], "big")
    except (binascii.Error, ValueError):
        return ""
    return f"{(head & 0x7FFFFFFFFF80) >> 7:012d}"


def sessions_policy(before: datetime) -> str:
    """A policy that denies everything to sessions that were made before then; calls with the key itself are not."""
    statement = {
        "Sid": "KeyfuseEndsSessions",
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": before.astimezone(UTC).strftime(MOMENT)}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def ends_sessions_before(document: object) -> datetime | None:
    """The moment that such a policy, read back, denies sessions from before of; None when it is none."""
    try:
        policy: Any = json.loads(document) if isinstance(document, str) else document
        [statement] = policy["Statement"]
        whole = (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
        moment = statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
        return datetime.strptime(moment, MOMENT).replace(tzinfo=UTC) if whole else None
    except (ValueError, TypeError, KeyError):
        return None


def principal_of(arn: str) -> Mapping[str, str]:
    """Whom an ARN of GetCallerIdentity names: {"user": …} or {"role": …}; nothing for the root account.

    arn:aws:iam::ACCOUNT:user/PATH/NAME, arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
    """
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    match kind:
        case "user" if rest:
            return {"user": rest.rpartition("/")[2]}
        case "assumed-role" if rest:
            return {"role": rest.partition("/")[0]}
        case _:
            return {}
