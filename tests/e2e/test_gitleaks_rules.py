"""A gitleaks configuration handed to keyfuse, as people do it: checked, tried, and used by an audit."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.tokens import github_token, text

Keyfuse = Callable[..., subprocess.CompletedProcess[str]]
VALUE = text(random.Random(5), 40)
CONFIG = """
title = "rules of a company"
[extend]
useDefault = true
[[rules]]
id = "acme_deploy"
description = "Acme deploy key"
regex = '''(?i)acme[_-]?deploy\\s*[:=]\\s*["']?([a-z0-9]{40,})\\b'''
keywords = ["acme"]
entropy = 3
tags = ["company"]
[[rules]]
id = "anything"
regex = '''\\w+'''
[allowlist]
paths = ['''(?:^|/)fixtures/''']
"""


@pytest.fixture
def keyfuse(tmp_path: Path, rule_cache: Path) -> Keyfuse:
    environment = os.environ | {
        "HOME": str(tmp_path),
        "KEYFUSE_DATA_DIR": str(tmp_path / "data"),
        "KEYFUSE_CACHE_DIR": str(rule_cache),
        "KEYFUSE_CONFIG": "",
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "keyfuse", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)

    return run


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "gitleaks.toml").write_text(CONFIG)
    code = tmp_path / "code"
    for folder in (code, code / "fixtures"):
        folder.mkdir()
        (folder / "app.py").write_text(f"ACME_DEPLOY = '{VALUE}'\ngithub = '{github_token(random.Random(6))}'\n")
    return "gitleaks.toml"


def test_an_audit_uses_it_beside_the_shipped_rules(keyfuse: Keyfuse, config: str) -> None:
    for _ in range(2):  # compiled, then out of the cache
        done = keyfuse("audit", "code", "--rules", config, "--format", "json")
        assert done.returncode == 1, done.stderr
        report = json.loads(done.stdout)
        found = [(each["path"], each["rule"]) for each in report["findings"]]
        assert found == [("code/app.py", "acme-deploy"), ("code/app.py", "github-pat")]
        assert [each["origin"] for each in report["skipped"]] == ["rules"]
        assert "rule anything" in report["skipped"][0]["reason"]
        assert VALUE not in done.stdout


def test_a_lost_rule_leaves_no_audit_clean(keyfuse: Keyfuse, config: str, tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("x = 1\n")
    assert keyfuse("audit", "clean.py").returncode == 0
    assert keyfuse("audit", "clean.py", "--rules", config).returncode == 4


def test_check_and_test_say_what_became_of_it(keyfuse: Keyfuse, config: str, tmp_path: Path) -> None:
    config = str(tmp_path / "own.toml")
    Path(config).write_text(CONFIG.replace("useDefault = true", ""))
    checked = keyfuse("rules", "check", config)
    assert checked.returncode == 0, checked.stderr
    assert "1 of 2 rules are used" in checked.stdout
    assert "acme-deploy  regex, keywords, entropy above 3" in checked.stdout
    for note in ("id 'acme_deploy'", "tags", "at most 4,096 times", "anything: regex"):
        assert note in checked.stdout
    cases = tmp_path / "cases.toml"
    cases.write_text("[[case]]\ntext = 'acme_deploy: {{acme-deploy}}'\nfinds = 'acme-deploy'\n")
    tried = keyfuse("rules", "test", config, str(cases), "--format", "json")
    assert tried.returncode == 1, tried.stderr
    results = {each["name"]: each["passed"] for each in json.loads(tried.stdout)["results"]}
    assert results == {"acme-deploy": True, "anything": False, "cases.toml: case 1": True}
