"""`keyfuse keys`, as people and programs call it."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyfuse.cli import run_cli
from keyfuse.doorway import guarded
from tests.support import tokens

Run = Callable[..., "Done"]


@dataclass(frozen=True)
class Done:
    """What a command printed."""

    stdout: str
    stderr: str


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of one's own."""
    for name, value in (
        ("HOME", str(tmp_path)),
        ("KEYFUSE_DATA_DIR", str(tmp_path / "data")),
        ("KEYFUSE_CACHE_DIR", str(tmp_path / "cache")),
        ("KEYFUSE_CONFIG", ""),
        ("LOGNAME", "tester"),
    ):
        monkeypatch.setenv(name, value)


@pytest.fixture
def keys(tmp_path: Path, environment: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `keyfuse keys …` in this process, as `__main__` does, and expects an exit code."""

    def run(*words: str | Path, stdin: str = "", code: int = 0) -> Done:
        given = tmp_path / "stdin"
        given.write_text(stdin)
        with given.open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            found = guarded(lambda: run_cli(["keys", *map(str, words)]))
        printed = capsys.readouterr()
        assert found == code, printed
        return Done(printed.out, printed.err)

    return run


def created(keys: Run, *words: str | Path) -> dict[str, Any]:
    """A new key, as JSON."""
    made: dict[str, Any] = json.loads(keys("create", "--format", "json", *words).stdout)
    return made


def test_a_key_from_its_making_to_its_end(keys: Run, tmp_path: Path) -> None:
    made = created(
        keys,
        *("--name", "ci", "--description", "builds", "--owner", "a@e.org", "--owner", "b@e.org", "--scope", "read"),
        *("--expires-at", "30d", "--action-when-leaked", "delete", "--if-unsupported", "none", "--account-id", "acc"),
    )
    value = made["apikey"]
    assert re.fullmatch(r"kfk_[0-9A-Za-z]{38}", value)
    assert set(made) >= {
        *("id", "entity_tag", "locked", "disabled", "created_at", "created_by", "modified_at", "name", "description"),
        *("iam_id", "account_id", "expires_at", "action_when_leaked", "apikey", "history", "activity"),
    }
    assert made["owners"] == ["a@e.org", "b@e.org"]
    assert made["iam_id"].startswith("tester@")
    assert (made["action_when_leaked"], made["if_unsupported"], made["state"]) == ("delete", "none", "active")

    assert keys("verify", "-", stdin=value + "\n").stdout.startswith("valid: ci")
    assert keys("verify", "-", "--scope", "read", stdin=value)
    assert "lacks the scope write" in keys("verify", "-", "--scope", "write", stdin=value, code=1).stdout
    shown = json.loads(keys("show", "ci", "--format", "json").stdout)
    assert (shown["apikey"], shown["activity"]["authn_count"]) == ("", 2)

    keys("disable", "ci")
    assert "the key is disabled" in keys("verify", "-", stdin=value, code=1).stdout
    keys("enable", made["id"])
    keys("lock", "ci")
    assert "unlock it first" in keys("delete", "ci", "--yes", code=2).stderr
    assert "unlock it first" in keys("update", "ci", "--name", "other", code=2).stderr
    keys("unlock", "ci")
    keys("update", "ci", "--name", "cd", "--action-when-leaked", "NONE", "--expires-at", "never")
    changed = json.loads(keys("show", "cd", "--format", "json").stdout)
    assert (changed["action_when_leaked"], changed["expires_at"]) == ("none", None)
    keys("delete", "cd", "--yes")
    verdict = json.loads(keys("verify", "-", "--format", "json", stdin=value, code=1).stdout)
    assert (verdict["valid"], verdict["reason"], verdict["key"]["state"]) == (False, "the key is deleted", "deleted")
    assert "no keys" in keys("list").stderr
    for path in (tmp_path / "data").iterdir():
        assert value.encode() not in path.read_bytes()


def test_programs_hand_values_through_pipes(environment: None) -> None:
    keyfuse = [sys.executable, "-m", "keyfuse", "keys"]
    create = [*keyfuse, "create", "--name", "x", "--format", "json"]
    made = json.loads(subprocess.run(create, capture_output=True, check=True).stdout)
    verify = subprocess.run([*keyfuse, "verify", "-"], input=made["apikey"], capture_output=True, text=True)
    assert (verify.returncode, verify.stderr) == (0, "")
    wrong = subprocess.run([*keyfuse, "verify", "-"], input=made["apikey"][:-1], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout) == (1, "invalid: no key with this value is registered\n")


def test_text_shows_the_value_once_and_never_again(keys: Run) -> None:
    text = keys("create", "--name", "x").stdout
    value = re.findall(r"kfk_[0-9A-Za-z]{38}", text)
    assert len(value) == 1
    assert "shown once" in text
    for words in (["list"], ["list", "--format", "json"], ["show", "x"], ["show", "x", "--format", "json"]):
        assert value[0] not in keys(*words).stdout


def test_views(keys: Run) -> None:
    for name, *words in (
        ("mine",),
        ("yours", "--iam-id", "you"),
        ("service", "--kind", "service-id"),
        ("old", "--kind", "classic"),
    ):
        created(keys, "--name", name, *words)

    def names(*words: str) -> list[str]:
        return [key["name"] for key in json.loads(keys("list", "--format", "json", *words).stdout)["apikeys"]]

    assert names() == ["mine", "yours", "service", "old"]
    assert names("--view", "mine") == ["mine", "old"]
    assert names("--view", "mine", "--iam-id", "you") == ["yours"]
    assert names("--view", "users") == ["mine", "yours"]
    assert names("--view", "service-ids") == ["service"]
    assert names("--view", "classic") == ["old"]
    assert names("--leaked") == []
    assert names("--limit", "2") == ["mine", "yours"]
    heads, *rows = keys("list").stdout.splitlines()
    assert heads.split()[:3] == ["ID", "NAME", "PROVIDER"]
    assert len(rows) == 4


def test_the_answer_goes_to_a_new_file_of_ones_own(keys: Run, tmp_path: Path) -> None:
    target = tmp_path / "api_key.yaml"
    done = keys("create", "--name", "x", "--iam-id", "ajes", "--scope", "s1", "--scope", "s2", "--output", target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    answer = yaml.safe_load(target.read_text())
    assert list(answer) == ["api_key", "secret"]
    assert answer["api_key"]["service_account_id"] == "ajes"
    assert (answer["api_key"]["scope"], answer["api_key"]["scopes"]) == ("s1", ["s1", "s2"])
    assert answer["secret"] not in done.stdout + done.stderr
    assert keys("verify", "-", stdin=answer["secret"])
    before = target.read_bytes()
    assert "there already" in keys("create", "--name", "y", "--output", target, code=2).stderr
    assert target.read_bytes() == before
    keys("create", "--name", "z", "--format", "json", "--output", tmp_path / "key.json")
    assert keys("verify", "-", stdin=json.loads((tmp_path / "key.json").read_text())["apikey"])


def test_no_file_is_left_and_no_key_is_made_when_it_fails(keys: Run, tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    assert (
        "before it exists"
        in keys("create", "--name", "x", "--expires-at", "2001-01-01", "--output", target, code=2).stderr
    )
    assert not target.exists()
    assert "No such file" in keys("create", "--name", "x", "--output", tmp_path / "no" / "x", code=2).stderr
    assert json.loads(keys("list", "--format", "json").stdout)["apikeys"] == []


def test_values_made_elsewhere(keys: Run, tmp_path: Path) -> None:
    value = "made elsewhere " * 3
    file = tmp_path / "value"
    file.write_text(value + "\n")
    assert created(keys, "--name", "x", "--value-from", file)["apikey"] == value
    assert keys("verify", file)
    assert "registered already" in keys("create", "--name", "y", "--value-from", "-", stdin=value, code=2).stderr
    assert "at least 32" in keys("create", "--name", "y", "--value-from", "-", stdin="short", code=2).stderr


def test_a_value_given_as_an_argument_is_neither_used_nor_repeated(keys: Run) -> None:
    value = created(keys, "--name", "x")["apikey"]
    for words in (["verify", value], ["create", "--name", "y", "--value-from", value]):
        done = keys(*words, code=2)
        assert "never from an argument" in done.stderr
        assert value not in done.stdout + done.stderr


def test_a_reissue_lets_both_live_for_a_while(keys: Run) -> None:
    old = created(keys, "--name", "x")
    new = json.loads(keys("reissue", "x", "--overlap", "1h", "--format", "json").stdout)
    assert new["replaces"] == old["id"]
    assert keys("verify", "-", stdin=old["apikey"])
    assert keys("verify", "-", stdin=new["apikey"])
    last = json.loads(keys("reissue", "x", "--overlap", "0s", "--format", "json").stdout)
    assert "expired" in keys("verify", "-", stdin=new["apikey"], code=1).stdout
    assert keys("verify", "-", stdin=last["apikey"])
    assert "length of time" in keys("reissue", "x", "--overlap", "soon", code=2).stderr


def test_deleting_asks_first(keys: Run) -> None:
    created(keys, "--name", "x")
    assert "say --yes" in keys("delete", "x", code=2).stderr
    for answer, code in ((b"n\n", 130), (b"y\n", 0)):
        controller, terminal = pty.openpty()
        command = [sys.executable, "-m", "keyfuse", "keys", "delete", "x"]
        process = subprocess.Popen(command, stdin=terminal, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        os.write(controller, answer)
        said = process.communicate(timeout=60)
        assert process.returncode == code, said
        os.close(controller)
        os.close(terminal)
    assert json.loads(keys("list", "--format", "json").stdout)["apikeys"] == []


def test_a_stale_tag_changes_nothing(keys: Run) -> None:
    made = created(keys, "--name", "x")
    keys("update", "x", "--description", "new", "--if-match", made["entity_tag"])
    assert "changed meanwhile" in keys("update", "x", "--name", "y", "--if-match", made["entity_tag"], code=2).stderr


def test_imports_are_streamed_and_bad_rows_are_listed(keys: Run, tmp_path: Path) -> None:
    rng = random.Random(21)
    values = [tokens.text(rng, 40) for _ in range(3)]
    table = tmp_path / "keys.csv"
    table.write_text(f"name,value,owner\na,{values[0]},x@e.org\nb,short,\nc,{values[1]},\n")
    done = keys(
        "import", table, "--provider", "github", "--owner", "team@e.org", "--action-when-leaked", "none", code=4
    )
    assert done.stdout == "2 new, 0 known already, 1 not usable\n"
    assert done.stderr.startswith(f"{table}:3: a value of 5 characters is too short")
    found = json.loads(keys("list", "--format", "json").stdout)["apikeys"]
    assert [(key["name"], key["owners"], key["provider"]) for key in found] == [
        ("a", ["x@e.org"], "github"),
        ("c", ["team@e.org"], "github"),
    ]
    dotenv = f"ONE={values[0]}\nTWO={values[2]}\n"
    assert keys("import", "-", stdin=dotenv).stdout == "1 new, 1 known already, 0 not usable\n"
    assert "cannot be read" in keys("import", tmp_path / "nowhere", code=3).stderr
    text = keys("show", "a").stdout + keys("list").stdout
    assert not any(value in text for value in values)


def test_keys_of_others_are_changed_at_their_provider(keys: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.env"
    file.write_text("NAME=" + tokens.text(random.Random(5), 30) + "\n")
    keys("import", file, "--provider", "acme")
    for words in (["disable", "NAME"], ["enable", "NAME"], ["delete", "NAME", "--yes"]):
        assert "acme" in keys(*words, code=3).stderr
    keys("lock", "NAME")
    assert "unlock it first" in keys("disable", "NAME", code=2).stderr
    keys("unlock", "NAME")
    keys("disable", "NAME", "--record-only")
    assert json.loads(keys("show", "NAME", "--format", "json").stdout)["state"] == "disabled"
    keys("delete", "NAME", "--record-only", "--yes")


def test_scopes_in_use_and_documented_ones(keys: Run) -> None:
    created(keys, "--name", "x", "--scope", "my.scope")
    lists = json.loads(keys("scopes", "--format", "json").stdout)
    assert lists["used"] == ["my.scope"]
    assert "yc.postbox.send" in lists["documented"]["yandex"]
    assert "- my.scope  (in use)" in keys("scopes").stdout


def test_times_are_understood_or_refused(keys: Run) -> None:
    ends = created(keys, "--name", "a", "--expires-at", "2199-12-31T18:30+02:00")["expires_at"]
    assert ends == "2199-12-31T16:30:00Z"
    assert created(keys, "--name", "b", "--expires-at", "2199-12-31")["expires_at"] == "2199-12-31T00:00:00Z"
    for wrong in ("tomorrow", "32.12.2199", ""):
        assert "a time is written like" in keys("create", "--name", "c", "--expires-at", wrong, code=2).stderr


def test_hostile_names_do_not_reach_the_terminal(keys: Run) -> None:
    created(keys, "--name", "red \x1b[31m", "--description", "\x1b]0;title\x07")
    for words in (["list"], ["show", "red \x1b[31m"]):
        assert "\x1b" not in keys(*words).stdout


def test_every_command_helps_with_an_example(keys: Run) -> None:
    names = re.findall(r"^  ([a-z]+)  ", keys("--help").stdout, re.MULTILINE)
    assert len(names) == 14
    for name in names:
        text = keys(name, "--help").stdout
        assert f"Example: keyfuse keys {name}" in text


# --- PGP ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pgp_home(tmp_path: Path) -> Path:
    """A GnuPG home with a key pair in it, and the public half in `public.asc`."""
    if shutil.which("gpg") is None:
        pytest.skip("there is no gpg here")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    subprocess.run(
        [*gpg, "--passphrase", "", "--quick-gen-key", "someone@example.org", "rsa2048", "encrypt,sign", "never"],
        check=True,
        capture_output=True,
    )
    for name, armour in (("public.asc", ["--armor"]), ("public.bin", [])):
        subprocess.run([*gpg, *armour, "--output", str(home / name), "--export", "someone@example.org"], check=True)
    return home


def test_the_value_is_shown_only_encrypted(keys: Run, pgp_home: Path, tmp_path: Path) -> None:
    def opened(message: str) -> str:
        gpg = ["gpg", "--homedir", str(pgp_home), "--batch", "--quiet", "--decrypt"]
        return subprocess.run(gpg, input=message, capture_output=True, text=True, check=True).stdout

    made = created(keys, "--name", "x", "--pgp-key", pgp_home / "public.asc")
    assert made["apikey"] == ""
    assert keys("verify", "-", stdin=opened(made["apikey_pgp"]))
    text = keys("create", "--name", "y", "--pgp-key", pgp_home / "public.bin").stdout
    assert "kfk_" not in text
    assert keys("verify", "-", stdin=opened(text[text.index("-----BEGIN PGP") :]))
    keys("create", "--name", "z", "--pgp-key", pgp_home / "public.asc", "--output", tmp_path / "z.yaml")
    answer = yaml.safe_load((tmp_path / "z.yaml").read_text())
    assert "secret" not in answer
    assert keys("verify", "-", stdin=opened(answer["secret_pgp"]))
    subprocess.run(["gpgconf", "--homedir", str(pgp_home), "--kill", "all"], check=False)


def test_what_is_no_pgp_key_is_refused_before_a_key_is_issued(keys: Run, tmp_path: Path) -> None:
    if shutil.which("gpg") is None:
        pytest.skip("there is no gpg here")
    file = tmp_path / "key.asc"
    file.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnonsense\n-----END PGP PUBLIC KEY BLOCK-----\n")
    assert "not a PGP public key" in keys("create", "--name", "x", "--pgp-key", file, code=2).stderr
    assert "cannot be read" in keys("create", "--name", "x", "--pgp-key", tmp_path / "no", code=2).stderr
    assert json.loads(keys("list", "--format", "json").stdout)["apikeys"] == []
