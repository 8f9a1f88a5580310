"""A keyfuse whose configuration connects one vendor on loopback, driven by its command line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keyfuse.cli import run_cli
from keyfuse.exits import Exit
from keyfuse.session import Session
from tests.support.fakes import Fake
from tests.support.repositories import Repository


@dataclass
class Connected:
    """One installation in a directory of its own."""

    home: Path
    vendor: str
    fake: Fake
    services: tuple[str, ...]
    credential: str
    capfd: pytest.CaptureFixture[str]

    def configure(self, more: str = "") -> None:
        """Writes the configuration; `more` is added to it."""
        urls = "".join(f'{service} = "{self.fake.url}"\n' for service in self.services)
        start = f'[provider.{self.vendor}]\n{urls}{self.credential} = "credential"\nrequests_per_minute = 0\n'
        (self.home / "keyfuse.toml").write_text(start + more)

    def run(self, *words: str, code: Exit = Exit.OK) -> str:
        """Runs one command, expects its exit code, and gives what it wrote to stdout."""
        assert run_cli(words) == code
        return self.capfd.readouterr().out

    def record(self, name: str) -> dict[str, Any]:
        """A key's record."""
        found: dict[str, Any] = json.loads(self.run("keys", "show", name, "--format", "json"))
        return found

    def repository(self, content: str) -> str:
        """A repository in whose history, but not in whose work tree, this lies."""
        repository = Repository.new(self.home / "repository")
        repository.commit("deploy", {"deploy.env": content})
        repository.commit("tidy up", {"deploy.env": None})
        return str(self.home / "repository")

    def report(self, rule: str, value: str) -> str:
        """A report of keyfuse's own that holds this finding."""
        finding = {"rule": rule, "provider": self.vendor, "fingerprint": "", "masked": "***", "path": "f.env"}
        body = {"tool": {"name": "keyfuse"}, "findings": [finding | {"secret": value, "start_line": 1}]}
        (self.home / "report.json").write_text(json.dumps(body))
        return str(self.home / "report.json")

    def later(self, **length: float) -> datetime:
        """What upkeep does after a while."""
        moment = datetime.now(UTC) + timedelta(**length)
        with Session(clock=lambda: moment) as session:
            session.responder().tend()
        return moment

    def incident(self) -> dict[str, Any]:
        """The only incident there is."""
        [found] = json.loads(self.run("leaks", "list", "--format", "json"))["leaks"]
        shown: dict[str, Any] = json.loads(self.run("leaks", "show", found["id"], "--format", "json"))
        return shown


def connect(
    home: Path,
    rule_cache: Path,
    vendor: str,
    fake: Fake,
    services: tuple[str, ...],
    credential: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Connected:
    """An installation that knows this vendor. `credential` is the setting that names the file, and what is in it."""
    name, content = credential
    (home / "credential").write_text(content)
    monkeypatch.setenv("KEYFUSE_CONFIG", str(home / "keyfuse.toml"))
    monkeypatch.setenv("KEYFUSE_DATA_DIR", str(home / "data"))
    monkeypatch.setenv("KEYFUSE_CACHE_DIR", str(rule_cache))
    made = Connected(home, vendor, fake, services, name, capfd)
    made.configure()
    return made
