"""The likelihood model tells random text, words and thought-up passwords apart."""

import importlib.util
import random
import string
from pathlib import Path
from types import ModuleType

import pytest

from scanner import likelihood as model
from scanner.likelihood import invention, likelihood
from tests.support import tokens

ALPHABETS = {
    "hex": "0123456789abcdef",
    "base32": string.ascii_uppercase + "234567",
    "base36": string.ascii_lowercase + string.digits,
    "base62": tokens.BASE62,
    "base64": tokens.BASE62 + "+/",
    "letters": string.ascii_lowercase,
}
WORDS = ("getUserAccountName", "DEFAULT_TIMEOUT_SECONDS", "application/json", "connection refused", "parse_arguments")


@pytest.fixture(scope="module")
def trainer() -> ModuleType:
    path = Path(__file__).parents[3] / "tools" / "train_likelihood.py"
    spec = importlib.util.spec_from_file_location("train_likelihood", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_random_text_is_random_in_every_alphabet(alphabet: str) -> None:
    rng = random.Random(5)
    values = [likelihood(tokens.text(rng, 24, ALPHABETS[alphabet]).encode()) for _ in range(200)]
    assert sum(value > 10 for value in values) >= 198


@pytest.mark.parametrize("word", WORDS)
def test_words_are_not(word: str) -> None:
    assert likelihood(word.encode()) < 0


def test_evidence_grows_with_length() -> None:
    rng = random.Random(6)
    value = tokens.text(rng, 48).encode()
    assert likelihood(value[:12]) < likelihood(value[:24]) < likelihood(value)


def test_hex_with_a_few_other_characters_is_still_random() -> None:
    rng = random.Random(8)
    values = ["dapi" + tokens.text(rng, 32, ALPHABETS["hex"]) + "-3" for _ in range(200)]
    assert sum(likelihood(value.encode()) > 10 for value in values) >= 195


def test_only_the_beginning_of_long_values_counts() -> None:
    rng = random.Random(7)
    value = tokens.text(rng, model.LONGEST).encode()
    assert likelihood(value + b"and so on") == likelihood(value)


def test_no_value_says_nothing() -> None:
    assert likelihood(b"") == invention(b"") == 0


def test_any_bytes_have_a_likelihood() -> None:
    assert likelihood(bytes(range(256))) != 0


@pytest.mark.parametrize("invented", ["Summer" + "2019!", "Tr0ub4dor" + "&3", "hunter" + "42", "monkey" + "#123"])
def test_passwords_look_thought_up(invented: str) -> None:
    assert invention(invented.encode()) > 0


@pytest.mark.parametrize("name", ["maxTokens", "user_name", "password", "content-type", "isEnabledFor"])
def test_names_do_not(name: str) -> None:
    assert invention(name.encode()) < 0


def test_the_shipped_table_is_small() -> None:
    assert Path(model.TABLE).stat().st_size <= 64 * 1024


def test_a_damaged_table_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "likelihood.table"
    broken.write_bytes(Path(model.TABLE).read_bytes()[:-1])
    monkeypatch.setattr(model, "TABLE", str(broken))
    model._table.cache_clear()
    try:
        with pytest.raises(ValueError, match="install keyfuse again"):
            likelihood(b"anything")
    finally:
        monkeypatch.undo()
        model._table.cache_clear()


def test_training_is_repeatable_and_fits_the_table(trainer: ModuleType) -> None:
    found = {b"connection": 20, b"user_name": 3, b"timeout": 7}
    words = [b"summer", b"monkey", b"dragon"]
    table = trainer.train(found, words)
    assert table == trainer.train(dict(reversed(found.items())), words)
    assert len(table) == Path(model.TABLE).stat().st_size
    assert table.startswith(model.MAGIC)
