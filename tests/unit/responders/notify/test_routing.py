"""Who is told, and over which channels."""

from __future__ import annotations

from responders.notify.notice import Event
from responders.notify.routing import Addressed, Route, Routing, Subject, address, people
from scanner.model import Severity

SUBJECT = Subject(Event.BLOCKED, "vendor", Severity.HIGH, owners=("owner@example.org",), account_id="a1")
CHANNELS = {"mail": True, "chat": False, "pager": False}


def channels(routing: Routing, subject: Subject = SUBJECT) -> list[str]:
    return list(dict.fromkeys(to.channel for to in address(routing, subject, CHANNELS)))


def test_owners_and_administrators_are_told_each_once() -> None:
    routing = Routing(
        administrators=("admin@example.org", "owner@example.org"),
        account_administrators={"a1": ("account@example.org",), "a2": ("stranger@example.org",)},
        default=("nobody@example.org",),
    )
    assert people(routing, SUBJECT) == ("owner@example.org", "account@example.org", "admin@example.org")


def test_the_default_is_told_only_where_nobody_else_is() -> None:
    routing = Routing(default=("default@example.org",))
    assert people(routing, SUBJECT) == ("owner@example.org",)
    assert people(routing, Subject(Event.NOTED, "vendor", Severity.LOW)) == ("default@example.org",)


def test_an_escalation_is_for_the_administrators() -> None:
    routing = Routing(administrators=("admin@example.org",))
    escalation = Subject(Event.ESCALATED, "vendor", Severity.HIGH, owners=("owner@example.org",))
    assert people(routing, escalation) == ("admin@example.org",)


def test_without_routes_all_channels_are_used_and_with_default_channels_those() -> None:
    assert channels(Routing()) == ["mail", "chat", "pager"]
    assert channels(Routing(default_channels=("chat",))) == ["chat"]


def test_every_route_that_matches_applies_and_adds_its_people() -> None:
    routing = Routing(
        routes=(
            Route(("mail",), to=("team@example.org",)),
            Route(("pager", "mail"), min_severity=Severity.CRITICAL),
            Route(("chat",), providers=("vendor",), events=(Event.BLOCKED,), owners=("*@example.org",)),
        ),
        default_channels=("pager",),
    )
    assert channels(routing) == ["mail", "chat"]
    assert "team@example.org" in people(routing, SUBJECT)


def test_a_condition_that_fails_keeps_a_route_out() -> None:
    for route in (
        Route(("chat",), providers=("other",)),
        Route(("chat",), events=(Event.CONTAINED,)),
        Route(("chat",), owners=("*@example.com",)),
        Route(("chat",), min_severity=Severity.CRITICAL),
    ):
        assert channels(Routing(routes=(route,), default_channels=("mail",))) == ["mail"]


def test_personal_channels_tell_each_person_and_others_all_at_once() -> None:
    routing = Routing(administrators=("admin@example.org",))
    assert address(routing, SUBJECT, {"mail": True, "chat": False}) == [
        Addressed("mail", "owner@example.org"),
        Addressed("mail", "admin@example.org"),
        Addressed("chat", ""),
    ]


def test_a_channel_that_is_not_configured_is_left_out() -> None:
    assert channels(Routing(default_channels=("gone", "chat"))) == ["chat"]
