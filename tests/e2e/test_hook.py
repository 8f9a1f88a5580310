"""The pre-commit hook in real repositories, installed and called by git itself."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

from tests.support.committing import Ran, Workshop, workshop
from tests.support.tokens import github_token, text


@pytest.fixture
def token() -> str:
    return github_token(random.Random(5))


@pytest.fixture
def shop(tmp_path: Path, rule_cache: Path) -> Workshop:
    """A repository with the hook installed and one commit."""
    made = workshop(tmp_path)
    made.env["KEYFUSE_CACHE_DIR"] = str(rule_cache)
    made.keyfuse("hook", "install", check=True)
    made.stage("first.txt", "one\ntwo\nthree\n")
    assert made.commit().code == 0
    return made


def refused(ran: Ran, where: str, token: str) -> None:
    """The commit was refused for this place; the person is told what, where and how to go on, but not the key."""
    assert ran.code == 1, ran
    assert "keyfuse: commit refused" in ran.stderr
    assert where in ran.stderr
    assert "keyfuse:allow REASON" in ran.stderr
    assert "git commit --no-verify" in ran.stderr
    assert token not in ran.stdout + ran.stderr


def passed(ran: Ran) -> None:
    assert ran.code == 0, ran
    assert "keyfuse" not in ran.stderr


def line(token: str) -> str:
    return f'token = "{token}"\n'


def test_refuses_a_key_and_lets_the_rest_pass(shop: Workshop, token: str) -> None:
    before = shop.head()
    shop.stage("src/app.py", "import os\n\n" + line(token))
    refused(shop.commit(), "src/app.py:3:10", token)
    assert shop.head() == before
    shop.stage("src/app.py", "import os\n")
    passed(shop.commit())
    assert shop.head() != before


def test_nothing_staged_is_nothing_found(shop: Workshop) -> None:
    passed(shop.commit("empty", "--allow-empty"))
    assert shop.keyfuse("hook", "run", "pre-commit") == Ran(0, "", "")


def test_can_be_bypassed_once(shop: Workshop, token: str) -> None:
    shop.stage("a", line(token))
    passed(shop.commit("once", "--no-verify"))


def test_the_first_commit(tmp_path: Path, rule_cache: Path, token: str) -> None:
    made = workshop(tmp_path)
    made.env["KEYFUSE_CACHE_DIR"] = str(rule_cache)
    made.keyfuse("hook", "install", check=True)
    made.stage("a.env", line(token))
    refused(made.commit(), "a.env:1:10", token)
    assert not made.head()
    made.stage("a.env", "TOKEN=\n")
    passed(made.commit())


def test_reads_what_is_staged_and_not_the_working_tree(shop: Workshop, token: str) -> None:
    shop.stage("a", line(token))
    shop.write("a", "clean\n")
    refused(shop.commit(), "a:1:10", token)
    shop.git("add", "a")
    shop.write("a", line(token))
    passed(shop.commit())
    assert (shop.top / "a").read_text() == line(token)


def test_only_added_lines_block(shop: Workshop, token: str) -> None:
    shop.stage("a", "one\n" + line(token) + "three\n")
    shop.commit("old sin", "--no-verify")
    shop.stage("a", "one\n" + line(token) + "three\nfour\n")
    told = shop.keyfuse("hook", "run", "pre-commit", "--verbose")
    assert told.code == 0
    assert "a:2:10" in told.stderr
    passed(shop.commit())
    shop.stage("a", "zero\none\n" + line(token) + line(token[:-3] + "xyz") + "three\n")
    passed(shop.commit())
    shop.stage("a", "zero\n" + line(token) + "one\n" + line(token))
    refused(shop.commit(), "a:2:10", token)


def test_commit_all_and_amend(shop: Workshop, token: str) -> None:
    shop.write("first.txt", line(token))
    refused(shop.commit("all", "--all"), "first.txt:1:10", token)
    refused(shop.commit("all", "--all", "--amend"), "first.txt:1:10", token)
    shop.write("first.txt", "clean\n")
    passed(shop.commit("all", "--all", "--amend"))
    passed(shop.commit("other words", "--amend"))


def test_committing_a_path_looks_at_that_path_alone(shop: Workshop, token: str) -> None:
    shop.stage("held", line(token))
    shop.write("first.txt", "changed\n")
    passed(shop.commit("one path", "first.txt"))
    shop.write("first.txt", line(token))
    refused(shop.commit("one path", "first.txt"), "first.txt:1:10", token)
    refused(shop.commit(), "held:1:10", token)


def test_from_a_subdirectory(shop: Workshop, token: str) -> None:
    shop.stage("deep/down/a", line(token))
    below = shop.at(shop.top / "deep" / "down")
    refused(below.commit(), "deep/down/a:1:10", token)
    shop.git("config", "diff.relative", "true")
    shop.stage("above", line(token))
    refused(below.commit("from below", "../../above"), "above:1:10", token)
    assert "above:1:10" in below.keyfuse("hook", "run", "pre-commit").stderr


def test_a_linked_worktree(tmp_path: Path, shop: Workshop, token: str) -> None:
    shop.git("worktree", "add", "--quiet", str(tmp_path / "second"))
    second = shop.at(tmp_path / "second")
    second.stage("a", line(token))
    refused(second.commit(), "a:1:10", token)
    shop.stage("b", "clean\n")
    passed(shop.commit())
    second.stage("a", "clean\n")
    passed(second.commit())


def test_a_repository_named_by_the_environment(tmp_path: Path, shop: Workshop, token: str) -> None:
    """As for dotfiles kept in a repository elsewhere; around the current directory there is another one."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    other = shop.at(home)
    other.git("init", "--quiet")
    other = other.where(GIT_DIR=str(shop.top / ".git"), GIT_WORK_TREE=str(home))
    other.write("rc", line(token))
    other.git("add", "rc")
    refused(other.git("commit", "-m", "rc", check=False), "rc:1:10", token)
    other.write("rc", "clean\n")
    other.git("add", "rc")
    passed(other.git("commit", "--quiet", "-m", "rc", check=False))


