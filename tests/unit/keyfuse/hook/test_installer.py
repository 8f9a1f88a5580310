"""Installing into real repositories and taking it out again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from keyfuse.hook.installer import Outcome, Present, install, look, uninstall
from keyfuse.hook.repository import open_repository
from keyfuse.hook.script import CHAINED, Script
from keyfuse.hook.stage import Stage
from scanner.errors import CannotRun, UsageError
from tests.support.committing import Workshop, workshop

SCRIPT = Script(Stage.PRE_COMMIT, "/opt/key fuse/bin/python")
OLD = b"#!/bin/sh\n# \xff mine\nexit 0\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    made = workshop(tmp_path)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, made.env[name])
    return made


def hook_of(shop: Workshop, name: str = "pre-commit") -> Path:
    return shop.top / ".git" / "hooks" / name


def put(path: Path, content: bytes, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def everything(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_installs_updates_and_removes(shop: Workshop) -> None:
    before = everything(hook_of(shop).parent)
    done = install(shop.repository(), SCRIPT)
    assert (done.outcome, done.path, done.chained) == (Outcome.INSTALLED, hook_of(shop), None)
    assert done.path.read_bytes() == SCRIPT.text()
    assert mode(done.path) & 0o700 == 0o700
    assert install(shop.repository(), SCRIPT).outcome is Outcome.UNCHANGED
    assert install(shop.repository(), Script(Stage.PRE_COMMIT, "/elsewhere/python")).outcome is Outcome.UPDATED
    assert uninstall(shop.repository(), Stage.PRE_COMMIT).outcome is Outcome.REMOVED
    assert everything(hook_of(shop).parent) == before
    assert uninstall(shop.repository(), Stage.PRE_COMMIT).outcome is Outcome.ABSENT


def test_makes_the_hooks_directory_where_there_is_none(tmp_path: Path, shop: Workshop) -> None:
    other = shop.at(tmp_path / "plain")
    other.top.mkdir()
    other.git("init", "--quiet", "--template=")
    assert install(other.repository(), SCRIPT).outcome is Outcome.INSTALLED


def test_installs_from_a_subdirectory_and_through_a_link(tmp_path: Path, shop: Workshop) -> None:
    (shop.top / "deep" / "down").mkdir(parents=True)
    (tmp_path / "link").symlink_to(shop.top / "deep" / "down")
    assert install(open_repository(tmp_path / "link"), SCRIPT).path == hook_of(shop)
    assert install(open_repository(shop.top / ".git"), SCRIPT).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("kept_mode", [0o755, 0o700, 0o4755, 0o644])
def test_an_earlier_hook_is_kept_and_restored_to_the_byte(shop: Workshop, kept_mode: int) -> None:
    put(hook_of(shop), OLD, kept_mode)
    was = hook_of(shop).stat()
    done = install(shop.repository(), SCRIPT)
    assert done.chained == hook_of(shop, "pre-commit" + CHAINED)
    assert done.chained.read_bytes() == OLD
    assert bool(done.notes) is (kept_mode == 0o644)
    assert install(shop.repository(), SCRIPT) == install(shop.repository(), SCRIPT)
    assert uninstall(shop.repository(), Stage.PRE_COMMIT).outcome is Outcome.RESTORED
    now = hook_of(shop).stat()
    assert hook_of(shop).read_bytes() == OLD
    assert (now.st_mode, now.st_mtime_ns, now.st_ino) == (was.st_mode, was.st_mtime_ns, was.st_ino)
    assert not done.chained.exists()


def test_a_linked_hook_is_kept_and_restored_as_a_link(shop: Workshop) -> None:
    put(shop.top / "scripts" / "check", OLD)
    hook_of(shop).symlink_to("../../scripts/check")
    install(shop.repository(), SCRIPT)
    assert not hook_of(shop).is_symlink()
    assert (shop.top / "scripts" / "check").read_bytes() == OLD
    assert hook_of(shop, "pre-commit" + CHAINED).read_bytes() == OLD
    uninstall(shop.repository(), Stage.PRE_COMMIT)
    assert hook_of(shop).readlink() == Path("../../scripts/check")


def test_a_link_to_nowhere_is_kept_and_restored_too(shop: Workshop) -> None:
    hook_of(shop).symlink_to("/no/where")
    install(shop.repository(), SCRIPT)
    assert hook_of(shop).read_bytes() == SCRIPT.text()
    uninstall(shop.repository(), Stage.PRE_COMMIT)
    assert hook_of(shop).readlink() == Path("/no/where")


def test_a_hook_that_lost_its_execute_bit_is_put_right(shop: Workshop) -> None:
    install(shop.repository(), SCRIPT).path.chmod(0o644)
    assert install(shop.repository(), SCRIPT).outcome is Outcome.UPDATED
    assert look(shop.repository(), Stage.PRE_COMMIT).executable


def test_an_edited_hook_is_not_thrown_away(shop: Workshop) -> None:
    hook = install(shop.repository(), SCRIPT).path
    hook.write_bytes(hook.read_bytes() + b"echo mine\n")
    assert look(shop.repository(), Stage.PRE_COMMIT).present is Present.EDITED
    with pytest.raises(CannotRun, match="edited by hand"):
        install(shop.repository(), SCRIPT)
    with pytest.raises(CannotRun, match="edited by hand"):
        uninstall(shop.repository(), Stage.PRE_COMMIT)
    assert hook.read_bytes().endswith(b"echo mine\n")
    assert install(shop.repository(), SCRIPT, force=True).outcome is Outcome.UPDATED
    assert hook.read_bytes() == SCRIPT.text()


def test_two_foreign_hooks_are_told_apart_by_a_person(shop: Workshop) -> None:
    put(hook_of(shop), OLD)
    install(shop.repository(), SCRIPT)
    put(hook_of(shop), b"#!/bin/sh\n# a third program's\n")
    with pytest.raises(CannotRun, match="two hooks"):
        install(shop.repository(), SCRIPT)
    done = uninstall(shop.repository(), Stage.PRE_COMMIT)
    assert done.outcome is Outcome.ABSENT
    assert len(done.notes) == 2
    assert hook_of(shop, "pre-commit" + CHAINED).read_bytes() == OLD


def test_a_hook_set_aside_without_ours_in_its_place_is_put_back(shop: Workshop) -> None:
    """As after a crash between the two steps of an install, or when somebody deleted our file."""
    put(hook_of(shop), OLD)
    install(shop.repository(), SCRIPT)
    hook_of(shop).unlink()
    assert uninstall(shop.repository(), Stage.PRE_COMMIT).outcome is Outcome.RESTORED
    assert hook_of(shop).read_bytes() == OLD


def test_a_directory_in_the_hooks_place_is_said(shop: Workshop) -> None:
    hook_of(shop).mkdir()
    with pytest.raises(CannotRun, match="is a directory"):
        install(shop.repository(), SCRIPT)


def test_a_hooks_directory_that_cannot_be_written_is_said(shop: Workshop) -> None:
    hooks = hook_of(shop).parent
    for path in hooks.iterdir():
        path.unlink()
    hooks.rmdir()
    hooks.write_text("not a directory")
    with pytest.raises(CannotRun, match=r"cannot be written .*nothing was changed"):
        install(shop.repository(), SCRIPT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_hooks_directory_is_said(shop: Workshop) -> None:
    put(hook_of(shop), OLD)
    hook_of(shop).parent.chmod(0o555)
    try:
        with pytest.raises(CannotRun, match="cannot be written"):
            install(shop.repository(), SCRIPT)
    finally:
        hook_of(shop).parent.chmod(0o755)
    assert hook_of(shop).read_bytes() == OLD


def test_worktrees_share_one_hook(tmp_path: Path, shop: Workshop) -> None:
    shop.stage("a", "a")
    shop.commit()
    shop.git("worktree", "add", "--quiet", str(tmp_path / "second"))
    done = install(shop.at(tmp_path / "second").repository(), SCRIPT)
    assert done.path == hook_of(shop)
    assert install(shop.repository(), SCRIPT).outcome is Outcome.UNCHANGED


def test_a_bare_repository_takes_pre_receive_only(tmp_path: Path) -> None:
    bare = workshop(tmp_path, "bare.git", "--bare")
    with pytest.raises(UsageError, match="hook install pre-receive"):
        install(bare.repository(), SCRIPT)
    done = install(bare.repository(), Script(Stage.PRE_RECEIVE, "/opt/python"))
    assert done.path == bare.top / "hooks" / "pre-receive"


def test_a_hooks_path_of_the_repository_alone_is_used(shop: Workshop) -> None:
    shop.git("config", "core.hooksPath", ".mine")
    done = install(shop.repository(), SCRIPT)
    assert done.path == shop.top / ".mine" / "pre-commit"
    assert uninstall(shop.repository(), Stage.PRE_COMMIT).path == done.path


def test_tracked_hooks_are_left_to_everybody(shop: Workshop) -> None:
    shop.git("config", "core.hooksPath", ".githooks")
    shop.stage(".githooks/commit-msg", "#!/bin/sh\n")
    with pytest.raises(CannotRun, match=r"git tracks the hooks in [\s\S]*keyfuse hook run pre-commit"):
        install(shop.repository(), SCRIPT)
    assert not (shop.top / ".githooks" / "pre-commit").exists()
    assert install(shop.repository(), SCRIPT, force=True).outcome is Outcome.INSTALLED


def test_a_linked_hooks_directory_is_left_to_whoever_shares_it(tmp_path: Path, shop: Workshop) -> None:
    (tmp_path / "shared").mkdir()
    hook_of(shop).parent.rename(tmp_path / "old")
    hook_of(shop).parent.symlink_to(tmp_path / "shared")
    with pytest.raises(CannotRun, match="is a link to"):
        install(shop.repository(), SCRIPT)
    assert install(shop.repository(), SCRIPT, force=True).outcome is Outcome.INSTALLED


def test_a_shared_hooks_path_wants_the_word_global(tmp_path: Path, shop: Workshop) -> None:
    with pytest.raises(UsageError, match="there is none in force here"):
        install(shop.repository(), SCRIPT, shared=True)
    shop.git("config", "--global", "core.hooksPath", "~/shared")
    with pytest.raises(UsageError, match="keyfuse hook install pre-commit --global"):
        install(shop.repository(), SCRIPT)
    assert not (tmp_path / "shared").exists()
    done = install(shop.repository(), SCRIPT, shared=True)
    assert done.path == tmp_path / "shared" / "pre-commit"
    with pytest.raises(UsageError, match="hook uninstall pre-commit --global"):
        uninstall(shop.repository(), Stage.PRE_COMMIT)
    assert uninstall(shop.repository(), Stage.PRE_COMMIT, shared=True).outcome is Outcome.REMOVED


MANAGERS = {
    "pre-commit": (
        b"#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n",
        ".pre-commit-config.yaml",
    ),
    "husky": (b'#!/bin/sh\n. "$(dirname "$0")/husky.sh"\n', ".husky/pre-commit"),
    "lefthook": (b'#!/bin/sh\ncall_lefthook run "pre-commit" "$@"\n', "lefthook.yml"),
    "overcommit": (b"#!/usr/bin/env ruby\nrequire 'overcommit'\n", ".overcommit.yml"),
    "simple-git-hooks": (b'#!/bin/sh\nif [ "$SKIP_SIMPLE_GIT_HOOKS" = "1" ]; then exit 0; fi\n', "package.json"),
}


@pytest.mark.parametrize("manager", MANAGERS)
def test_hook_managers_are_told_what_to_add(shop: Workshop, manager: str) -> None:
    content, file = MANAGERS[manager]
    put(hook_of(shop), content)
    before = everything(hook_of(shop).parent)
    with pytest.raises(CannotRun, match="nothing was changed") as refusal:
        install(shop.repository(), SCRIPT)
    assert file in str(refusal.value)
    assert "hook" in str(refusal.value)
    assert everything(hook_of(shop).parent) == before
    assert install(shop.repository(), SCRIPT, force=True).chained is not None


def test_a_managers_own_hooks_path_is_recognised(shop: Workshop) -> None:
    shop.git("config", "core.hooksPath", ".husky/_")
    with pytest.raises(CannotRun, match=r"husky[\s\S]*add to \.husky/pre-commit"):
        install(shop.repository(), SCRIPT)


def test_a_framework_that_moved_our_hook_is_said(shop: Workshop) -> None:
    install(shop.repository(), SCRIPT).path.rename(hook_of(shop, "pre-commit.legacy"))
    put(hook_of(shop), MANAGERS["pre-commit"][0])
    done = uninstall(shop.repository(), Stage.PRE_COMMIT)
    assert done.outcome is Outcome.ABSENT
    assert any("pre-commit.legacy" in note for note in done.notes)


def test_outside_a_repository_is_a_usage_error(tmp_path: Path, shop: Workshop) -> None:
    with pytest.raises(UsageError, match="--repo"):
        open_repository(tmp_path)
    with pytest.raises(UsageError, match="not a directory"):
        open_repository(tmp_path / "gone")
