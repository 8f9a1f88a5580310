"""Which commit and path a finding is given, and when several findings are one leak."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest

from scanner.model import Finding, Place
from scanner.sources.git.attribution import attribute
from scanner.sources.git.command import Git
from tests.support.reading import audit, findings_of, read_target
from tests.support.repositories import Repository

NEEDLE = b"this stands for a key"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.new(tmp_path / "r")


def _places(findings: list[Finding]) -> list[tuple[str, str, str | None, int]]:
    return [(each.origin.place.value, each.origin.path, each.origin.commit, each.span.start_line) for each in findings]


def test_a_leak_that_was_taken_back_names_its_first_commit(repository: Repository) -> None:
    repository.commit("first", {"conf/a": "nothing\n"})
    bad = repository.commit("bad", {"conf/a": b"nothing\n" + NEEDLE})
    repository.commit("worse", {"conf/a": b"nothing\nmore\n" + NEEDLE})
    repository.commit("revert", {"conf/a": "nothing\n"})
    (finding,) = audit(repository.path, NEEDLE)
    assert _places([finding]) == [("blob", "conf/a", bad, 2)]
    assert finding.origin.author == "Ada Writer <ada@example.org>"
    assert finding.origin.date == "2023-11-15T02:13:20+02:00"
    assert finding.origin.blob == repository.git("rev-parse", f"{bad}:conf/a")


def test_a_leak_that_is_still_there_is_told_once_where_it_stands(repository: Repository) -> None:
    bad = repository.commit("bad", {"a": NEEDLE})
    repository.commit("moved down", {"a": b"\n\n" + NEEDLE + b"\n" + NEEDLE})
    repository.write("a", b"\n\n\n" + NEEDLE + b"\n" + NEEDLE)
    findings = audit(repository.path, NEEDLE)
    assert _places(findings) == [("file", "a", bad, 4), ("file", "a", bad, 5)]
    assert {finding.origin.author for finding in findings} == {"Ada Writer <ada@example.org>"}


def test_a_file_that_was_never_committed_has_no_commit(repository: Repository) -> None:
    repository.commit("first", {"a": "x"})
    repository.write("b", NEEDLE)
    assert _places(audit(repository.path, NEEDLE)) == [("file", "b", None, 1)]


def test_the_same_secret_at_two_paths_is_two_findings(repository: Repository) -> None:
    first = repository.commit("first", {"a": NEEDLE})
    second = repository.commit("second", {"a": None, "b": b"\n" + NEEDLE})
    repository.commit("third", {"b": None})
    assert _places(audit(repository.path, NEEDLE)) == [("blob", "a", first, 1), ("blob", "b", second, 2)]


def test_what_is_in_no_commit_of_a_branch_says_where_it_is(repository: Repository) -> None:
    repository.commit("first", {"a": "x"})
    repository.write("stashed", NEEDLE)
    repository.git("stash", "-q", "-u")
    repository.write("stashed-later", NEEDLE)
    repository.git("stash", "-q", "-u")
    lost = repository.commit("lost", {"lost": NEEDLE})
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.write("staged", NEEDLE + b" in the index")
    repository.git("add", "staged")
    repository.write("staged", "not any more")
    repository.blob(NEEDLE + b" that nothing leads to")
    repository.git("notes", "add", "-m", NEEDLE.decode() + " in a note")
    found = _places(audit(repository.path, NEEDLE))
    places = [(place, path) for place, path, _, _ in found]
    assert ("stash", "stashed") in places or ("stash", "stashed-later") in places
    assert ("index", "staged") in places
    assert ("unreachable", "") in places
    assert "note" in [place for place, _ in places]
    assert len(found) == 4 + (("reflog", "lost") in places)
    if ("reflog", "lost") in places:
        assert ("reflog", "lost", lost, 1) in found


def test_a_commit_that_only_a_reflog_knows(repository: Repository) -> None:
    repository.commit("first", {"a": "x"})
    lost = repository.commit("lost", {"lost": NEEDLE})
    repository.git("reset", "-q", "--hard", "HEAD~1")
    assert _places(audit(repository.path, NEEDLE)) == [("reflog", "lost", lost, 1)]


def test_a_tag_keeps_a_commit_in_history(repository: Repository) -> None:
    repository.commit("first", {"a": "x"})
    kept = repository.commit("kept", {"a": NEEDLE})
    repository.git("tag", "v1")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.git("reflog", "expire", "--expire=all", "--all")
    assert _places(audit(repository.path, NEEDLE)) == [("blob", "a", kept, 1)]


def test_messages_carry_their_commit(repository: Repository) -> None:
    commit = repository.commit(f"subject\n\n{NEEDLE.decode()}", {"a": "x"})
    repository.git("tag", "-a", "-m", NEEDLE.decode(), "v1")
    found = _places(audit(repository.path, NEEDLE))
    assert ("commit-message", "", commit, 3) in found
    assert ("tag-message", "", None, 1) in found


def test_copies_of_a_message_are_not_told_again(repository: Repository) -> None:
    commit = repository.commit(NEEDLE.decode(), {"a": "x"})
    assert (repository.git_dir / "COMMIT_EDITMSG").exists()
    assert NEEDLE in (repository.git_dir / "logs" / "HEAD").read_bytes()
    assert _places(audit(repository.path, NEEDLE)) == [("commit-message", "", commit, 1)]
    repository.git("update-ref", "--create-reflog", "-m", "another thing", "refs/heads/x", "HEAD")
    ((place, path, _, _),) = _places(audit(repository.path, b"another thing"))
    assert (place, path) == ("reflog", "logs/refs/heads/x")


def test_merges_and_content_that_only_a_merge_brought(repository: Repository) -> None:
    repository.commit("first", {"a": "x\n"})
    repository.git("checkout", "-q", "-b", "side")
    repository.commit("side", {"b": "y\n"})
    repository.git("checkout", "-q", "main")
    repository.commit("main", {"c": "z\n"})
    repository.git("merge", "-q", "--no-commit", "side")
    repository.write("evil", NEEDLE)
    repository.git("add", "evil")
    merge = repository.commit_staged("merge")
    repository.commit("gone", {"evil": None})
    assert _places(audit(repository.path, NEEDLE)) == [("blob", "evil", merge, 1)]


def test_paths_that_are_not_utf8(repository: Repository) -> None:
    repository.write(b"caf\xe9", NEEDLE)
    repository.git("add", "--all")
    bad = repository.commit_staged("bad")
    (finding,) = audit(repository.path, NEEDLE)
    assert _places([finding]) == [("file", "caf\udce9", bad, 1)]


def test_damaged_history_claims_nothing(repository: Repository) -> None:
    first = repository.commit("first", {"a": "x"})
    repository.commit("second", {"b": NEEDLE})
    repository.commit("third", {"b": None})
    repository.git("reflog", "expire", "--expire=all", "--all")
    path = repository.git_dir / "objects" / first[:2] / first[2:]
    path.chmod(0o644)
    path.write_bytes(b"")
    (finding,) = audit(repository.path, NEEDLE)
    assert finding.origin.place is not Place.UNREACHABLE


def test_ranges_name_commits_inside_the_range(repository: Repository) -> None:
    repository.commit("first", {"a": NEEDLE})
    second = repository.commit("second", {"b": NEEDLE + b"\nb"})
    third = repository.commit("third", {"c": NEEDLE + b"\nc"})
    assert _places(audit(repository.path, NEEDLE, since="HEAD~2")) == [
        ("blob", "b", second, 1),
        ("blob", "c", third, 1),
    ]
    assert _places(audit(repository.path, NEEDLE, range="HEAD~2..HEAD~1")) == [("blob", "b", second, 1)]
    assert len(audit(repository.path, NEEDLE, ref="main")) == 3


def test_a_quicker_way_to_look_gives_the_same(repository: Repository) -> None:
    """A way that reads every commit's files stands for one that is quick."""
    repository.commit("first", {"dir/a": "x"})
    repository.commit(f"bad {NEEDLE.decode()}", {"dir/a": NEEDLE})
    repository.commit("gone", {"dir/a": "x"})
    repository.git("tag", "-a", "-m", NEEDLE.decode(), "v1")
    repository.git("tag", "blob", repository.blob(b"a blob: " + NEEDLE))
    repository.git("notes", "add", "-m", "a note: " + NEEDLE.decode())
    repository.commit("lost", {"b": b"lost: " + NEEDLE})
    repository.git("reset", "-q", "--hard", "HEAD~1")
    asked = []

    def quick(commits: Sequence[bytes], wanted: Collection[str]) -> Mapping[str, tuple[int, str]]:
        asked.append(len(wanted))
        found: dict[str, tuple[int, str]] = {}
        for number, commit in enumerate(commits):
            for line in repository.git("ls-tree", "-r", "-t", commit.hex()).splitlines():
                about, _, path = line.partition("\t")
                if (id := about.split()[2]) in wanted:
                    found.setdefault(id, (number, path))
        return found

    git = Git(str(repository.git_dir))
    findings = findings_of(read_target(repository.path), NEEDLE)
    found = attribute(git, findings, quick=quick)
    plain = attribute(git, findings)
    assert sorted(each.origin for each in found) == sorted(each.origin for each in plain)
    assert len(plain) == 6
    assert asked == [4]
    assert attribute(git, findings, quick=lambda *_: None) == plain