def test_objects_kept_elsewhere(tmp_path: Path, shop: Workshop, token: str) -> None:
    (tmp_path / "objects").mkdir()
    kept = str(shop.top / ".git" / "objects")
    shop = shop.where(GIT_OBJECT_DIRECTORY=str(tmp_path / "objects"), GIT_ALTERNATE_OBJECT_DIRECTORIES=kept)
    shop.write("a", line(token))
    shop.git("add", "a")
    refused(shop.git("commit", "-m", "a", check=False), "a:1:10", token)


def conflict(shop: Workshop, theirs: str, ours: str) -> None:
    """Leaves a merge of branch `side` at a conflict in first.txt."""
    shop.git("checkout", "--quiet", "-b", "side")
    shop.stage("first.txt", "theirs\n")
    shop.stage("side.txt", theirs)
    shop.commit("side", "--no-verify")
    shop.git("checkout", "--quiet", "main")
    shop.stage("first.txt", ours)
    shop.commit("main", "--no-verify")
    assert shop.git("merge", "--quiet", "side", check=False).code == 1


def test_a_merge_answers_for_its_resolution_only(shop: Workshop, token: str) -> None:
    conflict(shop, theirs=line(token), ours="ours\n")
    shop.stage("first.txt", "both\n" + line(token))
    ran = shop.commit("merge")
    refused(ran, "first.txt:2:10", token)
    assert "side.txt" not in ran.stderr
    shop.stage("first.txt", "both\n")
    passed(shop.commit("merge"))
    assert len(shop.git("rev-list", "--parents", "-1", "HEAD").stdout.split()) == 3


def test_a_cherry_pick_and_a_rebase_that_stop(shop: Workshop, token: str) -> None:
    conflict(shop, theirs="clean\n", ours="ours\n")
    shop.git("merge", "--abort")
    for command in ("cherry-pick", "rebase"):
        shop.git("reset", "--quiet", "--hard", "main")
        shop.git("checkout", "--quiet", "-b", f"by-{command}")
        assert shop.git(command, "side", check=False).code != 0
        shop.stage("first.txt", line(token))
        refused(shop.git("-c", "core.editor=true", "commit", "-m", "x", check=False), "first.txt:1:10", token)
        shop.stage("first.txt", f"resolved by {command}\n")
        assert shop.git("-c", "core.editor=true", command, "--continue", check=False).code == 0


