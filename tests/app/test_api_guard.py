import pytest
from serving import ADDRESS, HOST, PORT, said
from starlette.routing import Mount
from starlette.websockets import WebSocketDisconnect

from app.guard import own_hosts, require_reach
from core.schema import Correction, NightshiftError
from core.settings import AccessSettings

FOREIGN_HOSTS = ["evil.example", "evil.example:7860", "127.0.0.1:7861", "127.0.0.1", "localhost", "a.nip.io:7860"]
FOREIGN_ORIGINS = ["http://evil.example", "null", "https://127.0.0.1:7860", "http://127.0.0.1:3000", "http://localhost"]


def every_route(app):
    """Method and path of every route of ours and of Gradio's, parameters filled in."""
    found = []
    for route in app.routes:
        inside = getattr(route, "app", None) if isinstance(route, Mount) else getattr(route, "original_router", None)
        if inside is not None:
            found += every_route(inside)
            continue
        path = route.path.replace("{", "").replace("}", "").replace(":path", "")
        found += [(method, path) for method in sorted(getattr(route, "methods", None) or {"GET"})]
    return found


def test_there_are_routes_of_ours_and_of_gradio(app):
    paths = {path for _, path in every_route(app)}
    assert {"/v1/feedback", "/healthz", "/review", "/gradio_api/queue/join", "/gradio_api/upload"} <= paths


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_every_route_refuses_a_foreign_host(app, client, host):
    for method, path in every_route(app):
        response = client.request(method, path, headers={"host": host})
        assert response.status_code == 403, (method, path)


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_every_route_refuses_a_foreign_origin(app, client, origin):
    for method, path in every_route(app):
        response = client.request(method, path, headers={"origin": origin})
        assert response.status_code == 403, (method, path)


def test_every_route_refuses_what_a_foreign_page_embeds_or_fetches(app, client):
    for method, path in every_route(app):
        for site in ("cross-site", "same-site"):
            response = client.request(method, path, headers={"sec-fetch-site": site, "sec-fetch-mode": "no-cors"})
            assert response.status_code == 403, (method, path)


def test_a_link_from_elsewhere_may_be_followed_but_no_form_sent(client):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=headers).status_code == 200
    assert client.post("/v1/feedback", headers=headers).status_code == 403


def test_a_foreign_page_can_store_nothing(client, ws):
    answer = said(client)
    body = {"prediction_id": answer["prediction_id"], "label": "on_task"}
    before = ws.store.count(Correction)
    for headers in ({"origin": "http://evil.example"}, {"host": "evil.example:7860"}, {"origin": "null"}):
        assert client.post("/v1/feedback", json=body, headers=headers).status_code == 403
    assert ws.store.count(Correction) == before
    assert client.post("/v1/feedback", json=body, headers={"origin": ADDRESS}).status_code == 201


def test_a_websocket_from_elsewhere_is_refused(client):
    for headers in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
        with (
            pytest.raises(WebSocketDisconnect) as refused,
            client.websocket_connect("/gradio_api/queue/join", headers=headers),
        ):
            pass
        assert refused.value.code == 1008


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1:7860", "[::1]:7860", "LOCALHOST:7860"])
def test_our_own_names_are_served(client, host):
    assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_two_hosts_or_none_are_no_host(client):
    twice = [("host", f"{HOST}:{PORT}"), ("host", "evil.example")]
    assert client.get("/healthz", headers=twice).status_code == 403
    assert client.get("/healthz", headers={"host": ""}).status_code == 403


def test_on_port_80_browsers_leave_the_port_out():
    assert "localhost" in own_hosts("127.0.0.1", 80)
    assert "localhost" not in own_hosts("127.0.0.1", 7860)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "10.0.0.1", "example.org", "", "127.0.0.1.nip.io"])
def test_without_users_only_loopback_is_listened_on(host):
    with pytest.raises(NightshiftError, match="refusing to listen"):
        require_reach(host, AccessSettings(), has_users=False)
    require_reach(host, AccessSettings(), has_users=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_loopback_is_loopback_by_any_name(host):
    require_reach(host, AccessSettings(), has_users=False)


@pytest.mark.parametrize("told", [{"allowed_hosts": ["ns.example.org"]}, {"trusted_proxies": ["10.0.0.7"]}])
def test_what_is_reached_through_a_proxy_needs_users_too(told):
    with pytest.raises(NightshiftError, match="nightshift users add"):
        require_reach("127.0.0.1", AccessSettings(**told), has_users=False)


@pytest.mark.parametrize("path", ["/", "/review", "/models", "/v1/openapi.json", "/healthz", "/nothing", "/v1/media/0"])
def test_every_answer_carries_careful_headers(client, path):
    headers = client.get(path).headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "no-store" in headers["cache-control"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file=http://evil.example/x"),
        ("GET", "/gradio_api/proxy=http://evil.example/x"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/openapi.json"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/call/v2/agree"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/vibe-edit"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/monitoring"),
    ],
)
def test_gradio_serves_no_more_than_the_console_needs(client, method, path):
    assert client.request(method, path).status_code == 404


def test_what_the_console_is_made_of_is_served(client):
    assert "Nightshift" in client.get("/").text
    assert client.get("/theme.css").status_code == 200
    assert client.get("/favicon.ico").status_code == 200
