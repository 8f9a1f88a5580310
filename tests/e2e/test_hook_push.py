"""The pre-push and pre-receive hooks, between real repositories."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.committing import Ran, Workshop, workshop
from tests.support.tokens import github_token


@pytest.fixture
def token() -> str:
    return github_token(random.Random(6))


@pytest.fixture
def shop(tmp_path: Path, rule_cache: Path) -> Workshop:
    """A repository with one commit, pushed to a bare one called origin. No hooks yet."""
    made = workshop(tmp_path)
    made.env["KEYFUSE_CACHE_DIR"] = str(rule_cache)
    made.git("init", "--quiet", "--bare", str(tmp_path / "origin.git"))
    made.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    made.stage("first.txt", "one\n")
    made.commit()
    made.git("push", "--quiet", "origin", "main")
    return made


@pytest.fixture
def sender(shop: Workshop) -> Workshop:
    """With a pre-push hook."""
    shop.keyfuse("hook", "install", "pre-push", check=True)
    return shop


@pytest.fixture
def receiver(shop: Workshop, tmp_path: Path) -> Workshop:
    """Whose origin has a pre-receive hook."""
    shop.at(tmp_path / "origin.git").keyfuse("hook", "install", check=True)
    return shop


def push(shop: Workshop, *words: str) -> Ran:
    return shop.git("push", "--quiet", "origin", *(words or ("main",)), check=False)


def refused(ran: Ran, where: str, token: str) -> None:
    assert ran.code == 1, ran
    assert "keyfuse: push refused" in ran.stderr
    assert where in ran.stderr
    assert token not in ran.stderr


def add(shop: Workshop, name: str, content: str, message: str = "change") -> str:
    shop.stage(name, content)
    assert shop.commit(message).code == 0
    return shop.head()


def theirs(shop: Workshop, ref: str = "main") -> str:
    return shop.git("ls-remote", "origin", ref).stdout.partition("\t")[0]


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_refuses_what_brings_a_key(side: str, request: pytest.FixtureRequest, token: str) -> None:
    shop: Workshop = request.getfixturevalue(side)
    before = theirs(shop)
    commit = add(shop, "a b.txt", f"x\ntoken = '{token}'\n")
    refused(push(shop), f"a b.txt:2:10 in commit {commit[:10]}", token)
    assert theirs(shop) == before
    shop.git("reset", "--quiet", "--hard", "HEAD~1")
    add(shop, "a b.txt", "clean\n")
    assert push(shop).code == 0
    assert theirs(shop) == shop.head()


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_a_key_that_a_later_commit_takes_out_is_pushed_all_the_same(
    side: str, request: pytest.FixtureRequest, token: str
) -> None:
    shop: Workshop = request.getfixturevalue(side)
    add(shop, "a", f"token = '{token}'\n")
    add(shop, "a", "clean\n")
    refused(push(shop), "a:1:10", token)


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_a_key_in_a_message_is_one_too(side: str, request: pytest.FixtureRequest, token: str) -> None:
    shop: Workshop = request.getfixturevalue(side)
    add(shop, "a", "clean\n", f"use {token} here")
    refused(push(shop), "commit-message", token)


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_a_key_in_a_name_blocks_the_push_that_brings_it(side: str, request: pytest.FixtureRequest, token: str) -> None:
    shop: Workshop = request.getfixturevalue(side)
    commit = add(shop, f"dir/{token}.txt", "x\n")
    refused(push(shop), f"file-name {commit[:10]}", token)
    assert shop.git("push", "--quiet", "--no-verify", "origin", "main", check=False).code == (side == "receiver")


def test_a_name_that_was_there_before_and_a_pointer_do_not_block(sender: Workshop, token: str) -> None:
    add(sender, f"dir/{token}.txt", "x\n")
    assert sender.git("push", "--quiet", "--no-verify", "origin", "main", check=False).code == 0
    add(sender, "dir/other.txt", f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 123\n")
    assert push(sender).code == 0


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_what_the_other_side_has_already_does_not_block(
    side: str, tmp_path: Path, shop: Workshop, request: pytest.FixtureRequest, token: str
) -> None:
    add(shop, "old", f"one\ntoken = '{token}'\n")
    assert push(shop).code == 0
    request.getfixturevalue(side)
    add(shop, "old", f"zero\none\ntoken = '{token}'\n")
    assert push(shop).code == 0
    shop.git("mv", "old", "new")
    shop.commit("rename")
    assert push(shop, "HEAD:refs/heads/other").code == 0
    shop.git("checkout", "--quiet", "-b", "side", "main~1")
    add(shop, "side", "clean\n")
    shop.git("merge", "--quiet", "-m", "merge", "main")
    assert push(shop, "side").code == 0
    shop.git("checkout", "--quiet", "-b", "touched", "main")
    add(shop, "new", f"zero\none\ntoken = '{token}'\nand more\n")
    shop.git("checkout", "--quiet", "-b", "before", "main~3")
    add(shop, "before", "clean\n")
    shop.git("merge", "--quiet", "-m", "merge", "touched")
    assert push(shop, "before").code == 0


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_deleting_tagging_and_pushing_nothing_new(side: str, request: pytest.FixtureRequest, token: str) -> None:
    shop: Workshop = request.getfixturevalue(side)
    assert push(shop, "HEAD:refs/heads/gone").code == 0
    assert push(shop, "--delete", "gone").code == 0
    assert push(shop).code == 0
    shop.git("tag", "-a", "v1", "-m", "clean")
    assert push(shop, "v1").code == 0
    shop.git("tag", "-a", "v2", "-m", f"with {token}")
    refused(push(shop, "v2"), "tag-message", token)


def test_a_first_push_and_a_push_to_an_unnamed_place(tmp_path: Path, sender: Workshop, token: str) -> None:
    add(sender, "a", f"token = '{token}'\n")
    sender.git("init", "--quiet", "--bare", str(tmp_path / "new.git"))
    refused(sender.git("push", str(tmp_path / "new.git"), "main", check=False), "a:1:10", token)
    assert sender.git("push", "--quiet", str(tmp_path / "new.git"), "main~1:refs/heads/main").code == 0


def test_an_unknown_state_of_the_other_side(tmp_path: Path, sender: Workshop, token: str) -> None:
    """Somebody else pushed meanwhile; git tells the hook an id that is not here."""
    other = sender.at(tmp_path / "other")
    sender.git("clone", "--quiet", str(tmp_path / "origin.git"), str(tmp_path / "other"))
    add(other, "theirs", "clean\n")
    other.git("push", "--quiet", "origin", "main")
    add(sender, "a", f"token = '{token}'\n")
    refused(push(sender, "--force", "main"), "a:1:10", token)
    sender.git("reset", "--quiet", "--hard", "HEAD~1")
    add(sender, "a", "clean\n")
    assert push(sender, "--force", "main").code == 0


def test_a_repository_named_by_the_environment(tmp_path: Path, sender: Workshop, token: str) -> None:
    add(sender, "a", f"token = '{token}'\n")
    (tmp_path / "elsewhere").mkdir()
    away = sender.at(tmp_path / "elsewhere").where(GIT_DIR=str(sender.top / ".git"))
    refused(push(away), "a:1:10", token)


def test_the_earlier_hook_hears_the_refs_too(tmp_path: Path, shop: Workshop, token: str) -> None:
    hook = shop.top / ".git" / "hooks" / "pre-push"
    hook.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/words\ncat > {tmp_path}/heard\n')
    hook.chmod(0o755)
    shop.keyfuse("hook", "install", "pre-push", check=True)
    add(shop, "a", f"token = '{token}'\n")
    refused(push(shop), "a:1:10", token)
    assert (tmp_path / "words").read_text() == "origin\n"
    assert (tmp_path / "heard").read_text().split()[:2] == ["refs/heads/main", shop.head()]


def test_lines_that_git_does_not_write(sender: Workshop) -> None:
    ran = sender.keyfuse("hook", "run", "pre-receive", stdin=b"nonsense\n")
    assert ran.code == 2
    assert "push refused" in ran.stderr
    assert sender.keyfuse("hook", "run", "pre-push").code == 2
    assert sender.keyfuse("hook", "run", "pre-push", "origin").code == 0
