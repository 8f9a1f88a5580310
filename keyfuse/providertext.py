"""What people read of providers: the table of capabilities, the sheet of one provider, and docs/providers.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from responders.about import Ability, About, Service
from responders.catalog import about, names
from responders.provider import Capabilities, DisableKind, Lookup

EVIDENCE = """\
| tag | how a fact is known |
|---|---|
| V-DOC, V-SRC, V-SDK, V-RUN | read in the vendor's own documentation, source or SDK, or run |
| T-KF, T-TH, T-BL, T-TITUS, T-CS | a maintained scanner does it so; the vendor's documentation was not seen |
| 3P | seen in other people's code alone |
| M, M? | from memory; M? with little confidence. keyfuse tolerates both answers there, and proves what it does |
"""
HEAD = """\
# Providers

What keyfuse can do at each vendor, and what it needs for it. This page is made by `keyfuse.providertext` from what the
providers declare; `keyfuse providers list`, `show` and `test` say the same.

A provider is spoken to only where the configuration connects it (a section `[provider.<name>]`, which may be empty
where nothing is needed), and by `audit --verify`. Credentials are given by reference: `<name>_env`, `<name>_file` or
`<name>_keyring`.

"""
OWN = """\
## A key service of your own

Keys that your company issues join with a few lines. keyfuse asks which key leaked, has it switched off or deleted, and
asks again until it is:

```toml
[provider.acme]
type = "http"
base_url = "https://keys.acme.example/keyfuse"
secret_env = "ACME_KEYFUSE_SECRET"
can = ["disable", "enable", "delete"]
```

keyfuse posts one JSON object to `<base_url>/<verb>`, signed with the secret:

```
POST /keyfuse/identify
X-Keyfuse-Timestamp: 1767225600
X-Keyfuse-Signature: sha256=<hex HMAC-SHA256, under the secret, of timestamp, a full stop, and the raw body>

{"version": 1, "verb": "identify", "secret": "<what leaked>", "parts": {}}
```

| verb | comes with | answer |
|---|---|---|
| `identify` | `secret`, `parts`; `id` where the registry knows it | `{"found": true, "id": "k1", "state": "active"}` |
| `state` | `id`, `details`; `secret` while it is at hand | the same, or `{"found": false, "sees_all": true}` |
| `disable`, `enable`, `delete` | `id`, `details`, `idempotency_key` | `{"outcome": "done", "reason": "…"}` |

- States are `active`, `disabled`, `expired`, `deleted`. An answer may also have `locked`, `owners` (addresses),
  `action_when_leaked` (then that counts, not the registry's) and `details` (strings that come back with later verbs).
- `{"ambiguous": ["k1", "k2"]}` says that several keys may be meant: then none is touched.
- Outcomes are `done`, `accepted` (it will happen), `refused`, `locked`, `later`, `unsupported`. Whatever else comes
  back, or nothing, means that nobody can tell; the state is asked for before a change is sent again.
- Under one `idempotency_key` the effect is to happen once. Refuse old timestamps; compare signatures in constant time.

With `type = "command"` the same object comes on the stdin of a program, and its answer is read from stdout:

```toml
[provider.acme]
type = "command"
command = ["/usr/local/bin/acme-keys", "--quiet"]
pass_env = ["ACME_DATABASE"]
timeout = "10s"
```

The verb is the last argument; the secret is never one. The program must end with 0 in time; it gets PATH, HOME, LANG
and what `pass_env` names.

A leaked key gets to its service by its provider's name: that of the rule that found it (`provider = "acme"` in a rule
file of your own, see `docs/rules.md`), or that of its record (`keyfuse keys import`).
"""


def table_rows() -> Iterator[tuple[About, Ability]]:
    """Every row of the table of capabilities, in the order of the providers' names."""
    for name in names():
        described = about(name)
        if described is not None:
            yield from ((described, ability) for ability in described.abilities)


def look_up(able: Capabilities) -> str:
    """The cell on lookup."""
    return "–" if able.lookup is Lookup.NONE else able.lookup.value


