"""`keyfuse config`, as people and programs call it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keyfuse.cli import program
from keyfuse.configfile import ConfigFaults


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KEYFUSE_CONFIG", "KEYFUSE_DATA_DIR", "KEYFUSE_CACHE_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    result = CliRunner().invoke(program, words, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


def test_the_example_is_a_configuration(home: Path) -> None:
    (home / "mine.toml").write_text(run("config", "example").stdout)
    assert run("config", "check", "mine.toml").stdout.startswith(f"OK: {home}/mine.toml\n")


def test_check_tells_all_faults(home: Path) -> None:
    (home / "mine.toml").write_text("[scan]\njbos = 1\ndecode = 2\n")
    with pytest.raises(ConfigFaults) as caught:
        run("config", "check", "mine.toml")
    assert len(str(caught.value).splitlines()) == 2


def test_check_says_what_is_in_force(home: Path) -> None:
    assert run("config", "check").stdout == "OK: no configuration file; the defaults are in force\n"
    (home / "mine.toml").write_text("[response]\nescalate_after = '90m'\n")
    said = run("--config", "mine.toml", "config", "check").stdout
    assert said == f'OK: {home}/mine.toml\n  response.escalate_after = "1h30m"\n'


def test_show_names_where_each_value_comes_from(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYFUSE_CACHE_DIR", str(home / "c"))
    (home / "mine.toml").write_text("[scan]\njobs = 3\n")
    settings = json.loads(run("--config", "mine.toml", "config", "show", "--format", "json").stdout)["settings"]
    assert settings["scan.jobs"] == {"value": 3, "origin": f"{home}/mine.toml"}
    assert settings["scan.decode"] == {"value": True, "origin": "default"}
    assert settings["cache_dir"] == {"value": f"{home}/c", "origin": "$KEYFUSE_CACHE_DIR"}
    assert settings["response.escalate_after"]["value"] == 3600.0
    assert settings["scan.min_confidence"]["value"] == "low"


def test_show_writes_values_as_the_file_does(home: Path) -> None:
    lines = [line.rsplit("  (", 1)[0].split(maxsplit=1) for line in run("config", "show").stdout.splitlines()]
    settings = {name: text for name, text in lines if name not in {"file", "data_dir", "cache_dir"} and text != "–"}
    for name, text in settings.items():
        tomllib.loads(f"{name} = {text}")
    assert settings["response.prove_after"] == '["5s", "30s", "2m", "10m", "1h"]'


def test_show_hides_the_database_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB", "postgresql://me:" + "hush" * 5 + "@db.example.org/keys")
    (home / "mine.toml").write_text("[database]\nurl_env = 'DB'\n")
    for form in ("text", "json"):
        said = run("--config", "mine.toml", "config", "show", "--format", form).stdout
        assert "postgresql://me:***@db.example.org/keys" in said
        assert "hush" not in said


def test_show_lists_channels_and_routes(home: Path) -> None:
    (home / "mine.toml").write_text(
        "[notify.channel.here]\ntype = 'console'\n[[notify.route]]\nchannels = ['here']\nmin_severity = 'high'\n"
    )
    said = run("--config", "mine.toml", "config", "check").stdout
    assert 'notify.channel.here.type = "console"' in said
    assert 'notify.route[1].min_severity = "high"' in said
