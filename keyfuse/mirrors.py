"""Git URLs become local mirrors, which the scanner reads like any other repository; it has no network of its own.

The one user of GitPython. A mirror is bare, so nothing is checked out and no filter, LFS download or hook can run. Only
the transport that the URL names is allowed; credentials of a URL travel in the environment of git, never in its
arguments, and are not written into the mirror.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from scanner.errors import SourceError, UsageError
from scanner.model import printable
from scanner.sources.git.command import words
from scanner.sources.git.repository import is_git_directory

_TRANSPORTS = {"https": "https", "http": "http", "ssh": "ssh", "git+ssh": "ssh", "git": "git", "file": "file"}
_SCP = re.compile(r"(?P<user>[^/\s:@]+)@(?P<host>[^/\s:@-][^/\s:@]*):(?!//)(?P<path>.+)")
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    # A redirect leads to a host that nobody named.
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
}
_NEXT_STEPS = (
    (
        ("Authentication failed", "could not read Username", "error: 401", "error: 403", "Permission denied"),
        "check the credentials",
    ),
    (("Could not resolve host", "unable to connect", "Failed to connect", "Connection"), "check the host and network"),
    (("error: 301", "error: 302", "error: 307", "error: 308"), "the server sends elsewhere: give the address it names"),
    (("dubious ownership",), "it belongs to another user: give its path instead of a URL"),
    (("not found", "does not exist", "not appear to be a git repository"), "check the address"),
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A git URL taken apart. `address` holds no password; `user` and `password` are kept from every text."""

    address: str
    transport: str
    user: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"Remote({self.address!r})"

    @property
    def name(self) -> str:
        """How it is shown, and the name that findings in it carry."""
        return printable(self.address)

    def environment(self) -> dict[str, str]:
        """What git is started with, beside the surroundings."""
        settings = dict(_SETTINGS)
        if self.password is not None:
            login = f"{self.user or ''}:{self.password}".encode()
            site = urlunsplit((*urlsplit(self.address)[:2], "/", "", ""))
            settings[f"http.{site}.extraHeader"] = f"Authorization: Basic {base64.b64encode(login).decode()}"
        environment = {
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "GIT_ALLOW_PROTOCOL": self.transport,
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        if "GIT_SSH_COMMAND" not in os.environ:
            environment["GIT_SSH_COMMAND"] = "ssh -oBatchMode=yes -oConnectTimeout=30"
        for number, (key, value) in enumerate(settings.items()):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        return environment


def remote(url: str) -> Remote:
    """Takes a git URL apart. Raises UsageError for what is none, and for transports that run commands."""
    if found := _SCP.fullmatch(url):
        return Remote(url, "ssh", found["user"], None)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("this git URL cannot be read: give it as https://host/path") from None
    transport = _TRANSPORTS.get(parts.scheme.lower())
    if (
        transport is None
        or "::" in url.partition("://")[0]
        or host.startswith("-")
        or not (host or transport == "file")
    ):
        shown = printable(parts.scheme or "this")
        raise UsageError(f"{shown} is no git URL that is fetched here: use https, ssh, git or file")
    password = unquote(parts.password) if parts.password else None
    user = unquote(parts.username) if parts.username else None
    place = parts.netloc.rpartition("@")[2]
    if transport in ("http", "https"):
        # A token may stand in the user's place, alone.
        password = password if password is not None or user is None else ""
    elif password is not None:
        raise UsageError(f"{transport} takes no password from a URL: use a key, and give the URL without it")
    elif user is not None:
        place = f"{parts.username}@{place}"
    return Remote(urlunsplit((parts.scheme, place, parts.path, parts.query, "")), transport, user, password)


def mirror(url: str, directory: Path, *, timeout: float | None = None) -> Path:
    """Clones a git URL as a bare mirror below `directory`, or brings the mirror there up to date; returns its path.

    `timeout` is in seconds. Raises UsageError for a URL that cannot be fetched here, SourceError where fetching failed,
    with git's reason and the next step.
    """
    source = remote(url)
    digest = hashlib.sha256(source.address.encode(errors="surrogateescape")).hexdigest()[:12]
    stem = re.sub(r"[^\w.-]", "_", source.address.rstrip("/").rpartition("/")[2].removesuffix(".git"))[:60]
    path = directory / f"{stem or 'repository'}-{digest}.git"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(f"no mirror can be made in {printable(str(directory))}: {error.strerror}") from None
    if is_git_directory(str(path)):
        _git(source, path, ("fetch", "--prune", "--quiet", "--no-auto-gc", "origin"), timeout)
        return path
    if path.exists():
        shutil.rmtree(path)  # what a killed clone left
    try:
        _git(
            source, directory, ("clone", "--mirror", "--quiet", "--template=", "--", source.address, str(path)), timeout
        )
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return path


def _git(source: Remote, directory: Path, arguments: tuple[str, ...], timeout: float | None) -> None:
    try:
        import git  # noqa: PLC0415 - looks for the program when it is imported, and fails without it
    except ImportError:
        raise SourceError("git is not installed, or not on PATH: install it to audit git URLs") from None
    try:
        git.Git(str(directory)).execute(
            ["git", *arguments], env=source.environment(), kill_after_timeout=timeout, with_extended_output=True
        )
    except git.exc.GitCommandError as error:
        raise SourceError(_told(source, str(error.stderr))) from None
    except git.exc.GitError:
        raise SourceError(f"{source.name} cannot be fetched: git could not be started") from None


def _told(source: Remote, complaint: str) -> str:
    """Git's reason, without credentials, and what to do about it."""
    if source.password:
        complaint = complaint.replace(source.password, "***")
    said = words(complaint.strip().removeprefix("stderr:").strip(" '\"\n").encode())
    step = next((step for signs, step in _NEXT_STEPS if any(sign in complaint for sign in signs)), "check the address")
    return f"{source.name} cannot be fetched: {said}; {step}"
