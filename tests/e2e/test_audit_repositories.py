"""`keyfuse audit` on real repositories, as people call it: what is found where, and the exit code."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.repositories import Repository, make_hostile
from tests.support.tokens import github_token

Audit = Callable[..., dict[str, Any]]
TOKEN = github_token(random.Random(7))
OTHER = github_token(random.Random(8))


@pytest.fixture
def audit(tmp_path: Path, rule_cache: Path) -> Audit:
    """Runs `keyfuse audit … --format json`, expects an exit code, and gives the report with `stderr` beside it."""
    environment = os.environ | {
        "HOME": str(tmp_path),
        "KEYFUSE_DATA_DIR": str(tmp_path / "data"),
        "KEYFUSE_CACHE_DIR": str(rule_cache),
        "KEYFUSE_CONFIG": "",
    }

    def run(*words: str | Path, code: int, stdin: bytes = b"") -> dict[str, Any]:
        command = [sys.executable, "-m", "keyfuse", "audit", *map(str, words), "--format", "json"]
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment, cwd=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr
        report: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
        return report | {"stderr": done.stderr.decode()}

    return run


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.new(tmp_path / "r")


def _where(report: dict[str, Any]) -> list[tuple[str, str, str | None, int]]:
    return [(each["place"], each["path"], each["commit"], each["start_line"]) for each in report["findings"]]


def test_a_key_that_was_taken_back_is_found_in_history(audit: Audit, repository: Repository) -> None:
    repository.commit("first", {"conf.py": "debug = True\n"})
    bad = repository.commit("bad", {"conf.py": f"debug = True\ntoken = '{TOKEN}'\n"})
    repository.commit("revert", {"conf.py": "debug = True\n"})
    report = audit(repository.path, code=1)
    assert _where(report) == [("blob", "conf.py", bad, 2)]
    (finding,) = report["findings"]
    assert finding["author"] == "Ada Writer <ada@example.org>"
    assert (finding["in_tip"], finding["reachable"]) == (False, True)
    assert report["skipped"] == []
    assert TOKEN not in json.dumps(report)
    assert _where(audit(repository.path, "--no-history", code=0)) == []
    assert _where(audit(repository.path, "--since", "HEAD~1", code=0)) == []
    assert _where(audit(repository.path, "--since", "HEAD~2", code=1)) == [("blob", "conf.py", bad, 2)]
    assert _where(audit(repository.path, "--range", "HEAD~2..HEAD~1", code=1)) == [("blob", "conf.py", bad, 2)]
    assert _where(audit(repository.path, "--ref", "main", code=1)) == [("blob", "conf.py", bad, 2)]


def test_a_key_in_the_work_tree_and_in_many_versions_is_one_finding(audit: Audit, repository: Repository) -> None:
    bad = repository.commit("bad", {"conf.py": f"token = '{TOKEN}'\n"})
    for number in range(5):
        repository.commit(f"edit {number}", {"conf.py": "\n" * number + f"token = '{TOKEN}'\n"})
    assert _where(audit(repository.path, code=1)) == [("file", "conf.py", bad, 5)]


def test_a_range_reports_what_is_new_in_it(audit: Audit, repository: Repository) -> None:
    repository.commit("old", {"conf.py": f"token = '{TOKEN}'\n"})
    new = repository.commit("new", {"conf.py": f"token = '{TOKEN}'\nother = '{OTHER}'\n"})
    repository.commit("edit", {"conf.py": f"# comment\ntoken = '{TOKEN}'\nother = '{OTHER}'\n"})
    assert _where(audit(repository.path, "--since", "HEAD~2", code=1)) == [("blob", "conf.py", new, 2)]
    assert _where(audit(repository.path, "--range", "HEAD~1..HEAD", code=0)) == []


def test_what_is_not_here_counts_in_the_exit_code(audit: Audit, repository: Repository) -> None:
    head = repository.commit("first", {"a": "x"})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    repository.commit_staged("submodule")
    (skipped,) = audit(repository.path, code=4)["skipped"]
    assert "the submodule is not here" in skipped["reason"]


def test_only_staged_lines_count(audit: Audit, repository: Repository) -> None:
    repository.commit("old", {"conf.py": f"token = '{TOKEN}'\n"})
    repository.write("conf.py", f"token = '{TOKEN}'\n\nother = 1\n")
    repository.git("add", "conf.py")
    assert _where(audit(repository.path, "--staged", code=0)) == []
    repository.write("conf.py", f"token = '{TOKEN}'\n\nother = '{OTHER}'\n")
    assert _where(audit(repository.path, "--staged", code=0)) == []
    repository.git("add", "conf.py")
    assert _where(audit(repository.path, "--staged", code=1)) == [("index", "conf.py", None, 3)]


def test_a_url_is_mirrored_and_audited_under_its_name(audit: Audit, repository: Repository) -> None:
    bad = repository.commit("bad", {"conf.py": f"token = '{TOKEN}'\n"})
    repository.commit("gone", {"conf.py": None})
    report = audit(f"file://{repository.path}", code=1)
    assert _where(report) == [("blob", "conf.py", bad, 1)]
    assert "cannot be fetched" in audit(f"file://{repository.path}-missing", code=3)["stderr"]
    assert "no git URL that is fetched here" in audit("ext::sh -c true", code=2)["stderr"]


def test_messages_are_searched(audit: Audit, repository: Repository) -> None:
    commit = repository.commit(f"subject\n\nuse {TOKEN}", {"a": "x"})
    assert _where(audit(repository.path, code=1)) == [("commit-message", "", commit, 3)]


def test_bad_targets_have_a_message_and_an_exit_code(audit: Audit, repository: Repository, tmp_path: Path) -> None:
    repository.commit("first", {"a": "x"})
    (tmp_path / "plain").mkdir()
    assert "missing does not exist" in audit(tmp_path / "missing", code=3)["stderr"]
    assert "no commit called 'no-such'" in audit(repository.path, "--since", "no-such", code=2)["stderr"]
    assert "is for repositories" in audit(tmp_path / "plain", "--since", "HEAD", code=2)["stderr"]
    os.mkfifo(tmp_path / "fifo")
    (skipped,) = audit(tmp_path / "fifo", code=4)["skipped"]
    assert "a FIFO" in skipped["reason"]


def test_a_shallow_clone_is_not_called_clean(audit: Audit, repository: Repository, tmp_path: Path) -> None:
    repository.commit("first", {"a": "one"})
    repository.commit("second", {"a": "two"})
    repository.git("clone", "-q", "--depth=1", f"file://{repository.path}", str(tmp_path / "shallow"))
    (skipped,) = audit(tmp_path / "shallow", code=4)["skipped"]
    assert "shallow" in skipped["reason"]


def test_a_hostile_repository_runs_nothing_and_hides_nothing(
    audit: Audit, repository: Repository, tmp_path: Path
) -> None:
    repository.commit("bad", {"conf.py": f"token = '{TOKEN}'\n", ".gitattributes": "* filter=sly diff=sly\n"})
    repository.write("new.py", f"token = '{OTHER}'\n")
    repository.git("add", "new.py")
    make_hostile(repository, tmp_path / "canaries")
    assert len(audit(repository.path, code=1)["findings"]) == 2
    assert len(audit(repository.path, "--no-history", code=1)["findings"]) == 2
    assert len(audit(repository.path, "--staged", code=1)["findings"]) == 1
    assert len(audit(repository.path, "--ref", "main", code=1)["findings"]) == 1
    assert list((tmp_path / "canaries").iterdir()) == []