def test_renames_and_deletions_add_nothing(shop: Workshop, token: str) -> None:
    body = "".join(f"line {number}\n" for number in range(40))
    shop.stage("old", body + line(token))
    shop.commit("old sin", "--no-verify")
    shop.git("mv", "old", "new")
    passed(shop.commit("rename"))
    shop.git("mv", "new", "newer")
    shop.stage("newer", body + line(token) + "more\n")
    passed(shop.commit("rename and change"))
    (shop.top / "newer").chmod(0o755)
    shop.git("add", "newer")
    passed(shop.commit("mode"))
    shop.git("rm", "--quiet", "newer")
    passed(shop.commit("delete"))


def test_symlinks_submodules_and_changes_of_type(tmp_path: Path, shop: Workshop, token: str) -> None:
    (shop.top / "link").symlink_to(f"/{token}/x")
    shop.git("add", "link")
    refused(shop.commit(), "link:1:", token)
    (shop.top / "link").unlink()
    (shop.top / "link").symlink_to("/else/where")
    sub = workshop(tmp_path, "sub")
    sub.stage("a", "a\n")
    sub.commit()
    shop.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(sub.top), "lib")
    shop.git("add", "link")
    passed(shop.commit())
    (shop.top / "link").unlink()
    shop.stage("link", line(token))
    refused(shop.commit(), "link:1:10", token)


def test_commits_inside_a_submodule(tmp_path: Path, shop: Workshop, token: str) -> None:
    sub = workshop(tmp_path, "sub")
    sub.stage("a", "a\n")
    sub.commit()
    shop.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(sub.top), "lib")
    inside = shop.at(shop.top / "lib")
    inside.keyfuse("hook", "install", check=True)
    inside.stage("a", line(token))
    refused(inside.commit(), "a:1:10", token)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"with space", "with space:1:10"),
        (b"-rf", "-rf:1:10"),
        (b"--help", "--help:1:10"),
        (b"new\nline", "new\\nline:1:10"),
        (b"\x1b[2Jgone", "\\x1b[2Jgone:1:10"),
        (b"caf\xe9", "caf\\xe9:1:10"),
        ("grüße".encode(), "grüße:1:10"),
        (b'quote"back\\slash', 'quote"back\\slash:1:10'),
        (b":(top)*", ":(top)*:1:10"),
    ],
)
def test_any_file_name(shop: Workshop, token: str, name: bytes, shown: str) -> None:
    shop.write(name, line(token))
    shop.git("--literal-pathspecs", "add", "--", name)
    ran = shop.commit()
    refused(ran, shown, token)
    assert "\x1b" not in ran.stderr


def test_a_key_in_a_file_name(shop: Workshop, token: str) -> None:
    shop.stage(f"backup-{token}.txt", "clean\n")
    ran = shop.commit()
    assert ran.code == 1
    assert "file-name" in ran.stderr


def test_what_is_only_intended_to_be_added(shop: Workshop, token: str) -> None:
    shop.write("later", line(token))
    shop.git("add", "--intent-to-add", "later")
    shop.stage("now", "clean\n")
    passed(shop.commit())
    shop.git("add", "later")
    refused(shop.commit(), "later:1:10", token)


def test_binary_files(shop: Workshop, token: str) -> None:
    shop.stage("app.bin", b"\0\1\2\xff" * 64 + line(token).encode() + b"\0" * 64)
    assert shop.commit().code == 1
    shop.stage("app.bin", b"\0\1\2\xff" * 64)
    passed(shop.commit())


def test_attributes_in_the_tree_hide_nothing(shop: Workshop, token: str) -> None:
    shop.stage(".gitattributes", "* binary -diff -text\nfirst.txt diff=none\n")
    shop.stage("first.txt", "one\ntwo\nthree\n" + line(token))
    refused(shop.commit(), "first.txt:4:10", token)


