"""From a leak in a repository to its proven end at a vendor, with the commands that people use."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from keyfuse.cli import run_cli
from keyfuse.exits import Exit
from keyfuse.session import Session, utc_now
from tests.support.fakes import Fake
from tests.support.fakes.aws import Aws, backend
from tests.support.fakes.github import Github
from tests.support.repositories import Repository
from tests.support.tokens import github_token

Run = Callable[..., str]
RNG = random.Random(44)


@pytest.fixture
def connect(tmp_path: Path, rule_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the configuration of one provider, its services leading to a fake."""

    def connects(provider: str, urls: Mapping[str, str], *more: str) -> None:
        lines = [f"[provider.{provider}]", *(f'{name} = "{url}"' for name, url in urls.items()), *more]
        (tmp_path / "keyfuse.toml").write_text("\n".join(lines))
        monkeypatch.setenv("KEYFUSE_CONFIG", str(tmp_path / "keyfuse.toml"))
        monkeypatch.setenv("KEYFUSE_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("KEYFUSE_CACHE_DIR", str(rule_cache))

    return connects


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command, expects its exit code, and gives what it wrote to stdout."""

    def runs(*words: str | Path, code: Exit = Exit.OK) -> str:
        assert run_cli([str(word) for word in words]) == code
        return capsys.readouterr().out

    return runs


@pytest.fixture
def closing() -> Iterator[list[Fake]]:
    """Fakes to be closed."""
    fakes: list[Fake] = []
    yield fakes
    for fake in fakes:
        assert fake.leaks() == []
        fake.close()


def register(run: Run, tmp_path: Path, provider: str, action: str, row: Mapping[str, str]) -> None:
    (tmp_path / "keys.jsonl").write_text(json.dumps(row))
    run("keys", "import", tmp_path / "keys.jsonl", "--provider", provider, "--action-when-leaked", action)


def state(run: Run) -> tuple[str, str]:
    [found] = json.loads(run("leaks", "list", "--format", "json"))["leaks"]
    return found["state"], json.loads(run("leaks", "show", found["id"], "--format", "json"))["evidence"]


def test_a_github_token_is_revoked_and_proven_dead_later(
    tmp_path: Path, connect: Callable[..., None], run: Run, closing: list[Fake]
) -> None:
    token, fake = github_token(RNG), Github(at_once=False)
    closing.append(fake)
    fake.add(token)
    connect("github", {"base_url": fake.url})
    register(run, tmp_path, "github", "delete", {"name": "ci", "value": token})
    repository = Repository.new(tmp_path / "r")
    repository.commit("leak", {"ci.env": f"GITHUB_TOKEN={token}\n"})

    run("audit", repository.path, "--respond", "--jobs", "1", code=Exit.UNPROVEN)
    assert fake.names.count("delete") == 1
    assert state(run)[0] == "unconfirmed"
    fake.settle()
    with Session(clock=lambda: utc_now() + timedelta(minutes=1)) as session:
        session.responder().tend()
    assert state(run) == ("contained", "the token was tried and refused by 127.0.0.1 (401)")
    assert fake.names.count("delete") == 1, "the change was sent once"


def test_an_aws_key_is_set_inactive(
    tmp_path: Path,
    connect: Callable[..., None],
    run: Run,
    closing: list[Fake],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = Aws()
    closing.append(fake)
    backend().create_user(region_name="us-east-1", user_name="deployer", path="/")
    key = backend().create_access_key("deployer")
    monkeypatch.setenv("AWS_OWN", "keyfuse's own")
    own = ('access_key_id = "own"', 'secret_access_key_env = "AWS_OWN"')
    connect("aws", {"iam_url": fake.url, "sts_url": fake.url}, *own)
    row = {"name": "deploy", "value": key.secret_access_key, "provider_key_id": key.access_key_id}
    register(run, tmp_path, "aws", "disable", row)
    repository = Repository.new(tmp_path / "r")
    lines = f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    repository.commit("leak", {"credentials": "[default]\n" + lines})

    run("audit", repository.path, "--respond", "--jobs", "1", code=Exit.LEAKS)
    assert key.status == "Inactive"
    contained, evidence = state(run)
    assert contained == "contained"
    assert "lists" in evidence
    assert "as Inactive" in evidence
    assert "delete" not in fake.names
    run("audit", repository.path, "--respond", "--jobs", "1", code=Exit.LEAKS)
    assert fake.names.count("disable") == 1, "a second audit finds it dead"
