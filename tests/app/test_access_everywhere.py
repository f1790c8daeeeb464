"""Every route and every event of the console, enumerated from the application itself, so that none is forgotten."""

import inspect
from itertools import product

import pytest
from people import NAMES, log_in, with_everybody
from served_homes import ENVIRONMENTS
from serving import ADDRESS, HOST, PORT
from starlette.routing import Mount
from starlette.testclient import TestClient

from app.access import declared, needs_of
from app.console.mount import NEEDED_OF_GRADIO
from app.server import create_app
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Role
from core.services import Workspace

PUBLIC = {"/healthz", "/readyz", "/login", "/logout"}
SMALLER = {Role.OPERATOR: Role.VIEWER, Role.ENGINEER: Role.OPERATOR, Role.ADMIN: Role.ENGINEER}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """The application of a home with all environments and a user of each role."""
    group_qc = {"model": str(tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny")))}
    home = tmp_path_factory.mktemp("guarded") / "home"
    ws = Workspace.open(home, environments=ENVIRONMENTS, group_qc=group_qc)
    with_everybody(ws)
    return create_app(ws, host=HOST, port=PORT)


@pytest.fixture(scope="module")
def signed_in(guarded):
    """A browser for each role; None is one that nobody signed in with."""
    browsers = {role: TestClient(guarded, base_url=ADDRESS, raise_server_exceptions=False) for role in (None, *NAMES)}
    for role, name in NAMES.items():
        assert log_in(browsers[role], name).status_code == 303
    return browsers


def own_routes(app):
    """Path, method and handler of every route of ours; one that takes an environment comes once for each."""
    for route in app.routes:
        if not isinstance(route, Mount):
            for path, method in product(filled(route.path), route.methods):
                yield path, method, route.endpoint


def filled(path):
    """The paths it stands for."""
    return sorted({path.replace("{environment}", each).replace("{", "").replace("}", "") for each in ENVIRONMENTS})


def console(app):
    """The pages as Gradio keeps them."""
    (mount,) = (route for route in app.routes if isinstance(route, Mount))
    return mount.app.get_blocks()


def call(client, index, door="run/predict"):
    body = {"fn_index": index, "data": [None] * 20, "session_hash": "raw"}
    return client.post(f"/gradio_api/{door}", json=body, headers={"origin": ADDRESS})


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_serves_each_environment_is_among_what_is_enumerated(guarded, environment):
    paths = {path for path, _, _ in own_routes(guarded)}
    own = {"screen": set(), "group_qc": {"/v1/group_qc/groups", "/v1/group_qc/monitoring"}}
    shared = {"predictions", "predictions/batch", "feedback", "rollout"}
    assert paths >= {f"/v1/{environment}/{each}" for each in shared} | own[environment]
    assert any(path.startswith(f"/console/{environment}/review") for path in paths)


def test_the_handlers_of_every_page_are_among_what_is_enumerated(guarded):
    pages = {inspect.unwrap(event.fn).__module__ for event in console(guarded).fns.values() if event.fn is not None}
    assert pages >= {"app.console.classify", "app.console.groups", "app.console.models", "app.console.settings"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_handlers_of_each_environment_are_among_what_is_enumerated(guarded, environment):
    handlers = [inspect.unwrap(event.fn) for event in console(guarded).fns.values() if event.fn is not None]
    bound = [(each.__module__, getattr(each, "__self__", None)) for each in handlers]
    found = {
        module for module, page in bound if getattr(getattr(page, "environment", None), "name", None) == environment
    }
    assert found >= {f"app.console.{each}" for each in ("metrics", "runs", "models", "judge", "deciding", "lineage")}


def test_every_route_declares_what_it_needs(guarded):
    silent = [path for path, _, endpoint in own_routes(guarded) if declared(endpoint) is None]
    assert silent == []
    public = {path for path, _, endpoint in own_routes(guarded) if declared(endpoint).role is None}
    assert public == PUBLIC


def test_every_event_of_the_console_declares_what_it_needs(guarded):
    events = console(guarded).fns
    assert len(events) > 20
    assert [str(event.fn) for event in events.values() if needs_of(event) is None] == []
    assert all(needs_of(event).role is not None for event in events.values())


def test_every_route_refuses_whoever_nobody_knows(guarded, signed_in):
    for path, method, _ in own_routes(guarded):
        answer = signed_in[None].request(method, path)
        assert (answer.status_code == 401) != (path in PUBLIC), (method, path, answer.status_code)


def test_every_route_refuses_too_small_a_role_before_it_reads_the_request(guarded, signed_in):
    asked = 0
    for path, method, endpoint in own_routes(guarded):
        role = declared(endpoint).role
        if role in SMALLER:
            answer = signed_in[SMALLER[role]].request(method, path, content=b"{not json")
            assert answer.status_code == 403 and f"needs the role {role}" in answer.json()["detail"], (method, path)
            asked += 1
    assert asked >= 3


@pytest.mark.parametrize("door", ["run/predict", "queue/join"])
def test_every_event_refuses_whoever_nobody_knows(guarded, signed_in, door):
    for index in console(guarded).fns:
        assert call(signed_in[None], index, door).status_code == 401


def test_every_event_refuses_too_small_a_role(guarded, signed_in):
    asked = 0
    for index, event in console(guarded).fns.items():
        role = needs_of(event).role
        if role in SMALLER:
            answer = call(signed_in[SMALLER[role]], index)
            assert answer.status_code == 500 and f"needs the role {role}" in answer.text, event.fn
            asked += 1
    assert asked >= 10


def test_an_event_that_declares_nothing_is_refused_to_the_admin_too(guarded, signed_in):
    events = console(guarded).fns
    index, event = next((index, event) for index, event in events.items() if event.fn is not None)
    said = event.fn
    try:
        event.fn = lambda *_: "no word of who may"
        assert "does not say which role" in call(signed_in[Role.ADMIN], index).text
    finally:
        event.fn = said


def test_what_gradio_serves_is_shut_too(signed_in):
    for path in ("/config", "/theme.css", "/gradio_api/queue/data", "/gradio_api/heartbeat/a"):
        assert NEEDED_OF_GRADIO.fullmatch(path)
        assert signed_in[None].get(path).status_code == 401
    assert signed_in[Role.VIEWER].get("/config").status_code == 200


def test_a_page_leads_to_the_door_and_from_there_back(signed_in):
    answer = signed_in[None].get("/review?a=1", headers={"accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Freview%3Fa%3D1")
    assert "Sign in" in signed_in[None].get(answer.headers["location"]).text


def test_a_viewer_may_look(signed_in):
    assert signed_in[Role.VIEWER].get("/v1/me").json() == {
        "name": "vera",
        "role": "viewer",
        "scopes": None,
        "signed_in": True,
    }
    assert signed_in[Role.VIEWER].get("/review").status_code == 200
