"""What people say of photos tunes stage A, and nothing worse takes its place."""

from pathlib import Path

import pytest
import torch

from core.environments.group_qc.contract import VERDICTS
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.drawing import DrawnGroup, drawn_group
from core.environments.group_qc.environment import SUMMARIES
from core.environments.group_qc.summaries import STAGE_A, Summariser
from core.schema import Checkpoint, Example, Release, Run, new_id, now
from core.services import Classifier, Workspace, correct, corrections_waiting, night
from core.services.classify import load_policy
from core.services.erasing.manifests import unexplained
from core.services.erasing.reach import reach_of_pictures, runs_that_learnt
from core.services.groups import Inspector, correct_lines, inspect_group
from core.services.night.stages import _record, answered_through, tuned_stages


@pytest.fixture
def drawn() -> list[DrawnGroup]:
    found = [drawn_group(number, mission="air_baffle") for number in range(40)]
    return [group for group in found if len(group.photos) > 2][:12]


@pytest.fixture
def ws(tmp_path: Path, tiny: Path) -> Workspace:
    told = {"model": str(tiny), "summary_max_pixels": 56 * 56, "summary_tokens": 16, "max_new_tokens": 24,
            "summary_corrections": 24, "summary_steps": 12, "summaries_at_once": 8}  # fmt: skip
    return Workspace.open(
        tmp_path / "home",
        environments=("group_qc",),
        group_qc=told,
        gate={"golden_share": 0.4},
        learning={"threads": 1},
    )


def begun(ws: Workspace) -> tuple[Run, Release]:
    champion = ws.registry.champion("group_qc")
    assert champion is not None
    config = {"champion": champion.id, "stage_words": {STAGE_A: ws.store.head(STAGE_A)}}
    run = Run(id=new_id(), environment="group_qc", seed=1, config=config, versions={}, trigger="test")
    ws.store.add(run)
    return run, champion


def correct_all(inspector: Inspector, folder: Path, drawn: list[DrawnGroup], most: int) -> int:
    said = 0
    for group in drawn:
        found = inspect_group(inspector, folder / group.name, "air_baffle").prediction
        assert found is not None
        for number, line in enumerate(group.summaries, start=1):
            if said < most:
                correct_lines(inspector, found, {number: line})
                said += 1
    return said


def test_with_few_corrected_lines_stage_a_stays_as_it_is(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    correct_all(inspector, folder, drawn[:1], 2)
    run, champion = begun(ws)
    with ws.store.lease(night.lease_name("group_qc"), "test", 600) as lease:
        made, told = tuned_stages(ws.of("group_qc"), run, lease, champion)
    assert made == {}
    assert told == {"summaries": {"corrections": 2, "kept": "fewer than 24 corrections"}}


def test_a_line_corrected_again_since_the_night_began_counts_as_it_stood_then(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    correct_all(inspector, folder, drawn[:1], 2)
    run, champion = begun(ws)
    correct_all(inspector, folder, drawn[:1], 1)
    with ws.store.lease(night.lease_name("group_qc"), "test", 600) as lease:
        _, told = tuned_stages(ws.of("group_qc"), run, lease, champion)
    assert told == {"summaries": {"corrections": 2, "kept": "fewer than 24 corrections"}}


def test_corrected_lines_are_among_what_waits_for_a_night(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    said = correct_all(inspector, folder, drawn[:1], 2)
    assert corrections_waiting(ws, "group_qc") == said == 2
    begun(ws)
    assert corrections_waiting(ws, "group_qc") == 0
    correct_all(inspector, folder, drawn[:1], 1)
    assert corrections_waiting(ws, "group_qc") == 1


def test_what_a_stage_is_tuned_on_is_written_down_so_that_an_erasure_finds_the_night(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    correct_all(inspector, folder, drawn[:1], 2)
    run, _ = begun(ws)
    (stage,) = ws.environment("group_qc").earlier_stages(ws.settings)
    examples = ws.store.find(Example, environment=STAGE_A)
    with ws.store.lease(night.lease_name("group_qc"), "test", 600) as lease:
        _record(ws, run, lease, stage, examples, [False, True])
    assert unexplained(ws)[2] == []
    first, second = (reach_of_pictures(ws, each.media, now()) for each in examples)
    assert runs_that_learnt(ws, first) == ({run.id}, {run.id})
    assert runs_that_learnt(ws, second) == ({run.id}, set()), "it was only measured on"


@pytest.mark.soak
def test_enough_corrected_lines_make_golden_ones_likelier_and_a_new_checkpoint(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    assert correct_all(inspector, folder, drawn, 40) >= 24
    run, champion = begun(ws)
    with ws.store.lease(night.lease_name("group_qc"), "test", 600) as lease:
        made, told = tuned_stages(ws.of("group_qc"), run, lease, champion)
    found = told["summaries"]
    assert isinstance(found, dict)
    assert found["nats_after"] < found["nats_before"]  # type: ignore[operator]
    checkpoint = ws.store.get(Checkpoint, made["summaries"])
    assert checkpoint is not None
    assert checkpoint.parent == champion.checkpoints["summaries"]
    release = ws.registry.release("group_qc", {**champion.checkpoints, **made})
    assert Inspector(ws, release).summariser.stage == checkpoint.id


def test_a_release_with_another_stage_a_is_measured_by_the_lines_that_this_writes(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup], monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = ws.registry.champion("group_qc")
    assert champion is not None
    for group in drawn[:2]:
        said = inspect_group(inspector, folder / group.name, "air_baffle").prediction
        assert said is not None
        correct(ws, said.id, "不通过")
    labels = ws.store.labels("group_qc")
    examples = ws.store.get_many(Example, [label.example for label in labels])
    stored = inspector.classifier.answer_logprobs(examples)
    assert answered_through(ws, inspector.classifier, champion, labels, examples) == stored

    policy, _ = load_policy(ws, champion, SUMMARIES)
    with torch.no_grad():
        next(weight for weight in policy.model.parameters() if weight.requires_grad).add_(0.01)
    (folder / "another").mkdir()
    policy.save(folder / "another")
    put = ws.registry.put(folder / "another", environment="group_qc", policy=policy.name, parent=None, run="another")
    other = ws.registry.release("group_qc", {**champion.checkpoints, SUMMARIES: put.id})
    classifier = Classifier.of_release(ws, other)
    line = "左侧，缺少挡风板，标签清晰"

    def write(_: object, mission: object, media: list[str]) -> list[tuple[str | None, str | None]]:
        del mission
        return [(None, "cut off") if each == examples[1].media[0] else (line, None) for each in media]

    monkeypatch.setattr(Summariser, "write", write)
    through, stopped = answered_through(ws, classifier, champion, labels, examples)
    dossier = Dossier.parse(examples[0].ask)
    anew = dossier.with_summaries([line] * len(dossier.summaries)).text
    (expected,) = classifier.answer_logprobs(
        [ws.environment("group_qc").example(examples[0].media, anew, cluster=examples[0].cluster)]
    )
    assert through == pytest.approx(expected, abs=1e-4)
    assert stopped[VERDICTS.index("不通过")] < -10 < stopped[VERDICTS.index("通过")]
