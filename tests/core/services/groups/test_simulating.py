"""A night after a changed rule: shortly that all of it runs, and at length what is learnt."""

from typing import Any

import pytest
from live_nights import live_night

from core.environments.group_qc.contract import FAIL, PASS
from core.environments.group_qc.summaries import Summariser
from core.environments.group_qc.tiny import Sizes
from core.services import Workspace, night
from core.services.groups import simulate_groups
from core.services.groups.simulating import _elsewhere, _expected, _under_the_rule

SHORT = Sizes(
    groups=8,
    read=12,
    held_out=4,
    stage_a_steps=1,
    stage_a_batch=2,
    reading_steps=1,
    warm_up_steps=1,
    warm_up_batch=2,
    steps=3,
    batch_size=2,
    group_size=4,
    threads=1,
)


def run_night(ws: Workspace, environment: str, seed: int) -> dict[str, Any]:
    return night.night_result(ws, live_night(ws, environment, seed=seed).id)


def test_the_changed_rule_is_about_groups_that_passed_until_now() -> None:
    rule, elsewhere = _under_the_rule("rule", 6, 0), _elsewhere(12, 0)
    assert {(group.verdict, _expected(group)) for group in rule} == {(PASS, FAIL)}
    assert all(group.verdict == _expected(group) for group in elsewhere)


@pytest.mark.soak
def test_all_of_the_experiment_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Summariser, "write", lambda *asked: [("正面，挡风板齐全，标签缺失", None)] * len(asked[-1]))
    few = {"gate": {"folds": 2}, "learning": {"threads": 1, "variants_per_correction": 2}}
    found = simulate_groups(corrections=4, seed=0, held_out=3, sizes=SHORT, run_night=run_night, overrides=few)
    assert found["feedback"] == 12
    assert set(found["before"]) == set(found["challenger"]) == {"rule", "elsewhere"}
    assert found["nights"][0]["outcome"] in ("promoted", "refused", "undecided")


@pytest.mark.soak
@pytest.mark.timeout(5400)
def test_thirty_corrections_of_a_changed_rule_are_learnt_in_one_night_without_losing_the_others() -> None:
    found = simulate_groups(corrections=30, seed=0, run_night=run_night)
    before, after = found["before"], found["challenger"]
    assert before["rule"]["accuracy"] < 0.2
    assert after["rule"]["accuracy"] >= 0.8
    assert after["elsewhere"]["accuracy"] >= before["elsewhere"]["accuracy"] - 0.05
