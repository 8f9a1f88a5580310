"""The story that `keyfuse demo` tells: keys are issued, leak, are found, and die as their owners decided.

Everything in it is real (a git repository, a database, the scanner, the responder, the audit log) and lies in one
scratch directory. Only the keys are worth nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from keyfuse.auditing import AuditRequest, run_audit
from keyfuse.session import Session
from responders.auditlog import verify
from responders.issuer import Issued, NewKey, Valid
from responders.registrar import By
from responders.registry import LeakAction
from scanner.errors import CannotRun
from scanner.model import Confidence
from scanner.options import Options
from scanner.sources.target import TargetOptions

CONFIGURATION = """\
[notify]
administrators = ["security@example.org"]

[notify.channel.inbox]
type = "file"
personal = true
path = {path}
"""


@dataclass(frozen=True, slots=True)
class Planted:
    """A key of the story, and where it was left lying about."""

    name: str
    action: LeakAction
    locked: bool
    owner: str
    where: str


CAST = (
    Planted("payments-production", LeakAction.DISABLE, False, "ana@example.org", "in a working file, settings.py"),
    Planted("reports-retired", LeakAction.DELETE, False, "bo@example.org", "in a commit that was reverted"),
    Planted("sandbox-playground", LeakAction.NONE, False, "cy@example.org", "inside backup.zip"),
    Planted("root-breakglass", LeakAction.DISABLE, True, "dee@example.org", "in a deployment file; the key is locked"),
)


class Stage:
    """The scratch directory: a data directory, a configuration and a repository of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.repository = place / "shop"
        self.inbox = place / "notices.jsonl"
        self.config = place / "keyfuse.toml"
        self.env: Mapping[str, str] = {
            "KEYFUSE_DATA_DIR": str(place / "data"),
            "KEYFUSE_CACHE_DIR": os.environ.get("KEYFUSE_CACHE_DIR") or str(place / "cache"),
            "HOME": str(place),
        }
        self.config.write_text(CONFIGURATION.format(path=json.dumps(str(self.inbox))), "utf-8")

    def session(self) -> Session:
        """A session that knows nothing of the installation it runs in."""
        return Session(str(self.config), env=self.env)

    def git(self, *words: str) -> None:
        """Runs git in the demo's repository, without anybody's configuration. Raises CannotRun."""
        who = ("-c", "user.name=Demo", "-c", "user.email=demo@example.org", "-c", "commit.gpgsign=false")
        env = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
        try:
            subprocess.run(
                ["git", *who, *words], cwd=self.repository, env=env, check=True, capture_output=True, text=True
            )
        except FileNotFoundError:
            raise CannotRun("git is not installed, or not on PATH; install it to see the demo") from None
        except subprocess.CalledProcessError as error:
            raise CannotRun(f"git {words[0]} failed in the demo's repository: {error.stderr.strip()}") from None


def issue(session: Session) -> list[Issued]:
    """The embedded provider issues the keys of the cast."""
    by, issuer = By(session.actor), session.issuer()
    return [
        issuer.create(
            NewKey(
                planted.name,
                iam_id=planted.owner,
                owners=(planted.owner,),
                action_when_leaked=planted.action,
                locked=planted.locked,
            ),
            by,
        )
        for planted in CAST
    ]


def plant(stage: Stage, keys: list[Issued]) -> None:
    """Leaves them where people leave them."""
    values = [key.secret.reveal().decode("ascii") for key in keys]
    stage.repository.mkdir()
    stage.git("init", "--quiet", "--initial-branch=main")
    (stage.repository / "README.md").write_text("# shop\n", "utf-8")
    stage.git("add", "--all")
    stage.git("commit", "--quiet", "-m", "Open the shop")
    (stage.repository / "report.py").write_text(f'import shop\n\nclient = shop.Client("{values[1]}")\n', "utf-8")
    stage.git("add", "--all")
    stage.git("commit", "--quiet", "-m", "Send monthly reports")
    stage.git("revert", "--no-edit", "HEAD")
    (stage.repository / "settings.py").write_text(f'DEBUG = False\nPAYMENTS_KEY = "{values[0]}"\n', "utf-8")
    deploy = stage.repository / "deploy"
    deploy.mkdir()
    (deploy / "compose.yaml").write_text(f"services:\n  web:\n    environment:\n      ROOT: {values[3]}\n", "utf-8")
    with zipfile.ZipFile(stage.repository / "backup.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("etc/sandbox.ini", f"[api]\nkey = {values[2]}\n")
    stage.git("add", "--all")
    stage.git("commit", "--quiet", "-m", "Go live")


def audit(stage: Stage, session: Session) -> int:
    """The audit of the repository, with responses. Prints its report; returns its exit code."""
    request = AuditRequest(
        targets=(str(stage.repository),),
        part=TargetOptions(name="shop"),
        options=Options(min_confidence=Confidence.MEDIUM),
        respond=True,
        jobs=1,
    )
    return run_audit(request, session)


def proofs(session: Session, keys: list[Issued]) -> Iterator[str]:
    """Each key is tried once more, as a thief would."""
    issuer = session.issuer()
    for planted, key in zip(CAST, keys, strict=True):
        verdict = issuer.verify(key.secret, count=False)
        outcome = "still works" if isinstance(verdict, Valid) else f"refused: {verdict.reason}"
        yield f"{planted.name:<21} {planted.action.value:<8} {'locked' if planted.locked else '':<7} {outcome}"


def notices(stage: Stage) -> Iterator[str]:
    """What went out, one line a notice."""
    if stage.inbox.exists():
        for line in stage.inbox.read_text("utf-8").splitlines():
            told = json.loads(line)
            yield f"to {told['recipient']:<22} {told['subject']}"


def checked_log(session: Session) -> str:
    """The audit log's verification, in a sentence."""
    with session.records().read() as tx:
        verified = verify(tx.audit.read(), tx.audit.head())
    return f"{verified.records} records, chain intact, head {verified.head[:16]}…"


def clear(stage: Stage) -> None:
    """Leaves nothing behind."""
    shutil.rmtree(stage.place)


def values_in(stage: Stage, keys: list[Issued]) -> list[str]:
    """Files of keyfuse's own that hold one of the plaintexts; there must be none."""
    values = [key.secret.reveal() for key in keys]
    own = [path for path in (stage.place / "data").rglob("*") if path.is_file()]
    own += [path for path in (stage.inbox, stage.config) if path.exists()]
    return [path.name for path in own if any(value in path.read_bytes() for value in values)]
