"""One served home a module, with the untrained champion."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from served_homes import smallest, write_settings
from serving import ADDRESS, HOST, PORT
from starlette.testclient import TestClient

from app.server import create_app, serve
from core.services import Workspace


@pytest.fixture(scope="module")
def environment(request: pytest.FixtureRequest) -> str:
    """What is served: screens, unless a test is marked `in_each_environment`."""
    return getattr(request, "param", "screen")


@pytest.fixture(scope="module")
def module_home(environment: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("served")
    write_settings(home, smallest(environment, tmp_path_factory.mktemp("tiny")))
    return home


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


def wait_until(url, status, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            response = httpx.get(url, timeout=10)
            if response.status_code == status:
                return response
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} did not answer {status} within {seconds} s")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A real server on a free port, and its home; it is stopped as a signal would stop it."""
    home = tmp_path_factory.mktemp("real") / "home"
    address, listening, servers = [], threading.Event(), []
    begin = uvicorn.Server.__init__

    def noted(self, config):
        begin(self, config)
        servers.append(self)

    def told(where):
        address.append(where)
        listening.set()

    arguments = {"args": (home, "127.0.0.1", 0), "kwargs": {"on_listening": told}}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(uvicorn.Server, "__init__", noted)
        thread = threading.Thread(target=serve, daemon=True, **arguments)
        thread.start()
        assert listening.wait(60)
        wait_until(f"{address[0]}/readyz", 200)
    yield address[0], Workspace.open(home)
    servers[0].should_exit = True
    thread.join(60)
