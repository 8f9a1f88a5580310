"""The signed webhook: one JSON object per notice, and a signature by which the receiver knows who sent it.

    X-Keyfuse-Timestamp: seconds since 1970, when it was sent
    X-Keyfuse-Notice-Id: the same for every repeat of a notice, so that a receiver can drop what it has
    X-Keyfuse-Signature: sha256= and the hex HMAC-SHA256, under the shared secret, of timestamp, a full stop, raw body

A receiver computes the signature over the body as it came, compares in constant time, and refuses old timestamps.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

from responders.http import Http, NoAnswer
from responders.notify.channels import NotSent, Sending, Sent
from responders.notify.notice import Notice, payload
from scanner.model import Secret


class Webhook:
    """Posts notices to one URL. `clock` gives the time of sending."""

    def __init__(
        self, name: str, *, personal: bool, url: Secret, secret: Secret, http: Http, clock: Callable[[], datetime]
    ) -> None:
        self.name = name
        self.personal = personal
        self._url = url
        self._secret = secret
        self._http = http
        self._clock = clock

    def send(self, notice: Notice, recipient: str) -> Sending:
        """Posts one notice; any 2xx answer means that it was taken."""
        body = payload(notice, recipient)
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Keyfuse-Timestamp": timestamp,
            "X-Keyfuse-Notice-Id": notice.id,
            "X-Keyfuse-Signature": sign(self._secret, timestamp, body),
        }
        answer = self._http.send("POST", self._url.reveal().decode(), headers=headers, body=body)
        if isinstance(answer, NoAnswer):
            return NotSent(answer.reason)
        if answer.ok:
            return Sent()
        if 300 <= answer.status < 400:
            return NotSent(f"the webhook answered {answer.status}, a redirect; those are not followed")
        return NotSent(f"the webhook answered {answer.status}")


def sign(secret: Secret, timestamp: str, body: bytes) -> str:
    """The signature of a body that is sent at this time."""
    mac = hmac.new(secret.reveal(), timestamp.encode("ascii") + b"." + body, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"
