"""`[provider.<name>] type = "command"`: a key service of one's own, asked through a command.

The command is an argument list; the verb is its last argument. What `responders.providers.own` describes comes on
stdin as one JSON object, never in an argument; the answer is expected on stdout, and exit code 0 with it. The
environment holds PATH, HOME, LANG and what `pass_env` names: none of keyfuse's own credentials.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from typing import Any

from responders.about import About, OptionNeed
from responders.catalog import Desk
from responders.connection import ProviderSettings
from responders.provider import Provider
from responders.providers.own import CAN, NotSaid, OwnProvider, ability

MOST_BYTES = 64 * 1024
"""How much a command may answer."""
ALWAYS = ("PATH", "HOME", "LANG")
PASS_ENV = OptionNeed("pass_env", "Environment variables that the command gets, beside PATH, HOME and LANG.", ())


def about(name: str, settings: ProviderSettings) -> About:
    """What is said of the service of that name."""
    return About(name, f"your key service {name}", (ability(settings),), options=(CAN, PASS_ENV))


def make(desk: Desk) -> Provider:
    """The provider that runs it."""

    def ask(verb: str, question: Mapping[str, Any]) -> Mapping[str, Any] | NotSaid:
        names = (*ALWAYS, *desk.settings.options.get(PASS_ENV.name, ()))  # type: ignore[misc]  # a list of texts
        environ = {name: desk.surroundings.environ[name] for name in names if name in desk.surroundings.environ}
        body = json.dumps(question).encode("utf-8", "surrogateescape")
        return run([*desk.settings.command, verb], body, environ, desk.settings.timeout)

    return OwnProvider(desk.about, desk.settings, ask)


def run(argv: list[str], body: bytes, environ: Mapping[str, str], timeout: float) -> Mapping[str, Any] | NotSaid:
    """Runs the command once: at most `timeout` seconds, at most MOST_BYTES of answer, its stderr to nobody."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
        )
    except OSError as error:
        return NotSaid(f"the command cannot be started ({error.strerror})", sent=False)
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(timeout, stop)
    timer.start()
    try:
        said = _converse(process, body)
    finally:
        timer.cancel()
        _kill(process)
    if late.is_set():
        return NotSaid(f"the command did not end within {timeout:g} s", sent=True)
    if process.returncode != 0:
        return NotSaid(f"the command ended with exit code {process.returncode}", sent=True)
    return _object(said)


def _converse(process: subprocess.Popen[bytes], body: bytes) -> bytes:
    """Hands over the question and reads the answer, up to its limit."""
    assert process.stdin is not None  # noqa: S101  (both are pipes)
    assert process.stdout is not None  # noqa: S101

    def hand_over() -> None:
        with contextlib.suppress(OSError), process.stdin as stdin:  # type: ignore[union-attr]  # it may not want to know
            stdin.write(body)

    writer = threading.Thread(target=hand_over, daemon=True)
    writer.start()
    said = process.stdout.read(MOST_BYTES + 1)
    if len(said) <= MOST_BYTES:
        process.wait()
    else:
        _kill(process)
    return said


def _object(said: bytes) -> Mapping[str, Any] | NotSaid:
    try:
        answer = json.loads(said) if len(said) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        answer = None
    return answer if isinstance(answer, dict) else NotSaid("the command's answer is not a JSON object", sent=True)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the command and whatever it started; one that was waited for has given its number back already."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    if process.stdout is not None:
        process.stdout.close()
