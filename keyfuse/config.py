"""The configuration: every section and setting there is, and how the file that sets them is found.

Adding a setting is one line here; `keyfuse config example`, docs/configuration.md and all checks follow from it. No
configuration is ever read out of a scanned tree. This module is on the way of every command, so it stays light: the
file is read by `keyfuse.configfile`, which is loaded only where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from keyfuse.config_api import Api
from keyfuse.directories import directories
from keyfuse.kinds import (
    Choice,
    Duration,
    Durations,
    FilePath,
    Flag,
    Lists,
    Paths,
    Size,
    Text,
    Texts,
    Whole,
    Word,
    Words,
)
from keyfuse.settings import DEFAULT, Group, Named, Section, Tables
from keyfuse.vendors import Vendors
from scanner.errors import UsageError
from scanner.model import Confidence, Severity, printable

EVENTS = ("leaked", "contained", "unconfirmed", "blocked", "failed", "noted", "escalated", "digest", "test")


class Scan(Section):
    """How audits, hooks and scheduled scans look."""

    jobs = Whole(0, "How many processes scan at once; 0 means as many as the machine has cores.", most=256)
    min_confidence = Choice(Confidence.LOW, "Audits do not report findings below this; registered keys always are.")
    hook_confidence = Choice(Confidence.MEDIUM, "Hooks do not stop for findings below this, but for registered keys.")
    incident_confidence = Choice(
        Confidence.MEDIUM, "No incident is opened for findings below this, unless their key is registered."
    )
    match_timeout = Duration(timedelta(seconds=2), "The longest that one exact match may take on one place in a file.")
    foreign_marks = Flag(False, "Whether other scanners' inline marks count beside `keyfuse:allow`.")
    decode = Flag(True, "Whether base64, hex and other encodings are undone, so that what they hide is found.")
    unpack = Flag(True, "Whether archives and documents are opened.")
    unpack_depth = Whole(12, "How many archives and documents deep unpacking goes.", most=64)
    unpack_members = Whole(
        100_000, "The most members of one archive, and those within it, that are looked at.", least=1
    )
    unpack_size = Size(4 << 30, "The most bytes that one archive may become.")
    unpack_member_size = Size(256 << 20, "The most bytes of archives within an archive that are held in memory.")
    unpack_ratio = Whole(1000, "How many times larger than its container a content may grow.", least=1)
    document_timeout = Duration(timedelta(seconds=30), "The longest that the text of one PDF may take to read.")


class Rules(Section):
    """Which token kinds are looked for, beside the shipped ones."""

    files = Paths((), "Rule files of your own: keyfuse's format, or a gitleaks configuration.")
    only = Texts((), "Ids of the only rules to use; empty means all.")
    disable = Texts((), "Ids of rules not to use. Registered keys are found whatever stands here.")


class Registry(Section):
    """What holds for keys whose record says nothing else."""

    action_when_leaked = Word("disable", ("none", "disable", "delete"), "What happens to a leaked key by default.")
    if_unsupported = Word(
        "block",
        ("block", "none", "delete", "suspend-owner"),
        "What to do where a provider cannot do the leak action; `block` asks a person.",
    )
    user_keys = Whole(20, "The most keys that one user may have; IBM Cloud allows 20.", least=1)
    restrict_creation = Flag(False, "Whether only administrators may create keys.")
    administrators = Texts(
        (), "Who may do everything, as `login@host` or IAM id; empty means whoever can read the data."
    )


class Response(Section):
    """What is done about a leaked key, and how patiently."""

    dry_run = Flag(False, "Do everything but the change itself, and say what would have been done.")
    unlock_leaked_keys = Flag(False, "Unlock a locked key to act on it; otherwise a lock blocks.")
    protected = Texts((), "Keys that are never acted on: registry ids, names, a provider's ids or fingerprints.")
    escalate_after = Duration(timedelta(hours=1), "Administrators hear again of what is not contained by then.")
    prove_after = Durations(
        (
            timedelta(seconds=5),
            timedelta(seconds=30),
            timedelta(minutes=2),
            timedelta(minutes=10),
            timedelta(hours=1),
        ),
        "Waits before each further proof of a change that a provider took; the last one repeats.",
    )
    prove_for = Duration(timedelta(hours=24), "After so long without a proof the incident has failed.")
    retry_after = Durations(
        (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1)),
        "Waits before a provider that could not be reached is asked again; the last one repeats.",
    )
    seal_for = Duration(timedelta(hours=24), "How long a secret may lie sealed in an action that needs it again.")
    repeat_after = Duration(timedelta(hours=24), "People hear again of the same leak only after so long.")


class Limits(Section):
    """Brakes, so that a mistake cannot kill every key at once."""

    actions_per_hour = Whole(20, "Changes sent to providers in any hour; the rest wait for `keyfuse leaks approve`.")


class Channel(Section):
    """One way for notices to travel: `[notify.channel.<name>]`."""

    type = Word(
        "apprise", ("apprise", "webhook", "console", "file"), "Apprise URL, signed JSON, terminal or JSON lines."
    )
    personal = Flag(False, "One delivery per person; the URL then holds `{address}` where the person's goes.")
    url_env = Text("", "The environment variable that holds the URL (apprise, webhook).")
    url_file = FilePath(None, "The file that holds the URL, instead of a variable.")
    secret_env = Text("", "The environment variable that holds the webhook's signing secret, 16 characters or more.")
    secret_file = FilePath(None, "The file that holds the signing secret, instead of a variable.")
    path = FilePath(None, "The file that notices are appended to (file).")
    timeout = Duration(timedelta(seconds=10), "How long a delivery may take to connect, and again to be answered.")

    def faults(self) -> Iterator[str]:
        """What each type needs, and references given twice."""
        for name in ("url", "secret"):
            given = [key for key in (f"{name}_env", f"{name}_file") if getattr(self, key)]
            wanted = self.type in {"webhook"} | ({"apprise"} if name == "url" else set())
            if len(given) > 1:
                yield f"has both {name}_env and {name}_file; keep one of them"
            elif wanted and not given:
                yield f"is of type {self.type} and needs {name}_env or {name}_file"
            elif given and not wanted:
                yield f"is of type {self.type}, which takes no {given[0]}"
        if (self.type == "file") != (self.path is not None):
            yield "is of type file and needs a path" if self.path is None else f"is of type {self.type}; takes no path"


class Route(Section):
    """Notices that meet all conditions go to these channels: `[[notify.route]]`."""

    channels = Texts((), "Names of channels; at least one.")
    providers = Texts((), "Only keys of these providers; empty means any.")
    min_severity = Choice(Severity.INFO, "Only leaks at least this severe.")
    owners = Texts((), "Only keys with an owner that matches one of these patterns; empty means any.")
    events = Words(EVENTS, "Only these events; empty means all.")
    to = Texts((), "Further people to tell, beside owners and administrators.")

    def faults(self) -> Iterator[str]:
        """A route leads somewhere."""
        if not self.channels:
            yield "needs channels, a list of names of [notify.channel.<name>]"


class Notify(Section):
    """Who is told of a leak, and how it reaches them."""

    administrators = Texts((), "Told of every leak: addresses, as the channels understand them.")
    account_administrators = Lists(
        "Told of the leaks of one account's keys, by account id.", example={"acct-1": ("security@example.org",)}
    )
    default = Texts((), "Told where a leak has neither owners nor administrators.")
    default_channels = Texts((), "Channels for what no route matches; empty means all channels.")
    retry_after = Durations(
        (
            timedelta(seconds=10),
            timedelta(minutes=1),
            timedelta(minutes=5),
            timedelta(minutes=30),
            timedelta(hours=2),
            timedelta(hours=8),
        ),
        "Waits before each further try of a delivery; after the last one it is given up as dead.",
    )
    digest_above = Whole(10, "More notices than this for one person within the window become one.", least=1)
    digest_window = Duration(timedelta(minutes=5), "The length of that window.")
    channel = Named(
        Channel,
        "Channels by name. URLs hold credentials, so they come from a variable or a file, never from here.",
        example={"mail": Channel({"type": "apprise", "personal": True, "url_env": "KEYFUSE_MAIL_URL"})},
    )
    route = Tables(
        Route,
        "Which notices go where; every route that matches applies.",
        example=Route({"channels": ("mail",), "min_severity": Severity.HIGH, "events": ("blocked", "failed")}),
    )

    def faults(self) -> Iterator[str]:
        """Routes name channels that exist."""
        for place, names in [
            ("default_channels", self.default_channels),
            *((f"route[{number}].channels", route.channels) for number, route in enumerate(self.route, 1)),
        ]:
            for name in names:
                if name not in self.channel:
                    known = ", ".join(sorted(self.channel)) or "none"
                    yield f"names a channel in {place} that does not exist: {printable(name)} (there are: {known})"


class VendorSection(Section):
    """What every `[provider.<name>]` may have; what one provider needs beside it, `keyfuse providers show` says."""

    base_url = Text("", "Where its API is, if not where everybody's is (a company's own server, a region, a test).")
    token_env = Text("", "The environment variable of a credential; for its name see `keyfuse providers show NAME`.")
    token_file = FilePath(None, "The file that holds it, instead of a variable.")
    token_keyring = Text("", "Its place in the system's keyring, as service/user; needs `keyfuse[keyring]`.")
    allowed_hosts = Texts((), "Further hosts that its pages and answers may lead to.")
    requests_per_minute = Whole(60, "How fast it is asked; 0 means as fast as needed.")
    timeout = Duration(timedelta(seconds=10), "How long to wait for a connection, and again for an answer.")
    ca_file = FilePath(None, "Certificates to trust instead of the usual ones (PEM).")
    prove_after = Durations((), "Waits before each further proof, where this provider needs others than [response].")
    type = Word("", ("", "http", "command"), "A key service of your own: signed HTTP calls, or a command.")
    command = Texts((), "The command and its arguments, for type command; what leaked comes on its stdin.")


class Database(Section):
    """Where registry, incidents, audit log and notices are kept."""

    url = Text("", "An SQLAlchemy URL without a password; empty means SQLite, keyfuse.db in the data directory.")
    url_env = Text("", "The environment variable that holds the URL, where it has a password.")
    url_file = FilePath(None, "The file that holds the URL, instead of a variable.")

    def faults(self) -> Iterator[str]:
        """One URL, and no password in the file."""
        given = [name for name in ("url", "url_env", "url_file") if getattr(self, name)]
        if len(given) > 1:
            yield f"has {' and '.join(given)}; keep one of them"
        if self.url and holds_password(self.url):
            yield "has a url with a password in it; put the whole URL in a variable (url_env) or in a file (url_file)"


class Daemon(Section):
    """How `keyfuse daemon` works."""

    settle = Duration(timedelta(milliseconds=80), "A written file is scanned when it has been quiet for so long.")
    poll = Duration(timedelta(seconds=30), "How often files are listed where the system does not tell of changes.")
    fetch_timeout = Duration(timedelta(minutes=30), "The longest that fetching a git URL may take.")
    drain = Duration(timedelta(seconds=25), "How long what is under way may take to end when the daemon is stopped.")
    keep_work = Duration(timedelta(days=7), "How long finished work is remembered.")
    keep_notices = Duration(timedelta(days=90), "How long notices of closed incidents are kept.")
    log_format = Word("text", ("text", "json"), "How the log is written, one event a line.")
    log_level = Word("info", ("debug", "info", "warning", "error"), "What is logged: this, and what is graver.")


class Target(Section):
    """Something that the daemon looks at without being asked: `[[target]]`."""

    name = Text("", "What it is called, in commands and in the log; at least one letter.")
    path = FilePath(None, "A file, a directory or a repository on this machine.")
    url = Text("", "A git URL without a password.")
    url_env = Text("", "The environment variable that holds the git URL, where it has a password.")
    url_file = FilePath(None, "The file that holds the git URL, instead of a variable.")
    watch = Flag(True, "Whether changes to a path are looked at as they happen.")
    every = Duration(timedelta(), "How often it is scanned (a URL: fetched first); 0s means no such schedule.")
    cron = Text("", 'When it is scanned, as cron writes it, such as "30 4 * * *", in local time.')
    jitter = Duration(timedelta(), "Scans begin up to so much later, so that not all begin at once.")

    def faults(self) -> Iterator[str]:
        """One place, and a schedule that can be read."""
        given = [name for name in ("path", "url", "url_env", "url_file") if getattr(self, name)]
        if not self.name:
            yield "needs a name"
        if len(given) != 1:
            yield f"has {' and '.join(given)}; keep one of them" if given else "needs a path or a url"
        if self.url and holds_password(self.url):
            yield "has a url with a password in it; put the whole URL in a variable (url_env) or in a file (url_file)"
        if self.every and self.cron:
            yield "has every and cron; keep one of them"
        if self.cron and len(self.cron.split()) != 5:
            yield 'has a cron that is not five fields such as "30 4 * * *"'

    def resolved(self, env: Mapping[str, str]) -> Target:
        """With the URL that its variable or file holds. Raises UsageError where that cannot be read."""
        try:
            if self.url_env:
                url = env[self.url_env].strip()
            elif self.url_file is not None:
                url = self.url_file.read_text(encoding="utf-8").strip()
            else:
                return self
        except KeyError:
            raise UsageError(f"the variable {printable(self.url_env)} is not set") from None
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"{printable(str(self.url_file))} cannot be read") from None
        return Target({**self.values, "url": url})


class Config(Section):
    """The configuration in force. `path` is the file it came from, if there was one."""

    scan = Group(Scan, "How to look.")
    rules = Group(Rules, "What to look for.")
    registry = Group(Registry, "Whose keys there are.")
    response = Group(Response, "What to do.")
    limits = Group(Limits, "How much of it.")
    notify = Group(Notify, "Whom to tell.")
    provider = Vendors(
        VendorSection,
        "Which providers keyfuse speaks to, and with what; an empty section connects one that needs nothing.",
        example={"openai": VendorSection({"token_env": "OPENAI_ADMIN_KEY"})},
    )
    api = Group(Api, "Who may ask, and how.")
    database = Group(Database, "Where to keep it.")
    daemon = Group(Daemon, "How `keyfuse daemon` works.")
    target = Tables(
        Target,
        "What the daemon watches and scans; `keyfuse targets` adds more.",
        example=Target({"name": "shop", "url": "https://git.example.org/shop.git", "every": timedelta(minutes=15)}),
    )

    def faults(self) -> Iterator[str]:
        """No two targets of one name."""
        names = [target.name for target in self.target]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"has several targets called {printable(name)}"

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        origins: Mapping[str, str] | None = None,
        *,
        data_dir: Path = Path(),
        cache_dir: Path = Path(),
        path: Path | None = None,
    ) -> None:
        super().__init__(values, origins)
        self.data_dir = data_dir
        self.cache_dir = cache_dir
        self.path = path


def load(path: Path | None, env: Mapping[str, str]) -> Config:
    """The configuration in force: out of `path`, else `$KEYFUSE_CONFIG`, else the user's own file, else the defaults.

    Raises ConfigError, which names every fault of the file at once, and CannotRun for a user without a home.
    """
    origins: dict[str, str] = {}
    dirs = None
    if not (env.get("KEYFUSE_DATA_DIR") and env.get("KEYFUSE_CACHE_DIR") and (path or env.get("KEYFUSE_CONFIG"))):
        dirs = directories(env)
    places: dict[str, Path] = {}
    for name, variable in (("data_dir", "KEYFUSE_DATA_DIR"), ("cache_dir", "KEYFUSE_CACHE_DIR")):
        if chosen := env.get(variable):
            places[name] = Path(chosen).expanduser().absolute()
            origins[name] = f"${variable}"
        elif dirs is not None:
            places[name] = dirs.data if name == "data_dir" else dirs.cache
    named = path or (Path(env["KEYFUSE_CONFIG"]) if env.get("KEYFUSE_CONFIG") else None)
    file = named or (dirs.config / "keyfuse.toml" if dirs else None)
    values: dict[str, Any] = {}
    if file is not None and (named is not None or file.exists()):
        from keyfuse.configfile import read  # noqa: PLC0415  (who has no file does not pay for TOML)

        values, set_by = read(file, Config, env)
        origins |= set_by
    else:
        file = None
    values["database"] = _with_url(values.get("database", Config.database.default), places["data_dir"])
    return Config(values, origins, path=file.absolute() if file else None, **places)


def _with_url(database: Database, data_dir: Path) -> Database:
    if database.url:
        return database
    return Database({**database.values, "url": f"sqlite:///{data_dir / 'keyfuse.db'}"}, {"url": DEFAULT})


def holds_password(url: str) -> bool:
    """Whether a URL has a password in it: before the host, or among its parameters."""
    try:
        from urllib.parse import urlsplit  # noqa: PLC0415  (takes 3 ms to load; SQLite's URLs hold no password)

        parts = urlsplit(url)
        return bool(parts.password) or "password=" in parts.query.lower()
    except ValueError:
        return True


def shown_url(url: str) -> str:
    """A URL for people: its password and its parameters as ***."""
    try:
        from urllib.parse import urlsplit  # noqa: PLC0415  (as above)

        parts = urlsplit(url)
        secret = parts.password
    except ValueError:
        return "***"
    if not holds_password(url):
        return printable(url)
    host = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}:***@" if secret else ""
    query = "?***" if parts.query else ""
    return printable(f"{parts.scheme}://{user}{host}{parts.path}{query}")
