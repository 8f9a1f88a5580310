"""The moments at which git asks keyfuse."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """A git hook that keyfuse can be."""

    PRE_COMMIT = "pre-commit"
    """before a commit is made: what is staged"""
    PRE_PUSH = "pre-push"
    """before a push leaves this machine: what the other side does not have yet"""
    PRE_RECEIVE = "pre-receive"
    """on a server, before refs move: what is new in this push"""

    @property
    def bypass(self) -> str:
        """How a person gets past the hook this one time; git's own way, which keyfuse cannot and need not prevent."""
        match self:
            case Stage.PRE_COMMIT:
                return "git commit --no-verify"
            case Stage.PRE_PUSH:
                return "git push --no-verify"
            case Stage.PRE_RECEIVE:
                return "ask the server's administrator: a pre-receive hook cannot be bypassed by the one who pushes"
