"""An ablation: what is split, what is learnt from, what an interrupted one keeps."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_folder import Pair, rows, write_rows

from core.schema import Example, ItemScore, NightshiftError, Prediction
from core.services import Workspace, ablate
from core.services.ablation import ARMS, Arm, choose_arms, protocol
from core.services.ablation.lessons import LateWords, Lessons, drawn_lessons, take_in
from core.services.ablation.parts import Part, Parts
from core.services.ablation.protocol import measured_apps
from core.services.ablation.variants import _worth
from core.services.classify import Classifier
from core.services.folders import FolderRow, read_folder
from core.settings import load_settings

ROWS = [
    FolderRow(file=f"{app}.png", ask=f"Work {turn}.", label="on_task", app=str(app))
    for app in range(8)
    for turn in (1, 2)
]


@given(seed=st.integers(0, 2**31))
def test_an_application_is_measured_or_learnt_from_and_never_both(seed: int) -> None:
    measured = measured_apps(ROWS, seed)
    assert measured == measured_apps(ROWS, seed)
    assert len([row for row in ROWS if row.app in measured]) == len(ROWS) / 2


def test_a_folder_with_one_application_is_refused() -> None:
    with pytest.raises(NightshiftError, match="2 pairs of 1 application"):
        measured_apps(ROWS[:2], 0)


@pytest.fixture(scope="module")
def even(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder without its last application, so that it has halves."""
    copied = Path(shutil.copytree(folder, tmp_path_factory.mktemp("even") / "folder"))
    tasks = rows(copied / "tasks.csv")
    last = max(row["file"] for row in tasks)
    write_rows(copied / "tasks.csv", [row for row in tasks if row["file"] != last])
    return copied


class Recorder:
    """In place of the trainings: keeps what each would have learnt from, and hands out the champion."""

    seen: list[tuple[str, Lessons]]

    def __init__(
        self, root: Path, environment: str, lessons: dict[str, Lessons], told: dict[str, Any], _seed: int
    ) -> None:
        self._ws, self._environment, self._lessons = Workspace.open(root, **told), environment, lessons

    def train(self, arm: Arm) -> tuple[Classifier, dict[str, float]]:
        self.seen.append((arm.name, self._lessons[arm.lessons]))
        return Classifier.of_champion(self._ws, self._environment), {"seconds": 1.0}


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> type[Recorder]:
    Recorder.seen = []
    monkeypatch.setattr(protocol, "Challengers", Recorder)
    return Recorder


