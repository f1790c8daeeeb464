"""One served home a module, with the untrained champion."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from serving import ADDRESS, HOST, PORT
from starlette.testclient import TestClient

from app.server import create_app
from core.services import Workspace


@pytest.fixture(scope="module")
def module_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served") / "home"


@pytest.fixture(scope="module")
def ws(module_home: Path) -> Workspace:
    """One home for a module, with the untrained champion."""
    return Workspace.open(module_home, media={"max_bytes": 300_000})


@pytest.fixture(scope="module")
def app(ws: Workspace) -> FastAPI:
    return create_app(ws, host=HOST, port=PORT)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    """The whole application, with its start and stop."""
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as client:
        yield client
