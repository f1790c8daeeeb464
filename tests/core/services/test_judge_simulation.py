"""Nights that learn from judges that are often wrong: small, and whole."""

from pathlib import Path

import pytest

from core.schema import Example
from core.services import judge_simulation
from core.services.judge_simulation import ErringJudge, simulate_judges


@pytest.mark.parametrize("error", [0.0, 0.2, 0.4])
def test_a_judge_is_wrong_in_the_share_of_cases_that_it_was_made_for(error: float) -> None:
    examples = [Example.make("screen", (), f"Work {n}.", answers=("on_task", "off_task")) for n in range(2000)]
    judge = ErringJudge(dict.fromkeys((example.id for example in examples), "off_task"), error, seed=1)
    said = [judge.judge(example, ("on_task", "off_task"), None) for example in examples]  # type: ignore[arg-type]
    assert sum(each.score_of("off_task") == 0 for each in said) / len(said) == pytest.approx(error, abs=0.03)
    assert all(each.score_of("on_task") == 1 - (each.score_of("off_task") or 0.0) for each in said)


@pytest.mark.soak
def test_each_judge_is_learnt_from_with_what_it_earned_and_with_its_whole_weight(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(judge_simulation, "ARMS", [arm for arm in judge_simulation.ARMS if arm.error in (None, 0.4)])
    monkeypatch.setattr(judge_simulation, "ERRORS", (0.4,))
    monkeypatch.setattr(judge_simulation, "LABELLED_PAIRS", 12)
    monkeypatch.setattr(judge_simulation, "PAIRS", 20)
    monkeypatch.setattr(judge_simulation, "MEASURED_PAIRS", 10)
    monkeypatch.setitem(judge_simulation.TOLD, "learning", {"steps": 10, "variants_per_correction": 0})
    told: list[tuple[int, int]] = []
    found = simulate_judges(cache=tmp_path, seeds=1, progress=lambda *each: told.append(each))
    (of_error,) = found["by_error"]
    assert of_error["fixed"]["share"] == 1.0 and 0 <= of_error["earned"]["share"] < 1
    assert found["labels_alone"]["share"] == 0
    assert all(0 <= each["accuracy"] <= 1 for each in (found["champion"], of_error["earned"], of_error["fixed"]))
    assert told[-1] == (3, 3)
