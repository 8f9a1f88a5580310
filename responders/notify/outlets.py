"""Channels on this machine: the console, and a file of JSON lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

from responders.notify.channels import NotSent, Sending, Sent
from responders.notify.notice import Notice, payload
from scanner.model import printable


class Console:
    """Writes notices to a text stream, as people read them."""

    def __init__(self, name: str, *, personal: bool, stream: TextIO) -> None:
        self.name = name
        self.personal = personal
        self._stream = stream

    def send(self, notice: Notice, recipient: str) -> Sending:
        """Writes one notice."""
        head = f"{printable(notice.subject)}\n" + (f"To: {printable(recipient)}\n" if recipient else "")
        body = "\n".join(printable(line) for line in notice.body.splitlines())
        try:
            self._stream.write(f"{head}\n{body}\n\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            return NotSent(f"the console cannot be written to ({type(error).__name__})")
        return Sent()


class LinesFile:
    """Appends notices to a file, one JSON object a line, in the form of the webhook's body. The file is made 0600."""

    def __init__(self, name: str, *, personal: bool, path: Path) -> None:
        self.name = name
        self.personal = personal
        self._path = path

    def send(self, notice: Notice, recipient: str) -> Sending:
        """Appends one notice and has it written to the disk."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(self._path, flags, 0o600)
            with open(descriptor, "ab", buffering=0) as file:
                file.write(payload(notice, recipient) + b"\n")
                os.fsync(file.fileno())
        except OSError as error:
            return NotSent(f"the file {self._path} cannot be written to ({error.strerror})")
        return Sent()