def test_nothing_that_configuration_names_is_run(tmp_path: Path, shop: Workshop, token: str) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\nexit 1\n")
    trap.chmod(0o755)
    shop.stage("first.txt", "one\n" + line(token))
    shop.stage(".gitattributes", "* diff=trap filter=trap\n")
    for setting in ("diff.external", "diff.trap.textconv", "diff.trap.command", "core.fsmonitor", "core.pager"):
        shop.git("config", setting, str(trap))
    ran = shop.keyfuse("hook", "run", "pre-commit")
    assert ran.code == 1, ran
    assert "first.txt:2:10" in ran.stderr
    assert not (tmp_path / "sprung").exists()


def test_code_in_the_repository_is_not_run(shop: Workshop, token: str) -> None:
    for name in ("keyfuse.py", "scanner.py", "re.py", "sitecustomize.py", "hyperscan.py"):
        shop.stage(name, "raise SystemExit(0)\n")
    shop.stage("a", line(token))
    refused(shop.commit(), "a:1:10", token)


def test_an_inline_mark_lets_a_line_pass(shop: Workshop, token: str) -> None:
    shop.stage("a", f'token = "{token}"  # keyfuse:allow made up for a test\n')
    passed(shop.commit())


def test_an_earlier_hook_still_runs_and_may_change_what_is_staged(shop: Workshop, token: str) -> None:
    shop.keyfuse("hook", "uninstall", check=True)
    hook = shop.top / ".git" / "hooks" / "pre-commit"
    hook.write_text(
        f"#!/bin/sh\necho formatted > fine\necho '{token}' >> first.txt\ngit add first.txt\n[ ! -e stop ]\n"
    )
    hook.chmod(0o755)
    shop.keyfuse("hook", "install", check=True)
    shop.stage("a", "clean\n")
    refused(shop.commit(), "first.txt:4:1", token)
    assert (shop.top / "fine").exists()
    shop.keyfuse("hook", "uninstall", check=True)
    assert shop.commit().code == 0


def test_surroundings_with_hardly_any_path(shop: Workshop, token: str) -> None:
    """As when a graphical program starts git."""
    shop.stage("a", line(token))
    kept = ("HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "KEYFUSE_CACHE_DIR", "KEYFUSE_DATA_DIR")
    bare = Workshop(shop.top, {name: shop.env[name] for name in kept} | {"PATH": "/usr/bin:/bin"})
    refused(bare.commit(), "a:1:10", token)


def test_a_lost_object_is_not_called_clean(shop: Workshop) -> None:
    shop.stage("a", "some text of its own\n")
    blob = shop.git("rev-parse", ":a").stdout.strip()
    (shop.top / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    ran = shop.keyfuse("hook", "run", "pre-commit")
    assert ran.code == 4, ran
    assert "a (staged)" in ran.stderr
    assert "--allow-incomplete" in ran.stderr
    warned = shop.keyfuse("hook", "run", "pre-commit", "--allow-incomplete")
    assert warned.code == 0
    assert "a (staged)" in warned.stderr


@pytest.mark.parametrize(("content", "code"), [("[scan]\nno_such = 1\n", 2), ("[scan\n", 2)])
def test_a_broken_configuration_refuses(tmp_path: Path, shop: Workshop, content: str, code: int) -> None:
    (tmp_path / "broken.toml").write_text(content)
    shop.stage("a", "clean\n")
    ran = shop.where(KEYFUSE_CONFIG=str(tmp_path / "broken.toml")).keyfuse("hook", "run", "pre-commit")
    assert ran.code == code, ran
    assert "commit refused: it could not be checked" in ran.stderr
    assert "git commit --no-verify" in ran.stderr


def test_a_damaged_registry_refuses(tmp_path: Path, shop: Workshop) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "shapes.json").write_text("{")
    shop.stage("a", "clean\n")
    ran = shop.keyfuse("hook", "run", "pre-commit")
    assert ran.code == 3
    assert "could not be checked" in ran.stderr
    (tmp_path / "data" / "shapes.json").unlink()
    assert shop.keyfuse("hook", "run", "pre-commit").code == 0
    shop.keyfuse("keys", "list", check=True)
    (tmp_path / "data" / "shapes.json").write_text("{")
    ran = shop.keyfuse("hook", "run", "pre-commit")
    assert ran.code == 4
    assert "key registry" in ran.stderr


def test_an_engine_that_is_not_there_refuses(tmp_path: Path, shop: Workshop) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "hyperscan.py").write_text("raise ImportError('no such library', name='hyperscan')\n")
    shop.stage("a", "clean\n")
    ran = shop.where(PYTHONPATH=str(broken)).keyfuse("hook", "run", "pre-commit")
    assert ran.code == 3, ran
    assert "could not be checked" in ran.stderr


