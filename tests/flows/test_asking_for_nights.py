"""Nights that are asked for: by a person, and by enough new corrections."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.environments import environment
from core.schema import ChosenBy, Correction, Example, NightshiftError, new_id
from core.services import Workspace
from core.services import night as stages
from core.settings import load_settings
from flows import server
from flows.client import cancel_night, night_flow_states, night_log, run_now, start_night
from flows.schedule import deployments
from flows.server import ask
from flows.threshold import Threshold


@pytest.fixture
def offered(home_of: Callable[[str], Path]) -> Path:
    """A home with 12 labels whose deployment Prefect knows; nobody runs what is asked for."""
    home = home_of("offered")
    for deployment in deployments(load_settings(home)):
        deployment.apply()
    return home


def say(ws: Workspace, count: int) -> None:
    """New words about screens that are there already."""
    example = ws.store.find(Example, environment="screen", limit=1)[0]
    for number in range(count):
        asked = environment("screen").example(example.media, f"Work number {number} {new_id()}.", cluster="c")
        word = Correction(
            id=new_id(), environment="screen", example=asked.id, answer="on_task", chosen_by=ChosenBy.VOLUNTEERED
        )
        ws.store.add(asked, word)


def with_threshold(home: Path, threshold: int) -> Workspace:
    return Workspace.open(home, night={"after_corrections": threshold})


def test_a_night_can_only_be_asked_for_where_nightshift_is_up(home: Path) -> None:
    with pytest.raises(NightshiftError, match="nightshift up"):
        start_night(home, "screen")
    with pytest.raises(NightshiftError, match="nightshift up"):
        night_flow_states(home, "screen")


def test_a_night_that_is_asked_for_waits_with_who_asked(offered: Path, api_url: str) -> None:
    run = ask("GET", f"{api_url}/flow_runs/{start_night(offered, 'screen', trigger='console')}")

    assert run["state"]["type"] == "SCHEDULED"
    assert run["parameters"]["trigger"] == "console"
    assert run["parameters"]["home"] == str(offered)


def test_a_night_whose_answer_was_lost_is_not_asked_for_twice(offered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def losing_one(method: str, url: str, *told: Any) -> tuple[int, bytes]:
        status, reply = request(method, url, *told)
        if not url.endswith("/create_flow_run"):
            return status, reply
        done.append(json.loads(reply)["id"])
        return (503, b"") if len(done) == 1 else (status, reply)

    request = server._request
    monkeypatch.setattr(server, "_request", losing_one)
    assert start_night(offered, "screen") == done[0] == done[1]


def test_a_night_that_waits_is_cancelled_and_there_is_nothing_more_to_cancel(offered: Path, api_url: str) -> None:
    with suppress(NightshiftError):
        while cancel_night(offered, "screen"):
            pass
    asked = start_night(offered, "screen")
    assert cancel_night(offered, "screen") == asked
    assert ask("GET", f"{api_url}/flow_runs/{asked}")["state"]["type"] == "CANCELLED"
    with pytest.raises(NightshiftError, match="no night runs"):
        cancel_night(offered, "screen")
    assert night_log(offered, [asked]) == []


def test_enough_new_corrections_ask_for_one_night(offered: Path) -> None:
    threshold = Threshold(with_threshold(offered, 12), "screen")

    assert threshold.look() is not None
    assert threshold.look() is None


def test_too_few_corrections_ask_for_none(offered: Path) -> None:
    assert Threshold(with_threshold(offered, 13), "screen").look() is None


def test_what_a_night_has_begun_to_learn_from_is_not_counted_again_even_after_a_restart(offered: Path) -> None:
    ws = with_threshold(offered, 10)
    assert Threshold(ws, "screen").look() is not None
    stages.begin(ws, "screen", seed=1)

    assert Threshold(ws, "screen").look() is None
    say(ws, 9)
    assert Threshold(ws, "screen").look() is None
    say(ws, 1)
    assert Threshold(ws, "screen").look() is not None


def test_a_night_that_was_asked_for_and_did_not_come_is_asked_for_again_after_as_many_words(offered: Path) -> None:
    ws = with_threshold(offered, 12)
    threshold = Threshold(ws, "screen")
    assert threshold.look() is not None

    say(ws, 11)
    assert threshold.look() is None
    say(ws, 1)
    assert threshold.look() is not None


def test_a_night_in_this_process_is_recorded_by_the_prefect_that_is_up(home_of: Callable[[str], Path]) -> None:
    home = home_of("night")

    night = run_now(home, "screen", seed=3)

    (shown,) = [each for each in night_flow_states(home, "screen") if each["trigger"] == "command line"]
    assert shown["state"] == "completed"
    assert night["outcome"] in ("promoted", "refused", "undecided")
    assert stages.night_result(Workspace.open(home), night["run_id"]) == night
