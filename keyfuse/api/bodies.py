"""Request bodies: so large at most, within so long, and of the large ones only so many bytes in memory at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.types import Message, Receive, Scope

from keyfuse.api.problems import Refusal, bad

ARRIVES_WITHIN = 30.0
"""Seconds that a body may take to come."""
WAITS = 20.0
"""Seconds that a report waits for others to be taken in, before its sender is asked to come again."""


class Budget:
    """So many bytes, taken and given back; whoever finds too few left waits. For one event loop."""

    def __init__(self, size: int) -> None:
        self._free = self._size = size
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def take(self, size: int) -> AsyncIterator[None]:
        """Holds so many bytes for as long as the block lasts. Raises Refusal when that takes too long."""
        wanted = min(size, self._size)
        async with self._changed:
            try:
                async with asyncio.timeout(WAITS):
                    await self._changed.wait_for(lambda: self._free >= wanted)
            except TimeoutError:
                text = "too much is being taken in at this moment; send it again"
                raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", text, {"Retry-After": "10"}) from None
            self._free -= wanted
        try:
            yield
        finally:
            async with self._changed:
                self._free += wanted
                self._changed.notify_all()


def announced(scope: Scope, most: int) -> int:
    """How many bytes the body will have, as far as its sender says; `most` where it does not.

    Raises Refusal when they are too many.
    """
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise bad("the Content-Length is no number")
            if int(value) > most:
                raise _too_large(most)
            return int(value)
        if name == b"transfer-encoding":
            return most
    return 0


def limited(receive: Receive, most: int) -> Receive:
    """Receives no more than so many bytes, and not for ever. Raises Refusal."""
    seen = 0
    done = False
    deadline = asyncio.get_running_loop().time() + ARRIVES_WITHIN

    async def receive_some() -> Message:
        nonlocal seen, done
        if done:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", "the request did not come in time") from None
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            done = not message.get("more_body", False)
            if seen > most:
                raise _too_large(most)
        return message

    return receive_some


def _too_large(most: int) -> Refusal:
    text = f"the request has more than {most} bytes; send less at once"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", text)
