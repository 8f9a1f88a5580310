"""`keyfuse audit`: look on demand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyfuse.cli.session import Session
from scanner.model import Confidence
from scanner.report import FORMATS

if TYPE_CHECKING:
    from scanner.options import Silencer

EPILOG = """\b
Examples:
  keyfuse audit .                                 files, index and the whole history of a repository
  keyfuse audit . --staged                        what the next commit would add
  keyfuse audit . --respond                       and apply each registered key's leak action
  keyfuse audit https://example.org/app.git --format sarif --output report.sarif
  pg_dump app | keyfuse audit -

Exit codes: 0 nothing found, 1 leaks found, 2 wrong usage, 3 could not run, 4 nothing found but something
could not be looked into (listed), 5 a leak action was wanted and is not proven done.
"""


@click.command("audit", epilog=EPILOG)
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@click.option("--staged", is_flag=True, help="Only what the next commit adds.")
@click.option("--since", metavar="REV", help="Only what was committed after REV.")
@click.option("--range", "commits", metavar="A..B", help="Only these commits.")
@click.option("--no-history", is_flag=True, help="Files and index only.")
@click.option("--all-refs", is_flag=True, help="Only what a ref leads to (default: every object there is).")
@click.option("--ref", metavar="REF", help="Only what this ref leads to.")
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How to report."
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report here (mode 0600).")
@click.option("--respond", is_flag=True, help="Apply each registered key's leak action, and tell people.")
@click.option("--verify", is_flag=True, help="Ask providers whether what was found is alive (uses the network).")
@click.option(
    "--rules", "rule_files", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="Rules of your own."
)
@click.option("--only-rule", metavar="ID", multiple=True, help="Use only this rule; may be repeated.")
@click.option("--disable-rule", metavar="ID", multiple=True, help="Do not use this rule; may be repeated.")
@click.option(
    "--min-confidence", type=click.Choice(["low", "medium", "high"]), help="Report nothing below (default: medium)."
)
@click.option("--baseline", type=click.Path(path_type=Path), help="Suppressions to apply.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 although leaks were found.")
@click.option("--reveal", is_flag=True, help="Print plaintext. Mind where the output goes.")
@click.option("--jobs", type=click.IntRange(0, 256), help="Processes to scan with (default: one a core).")
@click.pass_obj
def command(
    session: Session,
    targets: tuple[str, ...],
    staged: bool,
    since: str | None,
    commits: str | None,
    no_history: bool,
    all_refs: bool,
    ref: str | None,
    form: str,
    output: Path | None,
    respond: bool,
    verify: bool,
    rule_files: tuple[Path, ...],
    only_rule: tuple[str, ...],
    disable_rule: tuple[str, ...],
    min_confidence: str | None,
    baseline: Path | None,
    exit_zero: bool,
    reveal: bool,
    jobs: int | None,
) -> int:
    """Look for leaked keys in files, directories, git repositories, git URLs, archives or standard input (-).

    Without a TARGET it looks at the current directory. A repository means its files, its index and every object of its
    history. Without --verify and --respond nothing but the targets is asked, and nothing is changed.
    """
    from keyfuse.auditing import AuditRequest, limits_of, run_audit  # noqa: PLC0415  (--help must not load the engine)
    from scanner.options import Options  # noqa: PLC0415
    from scanner.sources.target import TargetOptions  # noqa: PLC0415

    settings = session.config
    options = Options(
        min_confidence=Confidence[min_confidence.upper()] if min_confidence else settings.scan.min_confidence,
        only_rules=frozenset(only_rule or settings.rules.only),
        disabled_rules=frozenset((*disable_rule, *settings.rules.disable)),
        foreign_marks=settings.scan.foreign_marks,
        baseline=_baseline(session, baseline) if baseline else None,
        archives=settings.scan.unpack,
        encodings=settings.scan.decode,
        limits=limits_of(session),
    )
    part = TargetOptions(staged=staged, since=since, range=commits, ref=ref, all_refs=all_refs, history=not no_history)
    request = AuditRequest(
        targets=targets or (".",),
        part=part,
        options=options,
        rule_files=(*settings.rules.files, *rule_files),
        form=form,
        output=output,
        respond=respond,
        verify=verify,
        exit_zero=exit_zero,
        reveal=reveal,
        jobs=settings.scan.jobs if jobs is None else jobs,
    )
    return run_audit(request, session)


def _baseline(session: Session, path: Path) -> Silencer:
    from scanner.suppress import Baseline  # noqa: PLC0415  (only where one is given)

    return Baseline.load(path, session.clock().date())
