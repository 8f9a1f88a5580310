"""Findings and reports to write down, without a scan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from scanner.model import (
    Confidence,
    Finding,
    Fingerprint,
    Origin,
    Place,
    Secret,
    Severity,
    Skipped,
    Span,
    Suppressed,
    TokenKind,
)
from scanner.report.model import ActionNote, KeyNote, Report, Reported, Stats

FORGE = TokenKind("forge-pat", "Forge personal access token", "forge", Severity.CRITICAL)
CLOUD = TokenKind("cloud-key", "Cloud key", "cloud", Severity.MEDIUM)
DEPLOY = KeyNote("key-1", "deploy-bot", "keyfuse", "disable", "active")
PLANNED = ActionNote("disable", "planned")
FINISHED = datetime(2026, 3, 1, 12, 30, 0, tzinfo=UTC)


def finding(
    secret: bytes = b"hush" * 6,
    path: str = "src/app.py",
    *,
    kind: TokenKind = FORGE,
    line: int = 3,
    masked: str = "hus…sh",
    origin: Origin | None = None,
    encoding: tuple[str, ...] = (),
    number: int = 0,
) -> Finding:
    """A finding; `number` tells fingerprints apart."""
    return Finding(
        kind=kind,
        secret=Secret(secret),
        fingerprint=Fingerprint(f"kfp1:{number:064x}"),
        span=Span(40, 40 + len(secret), line, 9, line, 9 + len(secret)),
        origin=origin or Origin(Place.FILE, path),
        confidence=Confidence.HIGH,
        masked=masked,
        encoding=encoding,
    )


def report(
    findings: Sequence[Reported] = (),
    *,
    suppressed: Sequence[Suppressed] = (),
    skipped: Sequence[Skipped] = (),
    reveal: bool = False,
) -> Report:
    """A report of a small audit."""
    return Report(
        findings=findings,
        suppressed=suppressed,
        skipped=skipped,
        stats=Stats(12, 34_567, 0.25),
        version="0.0.0",
        rules="f00d" * 16,
        finished=FINISHED,
        exit_code=1 if findings else 0,
        reveal=reveal,
    )


def full_report(*, reveal: bool = False) -> Report:
    """One of everything: registered and not, planned and done, in a file, a commit, an archive and a message."""
    commit = Origin(
        Place.BLOB,
        "old/settings.py",
        repository="/srv/repo",
        blob="b" * 40,
        commit="c" * 40,
        author="Ada <ada@example.org>",
        date="2026-01-02T03:04:05+00:00",
        in_tip=False,
        reachable=True,
    )
    message = Origin(Place.COMMIT_MESSAGE, "", commit="d" * 40, author="Bob <bob@example.org>", date="2026-01-03")
    archive = Origin(Place.FILE, "files/all of it.zip").within("inner/keys.txt")
    return report(
        [
            Reported(finding(), DEPLOY, PLANNED),
            Reported(finding(b"whisper" * 4, line=9, number=1, masked="whi…er", encoding=("base64",)), liveness="dead"),
            Reported(
                finding(origin=commit, kind=CLOUD, number=2), DEPLOY, ActionNote("disable", "contained", "read back")
            ),
            Reported(finding(origin=message, number=3), DEPLOY, ActionNote("delete", "blocked", "the key is locked")),
            Reported(finding(origin=archive, kind=CLOUD, number=4)),
        ],
        suppressed=[
            Suppressed(finding(path="tests/fixture.py", number=5), "inline", "made up"),
            Suppressed(finding(path="docs/a.md", number=6), "baseline", "revoked in March"),
        ],
        skipped=[Skipped("disk.img", "larger than 1 GiB"), Skipped("secret.gpg", "Permission denied")],
        reveal=reveal,
    )
