"""Hangs the HTTP side into the daemon, where it is installed and wanted."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from keyfuse.daemon.services import Extension, Services

MODULE = "keyfuse.api.service"


def extension_of(services: Services) -> Extension | None:
    """What `keyfuse.api.service.open_service` gives; None without that module, or where no HTTP is configured."""
    if find_spec("keyfuse.api") is None or find_spec(MODULE) is None:
        return None
    extension: Extension | None = import_module(MODULE).open_service(services)
    return extension
