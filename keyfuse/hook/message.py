"""What a hook says to the person who commits or pushes. Text only; secrets are masked before they get here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from keyfuse.hook.stage import Stage
from scanner.model import Finding, Place, Skipped, printable

if TYPE_CHECKING:
    from responders.registry import KnownKey

_TOLD_ONE_BY_ONE = 20


class Hit(NamedTuple):
    """A finding, and whose key it is where the registry knows. `mark` is the reason of an inline mark that lost."""

    finding: Finding
    known: KnownKey | None = None
    mark: str | None = None


class Outcome(NamedTuple):
    """What the look at one commit or push came to.

    blocking   keys that it adds
    older      keys on lines that it does not touch; they do not count
    skipped    what could not be looked at
    notes      what else has to be said
    """

    blocking: Sequence[Hit] = ()
    older: Sequence[Hit] = ()
    skipped: Sequence[Skipped] = ()
    notes: Sequence[str] = ()


def text(stage: Stage, outcome: Outcome, *, verbose: bool, allow_incomplete: bool) -> str:
    """The whole message; empty when there is nothing to say."""
    parts = [*_keys(stage, outcome.blocking), *_skipped(stage, outcome, allow_incomplete=allow_incomplete)]
    if verbose and outcome.older:
        parts.append(
            f"keyfuse: {_count(len(outcome.older), 'key')} on lines that do not change; nothing is refused for it"
        )
        parts.extend(_each(outcome.older))
    parts.extend(f"keyfuse: note: {note}" for note in outcome.notes)
    return "".join(part + "\n" for part in parts)


def _keys(stage: Stage, hits: Sequence[Hit]) -> Iterator[str]:
    if not hits:
        return
    yield f"keyfuse: {_REFUSED[stage]}: {_count(len(hits), 'key')} in what it adds"
    yield ""
    yield from _each(hits)
    yield ""
    yield from _next_steps(stage, hits)


_REFUSED = {
    Stage.PRE_COMMIT: "commit refused",
    Stage.PRE_PUSH: "push refused",
    Stage.PRE_RECEIVE: "push refused",
}


def _each(hits: Sequence[Hit]) -> Iterator[str]:
    for hit in hits[:_TOLD_ONE_BY_ONE]:
        finding = hit.finding
        yield f"  {_where(finding)}  {printable(finding.kind.name)}  {printable(finding.masked)}"
        if hit.known is not None:
            yield f"      registered as {printable(repr(hit.known.name))}{_owners(hit.known)}, {hit.known.state.value}"
        if hit.mark is not None:
            yield "      an inline mark is there, but cannot silence an active registered key"
    if len(hits) > _TOLD_ONE_BY_ONE:
        yield f"  and {len(hits) - _TOLD_ONE_BY_ONE} more"


def _where(finding: Finding) -> str:
    origin = finding.origin
    path = printable("!".join((origin.path, *origin.inside))) or printable((origin.blob or "?")[:12])
    commit = f" in commit {origin.commit[:10]}" if origin.commit else ""
    match origin.place:
        case Place.FILE | Place.INDEX | Place.BLOB:
            return f"{path}:{finding.span.start_line}:{finding.span.start_column}{commit}"
        case place:
            return f"{place.value} {printable((origin.commit or origin.blob or origin.path)[:10])}"


def _owners(known: KnownKey) -> str:
    return f" of {printable(', '.join(known.owners))}" if known.owners else ""


def _next_steps(stage: Stage, hits: Sequence[Hit]) -> Iterator[str]:
    if stage is Stage.PRE_COMMIT:
        yield "  Take it out:     keep the value outside the repository, then `git add` the file again."
    else:
        yield "  Take it out:     rewrite the commits that hold it (git rebase -i, git commit --amend), and push again."
        yield "                   Replace the key if anybody else can have seen it."
    if any(hit.known is None for hit in hits):
        yield "  Not a secret:    say so on its line, with a reason: keyfuse:allow REASON"
    yield f"  Only this once:  {stage.bypass}"


def _skipped(stage: Stage, outcome: Outcome, *, allow_incomplete: bool) -> Iterator[str]:
    if not outcome.skipped:
        return
    refused = not outcome.blocking and not allow_incomplete
    head = f"{_REFUSED[stage]}: " if refused else ""
    yield f"keyfuse: {head}{_count(len(outcome.skipped), 'item')} could not be looked at"
    for skipped in outcome.skipped[:_TOLD_ONE_BY_ONE]:
        yield f"  {printable(skipped.origin)}: {printable(skipped.reason)}"
    if len(outcome.skipped) > _TOLD_ONE_BY_ONE:
        yield f"  and {len(outcome.skipped) - _TOLD_ONE_BY_ONE} more"
    if refused:
        yield f"  Look yourself, then:  {stage.bypass}"
        yield f"  Only warn from now:   keyfuse hook install {stage.value} --allow-incomplete"


def could_not_check(stage: Stage, reason: str) -> str:
    """What to say when the check itself failed: nothing was looked at, so nothing is let through."""
    lines = "\n".join(printable(line) for line in reason.splitlines())
    return (
        f"keyfuse: {_REFUSED[stage]}: it could not be checked for keys: {lines}\n"
        f"  Find out why:    keyfuse doctor\n"
        f"  Only this once:  {stage.bypass}\n"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
