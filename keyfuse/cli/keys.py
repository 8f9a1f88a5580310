"""`keyfuse keys`: the key registry. What each subcommand does is in the `keys_…` files beside this one."""

from __future__ import annotations

import click

from keyfuse.cli import keys_change, keys_import, keys_issue, keys_list, keys_sync, keys_verify


@click.group(
    epilog="Example: keyfuse keys create --name ci --owner me@example.org --action-when-leaked disable",
)
def command() -> None:
    """The key registry: issue, import, list, change, verify.

    Keys that keyfuse issues itself are verified and switched off here; keys of other providers are registered, so that
    a leak of them is recognised, whatever they look like.
    """


for subcommand in (
    keys_issue.create,
    keys_import.import_keys,
    keys_sync.sync,
    keys_list.list_keys,
    keys_list.show,
    keys_change.update,
    keys_change.disable,
    keys_change.enable,
    keys_change.lock,
    keys_change.unlock,
    keys_change.delete,
    keys_issue.reissue,
    keys_verify.verify,
    keys_list.scopes,
):
    command.add_command(subcommand)
