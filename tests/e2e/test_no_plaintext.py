"""A full run leaves no plaintext anywhere: no log, report, database, notice, cache or process list holds a secret."""

from __future__ import annotations

import base64
import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.committing import Workshop, workshop
from tests.support.tokens import github_token
from tests.support.watching import ProcessWatch
from tests.support.webserver import Site, web_server

FORMATS = ("text", "json", "jsonl", "sarif", "html", "csv", "junit", "gitlab", "markdown")
CONFIGURATION = """\
[notify]
administrators = ["admin@example.org"]
[notify.channel.lines]
type = "file"
path = "{home}/notices.jsonl"
[notify.channel.hook]
type = "webhook"
url_env = "TEST_HOOK_URL"
secret_env = "TEST_HOOK_SECRET"
"""


def disguises(value: str) -> Iterator[bytes]:
    """The value as it is, and in the wrappings that a careless program might put it in."""
    raw = value.encode()
    yield raw
    yield raw.hex().encode()
    yield base64.b64encode(raw).rstrip(b"=")[:-2]
    yield base64.urlsafe_b64encode(raw).rstrip(b"=")[:-2]
    yield raw.decode().encode("utf-16-le")
    yield raw[:-4]  # all but what a mask may show


@pytest.fixture
def server() -> Iterator[Site]:
    with web_server() as running:
        yield running


def issue(shop: Workshop, name: str, action: str) -> str:
    """A new key's value, out of the one answer that may hold it."""
    made = shop.keyfuse("keys", "create", "--name", name, "--action-when-leaked", action, "--format", "json")
    assert made.code == 0, made.stderr
    value = json.loads(made.stdout)["apikey"]
    assert isinstance(value, str)
    return value


def plant(shop: Workshop, values: list[str]) -> None:
    """Puts secrets where an audit finds them: a file, a removed file, an archive, a commit message, the index."""
    shop.stage("settings.py", f'KEY = "{values[0]}"\n')
    shop.stage("gone.py", f'KEY = "{values[1]}"\n')
    assert shop.commit(f"add {values[2]}").code == 0
    shop.git("rm", "--quiet", "gone.py")
    with zipfile.ZipFile(shop.top / "backup.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("etc/app.ini", f"key = {values[3]}\n")
    assert shop.commit("remove it").code == 0
    shop.stage("staged.env", f"TOKEN={values[4]}\n")


def run_everything(shop: Workshop, out: Path) -> list[bytes]:
    """Every command that touches what was found. Returns all that was printed."""
    printed: list[bytes] = []

    def run(*words: str, expect: int | None = None) -> str:
        ran = shop.keyfuse(*words)
        printed.extend((ran.stdout.encode(), ran.stderr.encode()))
        assert expect is None or ran.code == expect, (words, ran)
        return ran.stdout

    for form in FORMATS:
        run("audit", ".", "--format", form, expect=1)
        run("audit", ".", "--format", form, "--output", str(out / f"report.{form}"), "--verify", expect=1)
    run("hook", "run", "pre-commit", expect=1)
    run("audit", ".", "--respond", expect=1)
    incidents = json.loads(run("leaks", "list", "--format", "json", expect=0))["leaks"]
    assert len(incidents) == 5
    for incident in incidents:
        run("leaks", "show", incident["id"], expect=0)
        run("leaks", "show", incident["id"], "--format", "json", expect=0)
    run("leaks", "report", str(out / "report.sarif"))
    run("keys", "list", "--view", "all", "--format", "json", expect=0)
    run("keys", "show", "one", expect=0)
    run("log", "show", expect=0)
    run("log", "verify", expect=0)
    run("baseline", "create", str(out / "baseline"), "--reason", "a test")
    run("doctor")
    return printed


def test_no_secret_is_left_anywhere(tmp_path: Path, rule_cache: Path, server: Site) -> None:
    shop = workshop(tmp_path).where(
        KEYFUSE_CACHE_DIR=str(rule_cache),
        KEYFUSE_CONFIG=str(tmp_path / "keyfuse.toml"),
        TEST_HOOK_URL=f"{server.url}/hook",
        TEST_HOOK_SECRET="s" * 32,
    )
    (tmp_path / "keyfuse.toml").write_text(CONFIGURATION.format(home=tmp_path))
    out = tmp_path / "out"
    out.mkdir()
    values = [
        issue(shop, "one", "disable"),
        issue(shop, "two", "delete"),
        issue(shop, "three", "none"),
        issue(shop, "four", "disable"),
        github_token(random.Random(7)),
    ]
    plant(shop, values)
    with ProcessWatch() as watch:
        places = {f"output {number}": text for number, text in enumerate(run_everything(shop, out))}

    kept = [*(tmp_path / "data").rglob("*"), *rule_cache.rglob("*"), *out.rglob("*"), tmp_path / "notices.jsonl"]
    places |= {str(path): path.read_bytes() for path in kept if path.is_file()}
    places |= {f"process {number}": text for number, text in enumerate(watch.seen)}
    places |= {f"webhook {number}": told.body for number, told in enumerate(server.requests)}
    assert any(b"keyfuse\0audit" in text for text in watch.seen), "the watch saw no audit, so it proves nothing"
    assert (tmp_path / "data" / "keyfuse.db").stat().st_size
    assert len(server.requests) >= 5
    for value in values:
        for disguise in disguises(value):
            assert [name for name, text in places.items() if disguise in text] == []
