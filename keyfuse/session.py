"""What one command line works with: configuration, records, fingerprint key; each made when first asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from keyfuse.config import Config
    from responders.catalog import Catalog
    from responders.issuer import Issuer
    from responders.notify.channels import Channels
    from responders.notify.courier import Courier
    from responders.provider import Provider
    from responders.records import Records
    from responders.respond import Responder
    from scanner.model import Fingerprinter


def utc_now() -> datetime:
    """The wall clock, aware, in UTC."""
    return datetime.now(UTC)


class Session:
    """The context object of every command. Closing it lets go of the database."""

    def __init__(
        self,
        config_path: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._config_path = config_path
        self._env = env
        self._config: Config | None = None
        self._records: Records | None = None
        self._fingerprinter: Fingerprinter | None = None
        self.clock = clock

    @property
    def config(self) -> Config:
        """The configuration in force. Raises ConfigError."""
        if self._config is None:
            from keyfuse.config import load  # noqa: PLC0415  (commands that need no configuration do not pay for it)

            self._config = load(Path(self._config_path) if self._config_path else None, self._env)
        return self._config

    @property
    def env(self) -> Mapping[str, str]:
        """The environment it was started in."""
        return self._env

    def renewed(self) -> Session:
        """Another one, for the configuration as it is in the file by now."""
        return Session(self._config_path, self.clock, self._env)

    @property
    def actor(self) -> str:
        """Who is asking, for the audit log and key histories: `login@host`."""
        import getpass  # noqa: PLC0415  (looking needs no name)
        import socket  # noqa: PLC0415

        try:
            login = getpass.getuser()
        except (KeyError, OSError):
            login = f"uid-{os.getuid()}"
        return f"{login}@{socket.gethostname()}"

    def has_records(self) -> bool:
        """Whether there is a database already; asking makes none. A server's is taken to be there."""
        if self._records is not None:
            return True
        scheme, _, path = self.config.database.url.partition(":///")
        return scheme != "sqlite" or Path(path).exists()

    def records(self) -> Records:
        """The database, opened (and made, or brought up to date) at the first call. Raises StoreError."""
        if self._records is None:
            from keyfuse.wiring import open_records  # noqa: PLC0415  (keeps SQLAlchemy off the way of a clean audit)

            self._records = open_records(self.config, self.clock)
        return self._records

    def fingerprinter(self) -> Fingerprinter:
        """The installation's fingerprint key, made at the first use. Raises KeyFileError."""
        if self._fingerprinter is None:
            from responders.keyfile import load_or_create  # noqa: PLC0415  (commands without secrets do not need it)

            self._fingerprinter = load_or_create(self.config.data_dir)
        return self._fingerprinter

    def share(self, other: Session) -> None:
        """Goes on with the database and the fingerprint key that another session has opened."""
        self._records, self._fingerprinter = other.records(), other.fingerprinter()

    def responder(self, providers: Mapping[str, Provider] | None = None) -> Responder:
        """The coordinator of responses, over these records and the configured providers, or those given."""
        from keyfuse.wiring import build_responder  # noqa: PLC0415  (only commands that respond need it)

        return build_responder(self.config, self.records(), self.clock, providers)

    def issuer(self) -> Issuer:
        """The embedded provider's issuing side."""
        from keyfuse.wiring import build_issuer  # noqa: PLC0415  (only commands that handle keys need it)

        return build_issuer(self.config, self.records(), self.fingerprinter(), self.clock)

    def catalog(self) -> Catalog:
        """Every provider that can be asked."""
        from keyfuse.wiring import build_catalog  # noqa: PLC0415  (only commands that ask providers need it)

        return build_catalog(self.config, self.records(), self.clock)

    def courier(self) -> Courier:
        """What delivers the notices that wait."""
        from keyfuse.wiring import build_courier  # noqa: PLC0415  (only commands that tell people need it)

        return build_courier(self.config, self.records(), self.clock)

    def channels(self) -> Channels:
        """The configured notification channels."""
        from keyfuse.wiring import build_channels  # noqa: PLC0415  (only commands that tell people need it)

        return build_channels(self.config, self.clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._records is not None:
            self._records.close()
