"""What is timed: real file trees, a repository with a long history, a staged change, one small file.

Everything follows from fixed versions and a fixed seed, so that two machines time the same bytes. No token is kept in
this repository: those that are planted are made up here.
"""

from __future__ import annotations

import random
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import get_context
from pathlib import Path

WHEELS = (
    *("ansible==11.5.0", "apache-airflow-providers-google==14.1.0", "botocore==1.37.0", "django==5.2"),
    *("kubernetes==32.0.1", "notebook==7.3.3", "plotly==6.0.1", "sympy==1.13.3"),
)
COMMITS = 20_000
PLANTED = 40
SEED = 20_261_121
_BEGAN = 1_600_000_000
_SIZES = range(2_000, 120_000)


def git(*words: str, cwd: Path) -> None:
    """Runs git. Raises CalledProcessError."""
    subprocess.run(["git", *words], cwd=cwd, check=True)


def apart(build: Callable[..., None], *arguments: object) -> None:
    """Builds in a process of its own: a child's peak of memory counts what its parent held when it was started."""
    process = get_context("spawn").Process(target=build, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{build.__name__} failed")


def build_tree(place: Path) -> None:
    """Unpacked wheels, half a gigabyte."""
    wheels = place.parent / "wheels"
    for wheel in WHEELS:
        name = wheel.partition("==")[0]
        if (place / name).exists():
            continue
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(wheels)]
        subprocess.run([*pip, wheel], check=True)
        stem = name.replace("-", "_")
        (archive,) = (each for each in wheels.iterdir() if each.name.lower().replace("-", "_").startswith(stem + "_"))
        with zipfile.ZipFile(archive) as members:
            members.extractall(place / name)


def build_history(place: Path, commits: int = COMMITS, planted: int = PLANTED) -> None:
    """A repository of small edits to the standard library's source; some tokens lie in its past only."""
    if (place / ".git").exists():
        return
    place.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=place)
    importer = subprocess.Popen(["git", "fast-import", "--quiet", "--depth=50"], cwd=place, stdin=subprocess.PIPE)
    pipe = importer.stdin
    if pipe is None:
        raise AssertionError("a pipe was asked for")
    for number, changed in enumerate(_edits(random.Random(SEED), commits, planted)):
        pipe.write(
            b"commit refs/heads/main\nmark :%d\ncommitter Bench <bench@example.org> %d +0000\ndata 4\nedit\n"
            % (number + 1, _BEGAN + number * 600)
        )
        for name, content in changed.items():
            pipe.write(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(content), content))
    pipe.close()
    if importer.wait():
        raise SystemExit("git fast-import failed")
    git("repack", "-adfq", "--depth=50", "--window=20", cwd=place)
    git("checkout", "-qf", "main", cwd=place)


def build_staged(place: Path) -> None:
    """A small repository with one staged change."""
    if place.exists():
        return
    place.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=place)
    for number in range(200):
        (place / f"module_{number:03}.py").write_text(f"VALUE_{number} = {number}\n" * 50)
    git("add", "-A", cwd=place)
    git("-c", "user.name=Bench", "-c", "user.email=bench@example.org", "commit", "-qm", "start", cwd=place)
    (place / "module_007.py").write_text("VALUE_7 = 8\n" * 50)
    git("add", "module_007.py", cwd=place)


def build_one(place: Path) -> None:
    """One small file."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "settings.py").write_text("DEBUG = True\nNAME = 'demo'\n" * 20)


def build_files(place: Path, number: int) -> None:
    """So many files of the standard library's source, under other names when there are not enough."""
    if place.exists():
        return
    sources = list(sources_of_python().values())
    for at in range(number):
        below = place / f"{at // 200:04}"
        below.mkdir(parents=True, exist_ok=True)
        (below / f"file_{at:06}.py").write_bytes(b"".join(sources[at % len(sources)]))


def build_findings(place: Path, number: int) -> None:
    """So many made-up tokens, a hundred in a file."""
    if place.exists():
        return
    made = tokens(random.Random(SEED))
    for at in range(0, number, 100):
        below = place / f"{at // 20_000:04}"
        below.mkdir(parents=True, exist_ok=True)
        lines = (b'token_%d = "%s"\n' % (each, next(made)) for each in range(min(100, number - at)))
        (below / f"file_{at:06}.py").write_bytes(b"".join(lines))


def tokens(rng: random.Random) -> Iterator[bytes]:
    """Made-up GitHub tokens, with the right checksum."""
    from rules import FOLDER  # noqa: PLC0415 - who measures must be small, see `apart`
    from scanner import rulebook, samples  # noqa: PLC0415

    rule = rulebook.load([Path(FOLDER)]).by_id()["github-pat"]
    while True:
        yield samples.sample(rule, rng).secret


def sources_of_python() -> Mapping[str, list[bytes]]:
    """The standard library's source, by path, in lines."""
    root = Path(sysconfig.get_paths()["stdlib"])
    return {
        str(path.relative_to(root)): path.read_bytes().splitlines(keepends=True)
        for path in sorted(root.rglob("*.py"))
        if "site-packages" not in path.parts and path.stat().st_size in _SIZES
    }


def _edits(rng: random.Random, commits: int, planted: int) -> Iterator[Mapping[str, bytes]]:
    """What each commit changes."""
    files = dict(sources_of_python())
    names = sorted(files)
    lines = [line for name in names[::7] for line in files[name]]
    made = tokens(rng)
    plants = {rng.randrange(commits // 20 + 1, max(commits - 50, commits // 20 + 2)) for _ in range(planted)}
    leaving: dict[int, tuple[str, bytes]] = {}
    yield {name: b"".join(files[name]) for name in names}
    for number in range(1, commits):
        touched = {rng.choice(names) for _ in range(rng.choice((1, 1, 1, 2, 3)))}
        for name in touched:
            _edit(files[name], lines, rng)
        if number in leaving:
            name, line = leaving.pop(number)
            if line in files[name]:
                files[name].remove(line)
                touched.add(name)
        if number in plants:
            name, line = rng.choice(names), b'TOKEN = "%s"\n' % next(made)
            files[name].insert(rng.randrange(len(files[name]) + 1), line)
            leaving[min(commits - 1, number + rng.randrange(1, 40))] = (name, line)
            touched.add(name)
        yield {name: b"".join(files[name]) for name in touched}


def _edit(text: list[bytes], lines: list[bytes], rng: random.Random) -> None:
    """Puts lines in, takes some out, or replaces a few."""
    at, kind = rng.randrange(len(text) + 1), rng.random()
    if kind < 0.5:
        start = rng.randrange(len(lines) - 20)
        text[at:at] = lines[start : start + rng.randrange(1, 20)]
    elif kind < 0.8 and len(text) > 60:
        del text[at : at + rng.randrange(1, 15)]
    else:
        text[at : at + rng.randrange(1, 4)] = [rng.choice(lines)]
