"""Contents of files: in the work tree, the index, and in whatever refs lead to."""

from __future__ import annotations

from pathlib import Path

from tests.support.hiding.place import Hidden, forget, new_repository, only_ref, place, unlog


@place
def a_file_of_the_work_tree(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.write("README", f"nothing\n{token}\n")
    return Hidden(repository.path, "file", "README", first_line=2, reachable=False)


@place
def a_file_that_is_committed_too(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    return Hidden(repository.path, "file", "conf", bad, tip=True)


@place
def an_untracked_file(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.write("deep/down/new", f"key = {token}\n")
    return Hidden(repository.path, "file", "deep/down/new", reachable=False)


@place
def an_ignored_file(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.commit("ignore", {".gitignore": "*.env\nbuild/\n"})
    repository.write("build/x.env", f"key = {token}\n")
    return Hidden(repository.path, "file", "build/x.env", reachable=False)


@place
def the_index_alone(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.write("conf", f"key = {token}\n")
    repository.git("add", "conf")
    repository.write("conf", "key = taken out again\n")
    return Hidden(repository.path, "index", "conf", reachable=False)


@place
def the_text_of_a_link(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    (repository.path / "link").symlink_to(f"/srv/{token}/file")
    return Hidden(repository.path, "file", "link", reachable=False)


@place
def the_text_of_a_link_that_was_taken_back(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    (repository.path / "link").symlink_to(f"/srv/{token}/file")
    repository.git("add", "--all")
    bad = repository.commit_staged("bad")
    repository.commit("gone", {"link": None})
    return Hidden(repository.path, "blob", "link", bad)


@place
def history(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.commit("harmless", {"conf": "# settings\nkey = none\n"})
    bad = repository.commit("bad", {"conf": f"# settings\nkey = {token}\n"})
    repository.commit("gone", {"conf": "# settings\nkey = none\n"})
    return Hidden(repository.path, "blob", "conf", bad, first_line=2)


@place
def history_of_a_file_that_moved(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {"old": f"key = {token}\n"})
    repository.git("mv", "old", "new")
    repository.commit_staged("moved")
    repository.commit("edited", {"new": "key = none\n"})
    return Hidden(repository.path, "blob", "old", bad)


@place
def another_branch(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = only_ref(repository, "refs/heads/side", token)
    return Hidden(repository.path, "blob", "conf", bad, tip=True)


@place
def a_branch_of_a_remote(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = only_ref(repository, "refs/remotes/origin/side", token)
    return Hidden(repository.path, "blob", "conf", bad, tip=True)


@place
def a_detached_head(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("checkout", "-q", "--detach")
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.commit("gone", {"conf": None})
    forget(repository)
    return Hidden(repository.path, "blob", "conf", bad)


@place
def a_light_tag(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    return Hidden(repository.path, "blob", "conf", only_ref(repository, "refs/tags/v1", token))


@place
def a_pull_request(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    return Hidden(repository.path, "blob", "conf", only_ref(repository, "refs/pull/7/head", token))


@place
def a_ref_of_any_other_kind(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    return Hidden(repository.path, "blob", "conf", only_ref(repository, "refs/changes/01/1/1", token))


@place
def a_tag_of_a_blob(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("tag", "key", repository.blob(f"key = {token}\n".encode()))
    return Hidden(repository.path, "blob", "")


@place
def a_tag_of_a_tree(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    blob = repository.blob(f"key = {token}\n".encode())
    tree = repository.git("mktree", stdin=f"100644 blob {blob}\tconf\n".encode())
    repository.git("tag", "-a", "-m", "a tree", "tree", tree)
    return Hidden(repository.path, "blob", "conf")


@place
def a_note(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("notes", "add", "-m", f"key = {token}")
    commit = repository.git("rev-parse", "refs/notes/commits")
    head = repository.git("rev-parse", "HEAD")
    return Hidden(repository.path, "note", head, commit)


@place
def notes_of_another_kind(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("notes", "--ref=review", "add", "-m", f"key = {token}")
    commit = repository.git("rev-parse", "refs/notes/review")
    return Hidden(repository.path, "note", repository.git("rev-parse", "HEAD"), commit)


@place
def what_stands_in_for_another_object(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("replace", "HEAD:README", repository.blob(f"key = {token}\n".encode()))
    return Hidden(repository.path, "blob", "")


@place
def a_stash(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.write("README", f"key = {token}\n")
    repository.git("stash", "-q")
    stash = repository.git("rev-parse", "refs/stash")
    unlog(repository, "HEAD", "refs/heads/main")
    return Hidden(repository.path, "stash", "README", stash)


@place
def an_older_stash(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.write("README", f"key = {token}\n")
    repository.git("stash", "-q")
    stash = repository.git("rev-parse", "refs/stash")
    repository.write("README", "another change\n")
    repository.git("stash", "-q")
    return Hidden(repository.path, "stash", "README", stash, reachable=False)


@place
def an_untracked_file_in_a_stash(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.write("new", f"key = {token}\n")
    repository.git("stash", "-q", "-u")
    return Hidden(repository.path, "stash", "new", repository.git("rev-parse", "refs/stash^3"))


@place
def the_index_in_a_stash(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.write("README", f"key = {token}\n")
    repository.git("add", "README")
    repository.write("README", "not any more\n")
    repository.git("stash", "-q")
    return Hidden(repository.path, "stash", "README", repository.git("rev-parse", "refs/stash^2"))


@place
def the_resolution_of_a_merge(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.commit("base", {"conf": "key = 1\n"})
    repository.git("checkout", "-q", "-b", "side")
    repository.commit("side", {"conf": "key = 2\n"})
    repository.git("checkout", "-q", "main")
    repository.commit("main", {"conf": "key = 3\n"})
    repository.git("merge", "-q", "side", check=False)
    merge = repository.commit("merge", {"conf": f"key = {token}\n"})
    repository.commit("gone", {"conf": "key = 4\n"})
    return Hidden(repository.path, "blob", "conf", merge)
