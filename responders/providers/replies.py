"""What an HTTP answer means for a change: one reading for all providers that are Python.

What a provider wrote in an error is never repeated: it is anybody's text, and may quote the key. Codes are.
"""

from __future__ import annotations

from datetime import UTC, datetime

from responders.calling import Answer, NoAnswer, json_of
from responders.gate import wait_of
from responders.provider import Receipt, Refused, Uncertain

OUR_CREDENTIAL = 401
NO_RIGHT = 403
GONE = (404, 410)
LIMITED = 429


def told(answer: Answer, code: str = "") -> str:
    """An answer in few words."""
    return f"HTTP {answer.status}" + (f", {code}" if code else "")


def taken(answer: Answer | NoAnswer) -> bool:
    """Whether a change was answered with success, and by the provider: a web page in between is none of its words."""
    return isinstance(answer, Answer) and answer.ok and (not answer.body.strip() or json_of(answer) is not None)


def not_taken(answer: Answer | NoAnswer, who: str, needs: str, code: str = "") -> Receipt:
    """What it means that a change was not answered with success. `needs` names the right that it takes."""
    if isinstance(answer, NoAnswer):
        if answer.sent:
            return Uncertain(answer.reason)
        return Refused(f"nothing was sent: {answer.reason}", for_good=False)
    said = told(answer, code)
    if answer.status >= 500:
        return Uncertain(f"{who} failed ({said})")
    if answer.status == LIMITED:
        wait = wait_of(answer.headers.get("Retry-After", ""), datetime.now(UTC))
        return Refused(f"{who} asks to wait ({said})", for_good=False, again_after=wait)
    if answer.status == OUR_CREDENTIAL:
        return Refused(f"{who} does not take keyfuse's own credential any more ({said}); check it", for_good=False)
    if answer.status == NO_RIGHT:
        return Refused(f"keyfuse may not do that at {who} ({said}); it needs {needs}")
    if answer.status < 400:
        return Uncertain(f"the answer is not {who}'s ({said}, and nothing that can be understood); check its URL")
    return Refused(f"{who} will not do it ({said})")
