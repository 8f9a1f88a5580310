"""Credentials by reference: where they are read, and what is said when they are not there."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from responders.references import LARGEST, Reference, resolve
from scanner.errors import ConfigError


def test_a_variable_a_file_and_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text("from a file\n")
    ring = ModuleType("keyring")
    ring.get_password = lambda service, user: f"{service} of {user}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", ring)
    assert resolve(Reference("T"), "token", {"T": " from a variable\n"}).reveal() == b"from a variable"
    assert resolve(Reference(file=path), "token", {}).reveal() == b"from a file"
    assert resolve(Reference(keyring="corp/vendor/me"), "token", {}).reveal() == b"corp/vendor of me"
    assert not Reference()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        (Reference("UNSET"), "variable UNSET"),
        (Reference("EMPTY"), "variable EMPTY"),
        (Reference(file=Path("/nowhere/token")), "cannot be read"),
        (Reference(keyring="no user"), "service/user"),
        (Reference(), "set token_env, token_file or token_keyring"),
    ],
)
def test_what_is_missing_is_said(reference: Reference, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve(reference, "token", {"EMPTY": " "})


@pytest.mark.parametrize("content", [b"", b" \n", b"x" * (LARGEST + 1)])
def test_a_file_that_holds_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"empty|too large"):
        resolve(Reference(file=path), "token", {})


def test_without_the_library_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match=r"keyfuse\[keyring\]"):
        resolve(Reference(keyring="a/b"), "token", {})


def test_an_empty_or_broken_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = ModuleType("keyring")
    ring.get_password = lambda service, user: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", ring)
    with pytest.raises(ConfigError, match="has nothing"):
        resolve(Reference(keyring="a/b"), "token", {})

    def broken(service: str, user: str) -> str:
        raise RuntimeError("locked: the-secret-itself")

    ring.get_password = broken  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="cannot be asked") as caught:
        resolve(Reference(keyring="a/b"), "token", {})
    assert "the-secret-itself" not in str(caught.value)
