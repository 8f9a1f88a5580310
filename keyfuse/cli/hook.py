"""`keyfuse hook`: the git hooks that refuse what adds keys."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from keyfuse.exits import Exit
from keyfuse.hook.canary import Trial, try_hook
from keyfuse.hook.installer import Done, Outcome, Present, install, look, uninstall
from keyfuse.hook.repository import Repository, open_repository
from keyfuse.hook.script import Script
from keyfuse.hook.stage import Stage
from scanner.errors import CannotRun, KeyfuseError
from scanner.model import printable

_STAGES = click.argument("stages", nargs=-1, metavar="[STAGE]...", type=click.Choice([stage.value for stage in Stage]))
_REPOSITORY = click.option(
    "--repo",
    "directory",
    metavar="DIRECTORY",
    type=click.Path(path_type=Path),
    default=Path(),
    help="A directory in the repository. Default: the current one.",
)
_FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
_GLOBAL = click.option(
    "--global",
    "shared",
    is_flag=True,
    help="Use the directory that your global core.hooksPath sends all repositories to.",
)

_DID = {
    Outcome.INSTALLED: "installed",
    Outcome.UPDATED: "updated",
    Outcome.UNCHANGED: "already installed",
    Outcome.REMOVED: "removed",
    Outcome.RESTORED: "removed, and the hook that was there before put back",
    Outcome.ABSENT: "not installed by keyfuse; nothing was changed",
}


@click.group(epilog="Example: keyfuse hook install && keyfuse hook test")
def command() -> None:
    """Refuse commits and pushes that add keys.

    STAGE is pre-commit (before a commit is made), pre-push (before a push leaves this machine) or pre-receive (on a
    server, before it accepts a push).
    """


@command.command("install", epilog="Example: keyfuse hook install pre-commit pre-push")
@_STAGES
@_REPOSITORY
@_GLOBAL
@click.option("--force", is_flag=True, help="Install beside a hook manager, among tracked hooks, over an edited hook.")
@click.option("--allow-incomplete", is_flag=True, help="Only warn of content that cannot be scanned; do not refuse it.")
@_FORMAT
def install_command(
    stages: tuple[str, ...], directory: Path, shared: bool, force: bool, allow_incomplete: bool, form: str
) -> None:
    """Install the hook: pre-commit, or pre-receive in a bare repository, if no STAGE is given.

    A hook that is there already is kept: it runs first, and both must agree. Installing again updates the hook.
    """
    repository = open_repository(directory)
    scripts = [Script(stage, _interpreter(), allow_incomplete) for stage in _chosen(stages, repository)]
    done = [(script.stage, install(repository, script, shared=shared, force=force)) for script in scripts]
    _prepare()
    _tell(done, form)


@command.command("uninstall", epilog="Example: keyfuse hook uninstall")
@_STAGES
@_REPOSITORY
@_GLOBAL
@click.option("--force", is_flag=True, help="Remove the hook even if it was edited by hand.")
@_FORMAT
def uninstall_command(stages: tuple[str, ...], directory: Path, shared: bool, force: bool, form: str) -> None:
    """Remove the hook and put back the one that was there before. Without STAGE: every hook keyfuse installed."""
    repository = open_repository(directory)
    wanted = [Stage(stage) for stage in stages] or _ours(repository) or _chosen((), repository)
    _tell([(stage, uninstall(repository, stage, shared=shared, force=force)) for stage in wanted], form)


@command.command("test", epilog="Example: keyfuse hook test --repo ~/project")
@_STAGES
@_REPOSITORY
@_FORMAT
def test_command(stages: tuple[str, ...], directory: Path, form: str) -> int:
    """Prove that the hook fires: commit a made-up key in a scratch repository and see it refused.

    Nothing in your repository is touched. Exit code 3 when the hook is missing, out of action or does not fire.
    """
    repository = open_repository(directory)
    wanted = [Stage(stage) for stage in stages] or _ours(repository) or _chosen((), repository)
    trials = [try_hook(repository, stage) for stage in wanted]
    _report(trials, form)
    return Exit.OK if all(trial.fires for trial in trials) else Exit.CANNOT_RUN


@command.command(
    "run",
    context_settings={"ignore_unknown_options": True},
    epilog="Example: keyfuse hook run pre-commit",
)
@click.argument("stage", type=click.Choice([stage.value for stage in Stage]))
@click.option("--allow-incomplete", is_flag=True, help="Only warn of content that cannot be scanned; do not refuse it.")
@click.option(
    "--verbose", is_flag=True, help="Also mention keys on lines that are not being changed; they do not block."
)
@click.argument("words", nargs=-1, metavar="[-- FILE]...", type=click.UNPROCESSED)
def run_command(stage: str, allow_incomplete: bool, verbose: bool, words: Sequence[str]) -> int:
    """Look at what is about to be committed or pushed. This is what the installed hooks call.

    Exit code 1 for a key on an added line, 4 when something could not be scanned, 3 when the check could not run.
    """
    from keyfuse.hook import run  # noqa: PLC0415  (as in keyfuse.__main__, which calls it without click)

    options = [name for name, on in (("--allow-incomplete", allow_incomplete), ("--verbose", verbose)) if on]
    return run([stage, *options, "--", *words])


def _chosen(stages: Sequence[str], repository: Repository) -> list[Stage]:
    if stages:
        return list(dict.fromkeys(Stage(stage) for stage in stages))
    return [Stage.PRE_RECEIVE if repository.bare else Stage.PRE_COMMIT]


def _prepare() -> None:
    """Compiles the rules now rather than at the first commit, and says so if the hook could not look at anything."""
    from keyfuse.hook.lookout import Lookout  # noqa: PLC0415  (the engine: not for --help)

    try:
        Lookout(os.environ)
    except KeyfuseError as error:
        click.echo(f"keyfuse: the hook will refuse everything until this is put right: {error}", err=True)


def _ours(repository: Repository) -> list[Stage]:
    return [stage for stage in Stage if look(repository, stage).present in (Present.OURS, Present.EDITED)]


def _interpreter() -> str:
    """The interpreter that runs us now: it has keyfuse, whatever PATH a hook is given."""
    if not sys.executable:
        raise CannotRun("this Python does not know where it lies (sys.executable is empty); run keyfuse from a venv")
    return Path(os.path.normpath(Path(sys.executable).absolute())).as_posix()


def _tell(results: Sequence[tuple[Stage, Done]], form: str) -> None:
    if form == "json":
        click.echo(json.dumps([_done_as_json(stage, done) for stage, done in results], indent=2))
        return
    for stage, done in results:
        click.echo(f"{stage.value}: {_DID[done.outcome]}: {printable(str(done.path))}")
        if done.chained and done.outcome in (Outcome.INSTALLED, Outcome.UPDATED, Outcome.UNCHANGED):
            click.echo(f"  the hook that was there runs first: {printable(str(done.chained))}")
        if done.outcome is Outcome.INSTALLED:
            click.echo(f"  see that it fires: keyfuse hook test {stage.value}")
        for note in done.notes:
            click.echo(f"  note: {note}")


def _done_as_json(stage: Stage, done: Done) -> dict[str, object]:
    return {
        "stage": stage.value,
        "outcome": done.outcome.value,
        "path": str(done.path),
        "chained": str(done.chained) if done.chained else None,
        "notes": list(done.notes),
    }


def _report(trials: Sequence[Trial], form: str) -> None:
    if form == "json":
        click.echo(json.dumps([_trial_as_json(trial) for trial in trials], indent=2))
        return
    for trial in trials:
        click.echo(f"{trial.stage.value}: {'ok' if trial.fires else 'NOT PROTECTED'}: {trial.explanation}")


def _trial_as_json(trial: Trial) -> dict[str, object]:
    return {
        "stage": trial.stage.value,
        "path": str(trial.path),
        "fires": trial.fires,
        "verdict": trial.verdict.value,
        "explanation": trial.explanation,
    }
