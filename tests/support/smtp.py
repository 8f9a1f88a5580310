"""A real SMTP server on loopback, which keeps what it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mail:
    """What came: who it was for, and the message."""

    recipients: list[str]
    message: EmailMessage

    @property
    def text(self) -> str:
        """The text part."""
        body = self.message.get_body(("plain", "html"))
        assert body is not None
        return str(body.get_content())


@dataclass
class Mailbox:
    """Takes mail, or refuses it with `refusal`."""

    port: int = 0
    refusal: str = ""
    mails: list[Mail] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """One message."""
        if self.refusal:
            return self.refusal
        content = envelope.content
        assert isinstance(content, bytes)
        message = BytesParser(EmailMessage, policy=default).parsebytes(content)
        self.mails.append(Mail(list(envelope.rcpt_tos), message))
        return "250 OK"


class _OnFreePort(Controller):
    """Learns which port the system chose before the server is first tried."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def smtp_server() -> Iterator[Mailbox]:
    """A server on a free port."""
    mailbox = Mailbox()
    controller = _OnFreePort(mailbox, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        mailbox.port = controller.port
        yield mailbox
    finally:
        controller.stop()
