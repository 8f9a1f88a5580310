"""The configuration: where it is looked for, what it refuses and in which words."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import platformdirs
import pytest

from keyfuse.auditing import limits_of
from keyfuse.config import EVENTS, Channel, Config, Registry, Response, load, shown_url
from keyfuse.configfile import ConfigFaults
from keyfuse.directories import directories
from keyfuse.kinds import Duration, Flag, Size, Whole, shown_duration
from keyfuse.policies import channels_of, courier_of, policy_of, routing_of
from keyfuse.session import Session
from keyfuse.settings import Section, Setting
from responders.notify.channels import ChannelType
from responders.notify.courier import CourierSettings
from responders.notify.notice import Event
from responders.notify.routing import Routing
from responders.policy import Policy
from responders.registry import IfUnsupported, LeakAction
from scanner.errors import CannotRun, ConfigError
from scanner.model import Confidence, Severity
from scanner.options import Limits

HUSH = "".join("hush")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A user's environment without any keyfuse variable."""
    return {"HOME": str(tmp_path / "home")}


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "keyfuse.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def faults(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> list[str]:
    """What is said of a file, without the file's name."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigFaults) as caught:
        load(path, {"HOME": str(tmp_path)} | (env or {}))
    assert all(fault.startswith(f"{path}: ") for fault in caught.value.faults)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return [fault.removeprefix(f"{path}: ") for fault in caught.value.faults]


# --- where it is looked for -----------------------------------------------------------------------------------------


def test_without_a_file_the_defaults_are_in_force(env: dict[str, str]) -> None:
    config = load(None, env)
    home = Path(env["HOME"])
    assert config == Config({"database": config.database})
    assert config.path is None
    assert config.data_dir == home / ".local/share/keyfuse"
    assert config.cache_dir == home / ".cache/keyfuse"
    assert config.database.url == f"sqlite:///{home}/.local/share/keyfuse/keyfuse.db"


def test_the_users_own_file_is_found(env: dict[str, str]) -> None:
    own = Path(env["HOME"]) / ".config/keyfuse"
    own.mkdir(parents=True)
    file = write(own, "[scan]\njobs = 3\n")
    assert load(None, env).scan.jobs == 3
    assert load(None, env).path == file


def test_a_named_file_wins_over_the_variable_and_the_variable_over_the_users(
    env: dict[str, str], tmp_path: Path
) -> None:
    named, variable = tmp_path / "named.toml", tmp_path / "variable.toml"
    named.write_text("[scan]\njobs = 1\n")
    variable.write_text("[scan]\njobs = 2\n")
    env["KEYFUSE_CONFIG"] = str(variable)
    assert load(None, env).scan.jobs == 2
    assert load(named, env).scan.jobs == 1


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_a_named_file_that_is_missing_is_an_error(env: dict[str, str], tmp_path: Path, how: str) -> None:
    missing = tmp_path / "nowhere.toml"
    if how == "variable":
        env["KEYFUSE_CONFIG"] = str(missing)
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file"):
        load(missing if how == "argument" else None, env)


def test_nothing_in_the_working_directory_is_read(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "[response]\ndry_run = true\n")
    monkeypatch.chdir(tmp_path)
    assert load(None, env).response.dry_run is False


def test_directories_come_from_the_environment(env: dict[str, str], tmp_path: Path) -> None:
    env |= {"KEYFUSE_DATA_DIR": str(tmp_path / "d"), "KEYFUSE_CACHE_DIR": str(tmp_path / "c")}
    config = load(None, env)
    assert (config.data_dir, config.cache_dir) == (tmp_path / "d", tmp_path / "c")
    assert config.origin("data_dir") == "$KEYFUSE_DATA_DIR"
    assert config.database.url == f"sqlite:///{tmp_path}/d/keyfuse.db"


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms ask platformdirs")
@pytest.mark.parametrize("xdg", ["/elsewhere", "relative", ""])
def test_linux_directories_are_those_of_platformdirs(monkeypatch: pytest.MonkeyPatch, xdg: str) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, xdg)
    theirs = platformdirs.PlatformDirs("keyfuse", appauthor=False)
    ours = directories(os.environ)
    if xdg != "relative":  # the specification says to ignore it
        assert ours == (theirs.user_config_path, theirs.user_data_path, theirs.user_cache_path)
    assert all(path.is_absolute() for path in ours)


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(CannotRun, match="set KEYFUSE_DATA_DIR"):
        load(None, {})


def test_no_heavy_module_is_loaded_without_a_file(tmp_path: Path) -> None:
    script = (
        "import sys; from keyfuse.config import load; load(None, {'HOME': sys.argv[1]}); "
        "print([m for m in ('tomllib', 'platformdirs', 'difflib', 'responders.registry') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- what it refuses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[scan]\njbos = 2", "scan.jbos is not a setting; did you mean scan.jobs?"),
        ("[scann]\njobs = 2", "scann is not a setting; did you mean scan?"),
        ("dry_runn = true", "dry_runn is not a setting; the file may have: scan, rules"),
        ("[scan]\njobs = 'four'", "scan.jobs must be a whole number, 0 to 256; found a string"),
        ("[scan]\njobs = true", "scan.jobs must be a whole number, 0 to 256; found a boolean"),
        ("[scan]\njobs = -1", "scan.jobs must be a whole number, 0 to 256; found a whole number"),
        ("[scan]\ndecode = 1", "scan.decode must be true or false; found a whole number"),
        ("[scan]\nmin_confidence = 'hihg'", "scan.min_confidence must be one of low, medium, high; found a string"),
        ("[scan]\nunpack_size = 5", 'scan.unpack_size must be a size such as "64 KiB"'),
        ("[rules]\nfiles = 'a.toml'", "rules.files must be a list of file names; found a string"),
        ("[response]\nescalate_after = '30'", 'response.escalate_after must be a length of time such as "30s"'),
        ("[response]\nescalate_after = 30", "found a whole number"),
        ("[response]\nprove_after = []", "response.prove_after must be a list of lengths of time"),
        ("scan = 1", "scan must be a table; found a whole number"),
        ("[notify]\nroute = 1", "notify.route must be a list of tables; found a whole number"),
        ("[notify.channel]\nmail = 1", "notify.channel must be a table; found a whole number"),
        ("[notify.channel.x]\ntype = 'carrier-pigeon'", "notify.channel.x.type must be one of apprise, webhook"),
        ("[notify.channel.x]\ntype = 'apprise'", "notify.channel.x is of type apprise and needs url_env or url_file"),
        ("[notify.channel.x]\ntype = 'console'\nurl_env = 'U'", "is of type console, which takes no url_env"),
        ("[notify.channel.x]\nurl_env = 'U'\nurl_file = 'u'", "has both url_env and url_file"),
        ("[notify.channel.x]\ntype = 'webhook'\nurl_env = 'U'", "needs secret_env or secret_file"),
        ("[notify.channel.x]\ntype = 'file'", "is of type file and needs a path"),
        ("[[notify.route]]\nto = ['a@example.org']", "notify.route[1] needs channels"),
        ("[[notify.route]]\nchannels = ['mial']", "does not exist: mial (there are: none)"),
        ("[notify]\ndefault_channels = ['mail']", "names a channel in default_channels that does not exist: mail"),
        ("[[notify.route]]\nchannels = ['a']\nevents = ['boom']", "notify.route[1].events must be a list of words"),
        ("[database]\nurl = 'sqlite://'\nurl_env = 'U'", "database has url and url_env; keep one of them"),
        ("jobs = ", "is not TOML: Invalid value (at line 1, column 8, the end of the file)"),
        ("[scan]\njobs = 1\njobs = 2", "line 3, column"),
        ("[a" * 9, "is not TOML"),
        ("x = " + "[" * 99_999, "nested too deeply"),
    ],
)
def test_a_fault_is_named_with_its_key(tmp_path: Path, text: str, fault: str) -> None:
    assert any(fault in said for said in faults(tmp_path, text, {"U": "json://localhost"}))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    said = faults(tmp_path, "[scan]\njbos = 1\ndecode = 'x'\n[limits]\nactions_per_hour = '3'\n")
    assert len(said) == 3


def test_a_wrong_reference_is_told_once(tmp_path: Path) -> None:
    assert faults(tmp_path, "[notify.channel.x]\nurl_env = 1\n") == [
        "notify.channel.x.url_env must be a string; found a whole number"
    ]


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("[notify.channel.mail]\nurl = '%s'", "url_env"),
        ("[notify.channel.mail]\nsecret = '%s'", "secret_file"),
        ("[notify.channel.mail]\ntoken = '%s'", "notify.channel.mail.url_env"),
        ("[database]\npassword = '%s'", "database.url_env"),
        ("[database]\nurl = 'postgresql://me:%s@db.example.org/keys'", "url_env"),
        ("[database]\nurl = 'postgresql://db.example.org/keys?password=%s'", "url_env"),
    ],
)
def test_a_secret_in_plain_is_refused_and_not_repeated(tmp_path: Path, text: str, ways: str) -> None:
    plain = "hush" * 5
    said = "\n".join(faults(tmp_path, text % plain))
    assert ways in said
    assert plain not in said


def test_hostile_key_names_are_shown_harmless(tmp_path: Path) -> None:
    assert "\x1b" not in "\n".join(faults(tmp_path, '"\\u001b[2Jscan" = 1\n[notify.channel."\\u001b]0;x"]\nfoo = 1\n'))


def test_bytes_that_are_not_utf8_are_located(tmp_path: Path, env: dict[str, str]) -> None:
    path = tmp_path / "keyfuse.toml"
    path.write_bytes(b"[scan]\njobs = \xff\n")
    with pytest.raises(ConfigError, match=r"is not UTF-8 \(at line 2, column 8\)"):
        load(path, env)


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_a_file_that_everybody_may_write_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    path = write(tmp_path, "")
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="may be written by everybody; run: chmod o-w "):
        load(path, env)
    path.chmod(0o644)
    assert load(path, env).path == path


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may give files away")
def test_a_file_of_another_user_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    path = write(tmp_path, "")
    os.chown(path, 12345, 12345)
    with pytest.raises(ConfigError, match="belongs to another user"):
        load(path, env)


def test_what_is_not_a_file_is_refused_without_waiting(tmp_path: Path, env: dict[str, str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is not a file"):
        load(tmp_path / "pipe", env)
    with pytest.raises(ConfigError, match=r"is not a file|Is a directory"):
        load(tmp_path, env)


def test_a_huge_file_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    path = write(tmp_path, "#" * ((1 << 20) + 1))
    assert stat.S_ISREG(path.stat().st_mode)
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load(path, env)


# --- what it means --------------------------------------------------------------------------------------------------


def test_values_are_read(tmp_path: Path, env: dict[str, str]) -> None:
    path = write(
        tmp_path,
        """
        [scan]
        min_confidence = "high"
        unpack_size = "10 MiB"
        [rules]
        files = ["mine.toml", "/abs.toml", "~/home.toml"]
        [response]
        protected = ["root-key"]
        prove_after = ["250ms", "1h30m"]
        [limits]
        actions_per_hour = 0
        [notify]
        account_administrators = { acct-1 = ["a@example.org"] }
        [notify.channel.hook]
        type = "webhook"
        url_env = "HOOK_URL"
        secret_file = "hook.secret"
        timeout = "3s"
        [[notify.route]]
        channels = ["hook"]
        min_severity = "critical"
        events = ["failed"]
        """,
    )
    config = load(path, env)
    assert config.scan.min_confidence is Confidence.HIGH
    assert config.scan.unpack_size == 10 << 20
    assert config.rules.files[:2] == (tmp_path / "mine.toml", Path("/abs.toml"))
    assert config.rules.files[2] == Path("~/home.toml").expanduser()
    policy = policy_of(config)
    assert policy.protected == ("root-key",)
    assert policy.prove_after == (timedelta(milliseconds=250), timedelta(hours=1, minutes=30))
    assert policy.actions_per_hour == 0
    (channel,) = channels_of(config)
    assert (channel.name, channel.type, channel.timeout) == ("hook", ChannelType.WEBHOOK, 3.0)
    assert channel.secret_file == tmp_path / "hook.secret"
    routing = routing_of(config)
    assert routing.account_administrators == {"acct-1": ("a@example.org",)}
    assert routing.routes[0].min_severity is Severity.CRITICAL
    assert routing.routes[0].events == (Event.FAILED,)


def test_the_defaults_are_those_of_the_responders() -> None:
    assert policy_of(Config()) == Policy()
    assert routing_of(Config()) == Routing()
    assert courier_of(Config()) == CourierSettings()
    assert channels_of(Config()) == ()


def test_the_limits_are_those_of_the_scanner(tmp_path: Path) -> None:
    with Session(str(write(tmp_path, ""))) as session:
        assert limits_of(session) == Limits()
    with Session(str(write(tmp_path, "[scan]\nunpack_ratio = 7\nunpack_member_size = '1 KiB'\n"))) as session:
        assert limits_of(session) == Limits(ratio=7, member_bytes=1024)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (EVENTS, Event),
        (Channel.type.options, ChannelType),
        (Registry.action_when_leaked.options, LeakAction),
        (Registry.if_unsupported.options, IfUnsupported),
    ],
)
def test_words_are_those_of_the_enums(words: tuple[str, ...], kind: type[StrEnum]) -> None:
    assert sorted(words) == sorted(kind)


def test_every_policy_setting_can_be_configured() -> None:
    configured = set(Response.settings) | {"actions_per_hour", "prove_after_at"}  # the latter by [provider.<name>]
    assert configured == set(Policy.__dataclass_fields__)


@pytest.mark.parametrize("way", ["url_env", "url_file"])
def test_the_database_url_may_come_from_elsewhere(tmp_path: Path, env: dict[str, str], way: str) -> None:
    url = "postgresql+psycopg://me:" + "hush" * 5 + "@db.example.org/keys"
    (tmp_path / "url").write_text(url + "\n")
    path = write(tmp_path, f"[database]\n{way} = '{'DB' if way == 'url_env' else 'url'}'\n")
    config = load(path, env | {"DB": url})
    assert config.database.url == url
    assert config.database.origin("url") == ("$DB" if way == "url_env" else str(tmp_path / "url"))
    assert "hush" not in repr(config.database)
    assert "hush" not in shown_url(config.database.url)


@pytest.mark.parametrize("way", ["url_env", "url_file"])
def test_a_reference_that_leads_nowhere_is_a_fault(tmp_path: Path, way: str) -> None:
    assert faults(tmp_path, f"[database]\n{way} = 'nowhere'\n")[0].startswith(f"database.{way} ")


def test_settings_do_not_change() -> None:
    config = Config()
    with pytest.raises(AttributeError):
        config.scan.jobs = 4


def test_sections_compare_by_what_is_in_force() -> None:
    class Toy(Section):
        number = Whole(3, "Why.")
        flag = Flag(False, "Why.")

    assert Toy({"number": 3}) == Toy()
    assert Toy({"number": 4}) != Toy()
    assert Toy().origin("number") == "default"


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (Duration(timedelta(), "w"), "0s"),
        (Duration(timedelta(), "w"), "1d2h3m4s5ms"),
        (Size(0, "w"), "0 B"),
        (Size(0, "w"), "3 KiB"),
        (Size(0, "w"), "1 GiB"),
    ],
)
def test_what_is_written_is_what_was_read(setting: Setting[object], text: str) -> None:
    assert setting.toml(setting.parse(text, Path())) == f'"{text}"'


def test_durations_are_shown_in_the_fewest_units() -> None:
    assert shown_duration(timedelta(minutes=90)) == "1h30m"


@pytest.mark.parametrize(
    "url", [f"postgresql://me:{HUSH}@[::1", f"postgresql://x/y?sslpassword={HUSH}&Password={HUSH}", f"x://u:{HUSH}@h"]
)
def test_shown_urls_hide_passwords(url: str) -> None:
    assert "hush" not in shown_url(url)