def disable(able: Capabilities) -> str:
    """The cell on disabling."""
    if able.disable is DisableKind.NONE:
        return "–"
    kind = {DisableKind.NATIVE: "yes", DisableKind.OWNER: "the owner", DisableKind.EMULATED: "by narrowing"}
    return kind[able.disable] + (", reversible" if able.reversible else ", for good")


def delete(able: Capabilities) -> str:
    """The cell on deleting."""
    return "yes" if able.delete else "–"


def prove(able: Capabilities) -> str:
    """The cell on proof."""
    return "–" if able.prove.name == "NONE" else able.prove.value


def as_json(described: About, *, connected: bool) -> dict[str, Any]:
    """A provider, for programs."""
    return {
        "name": described.name,
        "title": described.title,
        "connected": connected,
        "docs": described.docs or None,
        "keys": [
            {
                "what": row.what,
                "rules": list(row.kinds),
                "look_up": row.capabilities.lookup.name.lower().replace("_", "-"),
                "disable": row.capabilities.disable.name.lower(),
                "reversible": row.capabilities.reversible,
                "delete": row.capabilities.delete,
                "prove": row.capabilities.prove.name.lower().replace("_", "-"),
                "authoriser": row.capabilities.authoriser,
                "evidence": row.evidence,
                "note": row.note,
                "by_hand": row.by_hand,
            }
            for row in described.abilities
        ],
        "settings": [
            *(
                {"name": each.setting, "default": each.url or None, "required": not each.url, "why": each.why}
                for each in described.services
            ),
            *(
                {"name": each.name, "default": each.default, "required": each.required, "why": each.why}
                for each in described.options
            ),
        ],
        "credentials": [
            {
                "name": each.name,
                "settings": [f"{each.name}_{way}" for way in ("env", "file", "keyring")],
                "required": each.required,
                "why": each.why,
                "permissions": each.permissions,
            }
            for each in described.credentials
        ],
        "outlives": described.outlives or None,
        "notes": list(described.notes),
    }


def page() -> str:
    """The text of docs/providers.md."""
    return HEAD + "".join(_table()) + "\n" + EVIDENCE + "\n" + "".join(map(_sheet, names())) + OWN


def _table() -> Iterator[str]:
    yield "| provider | keys | look up | disable | delete | proof | who must authorise |\n"
    yield "|---|---|---|---|---|---|---|\n"
    for described, row in table_rows():
        able = row.capabilities
        cells = (look_up(able), disable(able), delete(able), prove(able), able.authoriser)
        yield f"| [{described.name}](#{described.name}) | {row.what} | {' | '.join(cells)} |\n"


def _sheet(name: str) -> str:
    described = about(name)
    if described is None:
        return ""
    link = f" [The vendor's page]({described.docs})." if described.docs else ""
    lines = [f"## {name}", "", f"{described.title}.{link}"]
    lines += ["", *(f"- {text}" for text in _facts(described))]
    settings = list(_settings(described))
    if settings:
        lines += ["", "| setting | needed | what for | least permissions |", "|---|---|---|---|", *settings]
    return "\n".join(lines).rstrip() + "\n\n"


def _facts(described: About) -> Iterator[str]:
    for row in described.abilities:
        rules = f" ({', '.join(f'`{rule}`' for rule in row.kinds)})" if row.kinds else ""
        said = [row.note, f"By hand: {row.by_hand}." if row.by_hand else ""]
        known = f" Evidence: {row.evidence}." if row.evidence else ""
        yield f"**{row.what}**{rules}. {' '.join(text for text in said if text)}".rstrip() + known
    yield from described.notes
    if described.outlives:
        yield f"What outlives the key: {described.outlives}"


def _settings(described: About) -> Iterator[str]:
    for need in described.credentials:
        needed = "yes" if need.required else "for more"
        yield f"| `{need.name}_env`, `_file`, `_keyring` | {needed} | {need.why} | {need.permissions} |"
    for service in described.services:
        default = f"default `{service.url}`" if service.url else "if wanted" if service.optional else "yes"
        yield f"| `{service.setting}` | {default} | {service.why} | |"
    for option in described.options:
        yield f"| `{option.name}` | {'yes' if option.required else 'if wanted'} | {option.why} | |"


def want(service: Service) -> str:
    """Whether a service without a default URL has to be set."""
    return "if wanted" if service.optional else "needed"
