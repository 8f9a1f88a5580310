"""Whether what was found is still there for whoever takes a branch, and whether any ref leads to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scanner.errors import SourceError
from scanner.model import Finding, Origin, Place
from scanner.record import replace
from scanner.sources.git.command import Git, pipe, stop

_CONTENT = frozenset(
    {Place.FILE, Place.FILE_NAME, Place.BLOB, Place.INDEX, Place.STASH, Place.REFLOG, Place.UNREACHABLE, Place.NOTE}
)
_BRANCHES = ("--branches", "--remotes")


class Tips:
    """What the tips of all branches hold, as far as it was asked for: those of this repository and those it has seen
    of remotes, and what is checked out.

    `findings` are the ones that will be asked about, with the paths of their objects. `complete` is whether all objects
    were looked at.
    """

    def __init__(self, git: Git, findings: Sequence[Finding], *, complete: bool) -> None:
        self._complete = complete
        blobs = {each.origin.blob for each in findings if _is_content(each) and each.origin.blob}
        names = {each.origin.path for each in findings if _is_name(each)}
        self._whole = True
        self._held = self._objects(git, blobs) if blobs else frozenset()
        self._paths = self._named(git, names) if names else frozenset()

    def standing(self, group: Sequence[Finding], origin: Origin) -> Origin:
        """The origin that stands for a leak, with what is known of all its sightings."""
        if origin.place is Place.REF_NAME:
            return replace(origin, reachable=True)
        if not any(map(_is_content, group)):
            return origin
        in_tip = any(self._holds(each) for each in group)
        reachable = [each.origin.reachable for each in group if each.origin.blob is not None]
        return replace(
            origin,
            in_tip=True if in_tip else False if self._complete and self._whole else None,
            reachable=True if True in reachable else None if None in reachable or not self._complete else False,
        )

    def _holds(self, finding: Finding) -> bool:
        if _is_name(finding):
            return finding.origin.path in self._paths
        return finding.origin.blob in self._held

    def _objects(self, git: Git, wanted: Iterable[str | None]) -> frozenset[str]:
        """Those of the wanted objects that some tip holds."""
        left = {id.encode() for id in wanted if id}
        held = set()
        head = ("HEAD",) if git.head() is not None else ()
        listing = ("--objects", "--no-walk", "--no-object-names", "--missing=print", "--ignore-missing")
        process = git.start("rev-list", *listing, *_BRANCHES, *head, "--")
        try:
            for line in pipe(process.stdout):
                id = line.rstrip(b"\n")
                if id.startswith(b"?"):
                    self._whole = False
                elif id in left:
                    left.remove(id)
                    held.add(id.decode())
                    if not left:
                        return frozenset(held)
            self._whole = self._whole and process.wait() == 0
        finally:
            stop(process)
        return frozenset(held)

    def _named(self, git: Git, paths: Iterable[str]) -> frozenset[str]:
        """Those of the paths that some tip has."""
        asked = sorted(path for path in paths if "\n" not in path)
        try:
            tips = git.run("rev-list", "--no-walk", *_BRANCHES, "--").split()
            if (head := git.head()) is not None:
                tips.append(head.encode())
            questions = [b"%s:%s\n" % (tip, _raw(path)) for tip in set(tips) for path in asked]
            answers = git.run("cat-file", "--batch-check=%(objecttype)", stdin=b"".join(questions)).split(b"\n")
        except SourceError:
            self._whole = False
            return frozenset()
        kinds = (b"blob", b"tree", b"commit")
        return frozenset(path for path, answer in zip(asked * len(set(tips)), answers, strict=False) if answer in kinds)


def _is_content(finding: Finding) -> bool:
    origin = finding.origin
    return origin.place in _CONTENT and not (origin.place is Place.REFLOG and origin.blob is None)


def _is_name(finding: Finding) -> bool:
    return finding.origin.place is Place.FILE_NAME


def _raw(path: str) -> bytes:
    return path.encode(errors="surrogateescape")
