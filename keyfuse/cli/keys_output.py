"""How `keyfuse keys` shows records, and hands a new value over: once, to stdout, a file, or a PGP key's owner."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import click

from keyfuse.cli.tables import fields
from keyfuse.keyrecord import as_json, instant
from keyfuse.pgp import Recipient
from responders.issuer import Issued
from responders.registry import KnownKey
from scanner.errors import CannotRun, UsageError
from scanner.model import printable


class Delivery:
    """Where a new value goes. Made before the key is, so that no key is issued whose value cannot be handed over."""

    def __init__(self, form: str, output: Path | None, pgp_key: Path | None, command: str | None = None) -> None:
        self._form = form
        self._command = split_command(command)
        self._output = output
        self._recipient = Recipient(pgp_key) if pgp_key is not None else None
        self._file: int | None = None
        if output is not None:
            try:
                self._file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except OSError as error:
                reason = "is there already; name a new file" if isinstance(error, FileExistsError) else error.strerror
                raise UsageError(f"{output}: {reason}") from None

    def hand_over(self, issued: Issued, now: datetime) -> None:
        """Prints or writes the record with its value."""
        if self._recipient is not None:
            secret = {"apikey_pgp": self._recipient.encrypt(issued.secret)}
        else:
            secret = {"apikey": issued.secret.reveal().decode("utf-8", "surrogateescape")}
        record = as_json(issued.key, now) | secret
        if self._output is not None and self._file is not None:
            self._write(issued, record, secret)
            record = as_json(issued.key, now)
        if self._command:
            self._give(next(iter(secret.values())), issued.key)
            record = as_json(issued.key, now)
        if self._form == "json":
            click.echo(json.dumps(record, indent=2))
        else:
            kept = self._output is not None or self._command
            click.echo(_created(issued.key, now, {} if kept else secret))
            if self._output is not None:
                click.echo(f"The answer with the value is in {printable(str(self._output))}", err=True)

    def give_up(self) -> None:
        """Takes the empty file away again, when no key was issued."""
        if self._output is not None and self._file is not None:
            os.close(self._file)
            self._file = None
            self._output.unlink(missing_ok=True)

    def _give(self, value: str, key: KnownKey) -> None:
        """Runs the command with the value on its standard input. Raises CannotRun when it fails."""
        try:
            done = subprocess.run(self._command, input=value.encode("utf-8", "surrogateescape"), check=False)
            failed = f"ended with {done.returncode}" if done.returncode else ""
        except OSError as error:
            failed = f"cannot be run ({error.strerror})"
        if failed:
            where = "it is in the file too" if self._output is not None else "its value is lost: delete it, and repeat"
            raise CannotRun(
                f"the command {failed}; the new key is {key.provider_key_id or key.id} ({printable(key.name)}), {where}"
            )

    def _write(self, issued: Issued, record: dict[str, object], secret: dict[str, str]) -> None:
        assert self._output is not None and self._file is not None  # noqa: S101, PT018 - narrows for the type checker
        if self._output.suffix.lower() in (".yaml", ".yml"):
            from responders.handout import as_yaml  # noqa: PLC0415  (YAML costs 15 ms)

            renamed = {"apikey": "secret", "apikey_pgp": "secret_pgp"}
            text = as_yaml(issued.key, {renamed[name]: value for name, value in secret.items()})
        else:
            text = json.dumps(record, indent=2) + "\n"
        with open(self._file, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._file = None


def split_command(command: str | None) -> tuple[str, ...]:
    """A command's words, as a shell would split them; no shell is asked. Raises UsageError."""
    try:
        words = tuple(shlex.split(command or ""))
    except ValueError:
        words = ()
    if command is not None and (not words or shutil.which(words[0]) is None):
        raise UsageError("--to-command names no program that can be run")
    return words


def shown(key: KnownKey, now: datetime) -> str:
    """A record as lines of text, with its history."""
    lines = [fields(_facts(key, now))]
    if key.history:
        lines.append("history:")
    for change in key.history:
        params = " ".join(f"{name}={value}" for name, value in change.params.items())
        said = "  ".join(part for part in (change.action, params, change.message) if part)
        lines.append(printable(f"  {instant(change.timestamp)}  {change.who}  {said}"))
    return "\n".join(lines)


def state_words(key: KnownKey, now: datetime) -> str:
    """State and flags in a few words."""
    words = [key.effective_state(now).value]
    words += ["locked"] if key.locked else []
    words += ["leaked"] if key.leaked else []
    words += ["replaced"] if key.replaced_by else []
    return ",".join(words)


def _created(key: KnownKey, now: datetime, secret: dict[str, str]) -> str:
    facts = [
        (label, text) for label, text in _facts(key, now) if label in ("id", "name", "kind", "expires", "if leaked")
    ]
    value = secret.get("apikey")
    text = fields([*facts, ("value", value)] if value else facts)
    if value:
        return f"{text}\nThis value is shown once and kept nowhere: store it now."
    return f"{text}\n{secret['apikey_pgp']}".rstrip() if secret else text


def _facts(key: KnownKey, now: datetime) -> list[tuple[str, str]]:
    used = f"{key.authn_count}×, last {instant(key.last_used_at)}" if key.authn_count else "never"
    action = key.action_when_leaked.value
    if key.if_unsupported.value != "block":
        action += f" (where that is not possible: {key.if_unsupported.value})"
    return [
        ("id", key.id),
        ("name", key.name),
        ("description", key.description),
        ("provider", key.provider),
        ("provider's id", key.provider_key_id if key.provider_key_id != key.id else ""),
        ("kind", key.kind.value),
        ("state", state_words(key, now).replace(",", ", ")),
        ("masked", key.masked),
        ("if leaked", action),
        ("owners", ", ".join(key.owners)),
        ("scopes", ", ".join(key.scopes)),
        ("iam id", key.iam_id),
        ("account", key.account_id),
        (
            "created",
            f"{instant(key.created_at)} by {key.created_by}" if key.created_by else str(instant(key.created_at)),
        ),
        ("modified", instant(key.modified_at) or ""),
        ("expires", instant(key.expires_at) or ""),
        ("used", used),
        ("replaces", key.replaces),
        ("replaced by", key.replaced_by),
        ("entity tag", key.entity_tag),
        ("fingerprint", key.fingerprint or "none: its value is not known here"),
    ]
