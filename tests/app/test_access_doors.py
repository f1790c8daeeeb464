"""Signing in and out through the served application, and what comes of it."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
from people import PASSWORD, log_in, with_everybody
from serving import ADDRESS, HOST, PORT, picture, said, send
from starlette.testclient import TestClient

from app.console.login import SIGN_INS
from app.server import create_app
from core.access import add_user, audit_log, create_token, disable_user, open_house, remove_user, signing_in
from core.schema import Correction, Role, Scope
from core.services import Workspace

COOKIE = f"nightshift-{PORT}"


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    ws = Workspace.open(tmp_path_factory.mktemp("doors") / "home")
    with_everybody(ws)
    return ws


@pytest.fixture(scope="module")
def app(ws):
    return create_app(ws, host=HOST, port=PORT)


@pytest.fixture
def browser(app):
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)


@pytest.fixture
def oscar(browser):
    """The operator's browser."""
    assert log_in(browser, "oscar").status_code == 303
    return browser


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(browser):
    answer = log_in(browser, "oscar", there="/review?page=2")
    cookie = answer.headers["set-cookie"]
    assert answer.headers["location"] == "/review?page=2"
    assert cookie.startswith(f"{COOKIE}=") and "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert "Path=/" in cookie and "Max-Age=604800" in cookie and "Secure" not in cookie


def test_a_browser_stays_signed_in_when_the_server_is_started_again(oscar, ws):
    again = TestClient(create_app(ws, host=HOST, port=PORT), base_url=ADDRESS, cookies=dict(oscar.cookies))
    assert again.get("/v1/me").json()["name"] == "oscar"


def test_signing_out_ends_the_session_and_not_only_the_cookie(oscar):
    kept = oscar.cookies[COOKIE]
    assert oscar.post("/logout", follow_redirects=False).headers["location"] == "/login"
    assert oscar.get("/v1/me", cookies={COOKIE: kept}).status_code == 401


