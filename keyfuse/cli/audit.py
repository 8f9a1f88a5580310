"""`keyfuse audit`: look on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keyfuse.order import CHOICES, AuditOrder
from keyfuse.session import Session

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
@click.option("--since", metavar="REV", help="Only what is new in commits after REV.")
@click.option("--range", "commits", metavar="A..B", help="Only what is new in these commits.")
@click.option("--no-history", is_flag=True, help="Files and index only.")
@click.option("--all-refs", is_flag=True, help="Only what a ref leads to (default: every object there is).")
@click.option("--ref", metavar="REF", help="Only what this ref leads to.")
@click.option(
    "--format",
    "form",
    type=click.Choice(CHOICES["--format"][1]),
    default="text",
    show_default=True,
    help="The report.",
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
    "--min-confidence",
    type=click.Choice(CHOICES["--min-confidence"][1]),
    help="Report nothing below (default: as configured).",
)
@click.option("--baseline", type=click.Path(path_type=Path), help="Suppressions to apply.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 although leaks were found.")
@click.option("--reveal", is_flag=True, help="Print plaintext. Mind where the output goes.")
@click.option("--jobs", type=click.IntRange(0, 256), help="Processes to scan with (default: one a core).")
@click.pass_obj
def command(session: Session, /, **given: Any) -> int:
    """Look for leaked keys in files, directories, git repositories, git URLs, archives or standard input (-).

    Without a TARGET it looks at the current directory. A repository means its files, its index and every object of its
    history. Without --verify and --respond nothing but the targets is asked, and nothing is changed.
    """
    from keyfuse.auditing import audit  # noqa: PLC0415  (--help must not load the engine)

    return audit(AuditOrder(**given), session)
