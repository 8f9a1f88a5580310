"""What no ref leads to, and what is written beside contents."""

from __future__ import annotations

from pathlib import Path

from tests.support.hiding.place import Hidden, lose, new_repository, place


@place
def a_commit_that_only_a_reflog_knows(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.git("reset", "-q", "--hard", "HEAD~1")
    return Hidden(repository.path, "reflog", "conf", bad, reachable=False)


@place
def a_loose_commit_that_nothing_leads_to(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {"dir/conf": f"key = {token}\n"})
    repository.commit("worse", {"dir/conf": f"\nkey = {token}\n"})
    repository.git("reset", "-q", "--hard", "HEAD~1")
    lose(repository)
    return Hidden(repository.path, "unreachable", "dir/conf", bad, reachable=False)


@place
def a_packed_commit_that_nothing_leads_to(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.git("repack", "-q", "-a", "-d")
    lose(repository)
    return Hidden(repository.path, "unreachable", "conf", bad, reachable=False)


@place
def a_cruft_pack(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {"conf": f"key = {token}\n"})
    lose(repository)
    repository.git("repack", "-q", "--cruft", "-a", "-d")
    return Hidden(repository.path, "unreachable", "conf", bad, reachable=False)


@place
def a_blob_that_nothing_leads_to(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.blob(f"key = {token}\n".encode())
    return Hidden(repository.path, "unreachable", "", reachable=False)


@place
def a_tree_that_nothing_leads_to(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    blob = repository.blob(f"key = {token}\n".encode())
    repository.git("mktree", stdin=f"100644 blob {blob}\tconf\n".encode())
    return Hidden(repository.path, "unreachable", "conf", reachable=False)


@place
def the_message_of_a_commit(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit(f"subject\n\nuse {token}", {"a": "x"})
    return Hidden(repository.path, "commit-message", "", bad, first_line=3, tip=None)


@place
def the_message_of_a_commit_that_nothing_leads_to(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit(f"subject\n\nuse {token}", {"a": "x"})
    lose(repository)
    (repository.git_dir / "COMMIT_EDITMSG").unlink(missing_ok=True)
    return Hidden(repository.path, "commit-message", "", bad, first_line=3, tip=None, reachable=False)


@place
def the_author_of_a_commit(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("config", "user.name", "x")
    bad = repository.git(*("commit-tree", "-p", "HEAD", "-m", "x", "HEAD^{tree}"), env={"GIT_AUTHOR_NAME": token})
    repository.git("update-ref", "refs/heads/side", bad)
    return Hidden(repository.path, "commit-message", "", bad, tip=None)


@place
def the_committer_of_a_commit(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.git(
        *("commit-tree", "-p", "HEAD", "-m", "x", "HEAD^{tree}"), env={"GIT_COMMITTER_EMAIL": f"{token}@example.org"}
    )
    repository.git("update-ref", "refs/heads/side", bad)
    return Hidden(repository.path, "commit-message", "", bad, tip=None)


@place
def the_message_of_a_tag(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("tag", "-a", "-m", f"with {token}", "v1")
    return Hidden(repository.path, "tag-message", "", tip=None)


@place
def the_maker_of_a_tag(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("tag", "-a", "-m", "x", "v1", env={"GIT_COMMITTER_NAME": token})
    return Hidden(repository.path, "tag-message", "", tip=None, first_line=2)


@place
def the_message_of_a_tag_that_was_deleted(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("tag", "-a", "-m", f"with {token}", "v1")
    repository.git("tag", "-d", "v1")
    return Hidden(repository.path, "tag-message", "", tip=None, reachable=False)


@place
def a_tag_that_was_merged(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("checkout", "-q", "-b", "side")
    side = repository.commit("side", {"b": "x"})
    tag = f"object {side}\ntype commit\ntag v1\ntagger A <a@example.org> 1700000000 +0000\n\nwith {token}\n"
    tree = repository.git("rev-parse", "HEAD^{tree}")
    head = repository.git("rev-parse", "main")
    merged = "mergetag " + tag.rstrip("\n").replace("\n", "\n ")
    who = "A <a@example.org> 1700000000 +0000"
    content = f"tree {tree}\nparent {head}\nparent {side}\nauthor {who}\ncommitter {who}\n{merged}\n\nmerge\n"
    commit = repository.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=content.encode())
    repository.git("update-ref", "refs/heads/main", commit)
    repository.git("reset", "-q", "--hard")
    return Hidden(repository.path, "commit-message", "", commit, tip=None, first_line=8)


@place
def the_name_of_a_branch(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("branch", f"fix/{token}")
    return Hidden(repository.path, "ref-name", f"refs/heads/fix/{token}", tip=None)


@place
def the_name_of_a_packed_tag(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("tag", token)
    repository.git("pack-refs", "--all")
    return Hidden(repository.path, "ref-name", f"refs/tags/{token}", tip=None)


@place
def the_name_of_a_file(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.write(f"dir/{token}.txt", "x")
    return Hidden(repository.path, "file-name", f"dir/{token}.txt", reachable=False)


@place
def the_name_of_a_file_in_history(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.commit("dir", {"dir/other": "x\n"})
    bad = repository.commit("bad", {f"dir/{token}.txt": "x\n"})
    repository.commit("more", {"dir/more": "y\n"})
    repository.commit("gone", {f"dir/{token}.txt": None})
    return Hidden(repository.path, "file-name", f"dir/{token}.txt", bad)


@place
def the_name_of_a_directory_in_history(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {f"a/{token}/b": "x\n"})
    repository.git("rm", "-q", "-r", "a")
    repository.commit_staged("gone")
    return Hidden(repository.path, "file-name", f"a/{token}", bad)


@place
def the_name_of_a_file_that_nothing_leads_to(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    bad = repository.commit("bad", {f"a/{token}": "x\n"})
    lose(repository)
    return Hidden(repository.path, "file-name", f"a/{token}", bad, reachable=False)


@place
def the_reason_in_a_reflog(directory: Path, token: str) -> Hidden:
    repository = new_repository(directory)
    repository.git("update-ref", "--create-reflog", "-m", f"with {token}", "refs/heads/x", "HEAD")
    return Hidden(repository.path, "reflog", "logs/refs/heads/x", tip=None, reachable=None)
