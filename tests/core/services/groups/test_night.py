"""A night about groups, stage by stage: the shared machine, told nothing of groups but their environment's name."""

from pathlib import Path

import pytest
from live_nights import live_night

from core.environments.group_qc.drawing import DrawnGroup, drawn_group
from core.learning import load_items
from core.schema import Example, Prediction, Release, Rollout, Variant
from core.services import Workspace, correct
from core.services.groups import Inspector, import_groups, inspect_group
from core.services.night.record import finished


@pytest.fixture
def drawn() -> list[DrawnGroup]:
    return [drawn_group(number, mission=("air_baffle", "cable_routing")[number % 2]) for number in range(8)]


@pytest.fixture
def ws(tmp_path: Path, tiny: Path) -> Workspace:
    told = {"model": str(tiny), "summary_max_pixels": 56 * 56, "max_new_tokens": 48, "steps": 2, "batch_size": 2,
            "group_size": 4, "rank": 4}  # fmt: skip
    return Workspace.open(
        tmp_path / "home",
        environments=("group_qc",),
        group_qc=told,
        gate={"folds": 2, "golden_share": 0.2},
        learning={"threads": 1, "variants_per_correction": 3},
        night={"lease_s": 600},
    )


@pytest.mark.soak
def test_a_night_learns_from_groups_and_leaves_both_stages_in_one_release(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    import_groups(ws, inspector, folder)
    said = inspect_group(inspector, folder / drawn[0].name, drawn[0].mission).prediction
    assert said is not None
    correct(ws, said.id, "不通过", reason="图片_1挡风板翘起")
    run = live_night(ws, "group_qc", seed=3)
    assert run.config["policy"] == "vlm"
    champion = ws.registry.champion("group_qc")
    (challenger,) = ws.store.get_many(Release, [str(finished(ws, run.id, "train")["challenger"])])
    (before,) = ws.store.get_many(Release, [str(run.config["champion"])])
    assert challenger.checkpoints["summaries"] == before.checkpoints["summaries"]
    assert challenger.checkpoints["policy"] != before.checkpoints["policy"]
    assert champion is not None
    made = ws.store.find(Variant, environment="group_qc")
    assert {each.how for each in made} >= {"shuffled", "reworded"}
    variant = ws.store.get_many(Example, [made[0].example])[0]
    assert len(variant.media) >= 1
    items = load_items(ws.run_dir(run.id) / "items.json")
    corrected = next(item for item in items if item.example.id == said.example)
    assert corrected.gold == "不通过\n图片_1挡风板翘起"
    gates = {each["name"] for each in finished(ws, run.id, "gate")["gates"]}
    assert {"reloads", "better_overall"} <= gates
    assert any(name.startswith("false 通过:") for name in gates)
    assert ws.store.count(Rollout) == 0
    assert Inspector(ws, challenger).classifier.predict([ws.store.get_many(Example, [said.example])[0]])[0].reason
    assert ws.store.count(Prediction) >= 8