@pytest.mark.parametrize("words", [(), ("post-commit",), ("pre-commit", "--no-such-option")])
def test_words_that_make_no_sense(shop: Workshop, words: tuple[str, ...]) -> None:
    ran = shop.keyfuse("hook", "run", *words)
    assert ran.code == 2, ran


def test_outside_a_repository(tmp_path: Path, shop: Workshop) -> None:
    (tmp_path / "nowhere").mkdir()
    ran = shop.at(tmp_path / "nowhere").keyfuse("hook", "run", "pre-commit")
    assert ran.code == 3
    assert "no git repository" in ran.stderr


HEAVY = ("click", "rich", "requests", "git", "sqlalchemy", "alembic", "apprise", "cryptography", "apscheduler", "yaml")


def test_loads_nothing_that_it_does_not_need(shop: Workshop) -> None:
    shop.stage("a", "clean\n")
    unwanted = (*HEAVY, "regex", "argparse", "tomllib", "multiprocessing", "ast", "tempfile", "json")
    ask = "import sys\nfrom keyfuse.haste import make_haste\nmake_haste()\nfrom keyfuse.doorway import guarded\n"
    ask += "from keyfuse.hook import run\nassert guarded(lambda: run(['pre-commit'])) == 0\n"
    ask += f"print([name for name in {unwanted} if name in sys.modules])"
    ran = shop.run(sys.executable, "-P", "-c", ask)
    assert ran.stdout.strip() == "[]"


def test_asks_no_scanner_when_nothing_is_staged(shop: Workshop) -> None:
    ask = (
        "import sys; from keyfuse.hook import run; code = run(['pre-commit']); print(code, 'hyperscan' in sys.modules)"
    )
    assert shop.run(sys.executable, "-P", "-c", ask).stdout.strip() == "0 False"


def test_writes_nothing(tmp_path: Path, shop: Workshop, token: str) -> None:
    shop.stage("a", line(token))
    before = sorted(os.fspath(path) for path in tmp_path.rglob("*"))
    shop.keyfuse("hook", "run", "pre-commit")
    assert sorted(os.fspath(path) for path in tmp_path.rglob("*")) == before


def register(shop: Workshop, name: str, value: str) -> None:
    made = shop.keyfuse(
        "keys", "create", "--name", name, "--owner", "ops@example.org", "--value-from", "-", stdin=value.encode()
    )
    assert made.code == 0, made


def test_a_registered_key_of_any_shape_is_found(shop: Workshop) -> None:
    value = "zq-" + "-".join(text(random.Random(8), 6) for _ in range(6))
    shop.stage("a", f"just {value} here\n")
    passed(shop.commit())
    register(shop, "odd one", value)
    shop.stage("b", f"just {value} here, and {value[:-4]}zzzz too\n")
    ran = shop.commit()
    assert ran.code == 1, ran
    assert "b:1:6" in ran.stderr
    assert ran.stderr.count("b:1:") == 1
    assert "registered as 'odd one' of ops@example.org, active" in ran.stderr
    assert value not in ran.stderr


def test_an_inline_mark_cannot_silence_an_active_registered_key(shop: Workshop, token: str) -> None:
    register(shop, "live", token)
    shop.stage("a", f'token = "{token}"  # keyfuse:allow surely harmless\n')
    ran = shop.commit()
    assert ran.code == 1
    assert "cannot silence" in ran.stderr
    shop.keyfuse("keys", "disable", "live", check=True)
    passed(shop.commit())


def test_what_only_looks_like_a_registered_key_costs_nobody_a_commit(shop: Workshop) -> None:
    rng = random.Random(9)
    register(shop, "plain", text(rng, 40))
    shop.stage("a", f"{text(rng, 40)}\n{text(rng, 40)}\n")
    passed(shop.commit())
