"""What an HTTP answer means for a change: one reading for all providers that are Python.

What a provider wrote in an error is never repeated: it is anybody's text, and may quote the key. Codes are.
"""

from __future__ import annotations

from responders.calling import Answer, NoAnswer
from responders.provider import Receipt, Refused, Uncertain

OUR_CREDENTIAL = 401
NO_RIGHT = 403
GONE = (404, 410)
LIMITED = 429


def told(answer: Answer, code: str = "") -> str:
    """An answer in few words."""
    return f"HTTP {answer.status}" + (f", {code}" if code else "")


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
        return Refused(f"{who} asks to wait ({said})", for_good=False)
    if answer.status == OUR_CREDENTIAL:
        return Refused(f"{who} does not take keyfuse's own credential any more ({said}); check it", for_good=False)
    if answer.status == NO_RIGHT:
        return Refused(f"keyfuse may not do that at {who} ({said}); it needs {needs}")
    if 300 <= answer.status < 400:
        return Refused(f"{who} points elsewhere ({said}), and keyfuse does not follow; check its URL", for_good=False)
    return Refused(f"{who} will not do it ({said})")
