"""A vendor's key from leak to proof, as the program does it: configured, found, identified, stopped, read back."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from keyfuse.cli import run_cli
from keyfuse.exits import Exit
from scanner import rulebook, samples
from scanner.errors import ConfigError, UsageError
from scanner.model import Secret
from scanner.rule import Rule
from tests.support.fakes import Fault
from tests.support.fakes.administered import Anthropic
from tests.support.fakes.self_service import HuggingFace

Run = Callable[..., str]


@cache
def book() -> Mapping[str, Rule]:
    """The shipped rules; reading them takes long."""
    return rulebook.load().by_id()


def value_of(rule: str, rng: random.Random) -> str:
    """A made-up value that this rule finds."""
    return samples.sample(book()[rule], rng).secret.decode()


class Vendor(Anthropic):
    """The fake, with a key that the scanner finds."""

    def __init__(self) -> None:
        super().__init__()
        old, self.value = self.value, value_of("anthropic-api-key", random.Random(5))
        next(key for key in self.state["keys"].values() if key["value"] == old)["value"] = self.value
        self.settle()
        self.secrets.append(Secret(self.value.encode()))


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    fake = Vendor()
    yield fake
    assert fake.leaks() == []
    fake.close()


@pytest.fixture
def home(tmp_path: Path, rule_cache: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configured installation, and a tree in which the key leaked."""
    (tmp_path / "keyfuse.toml").write_text(
        f'[provider.anthropic]\nbase_url = "{vendor.url}"\ntoken_env = "ANTHROPIC_ADMIN"\nprove_after = ["1m"]\n'
    )
    monkeypatch.setenv("ANTHROPIC_ADMIN", vendor.admin)
    monkeypatch.setenv("KEYFUSE_CONFIG", str(tmp_path / "keyfuse.toml"))
    monkeypatch.setenv("KEYFUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KEYFUSE_CACHE_DIR", str(rule_cache))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "app.env").write_text(f"ANTHROPIC_API_KEY={vendor.value}\n")
    return tmp_path


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command, expects its exit code, and gives what it wrote to stdout."""

    def runs(*words: str, code: Exit = Exit.OK) -> str:
        assert run_cli(words) == code
        return capsys.readouterr().out

    return runs


def register(run: Run, home: Path, value: str, **more: str) -> None:
    """Takes the key into the registry, as its owner would."""
    row = {"name": "claude", "provider": "anthropic", "apikey": value, **more}
    with (home / "keys.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    run("keys", "import", str(home / "keys.csv"), "--owner", "owner@example.org")


def finding(report: str) -> dict[str, Any]:
    [found] = json.loads(report)["findings"]
    return dict(found)


def test_a_leaked_key_is_disabled_at_its_vendor_and_read_back(run: Run, home: Path, vendor: Vendor) -> None:
    register(run, home, vendor.value)
    tree = str(home / "tree")
    found = finding(run("audit", tree, "--respond", "--format", "json", code=Exit.LEAKS))
    assert found["action"]["kind"] == "disable"
    assert found["action"]["outcome"] == "contained", found["action"]
    assert found["key"]["state"] == "disabled"
    assert vendor.state_of(vendor.value) == "disabled"
    assert vendor.changes == 1
    assert "delete" not in vendor.names
    again = finding(run("audit", tree, "--verify", "--format", "json", code=Exit.LEAKS))
    assert again["liveness"] == "dead"
    [key] = json.loads(run("keys", "list", "--format", "json"))["apikeys"]
    run("keys", "enable", key["id"])
    assert vendor.state_of(vendor.value) == "active"


def test_nobody_is_spoken_to_unless_asked_for(run: Run, home: Path, vendor: Vendor) -> None:
    register(run, home, vendor.value)
    run("audit", str(home / "tree"), code=Exit.LEAKS)
    assert vendor.seen == []


def test_verify_says_alive_dead_or_unknown_and_why(run: Run, home: Path, vendor: Vendor) -> None:
    tree = str(home / "tree")
    assert "the provider says: alive (found in the provider's listing)" in run(
        "audit", tree, "--verify", code=Exit.LEAKS
    )
    vendor.fault = Fault.FAILS_BEFORE
    assert "the provider says: unknown (Anthropic failed with 500)" in run("audit", tree, "--verify", code=Exit.LEAKS)
    vendor.fault = None
    del vendor.state["keys"][vendor.id]
    said = run("audit", tree, "--verify", code=Exit.LEAKS)
    assert "the provider says: dead" in said
    assert "the key was tried: Anthropic answered 401 (gone)" in said
    assert vendor.changes == 0


def test_keyfuses_own_credential_is_not_touched(
    run: Run, home: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(run, home, vendor.value)
    monkeypatch.setenv("ANTHROPIC_ADMIN", vendor.value)  # what leaks is what keyfuse itself works with
    found = finding(run("audit", str(home / "tree"), "--respond", "--format", "json", code=Exit.UNPROVEN))
    assert found["action"]["outcome"] == "blocked"
    assert found["action"]["reason"].startswith("own credential:")
    assert vendor.changes == 0


def test_what_the_vendor_cannot_do_is_not_replaced_by_something_worse(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hub(HuggingFace):
        def make_value(self, rng: random.Random) -> str:
            return value_of("huggingface-access-token", rng)

    hub = Hub()
    (home / "keyfuse.toml").write_text(f'[provider.huggingface]\nbase_url = "{hub.url}"\n')
    (home / "tree" / "app.env").write_text(f"HF_TOKEN={hub.value}\n")
    register(run, home, hub.value, provider="huggingface")
    found = finding(run("audit", str(home / "tree"), "--respond", "--format", "json", code=Exit.UNPROVEN))
    assert (found["action"]["outcome"], hub.changes) == ("blocked", 0)
    [key] = json.loads(run("keys", "list", "--format", "json"))["apikeys"]
    run("keys", "update", key["id"], "--if-unsupported", "delete")
    found = finding(run("audit", str(home / "tree"), "--respond", "--format", "json", code=Exit.UNPROVEN))
    assert (found["action"]["kind"], found["action"]["outcome"]) == ("delete", "unconfirmed"), "accepted is not done"
    assert hub.changes == 1
    hub.close()


# --- keyfuse providers ----------------------------------------------------------------------------------------------


def test_the_table_for_people_and_programs(run: Run) -> None:
    text = run("providers", "list")
    assert text.startswith("PROVIDER")
    assert "\nanthropic " in text
    listed = json.loads(run("providers", "list", "--format", "json"))
    connected = [each["name"] for each in listed["providers"] if each["connected"]]
    assert connected == ["keyfuse", "anthropic"]
    assert "stripe" not in run("providers", "list", "--connected")


def test_one_provider(run: Run) -> None:
    shown = json.loads(run("providers", "show", "anthropic", "--format", "json"))["provider"]
    assert shown["credentials"][0]["settings"] == ["token_env", "token_file", "token_keyring"]
    assert shown["credentials"][0]["permissions"]
    assert "by hand:" in run("providers", "show", "anthropic")
    with pytest.raises(UsageError, match="did you mean anthropic"):
        run("providers", "show", "antropic")


def test_credentials_are_tried_without_changing_anything(
    run: Run, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "works" in run("providers", "test", "anthropic")
    monkeypatch.setenv("ANTHROPIC_ADMIN", "made up")
    assert "refused" in run("providers", "test", "anthropic", code=Exit.CANNOT_RUN)
    monkeypatch.delenv("ANTHROPIC_ADMIN")
    said = run("providers", "test", "anthropic", "--format", "json", code=Exit.CANNOT_RUN)
    assert "ANTHROPIC_ADMIN (token_env) is not set" in json.loads(said)["credentials"][0]["detail"]
    assert vendor.changes == 0
    with pytest.raises(UsageError, match=r"add a section \[provider.openai\]"):
        run("providers", "test", "openai")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[provider.antropic]\n", "did you mean [provider.anthropic]?"),
        ("[provider.zzz]\n", 'one of your own needs type = "http|command"'),
        ('[provider.openai]\ntokn_env = "A"\n', "did you mean provider.openai.token_env?"),
        ('[provider.openai]\ntoken = "A"\n', "would hold a credential in plain text; use token_env"),
        ('[provider.openai]\ntoken_env = "A"\ntoken_file = "b"\n', "token_env and token_file; keep one"),
        ('[provider.openai]\nbase_url = "http://api.openai.com"\n', "must begin with https://"),
        ('[provider.openai]\nallowed_hosts = ["https://x.example"]\n', "names of hosts alone"),
        ('[provider.openai]\nprove_after = ["soon"]\n', "a length of time"),
        ('[provider.openai]\ncommand = ["x"]\n', "command"),
        ('[provider.openai]\ntype = "http"\n', "give your own service another name"),
        ('[provider.acme]\ntype = "http"\n', "needs a base_url"),
        ('[provider.acme]\ntype = "command"\n', "needs command"),
        ("[provider]\nopenai = 1\n", "must be a table"),
    ],
)
def test_a_section_that_cannot_be_used(run: Run, home: Path, text: str, said: str) -> None:
    (home / "keyfuse.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        run("providers", "list", "--connected")
    assert said in str(caught.value)


def test_a_service_of_ones_own_is_listed_too(run: Run, home: Path) -> None:
    (home / "keyfuse.toml").write_text(
        '[provider.acme]\ntype = "command"\ncommand = ["/bin/acme"]\ncan = ["delete"]\n[provider.pypi]\n'
    )
    text = run("providers", "list", "--connected")
    assert [line.split()[0] for line in text.splitlines()] == ["PROVIDER", "keyfuse", "pypi", "acme"]
    shown = json.loads(run("providers", "show", "acme", "--format", "json"))["provider"]
    assert (shown["keys"][0]["disable"], shown["keys"][0]["delete"]) == ("none", True)
    shown_config = json.loads(run("config", "show", "--format", "json"))
    assert shown_config
