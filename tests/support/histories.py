"""Histories made at random and at once: edits, moves, reverts and renames around secrets, packed as git packs them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from scanner.errors import UsageError
from scanner.rule import Rule
from scanner.samples import sample
from tests.support.repositories import Repository
from tests.support.tokens import github_token, text

_WORDS = (
    *("lorem", "ipsum", "dolor", "sit", "amet", "consetetur", "sadipscing"),
    *("elitr", "sed", "diam", "nonumy", "eirmod"),
)
_NAMES = ("a.py", "b.txt", "dir/c.yaml", "dir/sub/d.ini", "e", "f.json")


class History:
    """The files of a repository that is being made up."""

    def __init__(self, rng: random.Random, rules: Sequence[Rule]) -> None:
        self.rng = rng
        self.rules = rules
        self.files: dict[str, bytes] = {}
        self.before: list[dict[str, bytes]] = []
        self.begun: tuple[str, bytes, bytes] | None = None

    def line(self) -> bytes:
        """A line of no meaning, seldom a long one."""
        count = self.rng.randrange(60, 400) if self.rng.random() < 0.02 else self.rng.randrange(1, 12)
        return (" " * self.rng.choice((0, 0, 4, 8)) + " ".join(self.rng.choices(_WORDS, k=count))).encode() + b"\n"

    def lines(self, least: int, most: int) -> bytes:
        """Some such lines."""
        return b"".join(self.line() for _ in range(self.rng.randrange(least, most)))

    def secret(self) -> bytes:
        """Text with a secret, of any rule or of none, and with its name some way before it or right there."""
        rng = self.rng
        kind = rng.randrange(8)
        if kind == 0:
            return f"token = '{github_token(rng)}'\n".encode()
        if kind == 1:
            name = rng.choice(("password", "client_secret", "db_passwd", "api_key"))
            value = text(rng, rng.choice((12, 24, 40)))
            return f'{name}{rng.choice((" = ", ": ", "="))}"{value}"\n'.encode()
        if kind == 2:
            name = rng.choice(("password", "auth_token"))
            between = rng.choice(("\n", " =\n" + " " * rng.randrange(30), ": |\n    "))
            return f"{name}{between}{text(rng, 20)}\n".encode()
        if kind == 3:
            body = "\n".join(text(rng, 64) for _ in range(rng.randrange(3, 40)))
            label = "RSA PRIVATE KEY"
            return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()
        for _ in range(20):
            rule = rng.choice(self.rules)
            try:
                made = sample(rule, rng).text
            except UsageError:
                continue
            words = made.split(b" ", 1)
            if len(words) == 2 and rng.random() < 0.6:
                made = words[0] + rng.choice((b"\n", b"\n" + b" " * rng.randrange(60), b" ")) + words[1]
            return made + b"\n"
        return b"\n"

    def begin(self, name: str) -> bytes:
        """A part of a secret's text: the next edits may add what stands before or behind it."""
        whole = self.secret()
        cut = self.rng.randrange(1, max(len(whole), 2))
        self.begun = (name, whole[:cut], whole[cut:])
        return self.rng.choice((whole[:cut], whole[cut:]))

    def finished(self) -> dict[str, bytes | None]:
        """The file with the rest of what was begun in it."""
        name, head, tail = self.begun or ("", b"", b"")
        self.begun = None
        old = self.files.get(name)
        if old is None:
            return {}
        if head and old.count(head) == 1:
            return {name: old.replace(head, head + tail)}
        return {name: old.replace(tail, head + tail)} if tail and old.count(tail) == 1 else {}

    def edit(self, name: str, old: bytes) -> bytes:
        """A later version of a file."""
        rng = self.rng
        lines = old.splitlines(keepends=True)
        at = rng.randrange(len(lines) + 1)
        match rng.randrange(9):
            case 0 | 1:
                lines[at:at] = [self.lines(1, 8)]
            case 2:
                del lines[at : at + rng.randrange(1, 12)]
            case 3:
                lines[at:at] = [self.secret()]
            case 4:
                lines[at:at] = [self.begin(name)]
            case 5:
                block = lines[at : at + rng.randrange(1, 40)]
                to = rng.randrange(len(lines) + 1)
                lines[to:to] = block
            case 6 | 7:
                data = bytearray(old)
                for _ in range(rng.randrange(1, 4)):
                    spot = rng.randrange(len(data) + 1)
                    data[spot : spot + rng.randrange(3)] = rng.choice((b"\n", b" ", b"x", b"7", b'"', b"", b"\n\n\n"))
                return bytes(data)
            case _:
                lines[at:at] = [rng.choice((b"\0\1\2", b'"""\n', b"secret:\n", b"key\n", b"# keyfuse:ignore\n"))]
        return b"".join(lines)

    def step(self) -> dict[str, bytes | None]:
        """The files that the next commit changes; None removes one."""
        rng = self.rng
        if self.begun and rng.random() < 0.5 and (changed := self.finished()):
            return changed
        name = rng.choice(_NAMES)
        old = self.files.get(name)
        if old is None:
            return {name: self.lines(10, 400)}
        chance = rng.random()
        if chance < 0.05 and self.before:
            return dict(rng.choice(self.before))
        if chance < 0.10:
            return {name: None, rng.choice(_NAMES): old}
        if chance < 0.13:
            return {name: old + b"".join(rng.choices([*self.files.values()], k=1))}
        if chance < 0.15:
            return {name: rng.randbytes(rng.randrange(3000)) + b"\0" + old}
        return {name: self.edit(name, old)}


def made_up(path: Path, seed: int, commits: int, rules: Sequence[Rule], object_format: str = "sha1") -> Repository:
    """A bare repository with a history that the seed decides, in one pack or several, some of it loose."""
    rng = random.Random(seed)
    history = History(rng, rules)
    repository = Repository.new(path, bare=True, object_format=object_format)
    parts = rng.choice((1, 1, 2, 3))
    for part in range(parts):
        stream: list[bytes] = []
        for number in range(commits // parts):
            _commit(history, part * commits + number, stream.append, first=number == 0 and part > 0)
        limit = rng.choice(("0", "100"))  # fewer objects than that stay loose
        repository.git("-c", f"fastimport.unpackLimit={limit}", "fast-import", "--quiet", stdin=b"".join(stream))
        if part == 0 or rng.random() < 0.5:
            depth, window = rng.choice(((50, 10), (4000, 60), (3, 50), (50, 250)))
            repository.git("repack", "-q", "-d", "-f", f"--depth={depth}", f"--window={window}")
    return repository


def _commit(history: History, number: int, write: Callable[[bytes], None], *, first: bool) -> None:
    changed = history.step()
    history.before = [*history.before[-20:], dict(history.files)]
    for name, content in changed.items():
        if content is None:
            history.files.pop(name, None)
        else:
            history.files[name] = content[: 1 << 18]
    message = b"change %d\n" % number
    if history.rng.random() < 0.05:
        message += history.secret()
    write(b"commit refs/heads/main\ncommitter Carl Keeper <carl@example.org> %d +0000\n" % (1_700_000_000 + number))
    write(b"data %d\n%s\n" % (len(message), message))
    if first:
        write(b"from refs/heads/main^0\n")
    write(b"deleteall\n")
    for name, content in history.files.items():
        write(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(content), content))
