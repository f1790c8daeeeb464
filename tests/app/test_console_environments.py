"""The pages of a home with several environments, and of one whose environment takes groups of photos alone."""

import html
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from serving import ADDRESS, HOST, PORT
from starlette.testclient import TestClient

from app.console.missions import missions_card
from app.server import create_app
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.missions import named
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Prediction, new_id, now
from core.services import Workspace

BOTH = ("screen", "group_qc")
OF_EACH = ("figures", "runs", "models", "judge")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny"))


def opened(home: Path, model: Path, *environments: str) -> Workspace:
    return Workspace.open(home, environments=environments, group_qc={"model": str(model)})


def served(ws: Workspace) -> AbstractContextManager[TestClient]:
    return TestClient(create_app(ws, host=HOST, port=PORT), base_url=ADDRESS, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Workspace:
    """Both environments, and verdicts on groups of one mission that passed before and fail lately."""
    ws = opened(tmp_path_factory.mktemp("both") / "home", model, *BOTH)
    for number in range(20):
        said(ws, number, passes=number < 10)
    return ws


def said(ws: Workspace, number: int, *, passes: bool) -> None:
    ask = Dossier.of(named("air_baffle"), [f"正面，挡风板齐全，第{number}号"]).text
    example = ws.environment("group_qc").example((f"{number:064}",), ask, cluster="north/2031-01-01")
    answers = ws.environment("group_qc").answers or ()
    told: dict[str, Any] = {"probability": 0.9, "confidence": 0.9, "release": "r", "latency_ms": 1.0}
    at = now() - timedelta(days=20 if passes else 1)
    told |= {"answer": answers[0 if passes else 1], "at": at}
    ws.store.add(example, Prediction(id=new_id(), environment="group_qc", example=example.id, **told))


@pytest.fixture(scope="module")
def client(ws: Workspace) -> Iterator[TestClient]:
    with served(ws) as client:
        yield client


def page(client: TestClient, path: str) -> dict[str, Any]:
    """The configuration of a page, as the browser is given it."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    found = re.search(r"window\.gradio_config = (\{.*?\});</script>", answer.text, re.S)
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


def bar(client: TestClient, path: str) -> list[tuple[str, bool]]:
    """Where the links of a page's head lead, and whether that is the page itself."""
    told = page(client, path)
    head = told["i18n_translations"]["en"][f"head{path}"]
    links = re.findall(r'<a href="([^"]*)"( aria-current=page)?>', head)
    return [(html.unescape(leads_to), bool(current)) for leads_to, current in links]


def drawn(client: TestClient, path: str) -> str:
    """What the handlers that run when a page opens answer."""
    told = page(client, path)
    shown = ""
    for each in told["dependencies"]:
        if each["backend_fn"] and any(event == "load" for _, event in each["targets"]):
            body = {"fn_index": each["id"], "data": [None] * len(each["inputs"]), "session_hash": "somebody"}
            answer = client.post("/gradio_api/run/predict", json=body)
            assert answer.status_code == 200, answer.text
            shown += json.dumps(answer.json()["data"], ensure_ascii=False)
    return shown


@pytest.mark.parametrize("path", OF_EACH)
def test_each_page_is_there_for_each_environment_and_shows_that_one_alone(
    client: TestClient, ws: Workspace, path: str
) -> None:
    release = {name: str(ws.store.champion(name))[:10] for name in BOTH}
    of_screens, of_groups = drawn(client, f"/{path}"), drawn(client, f"/{path}-group_qc")
    assert "This cannot be shown now" not in of_screens + of_groups
    if path == "models":
        assert release["screen"] in of_screens and release["group_qc"] not in of_screens
        assert release["group_qc"] in of_groups and release["screen"] not in of_groups
    if path == "figures":
        assert "air_baffle" in of_groups and "air_baffle" not in of_screens


def test_the_switch_leads_to_the_same_page_and_the_bar_keeps_the_choice(client: TestClient) -> None:
    links = bar(client, "/runs-group_qc")
    assert links[-2:] == [("/runs", False), ("/runs-group_qc", True)]
    assert [leads_to for leads_to, _ in links[:-2]] == [
        "/", "/review", "/groups", "/figures-group_qc", "/runs-group_qc", "/models-group_qc", "/judge-group_qc"
    ]  # fmt: skip


def test_no_page_is_there_for_an_environment_that_is_not_served(client: TestClient) -> None:
    for path in ("/runs-screen", "/runs-nothing", "/review-group_qc", "/classify-group_qc", "/groups-group_qc"):
        assert client.get(path).status_code == 404, path


def test_missions_and_sites_stand_on_the_page_with_their_drift(client: TestClient) -> None:
    shown = drawn(client, "/figures-group_qc")
    assert "Missions and sites" in shown and "north" in shown and "moved" in shown
    assert "Missions and sites" not in drawn(client, "/figures")


def test_a_mission_and_a_site_are_shown_and_never_run() -> None:
    nasty = "<img src=x onerror=alert(1)>"
    figures = {"groups": 3, "groups_before": 0, "audited_passes": 0, "drifted": False}
    figures |= dict.fromkeys(("pass_rate", "pass_rate_before", "drift_p", "false_passes", "false_passes_at_most"))
    card = missions_card({"days": 7.0, "missions": {nasty: {**figures, "sites": {nasty: figures}}}})
    assert nasty not in card and card.count(html.escape(nasty)) == 2


def test_where_only_groups_are_served_their_page_comes_first_and_there_is_none_for_single_pictures(
    tmp_path: Path, model: Path
) -> None:
    with served(opened(tmp_path / "home", model, "group_qc")) as client:
        assert client.get("/", follow_redirects=False).headers["location"] == "/groups"
        assert client.get("/review").status_code == 404
        assert [leads_to for leads_to, _ in bar(client, "/figures")] == [
            "/groups", "/figures", "/runs", "/models", "/judge"
        ]  # fmt: skip
        assert "This cannot be shown now" not in drawn(client, "/models")
