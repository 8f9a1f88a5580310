"""Whatever a vendor says: nothing is raised, nobody is called dead by nonsense, and no secret is repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responders.http import Answer
from responders.provider import Alive, Dead, Identified, KeyRef, Unknown
from responders.registry import KeyState
from tests.contract.harness_clouds import HARNESSES, said
from tests.contract.provider_harness import Before
from tests.support.stores import Clock

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
WORDS = st.sampled_from(
    [
        "access_token",
        "expires_in",
        "id",
        "keyId",
        "hint",
        "value",
        "keys",
        "keyName",
        "name",
        "passwordCredentials",
        "properties",
        "nextLink",
        "ok",
        "error",
        "revoked",
        "active",
        "message",
        "login",
        "disabled",
        "deleteTime",
        "accounts",
        "nextPageToken",
        "accountEnabled",
        "error_codes",
    ]
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
BODIES = st.dictionaries(WORDS, VALUES, max_size=6).map(lambda body: json.dumps(body).encode()) | st.binary(max_size=20)
ANSWERS = st.builds(Answer, st.sampled_from([200, 202, 204, 301, 400, 401, 403, 404, 409, 422, 429, 500]), BODIES)


@pytest.mark.parametrize("name", sorted(set(HARNESSES) - {"aws"}))
@given(answers=st.lists(ANSWERS, min_size=1, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_nonsense_is_borne(name: str, answers: list[Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = vendors(name)
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    provider = vendor.made()
    given_back = iter(answers * 50)
    monkeypatch.setattr("responders.calling.Caller.send", lambda *_args, **_more: next(given_back))
    told: list[Any] = [provider.identify(leak, known)]
    for ref in (identity.ref, KeyRef(identity.ref.provider, identity.ref.id)):
        told.append(provider.disable(ref, leak, idempotency_key=f"{ref}"))
        told.append(provider.enable(ref, idempotency_key=f"{ref}/e"))
        told.append(provider.delete(ref, leak, idempotency_key=f"{ref}/d"))
        proof = provider.prove(ref, leak, KeyState.DELETED)
        assert isinstance(proof, Dead | Alive | Unknown)
        told.append(proof)
    monkeypatch.undo()
    assert said(leak) not in repr(told)


_MADE: dict[str, Any] = {}


def vendors(name: str) -> Any:
    """One harness for all examples."""
    if name not in _MADE:
        _MADE[name] = HARNESSES[name](Clock())
    return _MADE[name]
