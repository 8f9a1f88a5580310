"""Makes `scanner/likelihood.table` from text that is on any machine with Python: the standard library's source.

    python tools/train_likelihood.py [--check]

The same standard library gives the same table. `--check` trains, leaves the file alone and prints how well the model
tells apart what it was not trained on: every fifth word, and random strings and passwords made for the purpose.
"""

from __future__ import annotations

import argparse
import random
import re
import string
import sys
import sysconfig
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from math import log
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scanner import likelihood as model

TABLE = Path(model.TABLE)
IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{1,60}")
LITERAL = re.compile(rb"\"([^\"\\\r\n]{2,60})\"|'([^'\\\r\n]{2,60})'")
ALPHABETS = (
    "0123456789abcdef",
    string.ascii_lowercase + string.digits,
    string.ascii_uppercase + "234567",
    string.ascii_letters + string.digits,
    string.ascii_letters + string.digits + "+/",
    string.ascii_letters + string.digits + "-_",
)
SIGNS = "!!!@@#$%&*?._-+="
SWAPS = {"a": "@4", "e": "3", "i": "1!", "o": "0", "s": "$5", "t": "7"}


def texts() -> Counter[bytes]:
    """Identifiers, string literals and words of the standard library, with how often each is written."""
    found: Counter[bytes] = Counter()
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        inside = set(path.relative_to(root).parts)
        if inside & {"test", "tests", "idle_test", "site-packages", "dist-packages", "encodings", "lib2to3"}:
            continue
        content = path.read_bytes()
        found.update(IDENTIFIER.findall(content))
        found.update(one or other for one, other in LITERAL.findall(content))
    return found


def random_token(rng: random.Random) -> bytes:
    """What a provider's generator makes."""
    alphabet = rng.choice(ALPHABETS)
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(16, 48))).encode()


def password(rng: random.Random, words: list[bytes]) -> bytes:
    """What a person thinks up: a word or two, capitals, swapped letters, digits and signs."""
    parts = [rng.choice(words).decode().lower() for _ in range(rng.choice((1, 1, 1, 2)))]
    case = rng.random()
    if case < 0.45:
        parts = [part.capitalize() for part in parts]
    elif case < 0.5:
        parts = [part.upper() for part in parts]
    elif case < 0.55:
        parts = ["".join(rng.choice((c, c.upper())) for c in part) for part in parts]
    text = rng.choice(("", "", "", "-", "_", ".")).join(parts)
    if rng.random() < 0.3:
        text = "".join(rng.choice(SWAPS[c]) if c in SWAPS and rng.random() < 0.6 else c for c in text)
    if rng.random() < 0.65:
        text += rng.choice(
            (str(rng.randint(0, 9)), "123", "1234", str(rng.randint(1950, 2030)), str(rng.randint(10, 99)))
        )
    if rng.random() < 0.4:
        mark = "".join(rng.choice(SIGNS) for _ in range(rng.choice((1, 1, 1, 2, 3))))
        text = rng.choice((text + mark, text + mark, mark + text))
    return text.encode()


def trigrams(folded: bytes, bits: int, mask: int) -> Iterator[int]:
    """Numbers of the triples in a folded text, the two before its beginning and the one after its end counted as 0."""
    code = 0
    for symbol in folded + b"\0":
        code = (code << bits | symbol) & mask
        yield code


def costs(counts: Mapping[int, float], bits: int, symbols: int) -> bytes:
    """Quantised `-ln p(third | first, second)`, smoothed by what follows the second alone, and by all that follow."""
    pairs: Counter[int] = Counter()
    firsts: Counter[int] = Counter()
    singles: Counter[int] = Counter()
    whole = 0.0
    low = (1 << bits) - 1
    double = (1 << 2 * bits) - 1
    for code, count in counts.items():
        pairs[code >> bits] += count  # type: ignore[assignment]
        firsts[code & double] += count  # type: ignore[assignment]
        singles[code & low] += count  # type: ignore[assignment]
        whole += count
    followed: Counter[int] = Counter()
    for pair, count in firsts.items():
        followed[pair >> bits] += count
    table = bytearray()
    for code in range(1 << 3 * bits):
        flat = (singles[code & low] + 1) / (whole + symbols)
        near = (firsts[code & double] + 8 * flat) / (followed[(code & double) >> bits] + 8)
        exact = (counts.get(code, 0) + 8 * near) / (pairs[code >> bits] + 8)
        table.append(min(255, round(-log(exact) * model.SCALE)))
    return bytes(table)


def case_costs(counts: Mapping[int, float]) -> bytes:
    """Quantised `-ln p(case | two kinds before)` of letters; nothing for what has no case."""
    table = bytearray(model.KINDS)
    for context in range(64):
        small, capital = (counts.get(context << 3 | kind, 0) + 0.5 for kind in (model.LOWER, model.UPPER))
        for kind, count in ((model.LOWER, small), (model.UPPER, capital)):
            table[context << 3 | kind] = min(255, round(-log(count / (small + capital)) * model.SCALE))
    return bytes(table)


def train(found: Mapping[bytes, int], words: list[bytes]) -> bytes:
    """The table's content. Each text weighs as the logarithm of its count, so that `self` does not drown the rest."""
    letters: Counter[int] = Counter()
    kinds: Counter[int] = Counter()
    invented: Counter[int] = Counter()
    for text, count in sorted(found.items()):
        weight = 1 + log(count)
        for code in trigrams(text.translate(model.SYMBOLS), 5, 0x7FFF):
            letters[code] += weight  # type: ignore[assignment]
        for code in trigrams(text.translate(model.KIND), 3, 0x1FF):
            kinds[code] += weight  # type: ignore[assignment]
    rng = random.Random(20)
    for _ in range(60_000):
        invented.update(trigrams(password(rng, words).translate(model.KIND), 3, 0x1FF))
    return model.MAGIC + costs(letters, 5, 31) + case_costs(kinds) + costs(kinds, 3, 7) + costs(invented, 3, 7)


def held_back(text: bytes) -> bool:
    """Every fifth text, whatever the order they come in."""
    return zlib.crc32(text) % 5 == 0


def check(found: Mapping[bytes, int], words: list[bytes]) -> None:
    """Prints how many of each kind the model takes for random or for invented."""
    rng = random.Random(7)
    samples = {
        "identifiers": [text for text in sorted(found) if held_back(text) and len(text) >= 6],
        "random": [random_token(rng) for _ in range(5000)],
        "passwords": [password(rng, words) for _ in range(5000)],
    }
    for name, values in samples.items():
        randoms = sum(model.likelihood(value) > 4 for value in values) / len(values)
        inventions = sum(model.invention(value) > 0 for value in values) / len(values)
        print(f"{name:12} {len(values):6}  random {randoms:7.2%}  invented {inventions:7.2%}")


def main() -> None:
    """Trains, and writes or checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="print how well the shipped table does; write nothing")
    arguments = parser.parse_args()
    found = texts()
    words = [word for word in sorted(found) if 3 <= len(word) <= 9 and word.isalpha() and word.islower()]
    if arguments.check:
        check(found, words)
        return
    TABLE.write_bytes(train({text: count for text, count in found.items() if not held_back(text)}, words))
    print(f"{TABLE}: {TABLE.stat().st_size} bytes from {len(found)} texts")


if __name__ == "__main__":
    main()
