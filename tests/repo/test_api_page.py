"""docs/api.md names every request there is, and the package can be imported where its libraries are missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from keyfuse.api.app import create_app

HERE = Path(__file__).resolve().parents[2]


def no_desk() -> None:
    raise NotImplementedError


def test_the_page_names_every_request() -> None:
    page = (HERE / "docs/api.md").read_text("utf-8")
    described = create_app(no_desk).openapi()["paths"]  # type: ignore[arg-type]
    assert len(described) > 20
    assert [path for path in described if f"{path}`" not in page] == []


def test_the_service_loads_without_its_libraries() -> None:
    code = (
        "import sys\n"
        "for name in ('fastapi', 'uvicorn', 'starlette', 'pydantic', 'anyio'): sys.modules[name] = None\n"
        "import keyfuse.api.service\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HERE)
    assert done.returncode == 0, done.stderr
