"""Git URLs as local mirrors: fetched by real git, over file and HTTP, without a credential in any text."""

from __future__ import annotations

import base64
import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from keyfuse.mirrors import mirror, remote
from scanner.errors import SourceError, UsageError
from scanner.model import Place
from scanner.sources.target import is_git_url
from tests.support.reading import read_target
from tests.support.repositories import Repository

PASSWORD = "-".join(("correct", "horse", "battery"))


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    repository = Repository.new(tmp_path / "origin")
    repository.commit("first", {"a": "one"})
    repository.commit("second", {"a": "two"})
    repository.git("branch", "other")
    return repository


@pytest.mark.parametrize(
    "text",
    [
        "https://host/x",
        "ssh://git@host/x",
        "git@host:x/y.git",
        "file:///x",
        "git://host/x",
        "ext::sh -c x",
        "ftp://host/x",
    ],
)
def test_what_has_the_form_of_a_url(text: str) -> None:
    assert is_git_url(text)


@pytest.mark.parametrize("text", [".", "a/b", "/x/y", "-", "a@b", "name:with:colon", "dir/user@host:x"])
def test_what_is_a_path(text: str) -> None:
    assert not is_git_url(text)


def test_a_file_with_the_form_of_a_url_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "me@host:x").write_text("x")
    assert not is_git_url("me@host:x")


def test_a_mirror_holds_every_ref_and_is_read_like_a_repository(origin: Repository, tmp_path: Path) -> None:
    url = f"file://{origin.path}"
    path = mirror(url, tmp_path / "mirrors")
    assert path.parent == tmp_path / "mirrors"
    assert not any((path / "hooks").glob("*")) if (path / "hooks").exists() else True
    reading = read_target(path, name=remote(url).name)
    assert reading.contents(Place.BLOB) == [b"one", b"two"]
    assert {blob.origin.repository for blob in reading.blobs} == {url}
    assert "refs/heads/other" in Repository(path).git("for-each-ref", "--format=%(refname)")


def test_a_second_call_brings_the_mirror_up_to_date(origin: Repository, tmp_path: Path) -> None:
    url = f"file://{origin.path}"
    first = mirror(url, tmp_path / "mirrors")
    origin.commit("third", {"a": "three"})
    origin.git("branch", "-D", "other")
    assert mirror(url, tmp_path / "mirrors") == first
    assert b"three" in read_target(first).contents(Place.BLOB)
    assert Repository(first).git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_what_a_killed_clone_left_is_made_anew(origin: Repository, tmp_path: Path) -> None:
    url = f"file://{origin.path}"
    path = mirror(url, tmp_path / "mirrors")
    shutil.rmtree(path / "refs")
    assert mirror(url, tmp_path / "mirrors") == path
    assert read_target(path).contents(Place.BLOB) == [b"one", b"two"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ext::sh -c true", "no git URL that is fetched here"),
        ("ext://sh", "no git URL that is fetched here"),
        ("fd::17", "no git URL that is fetched here"),
        ("ftp://host/x", "no git URL that is fetched here"),
        ("https:///x", "no git URL that is fetched here"),
        ("ssh://-oProxyCommand=x/y", "no git URL that is fetched here"),
        ("https://host:port/x", "cannot be read"),
        (f"ssh://me:{PASSWORD}@host/x", "takes no password"),
    ],
)
def test_urls_that_are_refused(tmp_path: Path, url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        mirror(url, tmp_path / "mirrors")
    assert PASSWORD not in str(caught.value)
    assert not (tmp_path / "mirrors").exists()


def test_what_cannot_be_cloned_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot be fetched: .*check the address"):
        mirror(f"file://{tmp_path}/nowhere", tmp_path / "mirrors")
    assert list((tmp_path / "mirrors").iterdir()) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(SourceError, match="no mirror can be made in"):
        mirror(f"file://{tmp_path}/nowhere", tmp_path / "file" / "below")


def test_a_host_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="check the host and network"):
        mirror("http://127.0.0.1:1/x.git", tmp_path)


@dataclass
class Site:
    """A web server with one repository behind a password."""

    port: int
    asked: list[str] = field(default_factory=list)
    redirect: str | None = None


@pytest.fixture
def site(origin: Repository, tmp_path: Path) -> Iterator[Site]:
    origin.git("clone", "-q", "--bare", ".", str(tmp_path / "www" / "x.git"))
    Repository(tmp_path / "www" / "x.git").git("update-server-info")
    told = Site(0)
    expected = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            if told.redirect is not None:
                self.send_response(302)
                self.send_header("Location", told.redirect)
                self.end_headers()
            elif self.headers["Authorization"] != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.end_headers()
            else:
                super().do_GET()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path / "www"))
    )
    told.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that all arguments of git are written to; git runs all the same."""
    real = shutil.which("git")
    log = tmp_path / "arguments"
    log.touch()
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=os.pathsep)
    return log


def test_credentials_of_a_url_reach_the_server_and_nothing_else(site: Site, tmp_path: Path, arguments: Path) -> None:
    url = f"http://me:{PASSWORD}@127.0.0.1:{site.port}/x.git"
    path = mirror(url, tmp_path / "mirrors")
    mirror(url, tmp_path / "mirrors")
    assert read_target(path).contents(Place.BLOB) == [b"one", b"two"]
    encoded = base64.b64encode(f"me:{PASSWORD}".encode())
    assert "clone" in arguments.read_text()
    assert PASSWORD not in arguments.read_text()
    for file in tmp_path.joinpath("mirrors").rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes()
            assert encoded not in file.read_bytes()
    assert PASSWORD not in remote(url).name + repr(remote(url)) + str(path)


def test_wrong_credentials_are_told_without_them(site: Site, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="check the credentials") as caught:
        mirror(f"http://me:not-{PASSWORD}@127.0.0.1:{site.port}/x.git", tmp_path / "mirrors")
    assert PASSWORD not in str(caught.value)
    with pytest.raises(SourceError, match="check the credentials"):
        mirror(f"http://127.0.0.1:{site.port}/x.git", tmp_path / "mirrors")


def test_redirects_are_not_followed(site: Site, tmp_path: Path) -> None:
    site.redirect = f"http://127.0.0.1:{site.port}/elsewhere"
    with pytest.raises(SourceError, match="the server sends elsewhere"):
        mirror(f"http://me:{PASSWORD}@127.0.0.1:{site.port}/x.git", tmp_path / "mirrors")
    assert not any("elsewhere" in path for path in site.asked)
