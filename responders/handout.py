"""The files that providers hand a new key out in: Yandex Cloud's `api_key.yaml` and IBM Cloud's `apikey.json`.

Written for keys issued here, read by the import. The only place that knows YAML.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import yaml

from responders.registry import KnownKey
from scanner.errors import UsageError

MOST_BYTES = 1 << 20


def as_yaml(key: KnownKey, secret: Mapping[str, str]) -> str:
    """The answer to a creation in the shape of `yc iam api-key create` (Yandex Cloud, managing API keys).

    `secret` is the field that carries the value, plain or encrypted.
    """
    record: dict[str, object] = {"id": key.id}
    if key.iam_id:
        record["service_account_id"] = key.iam_id
    record["created_at"] = _instant(key.created_at)
    if key.description:
        record["description"] = key.description
    if key.scopes:
        record["scope"] = key.scopes[0]
        record["scopes"] = list(key.scopes)
    if key.expires_at is not None:
        record["expires_at"] = _instant(key.expires_at)
    return yaml.safe_dump({"api_key": record, **secret}, sort_keys=False, allow_unicode=True)


def parse_yandex(text: str) -> dict[str, object]:
    """The fields of an `api_key.yaml` (or the same as JSON) under this registry's names, with `value`.

    Raises UsageError without quoting the content.
    """
    try:
        body = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UsageError("this is not the YAML of an api_key.yaml") from None
    if not isinstance(body, dict) or not isinstance(body.get("api_key"), dict):
        raise UsageError("this is not an api_key.yaml: the field `api_key` is missing")
    record = body["api_key"]
    names = {
        "id": "provider_key_id",
        "service_account_id": "iam_id",
        "description": "description",
        "created_at": "created_at",
        "expires_at": "expires_at",
        "scopes": "scopes",
        "scope": "scopes",
    }
    found = {ours: record[theirs] for theirs, ours in reversed(names.items()) if record.get(theirs)}
    return found | {"value": body.get("secret"), "provider": "yandex", "kind": "api-key"}


def parse_ibm(text: str) -> dict[str, object]:
    """The fields of an `apikey.json` (IBM Cloud's download, or its API's answer) under this registry's names.

    Raises UsageError without quoting the content.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("this is not the JSON of an apikey.json") from None
    value = body.get("apikey", body.get("apiKey")) if isinstance(body, dict) else None
    if value is None:
        raise UsageError("this is not an apikey.json: the field `apikey` is missing")
    names = ("name", "description", "iam_id", "account_id", "expires_at", "action_when_leaked", "locked", "disabled")
    found = {name: body[name] for name in names if body.get(name)}
    found |= {"created_at": created} if (created := body.get("created_at") or body.get("createdAt")) else {}
    found |= {"provider_key_id": body["id"]} if body.get("id") else {}
    service = str(body.get("iam_id", "")).startswith("iam-ServiceId")
    return found | {"value": value, "provider": "ibm", "kind": "service-id" if service else "user"}


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