def test_no_application_that_is_measured_is_learnt_from(
    ws: Workspace, even: Path, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    halves: list[set[str]] = []
    ask = protocol.answer_pairs

    def asked(classifier: Classifier, half: Any, library: Any) -> Any:
        halves.append({pair.row.app for pair in half})
        return ask(classifier, half, library)

    monkeypatch.setattr(protocol, "answer_pairs", asked)
    ablate(even, settings=ws.settings, told={"cache": ws.settings.cache_dir}, splits=3, arms=["full"])
    for (_, lessons), measured in zip(recorder.seen, halves, strict=True):
        learnt = {row.app for row in lessons.rows}
        assert learnt and measured and not learnt & measured


def test_figures_count_every_answer_and_compare_with_full_on_the_same_pairs(
    ws: Workspace, even: Path, recorder: type[Recorder]
) -> None:
    told = {"cache": ws.settings.cache_dir}
    found = ablate(even, settings=ws.settings, told=told, splits=2, arms=["zero_shot", "full"])
    assert [name for name, _ in recorder.seen] == ["full", "full"]
    zero_shot, full = found["arms"]["zero_shot"], found["arms"]["full"]
    # The recorder's challenger is the champion, so nothing may differ.
    assert zero_shot["from_full"] == {"accuracy": 0.0, "ci95": [0.0, 0.0]}
    assert (zero_shot["n"], zero_shot["accuracy"]) == (full["n"], full["accuracy"])
    shown = found["confidence"]["full"]
    assert sum(shown["hard"]) == full["hard"]["n"] and sum(shown["hard"]) + sum(shown["other"]) == full["n"]


def test_an_interrupted_ablation_goes_on_where_it_was_and_then_forgets(
    ws: Workspace, even: Path, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Recorder, arm: Arm) -> Any:
        if len(self.seen) == 1:
            raise KeyboardInterrupt
        return train(self, arm)

    train = recorder.train
    told = {"cache": ws.settings.cache_dir}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(recorder, "train", interrupted)
        ablate(even, settings=ws.settings, told=told, splits=2, arms=["full"])
    assert (ws.home / "ablation").is_dir()
    ablate(even, settings=ws.settings, told=told, splits=2, arms=["full"])
    assert len(recorder.seen) == 2
    assert not (ws.home / "ablation").exists()


def test_what_was_measured_under_other_settings_is_not_found(tmp_path: Path) -> None:
    part = Part(scores=[ItemScore(example="e", cluster="c", score=1.0)], hard=[False], latency_ms=[1.0])
    Parts(tmp_path, {"seed": 0}).keep(ARMS[0], 0, part)
    assert Parts(tmp_path, {"seed": 0}).find(ARMS[0], 0) == part
    assert Parts(tmp_path, {"seed": 1}).find(ARMS[0], 0) is None
    assert Parts(tmp_path, {"seed": 0}).find(ARMS[1], 0) is None


def test_lessons_are_labels_some_of_them_late_and_some_verdicts_that_nobody_looked_at(
    ws: Workspace, folder: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    late = take_in(ws, "screen", Lessons(folder, read_folder(folder)), tmp_path / "lessons", seed=0)
    labelled = {label.example for label in ws.store.labels("screen")}
    only_answered = {each.example for each in ws.store.find(Prediction)}
    assert (len(labelled), len(late), len(only_answered)) == (6, 2, 4)
    assert not labelled & only_answered
    assert {prediction for prediction, _ in late} < {each.id for each in ws.store.find(Prediction)}
    assert {example.ask for example in ws.store.find(Example)} == {" ".join(pair.ask.split()) for pair in pairs}


def test_late_words_are_said_evenly_over_a_training_and_taken_back_after_it(
    ws: Workspace, folder: Path, tmp_path: Path
) -> None:
    take_in(ws, "screen", Lessons(folder, read_folder(folder)), tmp_path / "lessons", seed=0)
    asked = ws.store.find(Prediction)
    late = LateWords(ws, [(each.id, "on_task") for each in asked], steps=40)
    before = {label.example for label in ws.store.labels("screen")}
    said = []
    for step in (10, 20, 30):
        late.hear(step)
        said.append(len(ws.store.labels("screen")) - len(before))
    assert said == [1, 2, 3]
    late.take_back()
    assert {label.example for label in ws.store.labels("screen")} == before


def test_drawn_lessons_are_as_many_as_asked_for_and_all_there(tmp_path: Path) -> None:
    lessons = drawn_lessons(tmp_path / "drawn", 30)
    assert len(lessons.rows) == 30
    assert all((lessons.folder / "images" / row.file).is_file() for row in lessons.rows)
    assert len({(row.file, row.ask) for row in lessons.rows}) == 30


def test_a_part_that_the_student_does_not_have_is_left_out_with_the_reason(home: Path) -> None:
    settings = load_settings(home, policy="vlm", learning={"learning_rate": 0.0001})
    arms, left_out = choose_arms(None, settings)
    assert "without_captions" not in {arm.name for arm in arms}
    assert left_out["without_captions"] == "the student 'vlm' has no such part; 'reader' has"


def part(probabilities: list[float]) -> Part:
    scores = [
        ItemScore(example=str(n), cluster=str(n), score=float(p > 0.5), expected_probability=p)
        for n, p in enumerate(probabilities)
    ]
    return Part(scores=scores, hard=[False] * len(scores), latency_ms=[1.0] * len(scores))


@pytest.mark.parametrize(
    ("costs", "harm"), [(0.0002, False), (0.02, True), (-0.02, False)], ids=["too little", "so much", "it helps"]
)
def test_a_kind_does_harm_where_it_surely_costs_more_than_chance_shows_in_some_kind_or_other(
    costs: float, harm: bool
) -> None:
    without = [0.6 + n / 200 for n in range(40)]
    worth = _worth([part([each - costs for each in without])], [part(without)])
    assert worth["probability"]["difference"] == pytest.approx(-costs)
    assert worth["does_harm"] is harm


def test_a_kind_that_costs_much_here_and_helps_as_much_there_is_not_said_to_do_harm() -> None:
    without = [0.6 + n / 200 for n in range(40)]
    with_it = [each + (0.1 if n % 2 else -0.11) for n, each in enumerate(without)]
    worth = _worth([part(with_it)], [part(without)])
    assert worth["probability"]["difference"] == pytest.approx(-0.005)
    assert not worth["does_harm"]
