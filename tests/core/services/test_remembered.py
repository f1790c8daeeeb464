"""What a night holds of many labels: a sample in which nobody's flood pushes out what others said."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from core.learning import Replay, TrainingItem
from core.schema import ChosenBy, Correction, Example, new_id
from core.services import Workspace, night
from core.services.night.ingest import Snapshot
from core.services.night.replay import Remembered, remembered
from core.settings import LearningSettings, ReplaySettings

ON, OFF = "on_task", "off_task"
Remember = Callable[..., list[Remembered]]


def example(number: int, application: str) -> Example:
    """Its one picture is of that application."""
    about = f"{application} {number}"
    return Example.make("screen", (application,), about, answers=(ON, OFF), cluster=about)


def says(ws: Workspace, examples: Sequence[Example], reviewer: str, how: ChosenBy = ChosenBy.VOLUNTEERED) -> None:
    words = [
        Correction(id=new_id(), environment="screen", example=each.id, answer=ON, reviewer=reviewer, chosen_by=how)
        for each in examples
    ]
    ws.store.add(*examples, *words)


@pytest.fixture
def remember(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Remember:
    """What a night holds of all that was said when it was first asked, by its seed and its settings."""
    bound = type(ws.environment("screen"))
    monkeypatch.setattr(bound, "application", lambda _self, example, _library: example.media[0])
    ws.settings = ws.settings.model_copy(update={"gate": ws.settings.gate.model_copy(update={"golden_share": 0.0})})
    begun: list[tuple] = []

    def held(seed: int = 0, after_seq: int = 0, replay: ReplaySettings | None = None, **learning: object):
        if not begun:
            run = night.begin(ws, "screen", seed=0)
            begun.append((run, Snapshot(ws, run)))
        run, known = begun[0]
        given = {"learning": LearningSettings(**learning), "replay": replay or ReplaySettings()}
        ws.settings = ws.settings.model_copy(update=given)
        of_seed = run.model_copy(update={"seed": seed, "config": {**run.config, "after_seq": after_seq}})
        return remembered(ws, of_seed, known, lambda: None)

    return held


def drawn_of(lessons: Sequence[Remembered], settings: LearningSettings) -> NDArray[np.float64]:
    """Which share of a training's draws each of these has."""
    items = [
        TrainingItem(example=each.example, rewards=(None, None), label=0, **each.of_item)  # type: ignore[arg-type]
        for each in lessons
    ]
    return Replay(
        items,
        seed=0,
        family_cap=settings.family_cap,
        importance_exponent=settings.importance_exponent,
        application_share=settings.application_share,
        reviewer_share=settings.reviewer_share,
    ).probabilities_N


def test_an_import_of_ten_thousand_rows_pushes_out_no_earlier_correction(ws: Workspace, remember: Remember) -> None:
    says(ws, [example(number, f"app{number % 8}") for number in range(40)], "ann")
    says(ws, [example(number, f"app{number % 97}") for number in range(100, 10_100)], "import", ChosenBy.IMPORT)
    lessons = remember(replay_depth=1_000)
    assert len(lessons) == 1_000
    of_ann_N = np.array([each.label.reviewer == "ann" for each in lessons])
    assert of_ann_N.sum() == 40
    # Forty others: one draw in a hundred each.
    assert drawn_of(lessons, ws.settings.learning)[of_ann_N].sum() == pytest.approx(0.4, abs=0.02)


def test_a_dominant_application_leaves_the_others_their_share(ws: Workspace, remember: Remember) -> None:
    says(ws, [example(number, f"other{number}") for number in range(10)], "ann")
    says(ws, [example(number, "sheets") for number in range(100, 2_090)], "ann")
    for steps in (10, 20):
        lessons = remember(steps=steps, batch_size=16)
        assert len(lessons) == 16 * steps
        of_others_N = np.array([each.application != "sheets" for each in lessons])
        assert of_others_N.sum() == 10
        assert drawn_of(lessons, ws.settings.learning)[of_others_N].sum() == pytest.approx(0.1, abs=0.01)


def test_a_night_holds_no_more_labels_than_the_depth_and_no_fewer_than_there_are(
    ws: Workspace, remember: Remember
) -> None:
    says(ws, [example(number, f"app{number}") for number in range(50)], "ann")
    assert len(remember(replay_depth=20)) == 20
    assert [each.label.seq for each in remember(replay_depth=50)] == list(range(50, 0, -1))


def test_over_many_samples_draws_follow_the_distribution_over_all_labels(ws: Workspace, remember: Remember) -> None:
    says(ws, [example(number, f"app{number % 6}") for number in range(60)], "ann")
    says(ws, [example(number, "sheets") for number in range(60, 300)], "ann")
    settings = {"after_seq": 300, "replay": ReplaySettings(half_life=60, recency=4.0), "application_share": 0.4}
    everything = remember(**settings)
    place = {each.example.id: place for place, each in enumerate(everything)}
    stated_N, found_N = drawn_of(everything, ws.settings.learning), np.zeros(300)
    samples = 60
    for seed in range(samples):
        lessons = remember(seed, replay_depth=150, **settings)
        found_N[[place[each.example.id] for each in lessons]] += drawn_of(lessons, ws.settings.learning) / samples
    # Cells of fifteen labels of like age; of those of sheets, which are capped, about a third comes into a sample.
    stated_C, found_C = (each_N.reshape(20, 15).sum(axis=1) for each_N in (stated_N, found_N))
    assert stated_C[:16].sum() == pytest.approx(0.4, abs=0.02)
    assert stated_C[0] > 2 * stated_C[15]
    assert found_C == pytest.approx(stated_C, rel=0.15)
