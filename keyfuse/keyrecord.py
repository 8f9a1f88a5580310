"""A registry record as JSON: IBM's fields under IBM's names (IAM Identity API, ApiKey), then this registry's own."""

from __future__ import annotations

from datetime import datetime

from responders.registry import Change, KnownKey


def as_json(key: KnownKey, now: datetime, *, value: str = "") -> dict[str, object]:
    """The record; `apikey` holds `value`, which is known at creation only and empty otherwise, as at IBM.

    Moments are ISO 8601 in UTC. `disabled` is the flag, `state` also minds the clock (expired).
    """
    return {
        "id": key.id,
        "entity_tag": key.entity_tag,
        "locked": key.locked,
        "disabled": key.disabled,
        "created_at": instant(key.created_at),
        "created_by": key.created_by,
        "modified_at": instant(key.modified_at),
        "name": key.name,
        "description": key.description,
        "iam_id": key.iam_id,
        "account_id": key.account_id,
        "expires_at": instant(key.expires_at),
        "action_when_leaked": key.action_when_leaked.value,
        "apikey": value,
        "history": [_change(change) for change in key.history],
        "activity": {"last_authn": instant(key.last_used_at), "authn_count": key.authn_count},
        "provider": key.provider,
        "provider_key_id": key.provider_key_id,
        "kind": key.kind.value,
        "owners": list(key.owners),
        "scopes": list(key.scopes),
        "state": key.effective_state(now).value,
        "masked": key.masked,
        "fingerprint": key.fingerprint,
        "if_unsupported": key.if_unsupported.value,
        "leaked": key.leaked,
        "replaces": key.replaces or None,
        "replaced_by": key.replaced_by or None,
    }


def instant(moment: datetime | None) -> str | None:
    """A moment as text, or nothing."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _change(change: Change) -> dict[str, object]:
    return {
        "timestamp": instant(change.timestamp),
        "iam_id": change.who,
        "action": change.action,
        "params": [f"{name}={value}" for name, value in change.params.items()],
        "message": change.message,
    }