@pytest.mark.parametrize(
    "there", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/login", "/a\nb"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(browser, there):
    assert log_in(browser, "oscar", there=there).headers["location"] == "/"


def test_a_wrong_password_says_so_and_shows_what_was_typed_as_text(browser):
    answer = log_in(browser, '"><script>x', "wrong password")
    assert answer.status_code == 401 and "not right" in answer.text
    assert "<script>x" not in answer.text and "set-cookie" not in answer.headers


def test_a_wrong_password_and_too_many_tries_are_told_in_german_where_that_is_asked_for(browser, ws):
    add_user(ws, "versuch", Role.VIEWER, PASSWORD)
    browser.headers["accept-language"] = "de"
    assert "Name oder Passwort stimmt nicht." in log_in(browser, "versuch", "wrong password").text
    for _ in range(3):
        answer = log_in(browser, "versuch", "wrong password")
    assert answer.status_code == 429 and "Zu viele Versuche. Bitte warten Sie" in answer.text


def test_a_foreign_page_cannot_sign_anybody_in(browser):
    form = {"name": "oscar", "password": PASSWORD}
    answer = browser.post("/login", data=form, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_whoever_follows_a_link_from_elsewhere_is_asked_again_by_our_own_page(browser):
    headers = {"accept": "text/html", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    answer = browser.get("/review", headers=headers, follow_redirects=False)
    assert answer.status_code == 200 and 'http-equiv="refresh"' in answer.text


def test_too_many_tries_are_told_when_to_come_back(browser, ws):
    add_user(ws, "locked", Role.VIEWER, PASSWORD)
    for _ in range(3):
        log_in(browser, "locked", "wrong password")
    answer = log_in(browser, "locked")
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1


def test_a_flood_of_sign_ins_is_sent_away_and_holds_up_nobody_else(ws):
    forms = {"data": {"name": "vera", "password": PASSWORD}, "follow_redirects": False}
    app = create_app(ws, host=HOST, port=PORT)
    with TestClient(app, base_url=ADDRESS) as client, ThreadPoolExecutor(SIGN_INS + 1) as browsers:
        with signing_in._turn:  # as long as it takes to compare a password
            trying = [browsers.submit(client.post, "/login", **forms) for _ in range(SIGN_INS + 1)]
            done, waiting = wait(trying, 60, return_when=FIRST_COMPLETED)
            (sent_away,) = (each.result() for each in done)
            assert sent_away.status_code == 429 and "Too many tries" in sent_away.text
            assert int(sent_away.headers["retry-after"]) >= 1
            assert client.get("/login").status_code == 200
        assert [each.result(60).status_code for each in waiting] == [303] * SIGN_INS
        assert client.post("/login", **forms).status_code == 303


def test_a_word_bears_the_name_of_whoever_is_signed_in(oscar, ws):
    answer = said(oscar)
    body = {"prediction_id": answer["prediction_id"], "label": "on_task"}
    assert oscar.post("/v1/feedback", json=body).status_code == 201
    assert ws.store.find(Correction)[-1].reviewer == "oscar"
    line = audit_log(ws, action="correction")[0]
    assert (line.who, line.action, line.subject) == ("oscar", "correction.given", answer["prediction_id"][:16])


def test_a_token_opens_what_its_scopes_say_and_nothing_more(browser, ws):
    _, secret = create_token(ws, "oscar", "camera", [Scope.PREDICT], 10)
    browser.headers["authorization"] = f"Bearer {secret}"
    answer = send(browser, picture())
    assert answer.status_code == 200
    body = {"prediction_id": answer.json()["prediction_id"], "label": "on_task"}
    assert "scope feedback" in browser.post("/v1/feedback", json=body).json()["detail"]
    assert browser.get("/v1/me").status_code == 403
    assert "no token opens this" in browser.get("/config").json()["detail"]


def test_no_token_opens_what_the_review_page_asks_for(browser, ws):
    _, token = create_token(ws, "oscar", "camera", [Scope.FEEDBACK, Scope.MANAGE, Scope.READ], 10)
    as_camera = {"authorization": f"Bearer {token}"}
    for what in ("items", "words", "undo", "leave"):
        answer = browser.post(f"/console/screen/review/{what}", json={"sitting": "one", "want": 5}, headers=as_camera)
        assert (answer.status_code, "no token" in answer.text) == (403, True), what
    assert browser.get("/console/screen/review/facets", headers=as_camera).status_code == 403


def test_a_token_may_no_more_than_its_owner(browser, ws):
    _, secret = create_token(ws, "vera", "reader", list(Scope), 10)
    browser.headers["authorization"] = f"Bearer {secret}"
    assert browser.get("/v1/me").json()["role"] == "viewer"
    assert send(browser, picture()).status_code == 403


def test_a_wrong_token_is_not_mended_by_a_cookie(oscar):
    assert oscar.get("/v1/me", headers={"authorization": "Bearer ns_nothing"}).status_code == 401


def test_whoever_is_shut_out_is_out_at_once_everywhere(app, ws):
    add_user(ws, "gone", Role.OPERATOR, PASSWORD)
    browser = TestClient(app, base_url=ADDRESS)
    log_in(browser, "gone")
    _, secret = create_token(ws, "gone", "of gone", [Scope.READ], 10)
    token = {"authorization": f"Bearer {secret}"}
    assert browser.get("/v1/me").status_code == browser.get("/v1/me", headers=token).status_code == 200
    # As the command line does it: another process, another store object.
    disable_user(open_house(ws.home), "gone")
    assert browser.get("/v1/me").status_code == browser.get("/v1/me", headers=token).status_code == 401


def test_a_server_that_others_reach_is_shut_when_the_last_user_goes(home):
    ws = Workspace.open(home, access={"allowed_hosts": ["ns.example.org"]})
    add_user(ws, "ada", Role.ADMIN, PASSWORD)
    browser = TestClient(create_app(ws, host=HOST, port=PORT), base_url=ADDRESS)
    for host, origin in (("ns.example.org", "https://ns.example.org"), (f"ns.example.org:{PORT}", ADDRESS)):
        form = {"name": "ada", "password": PASSWORD}
        answer = browser.post("/login", data=form, headers={"host": host, "origin": origin}, follow_redirects=False)
        assert answer.status_code == 303
        assert ("Secure" in answer.headers["set-cookie"]) == origin.startswith("https")
    remove_user(ws, "ada", also_last=True)
    assert browser.get("/v1/me").status_code == 401
    assert "nightshift users add" in browser.get("/login").text
