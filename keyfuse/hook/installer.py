"""Puts keyfuse's hook into a repository and takes it out again, without losing anybody's hook on the way.

A hook that was there before is renamed, never copied or edited: it keeps its bytes, its mode and, if it is one, its
being a symbolic link. It runs first (it may change what is staged), and what either of the two refuses is refused.
"""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from keyfuse.hook.neighbours import recognise_neighbour
from keyfuse.hook.repository import Repository, Scope
from keyfuse.hook.script import CHAINED, Script, recognise
from keyfuse.hook.stage import Stage
from scanner.errors import CannotRun, UsageError
from scanner.model import printable


class Present(StrEnum):
    """What lies where git looks for the hook."""

    NOTHING = "nothing"
    OURS = "ours"
    EDITED = "edited"
    """ours, with changes made by hand"""
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class HookFile:
    """One stage's hook in one repository, as it is now. `content` is None where it cannot be read or is not there."""

    stage: Stage
    path: Path
    present: Present
    content: bytes | None
    executable: bool

    @property
    def chained(self) -> Path:
        """Where an earlier hook is kept."""
        return self.path.with_name(self.path.name + CHAINED)


class Outcome(StrEnum):
    """What the installer did."""

    INSTALLED = "installed"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    RESTORED = "restored"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done to which file; `chained` is the earlier hook that runs before ours, `notes` are for the person."""

    outcome: Outcome
    path: Path
    chained: Path | None = None
    notes: tuple[str, ...] = ()


def look(repository: Repository, stage: Stage) -> HookFile:
    """The hook that git would run there for this stage."""
    path = repository.hooks_dir / stage.value
    if not os.path.lexists(path):
        return HookFile(stage, path, Present.NOTHING, None, executable=False)
    try:
        content = path.read_bytes()
    except OSError:
        # A dangling link, a directory, or not ours to read: somebody else's, whatever it says.
        return HookFile(stage, path, Present.FOREIGN, None, os.access(path, os.X_OK))
    mark = recognise(content)
    present = Present.FOREIGN if mark is None else Present.EDITED if mark.edited else Present.OURS
    return HookFile(stage, path, present, content, os.access(path, os.X_OK))


def install(repository: Repository, script: Script, *, shared: bool = False, force: bool = False) -> Done:
    """Installs or updates one hook. Raises UsageError or CannotRun, with what to do instead, and then changed nothing.

    `shared` allows a hooks directory that other repositories use too. `force` goes past everything else that speaks
    against it: a hook manager's directory, tracked hooks, a hook of ours that was edited.
    """
    _check_stage(repository, script.stage)
    _check_directory(repository, script.stage, shared=shared, force=force)
    hook = look(repository, script.stage)
    if not force:
        _check_neighbour(repository, hook)
    text = script.text()
    notes: tuple[str, ...] = ()
    outcome = Outcome.UPDATED
    chain = False
    match hook.present:
        case Present.NOTHING:
            outcome = Outcome.INSTALLED
        case Present.OURS if hook.content == text and hook.executable and not hook.path.is_symlink():
            return Done(Outcome.UNCHANGED, hook.path, _kept(hook))
        case Present.OURS:
            pass
        case Present.EDITED if not force:
            raise CannotRun(
                f"{printable(str(hook.path))} is keyfuse's, but was edited by hand. Move your lines elsewhere, "
                f"or replace the file with: keyfuse hook install {hook.stage.value} --force"
            )
        case Present.EDITED:
            pass
        case Present.FOREIGN:
            outcome, chain = Outcome.INSTALLED, True
            _check_chain(hook)
            if not hook.executable:
                notes = (
                    f"the {hook.stage.value} hook that was there is not executable; git ignored it and still will",
                )
    _write(hook, text, chain=chain)
    return Done(outcome, hook.path, _kept(hook), notes)


def uninstall(repository: Repository, stage: Stage, *, shared: bool = False, force: bool = False) -> Done:
    """Takes one hook out and puts the earlier one back. Raises CannotRun, with what to do, and then changed nothing."""
    if not shared and repository.hooks_path in (Scope.GLOBAL, Scope.SYSTEM):
        hook = look(repository, stage)
        if hook.present in (Present.OURS, Present.EDITED):
            raise UsageError(
                f"{printable(str(hook.path))} serves all repositories ({repository.hooks_path.value} core.hooksPath); "
                f"take it out of all of them with: keyfuse hook uninstall {stage.value} --global"
            )
    hook = look(repository, stage)
    earlier = _kept(hook)
    if hook.present is Present.EDITED and not force:
        raise CannotRun(
            f"{printable(str(hook.path))} is keyfuse's, but was edited by hand. Keep your lines elsewhere, "
            f"then remove it with: keyfuse hook uninstall {stage.value} --force"
        )
    if hook.present is Present.FOREIGN:
        return Done(Outcome.ABSENT, hook.path, earlier, _strangers(hook, earlier))
    if hook.present is Present.NOTHING and earlier is None:
        return Done(Outcome.ABSENT, hook.path)
    try:
        if earlier is None:
            hook.path.unlink()
            return Done(Outcome.REMOVED, hook.path)
        earlier.replace(hook.path)
    except OSError as error:
        raise _cannot_write(hook.path.parent, error) from None
    return Done(Outcome.RESTORED, hook.path)


def _strangers(hook: HookFile, earlier: Path | None) -> tuple[str, ...]:
    """What to say about a hook that is not ours."""
    notes = [f"{printable(str(hook.path))} was not written by keyfuse and stays as it is"]
    if earlier is not None:
        notes.append(f"the hook that keyfuse once set aside is still there: {printable(str(earlier))}")
    legacy = hook.path.with_name(hook.path.name + ".legacy")
    if legacy.is_file() and recognise(legacy.read_bytes()):
        notes.append(
            f"the pre-commit framework moved keyfuse's hook and still runs it: delete {printable(str(legacy))}"
        )
    return tuple(notes)


def _check_stage(repository: Repository, stage: Stage) -> None:
    if repository.bare and stage is not Stage.PRE_RECEIVE:
        raise UsageError(
            f"{printable(str(repository.git_dir))} is a bare repository: nobody commits in it. "
            "Guard what is pushed to it with: keyfuse hook install pre-receive"
        )


def _check_directory(repository: Repository, stage: Stage, *, shared: bool, force: bool) -> None:
    where = printable(str(repository.hooks_dir))
    by_hand = f'keyfuse hook run {stage.value} "$@" || exit $?'
    match repository.hooks_path:
        case Scope.GLOBAL | Scope.SYSTEM | Scope.COMMAND if not shared:
            raise UsageError(
                f"git's {repository.hooks_path.value} setting core.hooksPath sends all repositories to {where}. "
                f"Install for all of them with: keyfuse hook install {stage.value} --global\n"
                "Or for this one alone, where the shared hooks then no longer run: git config core.hooksPath "
                f"{printable(str(repository.common_dir / 'hooks'))} and install again"
            )
        case Scope.UNSET | Scope.LOCAL | Scope.WORKTREE if shared:
            raise UsageError(
                "--global means the directory that a global core.hooksPath names, and there is none in force here. "
                "Set one first (git config --global core.hooksPath DIRECTORY; git then no longer looks into each "
                "repository's own hooks), or leave --global out"
            )
        case _:
            pass
    if force:
        return
    if repository.tracks(repository.hooks_dir):
        raise CannotRun(
            f"git tracks the hooks in {where}, so they are everybody's, and keyfuse's names a path of this machine. "
            f"Add this line to {where}/{stage.value} instead:\n{by_hand}\nOr write there all the same with --force"
        )
    if repository.hooks_path is Scope.UNSET and _leads_elsewhere(repository):
        raise CannotRun(
            f"{where} is a link to {printable(str(repository.hooks_dir.resolve()))}, which others may share. "
            f"Write there all the same with --force, or add this line to the hook there:\n{by_hand}"
        )


def _leads_elsewhere(repository: Repository) -> bool:
    home = repository.common_dir.resolve()
    return home not in repository.hooks_dir.resolve().parents


def _check_neighbour(repository: Repository, hook: HookFile) -> None:
    if hook.present in (Present.OURS, Present.EDITED):
        return
    neighbour = recognise_neighbour(repository.hooks_dir, hook.content)
    if neighbour is not None:
        raise CannotRun(
            f"{neighbour.name} runs this repository's hooks and would overwrite ours, so nothing was changed. "
            f"Let it call keyfuse: {neighbour.lines(hook.stage)}\n"
            f"Or chain the two all the same: keyfuse hook install {hook.stage.value} --force"
        )


def _check_chain(hook: HookFile) -> None:
    if hook.path.is_dir():
        raise CannotRun(f"{printable(str(hook.path))} is a directory; move it away and install again")
    if os.path.lexists(hook.chained):
        raise CannotRun(
            f"two hooks are there that are not keyfuse's: {printable(str(hook.path))} and, set aside by an earlier "
            f"install, {printable(str(hook.chained))}. Keep one of them under the first name, delete the other, "
            "and install again"
        )


def _kept(hook: HookFile) -> Path | None:
    return hook.chained if os.path.lexists(hook.chained) else None


def _write(hook: HookFile, text: bytes, *, chain: bool) -> None:
    """The new file is complete before anything moves; if the last step fails, the earlier hook goes back."""
    directory = hook.path.parent
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".keyfuse-", dir=directory)
    except OSError as error:
        raise _cannot_write(directory, error) from None
    ready = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        ready.chmod(_mode(directory))
        if chain:
            hook.path.rename(hook.chained)
        try:
            ready.replace(hook.path)
        except OSError:
            if chain:
                hook.chained.rename(hook.path)
            raise
    except OSError as error:
        ready.unlink(missing_ok=True)
        raise _cannot_write(directory, error) from None


def _mode(directory: Path) -> int:
    """Executable for whoever may enter the directory: as much is shared of the hook as of the repository."""
    return 0o700 | stat.S_IMODE(directory.stat().st_mode) & 0o055


def _cannot_write(directory: Path, error: OSError) -> CannotRun:
    return CannotRun(
        f"the hooks directory {printable(str(directory))} cannot be written ({error.strerror}); nothing was changed. "
        "Make it writable for you, or ask whoever owns it to run this command"
    )
