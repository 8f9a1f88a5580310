"""Yandex Cloud's published protocol definitions, as a judge: is this request, and this answer, one of its API?

The definitions come with Yandex's own SDK and say, for each call, method, path and message types. What nobody here
wrote decides whether a field is spelt right, has the right type, and belongs there at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.api import annotations_pb2
from google.protobuf import empty_pb2, json_format, message_factory
from google.rpc import error_details_pb2, status_pb2
from yandex.cloud.iam.v1 import (
    api_key_service_pb2,
    iam_token_service_pb2,
    key_service_pb2,
    service_account_service_pb2,
)
from yandex.cloud.iam.v1.awscompatibility import access_key_service_pb2
from yandex.cloud.operation import operation_service_pb2
from yandex.cloud.resourcemanager.v1 import cloud_service_pb2, folder_service_pb2

from tests.support.fakes import Reply, Request

MODULES = (
    api_key_service_pb2,
    iam_token_service_pb2,
    key_service_pb2,
    service_account_service_pb2,
    access_key_service_pb2,
    operation_service_pb2,
    cloud_service_pb2,
    folder_service_pb2,
)
_KNOWN = (empty_pb2, error_details_pb2)
"""Loaded, so that answers may hold messages of these types."""


@dataclass(frozen=True)
class Rpc:
    """One call: how it is asked for, and its two message types."""

    name: str
    method: str
    path: re.Pattern[str]
    takes: Any
    gives: Any


@cache
def calls() -> tuple[Rpc, ...]:
    """Every call of the services that keyfuse uses."""
    found = []
    for module in MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            for call in service.methods:
                rule = call.GetOptions().Extensions[annotations_pb2.http]
                method = rule.WhichOneof("pattern")
                if method is None:
                    continue
                path = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/:]+)", re.escape(getattr(rule, method)))
                takes = message_factory.GetMessageClass(call.input_type)
                gives = message_factory.GetMessageClass(call.output_type)
                found.append(Rpc(call.full_name, method.upper(), re.compile(path), takes, gives))
    return tuple(found)


def judged(request: Request, reply: Reply) -> str:
    """The name of the call that this is. Raises AssertionError, or ParseError, for what is none."""
    for rpc in calls():
        place = rpc.path.fullmatch(request.path)
        if rpc.method != request.method or place is None:
            continue
        given: dict[str, Any] = {**_query(rpc, request.query), **(request.json or {}), **place.groupdict()}
        json_format.ParseDict(given, rpc.takes())
        message = rpc.gives() if reply.status < 300 else status_pb2.Status()
        json_format.ParseDict(reply.body, message)
        return rpc.name
    raise AssertionError(f"Yandex Cloud has no call {request.route}")


def _query(rpc: Rpc, query: Mapping[str, str]) -> dict[str, Any]:
    """A query holds texts; the definitions say which of them are numbers or lists."""
    fields = {field.json_name: field for field in rpc.takes.DESCRIPTOR.fields}
    assert set(query) <= set(fields), f"{rpc.name} has no {sorted(set(query) - set(fields))}"
    return dict(query)
