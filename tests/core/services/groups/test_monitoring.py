from datetime import timedelta

import pytest

from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.missions import named
from core.schema import ChosenBy, Correction, Prediction, new_id, now
from core.services import Workspace
from core.services.groups import monitored


def say(ws: Workspace, number: int, answer: str, *, site: str, days_ago: float = 1, audit: str | None = None) -> None:
    ask = Dossier.of(named("air_baffle"), [f"正面，挡风板齐全，第{number}号"]).text
    example = ws.environment("group_qc").example((f"{number}".rjust(64, "0"),), ask, cluster=f"{site}/2031-01-01")
    said = Prediction(
        id=new_id(), environment="group_qc", example=example.id, answer=answer, probability=0.9, confidence=0.9,
        release="r", latency_ms=1.0, at=now() - timedelta(days=days_ago),
    )  # fmt: skip
    ws.store.add(example, said)
    if audit is not None:
        ws.store.add(
            Correction(
                id=new_id(), environment="group_qc", example=example.id, answer=audit, chosen_by=ChosenBy.RANDOM_AUDIT
            )
        )


def test_pass_rates_drift_and_false_passes_are_told_by_mission_and_site(ws: Workspace) -> None:
    for number in range(20):
        say(ws, number, "通过", site="north", days_ago=20)
    for number in range(20, 40):
        say(ws, number, "不通过", site="north")
    for number in range(40, 50):
        say(ws, number, "通过", site="south", audit="不通过" if number == 40 else "通过")
    cell = monitored(ws)["missions"]["air_baffle"]
    assert (cell["groups"], cell["pass_rate"], cell["pass_rate_before"]) == (30, pytest.approx(1 / 3), 1.0)
    assert cell["drifted"]
    south = cell["sites"]["south"]
    assert (south["audited_passes"], south["false_passes"], south["drift_p"]) == (10, 0.1, None)
    assert 0.3 < south["false_passes_at_most"] < 0.5
    assert monitored(ws, days=1000)["missions"]["air_baffle"]["pass_rate_before"] is None


def test_a_false_pass_by_wrong_lines_counts_though_the_verdict_was_given_on_mended_ones(ws: Workspace) -> None:
    media = tuple(f"{number}".rjust(64, "0") for number in (1, 2))
    for line, answer, audit in (("挡风板齐全", "通过", None), ("挡风板翘起", "不通过", "不通过")):
        ask = Dossier.of(named("air_baffle"), [f"正面，{line}，标签清晰", "左侧，挡风板齐全，标签清晰"]).text
        example = ws.environment("group_qc").example(media, ask, cluster="north/2031-01-01")
        said = Prediction(
            id=new_id(), environment="group_qc", example=example.id, answer=answer, probability=0.9, confidence=0.9,
            release="r", latency_ms=1.0,
        )  # fmt: skip
        ws.store.add(example, said)
        if audit is not None:
            word = {"example": example.id, "answer": audit, "chosen_by": ChosenBy.RANDOM_AUDIT}
            ws.store.add(Correction(id=new_id(), environment="group_qc", **word))
    cell = monitored(ws)["missions"]["air_baffle"]
    assert (cell["groups"], cell["audited_passes"], cell["false_passes"]) == (1, 1, 1.0)
