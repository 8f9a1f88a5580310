"""The key file: made once, for its owner alone, and never replaced."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from responders.errors import KeyFileError
from responders.keyfile import load_or_create, sealer
from scanner.model import Secret


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory that is not there yet."""
    return tmp_path / "a" / "data"


def test_it_is_made_for_its_owner_alone_and_stays_the_same(data_dir: Path) -> None:
    first = load_or_create(data_dir).of(b"value")
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert [path.name for path in data_dir.iterdir()] == ["keyfuse.key"]
    assert stat.S_IMODE((data_dir / "keyfuse.key").stat().st_mode) == 0o600
    assert load_or_create(data_dir).of(b"value") == first


def test_every_installation_has_its_own(tmp_path: Path) -> None:
    assert load_or_create(tmp_path / "a").of(b"value") != load_or_create(tmp_path / "b").of(b"value")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_it_must_not_be_readable_by_others(data_dir: Path, mode: int) -> None:
    load_or_create(data_dir)
    key = data_dir / "keyfuse.key"
    key.chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 {key}"):
        load_or_create(data_dir)


@pytest.mark.parametrize("spoil", ["empty", "short", "changed", "binary", "other mark", "long"])
def test_damage_shows(data_dir: Path, spoil: str) -> None:
    load_or_create(data_dir)
    key = data_dir / "keyfuse.key"
    text = key.read_text()
    digit = text[20]
    key.write_bytes(
        {
            "empty": b"",
            "short": text[:60].encode(),
            "changed": (text[:20] + ("0" if digit != "0" else "1") + text[21:]).encode(),
            "binary": bytes(range(256)),
            "other mark": b"x" + text.encode(),
            "long": text.encode() * 100,
        }[spoil]
    )
    with pytest.raises(KeyFileError, match=r"damaged; restore it from a backup") as caught:
        load_or_create(data_dir)
    assert text.split()[1] not in str(caught.value)


@pytest.mark.parametrize("trace", ["keyfuse.db", "shapes.json"])
def test_a_missing_one_is_never_replaced_silently(data_dir: Path, trace: str) -> None:
    load_or_create(data_dir)
    (data_dir / "keyfuse.key").unlink()
    (data_dir / trace).write_text("")
    with pytest.raises(KeyFileError, match=r"missing.*restore the key file from a backup"):
        load_or_create(data_dir)
    assert not (data_dir / "keyfuse.key").exists()


def test_a_directory_or_a_pipe_in_its_place(data_dir: Path) -> None:
    data_dir.mkdir(parents=True)
    os.mkfifo(data_dir / "keyfuse.key", 0o600)
    with pytest.raises(KeyFileError, match="not a regular file"):
        load_or_create(data_dir)
    (data_dir / "keyfuse.key").unlink()
    (data_dir / "keyfuse.key").mkdir()
    with pytest.raises(KeyFileError, match=r"keyfuse\.key"):
        load_or_create(data_dir)


def test_where_no_directory_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match="cannot be used"):
        load_or_create(tmp_path / "file" / "data")


def test_several_processes_agree_on_one(data_dir: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from responders.keyfile import load_or_create\n"
        "print(load_or_create(Path(sys.argv[1])).of(b'value'))\n"
    )
    command = [sys.executable, "-c", script, str(data_dir)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    answers = {process.communicate()[0] for process in started}
    assert len(answers) == 1
    assert answers == {load_or_create(data_dir).of(b"value") + "\n"}
    assert [path.name for path in data_dir.iterdir()] == ["keyfuse.key"]


def test_loading_it_imports_nothing_heavy(data_dir: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from responders.keyfile import load_or_create\n"
        "from responders.shapes import read_shapes\n"
        "load_or_create(Path(sys.argv[1])); read_shapes(Path(sys.argv[1]))\n"
        "print([name for name in ('cryptography', 'sqlalchemy', 'alembic', 'secrets', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script, str(data_dir)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- sealing --------------------------------------------------------------------------------------------------------


def test_what_is_sealed_opens_again_after_a_restart(data_dir: Path) -> None:
    secret = Secret(b"some value \x00\xff")
    sealed = sealer(data_dir).seal(secret, "action:1")
    assert secret.reveal() not in sealed
    assert sealer(data_dir).unseal(sealed, "action:1") == secret


def test_the_same_secret_never_looks_the_same(data_dir: Path) -> None:
    box = sealer(data_dir)
    assert box.seal(Secret(b"value"), "a") != box.seal(Secret(b"value"), "a")


def test_it_opens_for_its_purpose_only_and_only_unchanged(data_dir: Path, tmp_path: Path) -> None:
    box = sealer(data_dir)
    sealed = box.seal(Secret(b"value"), "action:1")
    for wrong, purpose in (
        (sealed, "action:2"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), "action:1"),
        (sealed[:5], "action:1"),
        (b"", "action:1"),
    ):
        with pytest.raises(KeyFileError, match="does not open"):
            box.unseal(wrong, purpose)
    with pytest.raises(KeyFileError):
        sealer(tmp_path / "other").unseal(sealed, "action:1")


def test_it_shows_nothing(data_dir: Path) -> None:
    assert repr(sealer(data_dir)) == "Sealer(***)"
