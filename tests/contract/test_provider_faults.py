"""What every vendor's provider does when the vendor fails: each action under each fault, and each question.

A change is sent once at most, what may have happened is `Uncertain`, and no key is called dead that was not seen dead.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from responders.provider import (
    Accepted,
    Alive,
    Dead,
    Done,
    Identified,
    Leak,
    NotFound,
    Proof,
    ProveKind,
    Receipt,
    Refused,
    Uncertain,
    Unknown,
)
from responders.registry import KeyState, KnownKey
from tests.contract.provider_harness import Before
from tests.contract.provider_worlds import VENDORS
from tests.contract.vendor import IMPATIENT, VendorHarness
from tests.support.fakes import EFFECTLESS, Fault
from tests.support.stores import Clock

VERBS = ("disable", "delete")
QUICK = sorted(set(Fault) - {Fault.SLOW}, key=str)
PATIENT = ("digitalocean", "anthropic")
"""The harnesses with which a slow vendor is tried: it takes its time."""


@pytest.fixture(params=sorted(VENDORS))
def vendor(request: pytest.FixtureRequest, clock: Clock) -> Iterator[VendorHarness]:
    """Each vendor, with a world of its own."""
    harness = VENDORS[request.param](clock)
    yield harness
    assert harness.fake.leaks() == [], "no secret in a URL"
    harness.close()


def able(vendor: VendorHarness, verb: str) -> bool:
    return vendor.able.delete if verb == "delete" else vendor.able.disable.name != "NONE"


def wanted(verb: str) -> KeyState:
    return KeyState.DELETED if verb == "delete" else KeyState.DISABLED


def identified(vendor: VendorHarness) -> tuple[Identified, Leak, KnownKey | None]:
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    return identity, leak, known


def change(vendor: VendorHarness, verb: str, identity: Identified, leak: Leak, once: str = "") -> Receipt:
    receipt: Receipt = getattr(vendor.provider, verb)(identity.ref, leak, idempotency_key=once or verb)
    return receipt


def fits_the_truth(vendor: VendorHarness, leak: Leak, proof: Proof) -> bool:
    return not (isinstance(proof, Dead) and vendor.works(leak)) and not (
        isinstance(proof, Alive) and vendor.state(leak) in (None, KeyState.DELETED)
    )


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.value)
@pytest.mark.parametrize("name", sorted(VENDORS))
def test_a_change_that_goes_wrong(name: str, fault: Fault, clock: Clock) -> None:
    for verb in VERBS:
        vendor = VENDORS[name](clock)
        if able(vendor, verb):
            _goes_wrong(vendor, verb, fault)
        assert vendor.fake.leaks() == [], "no secret in a URL"
        vendor.close()


def _goes_wrong(vendor: VendorHarness, verb: str, fault: Fault) -> None:
    identity, leak, _ = identified(vendor)
    vendor.fake.fault, vendor.fake.on = fault, "changes"
    receipt = change(vendor, verb, identity, leak)
    assert vendor.fake.names.count(verb) <= 1, "sent once at most"
    match fault:
        case Fault.STALE:
            assert isinstance(receipt, Done | Accepted)
        case Fault.TOO_MANY:
            assert isinstance(receipt, Refused)
            assert not receipt.for_good
            assert receipt.again_after
        case Fault.GARBLED:
            assert isinstance(receipt, Uncertain | Done | Accepted)
        case _:
            assert isinstance(receipt, Uncertain)
    assert vendor.fake.changes == (fault not in EFFECTLESS)

    vendor.fake.fault = None
    vendor.provider = vendor.made()  # as after a restart: nothing is remembered, and nobody is made to wait
    proof = vendor.provider.prove(identity.ref, leak, wanted(verb))
    assert fits_the_truth(vendor, leak, proof)
    if vendor.able.prove is not ProveKind.NONE:
        assert isinstance(proof, Alive if fault in EFFECTLESS else Dead), "then the state is read, and tells"
    if fault in EFFECTLESS:
        assert isinstance(change(vendor, verb, identity, leak), Done | Accepted)
        assert not vendor.works(leak)


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.value)
def test_a_question_that_is_not_answered(vendor: VendorHarness, fault: Fault) -> None:
    if fault is Fault.STALE:
        pytest.skip("an old answer is an answer")
    leak, known = vendor.leaked(Before.ACTIVE)
    vendor.fake.fault = fault
    identity = vendor.provider.identify(leak, known)
    vendor.provider = vendor.made()
    asked = len(vendor.fake.seen) > 0
    if asked:
        assert isinstance(identity, Unknown) or (isinstance(identity, NotFound) and not identity.sees_all)
        assert not identity.works
    vendor.fake.fault = None
    answer = vendor.provider.identify(leak, known)
    assert isinstance(answer, Identified)
    vendor.fake.fault = fault
    vendor.provider = vendor.made()
    assert isinstance(vendor.provider.prove(answer.ref, leak, KeyState.DISABLED), Unknown)
    assert vendor.fake.changes == 0


@pytest.mark.parametrize("fault", [Fault.FAILS_BEFORE, Fault.GARBLED, Fault.HTML], ids=lambda fault: fault.value)
def test_no_fault_makes_a_key_what_it_is_not(vendor: VendorHarness, fault: Fault) -> None:
    for before in filter(vendor.can_be, set(Before) - {Before.ACTIVE}):
        leak, known = vendor.leaked(before)
        vendor.fake.fault = fault
        vendor.provider = vendor.made()
        identity = vendor.provider.identify(leak, known)
        assert vendor.fake.changes == 0
        match identity:
            case Identified(asked=True, state=state):
                assert state is vendor.state(leak)
            case NotFound(sees_all=True):
                assert vendor.state(leak) in (None, KeyState.DELETED)
            case NotFound(works=True) | Unknown(works=True):
                assert vendor.works(leak)
            case _:
                pass


@pytest.mark.parametrize("verb", VERBS)
def test_a_change_to_a_disabled_key_that_goes_wrong(vendor: VendorHarness, verb: str) -> None:
    if not able(vendor, verb) or not vendor.can_be(Before.DISABLED):
        pytest.skip("not possible there")
    for fault in QUICK:
        leak, known = vendor.leaked(Before.DISABLED)
        vendor.fake.fault, vendor.fake.on = None, "changes"
        vendor.provider = vendor.made()
        identity = vendor.provider.identify(leak, known)
        assert isinstance(identity, Identified)
        vendor.fake.fault = fault
        receipt = change(vendor, verb, identity, leak, fault.value)
        if verb == "disable":
            assert vendor.state(leak) is KeyState.DISABLED
        elif fault is not Fault.STALE:
            assert not isinstance(receipt, Done) or fault is Fault.GARBLED
        vendor.fake.fault = None
        vendor.provider = vendor.made()
        assert fits_the_truth(vendor, leak, vendor.provider.prove(identity.ref, leak, wanted(verb)))


@pytest.mark.parametrize("verb", VERBS)
def test_an_old_answer_proves_nothing_dead(vendor: VendorHarness, verb: str) -> None:
    if not able(vendor, verb) or vendor.able.prove is ProveKind.NONE:
        pytest.skip("not possible there")
    identity, leak, _ = identified(vendor)
    vendor.fake.fault, vendor.fake.on = Fault.STALE, "reads"
    change(vendor, verb, identity, leak)
    assert not vendor.works(leak)
    assert isinstance(vendor.provider.prove(identity.ref, leak, wanted(verb)), Alive | Unknown)
    vendor.fake.fault = None
    assert isinstance(vendor.provider.prove(identity.ref, leak, wanted(verb)), Dead)


@pytest.mark.parametrize("name", PATIENT)
def test_a_vendor_that_is_slow(name: str, clock: Clock) -> None:
    vendor = VENDORS[name](clock)
    identity, leak, _ = identified(vendor)
    vendor.fake.fault, vendor.fake.on = Fault.SLOW, "changes"
    vendor.provider = vendor.made(timeout=IMPATIENT)
    assert isinstance(change(vendor, "delete", identity, leak), Uncertain)
    vendor.fake.on = "all"
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Unknown)
    vendor.close()


def test_nothing_asked_for_is_nothing_done(vendor: VendorHarness) -> None:
    identity, leak, _ = identified(vendor)
    vendor.provider.prove(identity.ref, leak, KeyState.DISABLED)
    assert vendor.fake.changes == 0
    assert set(vendor.fake.names) <= {"probe", "read", "list"}, "no route that changes something was touched"


def test_disabling_touches_no_route_that_deletes(vendor: VendorHarness) -> None:
    identity, leak, _ = identified(vendor)
    change(vendor, "disable", identity, leak)
    vendor.provider.prove(identity.ref, leak, KeyState.DISABLED)
    assert "delete" not in vendor.fake.names
