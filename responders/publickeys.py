"""The public keys with which GitHub and GitLab sign their reports: out of a file, or fetched and kept for a while."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from responders.http import Http, NoAnswer
from scanner.errors import ConfigError

KEEP = timedelta(minutes=30)
"""How long fetched keys are taken to be all there are."""
ASK_AGAIN = timedelta(minutes=1)
"""How soon an unknown key id may make us ask anew: not for every request that a stranger sends."""


class PublicKeys:
    """Keys by id. `url` and `file` give JSON in GitHub's form: {"public_keys": [{"key_identifier", "key"}]}."""

    def __init__(self, clock: Callable[[], datetime], *, url: str = "", file: Path | None = None) -> None:
        self._clock = clock
        self._url = url
        self._fixed = _read_file(file) if file is not None else {}
        self._fetched: Mapping[str, str] = {}
        self._asked: datetime | None = None
        self._lock = threading.Lock()
        self.trouble = ""

    @property
    def configured(self) -> bool:
        """Whether there is anywhere to take keys from."""
        return bool(self._url or self._fixed)

    def get(self, identifier: str) -> str | None:
        """The PEM text of the key with this id; None where there is none."""
        if identifier in self._fixed:
            return self._fixed[identifier]
        if not self._url:
            return None
        with self._lock:
            waited = None if self._asked is None else self._clock() - self._asked
            known = identifier in self._fetched
            if waited is None or waited >= KEEP or (not known and waited >= ASK_AGAIN):
                self._fetch()
            return self._fetched.get(identifier)

    def _fetch(self) -> None:
        """Asks for the keys. What cannot be fetched leaves those in force that were fetched before."""
        self._asked = self._clock()
        http = Http(timeout=10)
        try:
            answer = http.send("GET", self._url, headers={"Accept": "application/json"})
        finally:
            http.close()
        if isinstance(answer, NoAnswer):
            self.trouble = answer.reason
        elif not answer.ok:
            self.trouble = f"the server of public keys answered {answer.status}"
        else:
            try:
                self._fetched = _parsed(answer.body)
                self.trouble = ""
            except ValueError as error:
                self.trouble = str(error)


def _parsed(content: bytes) -> Mapping[str, str]:
    """Keys by id. Raises ValueError."""
    try:
        body = json.loads(content)
        listed = body["public_keys"] if isinstance(body, dict) else body
        return {str(item["key_identifier"]): str(item["key"]) for item in listed}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("the list of public keys is not in GitHub's form") from None


def _read_file(file: Path) -> Mapping[str, str]:
    try:
        return _parsed(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"the file of public keys {file} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
