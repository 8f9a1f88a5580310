"""What lies in git's own directory, and repositories of all forms."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import zipfile
from pathlib import Path

from tests.support.hiding.place import Hidden, new_repository, place
from tests.support.repositories import ENVIRONMENT, Repository


@place
def a_password_in_the_url_of_a_remote(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("remote", "add", "origin", f"https://me:{token}@host.example/r.git")
    return Hidden(repository.path, "config", ".git/config", tip=None, reachable=None, first_line=7)


@place
def a_header_in_the_configuration(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("config", "http.https://host.example/.extraHeader", f"Authorization: Bearer {token}")
    return Hidden(repository.path, "config", ".git/config", tip=None, reachable=None, first_line=7)


@place
def credentials_that_are_stored(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    (repository.git_dir / "credentials").write_text(f"https://me:{token}@host.example\n")
    return Hidden(repository.path, "config", ".git/credentials", tip=None, reachable=None)


@place
def the_address_of_the_last_fetch(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    head = repository.git("rev-parse", "HEAD")
    (repository.git_dir / "FETCH_HEAD").write_text(f"{head}\t\tbranch 'x' of https://me:{token}@host.example/r\n")
    return Hidden(repository.path, "config", ".git/FETCH_HEAD", tip=None, reachable=None)


@place
def a_hook(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    (repository.git_dir / "hooks").mkdir(exist_ok=True)
    (repository.git_dir / "hooks" / "pre-push").write_text(f"#!/bin/sh\ncurl -H 'token: {token}' x\n")
    return Hidden(repository.path, "config", ".git/hooks/pre-push", tip=None, reachable=None, first_line=2)


@place
def a_bare_repository(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.git("clone", "-q", "--bare", ".", str(directory / "bare.git"))
    return Hidden(directory / "bare.git", "blob", "conf", bad, tip=True)


@place
def a_repository_of_sha256(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory, object_format="sha256")
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.commit("gone", {"conf": None})
    repository.git("gc", "-q")
    return Hidden(repository.path, "blob", "conf", bad)


@place
def a_nested_repository(directory: Path, token: str) -> Hidden:
    outer = new_repository(directory)
    inner = Repository.new(outer.path / "vendor" / "inner")
    bad = inner.commit("bad", {"conf": f"key = {token}\n"})
    inner.commit("gone", {"conf": None})
    return Hidden(outer.path, "blob", str(inner.path / "conf"), bad)


@place
def a_repository_in_a_directory(directory: Path, token: str) -> Hidden:
    inner = Repository.new(directory / "all" / "some" / "inner")
    bad = inner.commit("bad", {"conf": f"key = {token}\n"})
    inner.commit("gone", {"conf": None})
    return Hidden(directory / "all", "blob", str(inner.path / "conf"), bad)


@place
def a_bare_repository_in_a_work_tree(directory: Path, token: str) -> Hidden:
    outer = new_repository(directory)
    inner = Repository.new(directory / "inner")
    bad = inner.commit("bad", {"conf": f"key = {token}\n"})
    inner.git("clone", "-q", "--bare", ".", str(outer.path / "store.git"))
    return Hidden(outer.path, "blob", str(outer.path / "store.git" / "conf"), bad, tip=True)


def _with_submodule(directory: Path, token: str) -> tuple[Repository, str]:
    library = Repository.new(directory / "library")
    bad = library.commit("bad", {"conf": f"key = {token}\n"})
    library.commit("gone", {"conf": None, "lib": "x"})
    outer = new_repository(directory)
    outer.git("submodule", "--quiet", "add", str(library.path), "sub")
    outer.commit_staged("add it")
    return outer, bad


@place
def a_submodule(directory: Path, token: str) -> Hidden:
    outer, bad = _with_submodule(directory, token)
    return Hidden(outer.path, "blob", str(outer.path / "sub" / "conf"), bad)


@place
def a_submodule_by_itself(directory: Path, token: str) -> Hidden:
    outer, bad = _with_submodule(directory, token)
    return Hidden(outer.path / "sub", "blob", "conf", bad)


@place
def a_submodule_that_is_not_checked_out(directory: Path, token: str) -> Hidden:
    outer, bad = _with_submodule(directory, token)
    outer.git("submodule", "--quiet", "deinit", "-f", "sub")
    return Hidden(outer.path, "blob", str(outer.path / ".git/modules/sub/conf"), bad)


@place
def a_linked_work_tree_by_itself(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("worktree", "add", "-q", "-b", "side", str(directory / "linked"))
    (directory / "linked" / "new").write_text(f"key = {token}\n")
    return Hidden(directory / "linked", "file", "new", reachable=False)


@place
def a_linked_work_tree_elsewhere(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("worktree", "add", "-q", "-b", "side", str(directory / "linked"))
    (directory / "linked" / "new").write_text(f"key = {token}\n")
    return Hidden(repository.path, "file", str(directory / "linked" / "new"), reachable=False)


@place
def the_index_of_a_linked_work_tree(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("worktree", "add", "-q", "-b", "side", str(directory / "linked"))
    linked = Repository(directory / "linked")
    linked.write("new", f"key = {token}\n")
    linked.git("add", "new")
    linked.write("new", "not any more\n")
    return Hidden(repository.path, "index", "new", reachable=False)


@place
def the_head_of_a_linked_work_tree(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("worktree", "add", "-q", "--detach", str(directory / "linked"))
    linked = Repository(directory / "linked")
    bad = linked.commit("bad", {"new": f"key = {token}\n"})
    linked.commit("gone", {"new": None})
    for log in (repository.git_dir / "worktrees").glob("*/logs/HEAD"):
        log.write_text("")
    return Hidden(repository.path, "blob", "new", bad)


@place
def objects_of_an_alternate(directory: Path, token: str) -> Hidden:
    donor = Repository.new(directory / "donor")
    bad = donor.commit("bad", {"conf": f"key = {token}\n"})
    donor.commit("gone", {"conf": None})
    donor.git("clone", "-q", "--shared", str(donor.path), str(directory / "borrower"))
    return Hidden(directory / "borrower", "blob", "conf", bad)


@place
def several_packs_under_one_index(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("repack", "-q", "-d")
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.git("repack", "-q", "-d")
    repository.commit("gone", {"conf": None})
    repository.git("repack", "-q", "-d")
    repository.git("multi-pack-index", "write")
    return Hidden(repository.path, "blob", "conf", bad)


@place
def a_shallow_clone(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.git("clone", "-q", "--bare", "--depth=1", f"file://{repository.path}", str(directory / "shallow"))
    return Hidden(directory / "shallow", "blob", "conf", bad, tip=True)


@place
def a_partial_clone(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.commit("large", {"large": "x" * 5000})
    repository.commit("smaller", {"large": None})
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.commit("gone", {"conf": None})
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = ("clone", "-q", "--bare", "--filter=blob:limit=1k", f"file://{repository.path}", str(directory / "partial"))
    repository.git(*clone)
    return Hidden(directory / "partial", "blob", "conf", bad)


@place
def an_archive_in_history(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/conf", f"key = {token}\n")
    bad = repository.commit("bad", {"all.zip": packed.getvalue()})
    repository.commit("gone", {"all.zip": None})
    return Hidden(repository.path, "blob", "all.zip", bad)


@place
def a_large_file_that_git_stores_elsewhere(directory: Path, token: str) -> Hidden:
    """What `git lfs` leaves: a pointer in history, and the content below `.git/lfs`."""
    content = f"key = {token}\n".encode()
    id = hashlib.sha256(content).hexdigest()
    repository = new_repository(directory)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize {len(content)}\n"
    bad = repository.commit("bad", {"model.bin": pointer})
    repository.commit("gone", {"model.bin": None})
    kept = repository.git_dir / "lfs" / "objects" / id[:2] / id[2:4]
    kept.mkdir(parents=True)
    (kept / id).write_bytes(content)
    return Hidden(repository.path, "blob", "model.bin", bad)


@place
def a_repository_of_somebody_else(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.commit("gone", {"conf": None})
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "65534:65534", str(repository.path)], check=True, env=ENVIRONMENT)
    return Hidden(repository.path, "blob", "conf", bad)
