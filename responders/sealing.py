"""What leaked, sealed: the one form in which a secret may lie in a pending action, and only while a provider needs it.

The key file's sealer encrypts; this module only says what is sealed, and binds it to the action it belongs to, so that
a sealed secret moved to another action does not open.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

from responders.keyfile import Sealer
from responders.provider import Leak
from scanner.model import Secret, TokenKind


def seal_leak(sealer: Sealer, leak: Leak, action_id: str) -> bytes | None:
    """The secret and its parts, sealed for this action; None when there is no secret."""
    if leak.secret is None:
        return None
    parts = {name: b64encode(part.reveal()).decode() for name, part in leak.parts.items()}
    body = {"secret": b64encode(leak.secret.reveal()).decode(), "parts": parts}
    return sealer.seal(Secret(json.dumps(body).encode()), _purpose(action_id))


def unseal_leak(sealer: Sealer, kind: TokenKind, sealed: bytes | None, action_id: str) -> Leak:
    """What leaked, with its secret where one was sealed. Raises KeyFileError when it does not open."""
    if sealed is None:
        return Leak(kind, None)
    body = json.loads(sealer.unseal(sealed, _purpose(action_id)).reveal())
    parts = {name: Secret(b64decode(text)) for name, text in body["parts"].items()}
    return Leak(kind, Secret(b64decode(body["secret"])), parts)


def _purpose(action_id: str) -> str:
    return f"action:{action_id}"
