"""The command line. One file per subcommand, loaded only when that subcommand is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from keyfuse import __version__
from keyfuse.exits import Exit
from keyfuse.session import Session
from scanner.errors import UsageError

__all__ = ["Session", "run_cli"]

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("keyfuse.cli.demo", "The whole loop on the embedded provider, in a scratch directory."),
    "audit": ("keyfuse.cli.audit", "Look for leaked keys in files, repositories, archives or stdin."),
    "baseline": ("keyfuse.cli.baseline", "Keep what is known and accepted out of the results."),
    "hook": ("keyfuse.cli.hook", "Refuse commits that add keys."),
    "keys": ("keyfuse.cli.keys", "The key registry: issue, import, list, change, verify."),
    "leaks": ("keyfuse.cli.leaks", "Incidents: what leaked, what was done, what waits for you."),
    "providers": ("keyfuse.cli.providers", "What each provider can do: list, show, test."),
    "daemon": ("keyfuse.cli.daemon", "Watch targets, scan on schedules, respond; until stopped."),
    "targets": ("keyfuse.cli.targets", "What the daemon watches and scans: add, list, remove, scan."),
    "notify": ("keyfuse.cli.notify", "Try the notification channels."),
    "rules": ("keyfuse.cli.rules", "What a key looks like: list, show, check, sample, test."),
    "users": ("keyfuse.cli.users", "Who may use the daemon's API: users, roles, tokens."),
    "log": ("keyfuse.cli.log", "The audit log: show it, verify its chain."),
    "backup": ("keyfuse.cli.backup", "Back up registry, incidents, audit log and key file; restore them."),
    "config": ("keyfuse.cli.config", "Check and show the configuration."),
    "doctor": ("keyfuse.cli.doctor", "What is wrong with this installation, and the next step for each."),
}


class Commands(click.Group):
    """A group that knows its subcommands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the one that is called."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists them from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: keyfuse audit . --min-confidence high",
)
@click.version_option(__version__, prog_name="keyfuse")
@click.option("--config", "config_path", metavar="FILE", help="Configuration file to use instead of the default one.")
@click.pass_context
def program(ctx: click.Context, config_path: str | None) -> None:
    """Find leaked API keys and blow their fuse.

    keyfuse looks for keys where they must not be, knows whose they are, does what their owner decided should happen
    (nothing, disable, delete), proves it, and tells the people concerned.
    """
    ctx.obj = ctx.with_resource(Session(config_path))


def run_cli(words: Sequence[str]) -> int:
    """Runs one command line and returns its exit code. Errors are raised for the doorway to tell."""
    try:
        result = program.main(list(words), prog_name="keyfuse", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return Exit.USAGE
    except click.UsageError as error:
        where = f"\nTry: {error.ctx.command_path} --help" if error.ctx else ""
        raise UsageError(error.format_message() + where) from None
    except click.ClickException as error:
        raise UsageError(error.format_message()) from None
    except SystemExit:  # click's answer to a reader that went away; with its exit code of 1 it would say "leaks found"
        raise BrokenPipeError from None
    except click.Abort:
        click.echo("", err=True)
        raise KeyboardInterrupt from None
    sys.stdout.flush()
    return int(result) if isinstance(result, int) else Exit.OK
