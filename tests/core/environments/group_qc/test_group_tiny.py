"""Both stages on tiny models: shortly that the path works, and at length what it can learn."""

from pathlib import Path
from random import Random

import pytest

from core.environments.group_qc.contract import FAIL, PASS
from core.environments.group_qc.drawing import drawn_group
from core.environments.group_qc.tiny import Sizes, bench_groups, benchmark, kept_in
from core.environments.group_qc.tiny.benchmark import HELD_OUT_SEED
from core.environments.group_qc.tiny.lessons import warm_up_lines
from core.environments.group_qc.tiny.measures import lines_of, stage_a_figures, stage_b_figures
from core.schema import NightshiftError

SHORT = Sizes(
    groups=12,
    read=12,
    held_out=6,
    stage_a_steps=2,
    stage_a_batch=4,
    reading_steps=1,
    warm_up_steps=2,
    warm_up_batch=4,
    steps=2,
    batch_size=2,
    group_size=4,
    threads=1,
)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_both_stages_learn_their_work_from_label_and_format_alone() -> None:
    found = bench_groups()
    of_a, before, after = found["stage_a"], found["stage_b"]["before"], found["stage_b"]["after"]
    assert of_a["stated"] >= 0.9
    assert of_a["clean"] >= 0.95
    assert of_a["batched"]["times"] >= 2.5
    assert 0.1 <= before["format"] <= 0.4
    assert 0.35 <= before["verdicts"] <= 0.65
    assert 0.45 <= before["probability"] <= 0.55
    assert after["format"] >= 0.99
    assert after["right"] >= 0.9
    assert found["seconds"] < 1800


@pytest.mark.parametrize("number", range(8))
def test_the_warm_up_says_the_same_of_a_group_under_either_verdict(number: int) -> None:
    group, rng = drawn_group(number), Random(number)
    for passing, failing in (warm_up_lines(group, group.summaries, rng) for _ in range(50)):
        assert failing == passing.replace(PASS, FAIL)


def test_a_stage_a_that_writes_no_proper_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "lines_of", lambda *_: {})
    with pytest.raises(NightshiftError, match="for none of 12 groups"):
        bench_groups(SHORT)


def test_stages_that_were_kept_are_those_that_were_measured_and_others_are_refused(tmp_path: Path) -> None:
    found = bench_groups(SHORT, keep=tmp_path / "kept")
    unseen = [drawn_group(number, seed=HELD_OUT_SEED) for number in range(SHORT.held_out)]
    stages = kept_in(tmp_path / "kept", seed=0, sizes=SHORT._asdict())
    written = lines_of(stages.stage_a, unseen)
    asked = [group for group in unseen if group.name in written]
    lines = [written[group.name] for group in asked]
    assert stage_b_figures(stages.stage_b, asked, lines) == found["stage_b"]["after"]
    assert stage_b_figures(stages.warm, asked, lines) == found["stage_b"]["before"]
    assert stage_a_figures(stages.stage_a, unseen)["stated"] == found["stage_a"]["stated"]
    with pytest.raises(NightshiftError, match="taught in another way"):
        kept_in(tmp_path / "kept", seed=1, sizes=SHORT._asdict())
    with pytest.raises(NightshiftError, match="is not empty"):
        bench_groups(SHORT, keep=tmp_path / "kept")
    with pytest.raises(NightshiftError, match="is not what"):
        kept_in(tmp_path, seed=0, sizes=SHORT._asdict())
