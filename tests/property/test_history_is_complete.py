"""Whatever was done to a repository, every blob in its object database is read, once and unchanged."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.model import Place
from tests.support.reading import read_target
from tests.support.repositories import Repository

NAMES = st.sampled_from(["a", "b", "dir/c", "dir/sub/d", ".hidden"])
CONTENTS = st.one_of(
    st.binary(max_size=200),
    st.integers(1, 400).map(lambda lines: b"".join(b"line %d\n" % number for number in range(lines))),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=3)),
        st.tuples(st.just("stage"), st.tuples(NAMES, CONTENTS)),
        st.tuples(st.just("lose"), st.none()),
        st.tuples(st.just("loose"), CONTENTS),
        st.tuples(st.just("pack"), st.none()),
        st.tuples(st.just("stash"), st.none()),
        st.tuples(st.just("tag"), st.none()),
    ),
    max_size=7,
)


def _apply(repository: Repository, number: int, step: tuple[str, object]) -> None:
    match step:
        case ("commit", dict() as files):
            repository.commit(f"commit {number}", files)
        case ("stage", (str() as name, bytes() as content)):
            repository.write(name, content)
            repository.git("add", "--all")
        case ("lose", _):
            repository.git("reset", "-q", "--hard", "HEAD~1", check=False)
        case ("loose", bytes() as content):
            repository.blob(content)
        case ("pack", _):
            repository.git("repack", "-q", "-d")
        case ("stash", _):
            repository.git("stash", "-q", "-u", check=False)
        case ("tag", _):
            repository.git("tag", "-a", "-m", f"tag {number}", f"t{number}", check=False)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, object_format=st.sampled_from(["sha1", "sha256"]))
def test_every_blob_is_read_once(steps: list[tuple[str, object]], object_format: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        repository = Repository.new(Path(directory) / "r", object_format=object_format)
        for number, step in enumerate(steps):
            _apply(repository, number, step)
        reading = read_target(repository.path)
        ids = [blob.origin.blob for blob in reading.at(Place.BLOB)]
        empty = repository.git("hash-object", "--stdin")
        assert len(ids) == len(set(ids))
        assert set(ids) == repository.objects("blob") - {empty}
        for blob in reading.at(Place.BLOB):
            assert repository.git("hash-object", "--stdin", stdin=blob.data) == blob.origin.blob
        told = {blob.origin.commit for blob in reading.at(Place.COMMIT_MESSAGE)}
        assert told == repository.objects("commit")
        assert not reading.skipped
