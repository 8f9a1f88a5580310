"""The sentences that several formats share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from scanner.model import Origin, Place, Severity
from scanner.report.model import ActionNote, KeyNote, Report, Reported
from scanner.report.redact import Cleaner

VERBS = {
    "none": "do nothing",
    "disable": "disable the key",
    "delete": "delete the key",
    "suspend-owner": "suspend the key's owner",
}


def counted(number: int, noun: str) -> str:
    """`1 leak`, `2 leaks`, `1,234 leaks`."""
    plural = noun[:-1] + "ies" if noun.endswith("ry") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def shown_bytes(number: int) -> str:
    """A size in the unit that people would choose."""
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def path_of(origin: Origin, clean: Cleaner) -> str:
    """Path and archive members as one text; what has no path (a commit message) names its place."""
    path = "!".join(clean.clean(part) for part in (origin.path, *origin.inside))
    return path or origin.place.value


def provenance(origin: Origin, clean: Cleaner) -> str:
    """In which commit, by whom and when; empty for a plain file."""
    said = []
    if origin.place not in {Place.FILE, Place.STDIN, Place.BLOB}:
        said.append(origin.place.value)
    if origin.commit:
        said.append(f"commit {clean.clean(origin.commit)[:12]}")
    elif origin.ref:
        said.append(f"ref {clean.clean(origin.ref)}")
    if origin.author:
        said.append(f"by {clean.clean(origin.author)}")
    if origin.date:
        said.append(clean.clean(origin.date))
    if origin.in_tip and origin.commit:
        said.append("still in a branch's tip")
    elif origin.in_tip is False and origin.reachable and origin.place is not Place.FILE:
        said.append("no longer in any branch's tip")
    if origin.reachable is False and origin.commit is None and origin.place in {Place.FILE, Place.INDEX}:
        said.append("in no commit")
    elif origin.reachable is False and (origin.commit or origin.blob):
        said.append("no ref leads to it")
    return ", ".join(said)


def ownership(key: KeyNote | None, clean: Cleaner) -> str:
    """Whose key it is."""
    if key is None:
        return "not in the registry: nobody's key as far as keyfuse knows"
    c = clean.clean
    return f"{c(key.name)} ({c(key.id)}) at {c(key.provider)}, {key.state}; when leaked: {key.action_when_leaked}"


def deed(action: ActionNote, clean: Cleaner) -> str:
    """What was done or would be done, and what came of it."""
    reason = f": {clean.clean(action.reason)}" if action.reason else ""
    if action.outcome == "planned":
        return f"would {VERBS.get(action.kind, action.kind)}{reason}"
    return f"{action.kind}: {action.outcome}{reason}"


def by_severity(report: Report) -> str:
    """`2 critical, 1 low`; the worst first."""
    counts = Counter(item.finding.kind.severity for item in report.findings)
    return ", ".join(f"{counts[each]:,} {each.label}" for each in sorted(Severity, reverse=True) if counts[each])


def totals(report: Report) -> str:
    """How much was looked at."""
    stats = report.stats
    return (
        f"Looked at {counted(stats.blobs, 'blob')}, {shown_bytes(stats.bytes)}, in {stats.seconds:.2f} s "
        f"(keyfuse {report.version}, rules {report.rules[:12]})."
    )


def next_steps(report: Report) -> Iterator[str]:
    """What a person does next; nothing when nothing was found or left out."""
    outcomes = Counter(item.action.outcome for item in report.findings if item.action)
    strangers = sum(item.key is None for item in report.findings)
    if outcomes["planned"]:
        yield f"{counted(outcomes['planned'], 'key action')} planned, none done: run again with --respond to do them."
    if waiting := outcomes["blocked"] + outcomes["failed"]:
        yield f"{counted(waiting, 'action')} not done: see `keyfuse leaks list`."
    if outcomes["unconfirmed"]:
        yield f"{counted(outcomes['unconfirmed'], 'action')} not proven yet: see `keyfuse leaks list`."
    if strangers:
        yield f"{counted(strangers, 'finding')} of keys that nobody registered: revoke them where they were issued."
    if report.findings:
        yield "Accept what is no secret with `keyfuse baseline create`, or with a keyfuse:allow comment on its line."
    if report.skipped:
        yield "What was skipped may hold keys: see the reasons above."


def order(item: Reported) -> tuple[str, tuple[str, ...], str, int, int]:
    """Sorts findings by file and place in it."""
    finding = item.finding
    origin = finding.origin
    return origin.path, origin.inside, origin.commit or "", finding.span.start_line, finding.span.start_column


def life(item: Reported, clean: Cleaner) -> str:
    """What the provider says of the key's life, and how that is known; nothing when nobody was asked."""
    reason = clean.clean(item.liveness_reason)
    return f"{item.liveness} ({reason})" if item.liveness and reason else item.liveness or ""
