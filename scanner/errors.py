"""The errors of keyfuse, one tree with one root.

    KeyfuseError                 anything keyfuse raises on purpose; its text is for people and names the next step
    ├── UsageError               the caller asked for something that makes no sense (exit code 2)
    │   ├── ConfigError          the configuration cannot be used
    │   └── RuleError            a rule file cannot be used
    ├── CannotRun                the surroundings do not allow it (exit code 3)
    │   ├── SourceError          a target cannot be read at all
    │   └── EngineError          the matching engine cannot be built or loaded
    └── (responders.errors)      this tree goes on there

An error's text never holds a secret, and never bytes of scanned content.
"""

from __future__ import annotations


class KeyfuseError(Exception):
    """The root: an error meant for a person, with what to do next in its text."""


class UsageError(KeyfuseError):
    """The request makes no sense as it stands; nothing was done."""


class ConfigError(UsageError):
    """The configuration cannot be used; the text names file, key and the nearest right one."""


class RuleError(UsageError):
    """A rule file cannot be used; the text names file, rule and the reason."""


class CannotRun(KeyfuseError):
    """The surroundings (files, permissions, programs) do not allow the work."""


class SourceError(CannotRun):
    """A target cannot be read at all; what can be read in part yields Skipped instead."""


class EngineError(CannotRun):
    """The matching engine cannot be built or loaded."""
