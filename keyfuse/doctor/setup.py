"""What people set up: configuration, channels, and the hook of the repository they stand in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from keyfuse.doctor.verdict import Level, Verdict
from keyfuse.hook.canary import try_hook
from keyfuse.hook.installer import Present, look
from keyfuse.hook.repository import Repository, open_repository
from keyfuse.hook.stage import Stage
from keyfuse.session import Session
from responders.errors import ProviderError
from responders.notify.channels import Unusable
from scanner.errors import CannotRun, UsageError


def configuration(name: str, session: Session) -> Iterator[Verdict]:
    """Whether the configuration can be read. Raises ConfigError with everything that is wrong with it."""
    path = session.config.path
    yield Verdict(name, Level.OK, str(path) if path else "no file; the defaults are in force")


def channels(name: str, session: Session) -> Iterator[Verdict]:
    """Whether people can be told. Nothing is sent."""
    if not session.config.notify.channel:
        next_step = "add a [notify.channel.<name>]; keyfuse config example shows how"
        yield Verdict(name, Level.WARN, "none is configured, so nobody is told of a leak", next_step)
        return
    usable = []
    for channel in session.channels():
        if isinstance(channel, Unusable):
            yield Verdict(name, Level.FAIL, channel.reason, "mend it, then: keyfuse notify test")
        else:
            usable.append(channel.name)
    if usable:
        yield Verdict(name, Level.OK, f"{', '.join(usable)} (not tried; keyfuse notify test does)")


def providers(name: str, session: Session) -> Iterator[Verdict]:
    """Whether the credentials of connected providers can be read. Nobody is spoken to."""
    from keyfuse.policies import providers_of  # noqa: PLC0415  (loads what configured providers declare)
    from responders.connection import credential_of  # noqa: PLC0415

    settings = providers_of(session.config)
    broken = False
    for provider, connection in settings.items():
        for credential in connection.credentials:
            try:
                credential_of(provider, connection, credential, os.environ)
            except ProviderError as error:
                broken = True
                yield Verdict(name, Level.FAIL, str(error), f"mend it, then: keyfuse providers test {provider}")
    if not settings:
        yield Verdict(name, Level.OK, "none is connected; vendors' keys are not acted upon (keyfuse providers list)")
    elif not broken:
        yield Verdict(name, Level.OK, f"{', '.join(settings)} (not spoken to; keyfuse providers test NAME does)")


def hook(name: str, _session: Session) -> Iterator[Verdict]:
    """Whether the hooks of the repository around the working directory fire. Somebody else's hook is not run."""
    try:
        repository = open_repository(Path.cwd())
    except UsageError:
        yield Verdict(name, Level.OK, "not in a git repository, so there is none to look at")
        return
    found = False
    for stage in Stage:
        if look(repository, stage).present in (Present.OURS, Present.EDITED):
            found = True
            yield _trial(name, repository, stage)
    if not found:
        yield _missing(name, repository)


def _trial(name: str, repository: Repository, stage: Stage) -> Verdict:
    try:
        trial = try_hook(repository, stage)
    except CannotRun as error:
        return Verdict(name, Level.FAIL, str(error))
    if trial.fires:
        return Verdict(name, Level.OK, f"{stage.value}: {trial.explanation}")
    return Verdict(name, Level.FAIL, f"{stage.value}: {trial.explanation}", f"keyfuse hook test {stage.value}")


def _missing(name: str, repository: Repository) -> Verdict:
    stage = Stage.PRE_RECEIVE if repository.bare else Stage.PRE_COMMIT
    present = look(repository, stage)
    if present.present is Present.FOREIGN:
        said = f"the {stage.value} hook at {present.path} is not keyfuse's own (it may still call keyfuse)"
        return Verdict(name, Level.WARN, said, f"keyfuse hook test {stage.value}")
    said = f"this repository has no {stage.value} hook of keyfuse's: keys can be committed"
    return Verdict(name, Level.WARN, said, f"keyfuse hook install {stage.value}")
