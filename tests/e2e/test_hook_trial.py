"""`keyfuse hook test`, and the hook commands as people call them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.committing import Workshop, workshop


@pytest.fixture
def shop(tmp_path: Path, rule_cache: Path) -> Workshop:
    made = workshop(tmp_path)
    (tmp_path / "tmp").mkdir()
    made.env |= {"KEYFUSE_CACHE_DIR": str(rule_cache), "TMPDIR": str(tmp_path / "tmp")}
    return made


def hook_of(shop: Workshop, name: str = "pre-commit") -> Path:
    return shop.top / ".git" / "hooks" / name


def verdict(shop: Workshop, *words: str) -> tuple[int, str, str]:
    ran = shop.keyfuse("hook", "test", "--format", "json", *words)
    (trial,) = json.loads(ran.stdout)
    return ran.code, trial["verdict"], trial["explanation"]


def snapshot(top: Path) -> dict[str, bytes | None]:
    return {os.fspath(path): path.read_bytes() if path.is_file() else None for path in sorted(top.rglob("*"))}


@pytest.mark.parametrize("stage", ["pre-commit", "pre-push", "pre-receive"])
def test_an_installed_hook_fires_and_nothing_is_left_behind(tmp_path: Path, shop: Workshop, stage: str) -> None:
    shop.keyfuse("hook", "install", stage, check=True)
    before = snapshot(shop.top)
    ran = shop.keyfuse("hook", "test")
    assert ran.code == 0, ran
    assert f"{stage}: ok" in ran.stdout
    assert snapshot(shop.top) == before
    assert not list((tmp_path / "tmp").iterdir())


def test_no_other_hook_runs(tmp_path: Path, shop: Workshop) -> None:
    for name in ("pre-commit", "commit-msg", "post-commit"):
        hook_of(shop, name).write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
        hook_of(shop, name).chmod(0o755)
    shop.keyfuse("hook", "install", check=True)
    assert verdict(shop)[:2] == (0, "fires")
    assert not (tmp_path / "sprung").exists()


def test_a_missing_hook(shop: Workshop) -> None:
    code, said, why = verdict(shop)
    assert (code, said) == (3, "missing")
    assert "keyfuse hook install pre-commit" in why
    assert "NOT PROTECTED" in shop.keyfuse("hook", "test").stdout


def test_a_hook_that_git_ignores(shop: Workshop) -> None:
    shop.keyfuse("hook", "install", check=True)
    hook_of(shop).chmod(0o644)
    code, said, why = verdict(shop)
    assert (code, said) == (3, "not-executable")
    assert "chmod +x" in why


def test_a_hook_that_is_shadowed(tmp_path: Path, shop: Workshop) -> None:
    shop.keyfuse("hook", "install", check=True)
    shop.git("config", "--global", "core.hooksPath", str(tmp_path / "shared"))
    code, said, why = verdict(shop)
    assert (code, said) == (3, "shadowed")
    assert "global setting core.hooksPath" in why
    assert str(tmp_path / "shared" / "pre-commit") in why


def test_a_foreign_hook_that_lets_keys_through(shop: Workshop) -> None:
    hook_of(shop).write_text("#!/bin/sh\nexit 0\n")
    hook_of(shop).chmod(0o755)
    code, said, why = verdict(shop)
    assert (code, said) == (3, "silent")
    assert "not keyfuse's" in why


def test_a_foreign_hook_that_calls_keyfuse_counts(shop: Workshop) -> None:
    shop.keyfuse("hook", "install", check=True)
    hook_of(shop).write_bytes(hook_of(shop).read_bytes().replace(b"# keyfuse-hook", b"# written by hand"))
    assert verdict(shop)[:2] == (0, "fires")


def test_a_hook_that_refuses_everything_or_for_another_reason(shop: Workshop) -> None:
    hook_of(shop).write_text("#!/bin/sh\necho never >&2\nexit 1\n")
    hook_of(shop).chmod(0o755)
    assert verdict(shop)[:2] == (3, "refuses-all")
    hook_of(shop).write_text("#!/bin/sh\n[ -e readme.txt ] && ! ls | grep -q canary\n")
    assert verdict(shop)[:2] == (3, "other-reason")


def test_a_hook_whose_keyfuse_is_gone(tmp_path: Path, shop: Workshop) -> None:
    shop.keyfuse("hook", "install", check=True)
    text = hook_of(shop).read_text()
    start = text.index("keyfuse_python=")
    hook_of(shop).write_text(text[:start] + f"keyfuse_python={tmp_path}/gone\n" + text[text.index("\n", start) + 1 :])
    code, said, why = verdict(shop)
    assert (code, said) == (3, "refuses-all")
    assert "there is no keyfuse any more" in why


def test_a_trial_inside_a_hook_does_not_touch_the_repository_at_hand(shop: Workshop) -> None:
    shop.keyfuse("hook", "install", check=True)
    inside = shop.where(GIT_DIR=str(shop.top / ".git"), GIT_INDEX_FILE=str(shop.top / ".git" / "index"))
    before = snapshot(shop.top)
    ran = inside.keyfuse("hook", "test")
    assert ran.code == 0, ran
    assert snapshot(shop.top) == before


def test_install_and_uninstall_say_what_they_did(shop: Workshop) -> None:
    first = shop.keyfuse("hook", "install", check=True)
    assert first.stdout.startswith(f"pre-commit: installed: {hook_of(shop)}\n")
    assert "already installed" in shop.keyfuse("hook", "install", check=True).stdout
    listed = json.loads(
        shop.keyfuse("hook", "install", "pre-commit", "pre-push", "--format", "json", check=True).stdout
    )
    assert [(entry["stage"], entry["outcome"]) for entry in listed] == [
        ("pre-commit", "unchanged"),
        ("pre-push", "installed"),
    ]
    gone = shop.keyfuse("hook", "uninstall", check=True)
    assert "pre-commit: removed" in gone.stdout
    assert "pre-push: removed" in gone.stdout
    assert "not installed by keyfuse" in shop.keyfuse("hook", "uninstall", check=True).stdout


def test_install_with_allow_incomplete(shop: Workshop) -> None:
    shop.keyfuse("hook", "install", "--allow-incomplete", check=True)
    shop.stage("a", "some text of its own\n")
    blob = shop.git("rev-parse", ":a").stdout.strip()
    (shop.top / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    ran = shop.run("sh", str(hook_of(shop)))
    assert ran.code == 0
    assert "could not be looked at" in ran.stderr


@pytest.mark.parametrize("words", [("install",), ("uninstall",), ("test",)])
def test_outside_a_repository(tmp_path: Path, shop: Workshop, words: tuple[str, ...]) -> None:
    ran = shop.keyfuse("hook", *words, "--repo", str(tmp_path))
    assert ran.code == 2
    assert ran.stderr.startswith("keyfuse: ")
    assert "--repo" in ran.stderr


@pytest.mark.parametrize("words", [(), ("install",), ("uninstall",), ("test",), ("run",)])
def test_help_has_an_example(shop: Workshop, words: tuple[str, ...]) -> None:
    assert "Example: keyfuse hook" in shop.keyfuse("hook", *words, "--help", check=True).stdout
