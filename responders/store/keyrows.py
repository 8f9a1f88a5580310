"""Registry records as rows, and rows as registry records."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row

from responders.registry import Change, IfUnsupported, KeyKind, KeyState, KnownKey, LeakAction
from responders.store.schema import maybe_micros, maybe_moment, micros, moment
from scanner.model import Fingerprint


def key_row(key: KnownKey) -> dict[str, object]:
    """Every column of a record but its id, which never changes, and what the store itself adds."""
    return {
        "name": key.name,
        "description": key.description,
        "provider": key.provider,
        "provider_key_id": key.provider_key_id,
        "kind": key.kind.value,
        "account_id": key.account_id,
        "iam_id": key.iam_id,
        "owners": _words(key.owners),
        "scopes": _words(key.scopes),
        "created_at": micros(key.created_at),
        "created_by": key.created_by,
        "modified_at": micros(key.modified_at),
        "expires_at": maybe_micros(key.expires_at),
        "last_used_at": maybe_micros(key.last_used_at),
        "authn_count": key.authn_count,
        "entity_tag": key.entity_tag,
        "locked": key.locked,
        "state": key.state.value,
        "masked": key.masked,
        "fingerprint": key.fingerprint,
        "action_when_leaked": key.action_when_leaked.value,
        "if_unsupported": key.if_unsupported.value,
        "leaked": key.leaked,
        "replaces": key.replaces,
        "replaced_by": key.replaced_by,
    }


def key_of(row: Row[Any], history: tuple[Change, ...]) -> KnownKey:
    """A row of the keys table, with its history."""
    return KnownKey(
        id=row.id,
        name=row.name,
        provider=row.provider,
        created_at=moment(row.created_at),
        modified_at=moment(row.modified_at),
        entity_tag=row.entity_tag,
        description=row.description,
        provider_key_id=row.provider_key_id,
        kind=KeyKind(row.kind),
        account_id=row.account_id,
        iam_id=row.iam_id,
        owners=tuple(json.loads(row.owners)),
        scopes=tuple(json.loads(row.scopes)),
        created_by=row.created_by,
        expires_at=maybe_moment(row.expires_at),
        last_used_at=maybe_moment(row.last_used_at),
        authn_count=row.authn_count,
        locked=row.locked,
        state=KeyState(row.state),
        masked=row.masked,
        fingerprint=None if row.fingerprint is None else Fingerprint(row.fingerprint),
        action_when_leaked=LeakAction(row.action_when_leaked),
        if_unsupported=IfUnsupported(row.if_unsupported),
        leaked=row.leaked,
        history=history,
        replaces=row.replaces,
        replaced_by=row.replaced_by,
    )


def change_row(key_id: str, change: Change) -> dict[str, object]:
    """A history entry as a row."""
    return {
        "key_id": key_id,
        "timestamp": micros(change.timestamp),
        "who": change.who,
        "action": change.action,
        "params": json.dumps(dict(change.params)),
        "message": change.message,
    }


def change_of(row: Row[Any]) -> Change:
    """A row of the history table."""
    return Change(moment(row.timestamp), row.who, row.action, json.loads(row.params), row.message)


def _words(values: tuple[str, ...]) -> str:
    return json.dumps(values) if values else "[]"
