"""The hook under the pre-commit framework: its own program, our published definition, no network.

`language: system` stands in for the published `language: python`, which would fetch keyfuse's dependencies; everything
else is the definition as published.
"""

from __future__ import annotations

import json
import random
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.committing import Ran, Workshop, workshop
from tests.support.tokens import github_token

MANIFEST = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
PRE_COMMIT = (sys.executable, "-P", "-m", "pre_commit")


@pytest.fixture
def token() -> str:
    return github_token(random.Random(7))


def published() -> dict[str, Any]:
    (definition,) = yaml.safe_load(MANIFEST.read_text())
    assert isinstance(definition, dict)
    return definition


@pytest.fixture
def shop(tmp_path: Path, rule_cache: Path) -> Workshop:
    """A repository whose hooks the framework manages, with keyfuse among them."""
    made = workshop(tmp_path)
    made.env |= {"KEYFUSE_CACHE_DIR": str(rule_cache), "PRE_COMMIT_HOME": str(tmp_path / "framework")}
    definition = published()
    program, rest = definition.pop("entry").split(" ", 1)
    assert program == "keyfuse"
    definition |= {
        "language": "system",
        "entry": f"{shlex.quote(sys.executable)} -P -m keyfuse {rest}",
        "verbose": True,
    }
    del definition["minimum_pre_commit_version"]
    made.stage(".pre-commit-config.yaml", json.dumps({"repos": [{"repo": "local", "hooks": [definition]}]}))
    made.run(*PRE_COMMIT, "install")
    made.stage("first.txt", "one\n")
    assert made.commit().code == 0
    return made


def run(shop: Workshop, *words: str) -> Ran:
    return shop.run(*PRE_COMMIT, "run", *words, check=False)


def line(token: str) -> str:
    return f'token = "{token}"\n'


def test_the_manifest_is_valid(shop: Workshop) -> None:
    assert shop.run(*PRE_COMMIT, "validate-manifest", str(MANIFEST)).code == 0
    assert published()["id"] == "keyfuse"
    assert published()["language"] == "python"


def test_a_commit_is_refused_and_passed(shop: Workshop, token: str) -> None:
    before = shop.head()
    shop.stage("a b.txt", line(token))
    ran = shop.commit()
    assert ran.code == 1
    assert "a b.txt:1:10" in ran.stderr + ran.stdout
    assert token not in ran.stderr + ran.stdout
    assert shop.head() == before
    shop.stage("a b.txt", "clean\n")
    assert shop.commit().code == 0


def test_an_older_key_blocks_no_commit(shop: Workshop, token: str) -> None:
    shop.stage("old", line(token))
    shop.commit("old sin", "--no-verify")
    shop.stage("old", line(token) + "more\n")
    assert shop.commit().code == 0
    assert shop.commit("words only", "--amend").code == 0
    (shop.top / "old").chmod(0o755)
    shop.git("add", "old")
    assert shop.commit("mode only").code == 0


def test_all_files_means_all_files(shop: Workshop, token: str) -> None:
    assert run(shop, "--all-files").code == 0
    shop.stage("deep/old", "x\n" + line(token))
    shop.commit("old sin", "--no-verify")
    found = run(shop, "--all-files")
    assert found.code == 1
    assert "deep/old:2:10" in found.stdout
    shop.stage("new", "clean\n")
    assert "deep/old:2:10" in run(shop, "--all-files").stdout
    assert run(shop).code == 0
    assert run(shop, "--files", "first.txt").code == 0
    assert run(shop, "--files", "deep/old").code == 1


def test_a_range_of_commits(shop: Workshop, token: str) -> None:
    shop.stage("ci", line(token))
    shop.commit("sin", "--no-verify")
    assert run(shop, "--from-ref", "HEAD~1", "--to-ref", "HEAD").code == 1
    assert run(shop, "--from-ref", "HEAD", "--to-ref", "HEAD").code == 0


def test_a_definition_without_file_names_scans_all_when_nothing_is_staged(shop: Workshop, token: str) -> None:
    shop.stage("old", line(token))
    shop.commit("old sin", "--no-verify")
    assert shop.where(PRE_COMMIT="1").keyfuse("hook", "run", "pre-commit").code == 1
    assert shop.keyfuse("hook", "run", "pre-commit").code == 0


def test_files_called_like_options_are_files(shop: Workshop, token: str) -> None:
    shop.write("--help", line(token))
    shop.git("add", "--", "--help")
    assert shop.commit().code == 1
    shop.commit("sin", "--no-verify")
    assert "--help:1:10" in run(shop, "--all-files").stdout


def test_our_installer_leaves_the_frameworks_hook_alone(shop: Workshop) -> None:
    hook = shop.top / ".git" / "hooks" / "pre-commit"
    before = hook.read_bytes()
    ran = shop.keyfuse("hook", "install")
    assert ran.code == 3
    assert ".pre-commit-config.yaml" in ran.stderr
    assert hook.read_bytes() == before


def test_the_lines_that_our_installer_proposes_work(shop: Workshop, token: str) -> None:
    said = shop.keyfuse("hook", "install").stderr
    start = said.index("  - repo: local")
    proposed = yaml.safe_load("repos:\n" + said[start : said.index("Or chain")])
    proposed["repos"][0]["hooks"][0]["entry"] = f"{shlex.quote(sys.executable)} -P -m keyfuse hook run pre-commit"
    shop.stage(".pre-commit-config.yaml", json.dumps(proposed))
    assert shop.commit().code == 0
    shop.stage("a", line(token))
    assert shop.commit().code == 1
