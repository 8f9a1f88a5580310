"""`[provider.<name>]`: sections whose settings each provider declares for itself (`responders.about`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keyfuse.kinds import FilePath, Flag, Text, Texts
from keyfuse.settings import Misnamed, Named, Section, Setting
from scanner.model import printable

COMMON = ("allowed_hosts", "requests_per_minute", "timeout", "ca_file", "prove_after", "type", "command")
"""What every provider's section may have, beside what the provider declares."""
OWN = ("http", "command")
"""The types of a key service of one's own."""


class Vendors(Named[Section]):
    """Tables named after providers. What one may hold is looked up only when the file has one."""

    def kind_of(self, name: str, table: Mapping[str, object]) -> type[Section]:
        """The section of the provider with that name, with what it declares."""
        from responders.catalog import about, names  # noqa: PLC0415
        from responders.connection import ProviderSettings  # noqa: PLC0415

        sort = table.get("type", "")
        if sort in OWN:
            described = about(name, ProviderSettings(type=str(sort)))
            if name in names():
                raise Misnamed("is a provider that keyfuse knows; give your own service another name")
        else:
            described = about(name)
            if described is None:
                from difflib import get_close_matches  # noqa: PLC0415  (only for a mistyped name)

                near = get_close_matches(name, names(), 1, 0.6)
                hint = f"did you mean [provider.{near[0]}]?" if near else "`keyfuse providers list` shows all of them"
                raise Misnamed(
                    f'is no provider that keyfuse knows; {hint} (one of your own needs type = "http|command")'
                )
        return _section(self.kind, described)

    @property
    def expected(self) -> str:
        return "tables named after providers"


def _section(kind: type[Section], about: Any) -> type[Section]:
    """The section class of one provider. Settings belong to one class each, so they are made anew."""
    body: dict[str, Any] = {"__doc__": f"Settings of {about.title}.", "about": about, "faults": _faults}
    for service in about.services:
        body[service.setting] = Text(service.url, service.why)
    for need in about.credentials:
        body[f"{need.name}_env"] = Text("", f"The environment variable that holds it: {need.why}")
        body[f"{need.name}_file"] = FilePath(None, "The file that holds it, instead of a variable.")
        body[f"{need.name}_keyring"] = Text("", "Its place in the system's keyring, as service/user.")
    for option in about.options:
        body[option.name] = _option(option)
    for name in COMMON:
        body.setdefault(name, _again(kind.settings[name]))
    return type(f"Provider_{about.name}", (Section,), body)


def _option(option: Any) -> Setting[Any]:
    match option.default:
        case bool():
            return Flag(option.default, option.why)
        case tuple():
            return Texts(option.default, option.why)
        case _:
            return Text(option.default, option.why)


def _again(setting: Setting[Any]) -> Setting[Any]:
    """A setting like this one, for another class."""
    fresh: Setting[Any] = object.__new__(type(setting))
    fresh.__dict__.update(setting.__dict__)
    return fresh


def _faults(section: Any) -> Iterator[str]:
    """References given twice, URLs that cannot be used, and what a service of one's own lacks."""
    from responders.connection import base_fault  # noqa: PLC0415  (as above)

    for service in section.about.services:
        url = getattr(section, service.setting)
        if url and (fault := base_fault(url)):
            yield f"has a {service.setting} that {fault}"
    for need in section.about.credentials:
        given = [way for way in ("env", "file", "keyring") if getattr(section, f"{need.name}_{way}")]
        if len(given) > 1:
            yield f"has {' and '.join(f'{need.name}_{way}' for way in given)}; keep one of them"
    match section.values.get("type", ""):
        case "http" if not section.values.get("base_url"):
            yield "is of type http and needs a base_url"
        case "command" if not section.values.get("command"):
            yield "is of type command and needs command, a list of the program and its arguments"
        case sort if sort != "command" and section.values.get("command"):
            yield 'has a command, which is for type = "command" alone'
        case _:
            pass
    for host in section.values.get("allowed_hosts", ()):
        if not host or "/" in host or ":" in host:
            yield f"has {printable(host)} in allowed_hosts, which takes names of hosts alone"
