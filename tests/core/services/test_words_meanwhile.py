"""Words that people say while a night trains: what enters, what is recorded of it, and that a kill changes nothing."""

import importlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from labelled_folder import Pair

from core.learning import Refresh, Refreshes, TrainingJob, TrainingResult
from core.learning.process import run as train_here
from core.schema import CANNOT_TELL, ChosenBy, DatasetVersion, Example, NightshiftError, Release, Run, StageResult
from core.services import Classifier, Workspace, classify, correct, night, undo
from core.services.night.ingest import Snapshot, is_golden, snapshot, trained_on
from core.services.night.record import REFRESH
from core.services.night.refresh import WordsMeanwhile
from core.store import Lease

training = importlib.import_module("core.services.night.train")  # the package names its function alike
SETTINGS = """
[learning]
steps = 30
batch_size = 8
variants_per_correction = 2
checkpoint_steps = 10
threads = 1
[variants]
picture_seconds = 0
[gate]
folds = 2
golden_share = 0.3
[night]
lease_s = 600
"""
MORE = ("Today", "Soon", "Now", "Later", "First", "Last", "Here", "There")


class Killed(BaseException):
    """As if the night's process had ended there: nothing catches it, and the training dies with it."""


def run_in_place(
    job: TrainingJob, _deadline_s: float, *, answer: Callable[[int], None] | None, **_: object
) -> TrainingResult:
    """In place of the training process, whose start takes longer than all else here: the same bits, sooner."""

    def ask(refreshes: Refreshes, step: int) -> Refresh:
        if refreshes.known(step) is None and answer is not None:
            answer(step)
        answered = refreshes.known(step)
        assert answered is not None
        return answered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Refreshes, "at", ask)
        return train_here(job)


@dataclass(frozen=True)
class Before:
    """A home whose night is about to train, and verdicts that nobody has answered."""

    home: Path
    run: Run
    asked: list[str]
    "Predictions of screens that are trained on."
    golden: str
    "A prediction of one in a golden cluster."


def lease_of(ws: Workspace) -> Lease:
    return ws.store.lease(night.lease_name("screen"), "test", 600)


@pytest.fixture(scope="module")
def before(template: tuple[Path, Path], pairs: list[Pair], tmp_path_factory: pytest.TempPathFactory) -> Before:
    home = Path(shutil.copytree(template[1], tmp_path_factory.mktemp("before") / "home"))
    (home / "nightshift.toml").write_text(SETTINGS)
    ws = Workspace.open(home)
    classifier = Classifier.of_champion(ws, "screen")
    run = night.begin(ws, "screen", seed=3)
    with lease_of(ws) as lease:
        for stage in (night.ingest, night.make_variants, night.judge):
            stage(ws, run, lease)
    said = [classify(ws, classifier, pair.data, f"{pair.ask} {more}.") for pair in pairs[::2] for more in MORE[:2]]
    clusters = {each.id: each.cluster for each in ws.store.get_many(Example, [each.example for each in said])}
    golden = [each.id for each in said if is_golden(clusters[each.example], 0.3)]
    return Before(home, run, [each.id for each in said if each.id not in golden], golden[0])


@dataclass
class Night:
    """A copy of that home, whose people say things after chosen numbers of steps."""

    ws: Workspace
    before: Before
    words: dict[int, Callable[[Workspace], object]]
    heard: list[int]
    "After how many steps the training asked."

    def train(self, *, in_place: bool = True) -> StageResult:
        def hear(step: int) -> None:
            self.heard.append(step)
            if step in self.words:
                self.words.pop(step)(self.ws)

        with lease_of(self.ws) as lease, pytest.MonkeyPatch.context() as patch:
            if in_place:
                patch.setattr(training, "run_training", run_in_place)
            return night.train_hearing(hear)(self.ws, self.before.run, lease)

    @property
    def records(self) -> list[dict[str, Any]]:
        done = self.ws.store.find(StageResult, run=self.before.run.id)
        return [each.result for each in done if each.stage.startswith(REFRESH)]

    @property
    def folder(self) -> Path:
        return self.ws.run_dir(self.before.run.id)

    def bits(self) -> dict[str, bytes]:
        out = self.folder / "training"
        return {path.name: path.read_bytes() for path in [*sorted((out / "full").iterdir()), out / "crossfit.json"]}


@pytest.fixture
def night_of(before: Before, tmp_path: Path) -> Callable[..., Night]:
    def copy(words: dict[int, Callable[[Workspace], object]] | None = None) -> Night:
        number = len(list(tmp_path.glob("home-*")))
        home = Path(shutil.copytree(before.home, tmp_path / f"home-{number}"))
        return Night(Workspace.open(home), before, dict(words or {}), [])

    return copy


def says(prediction: str, answer: str) -> Callable[[Workspace], object]:
    return lambda ws: correct(ws, prediction, answer, chosen_by=ChosenBy.VOLUNTEERED)


@pytest.fixture(scope="module")
def quiet(before: Before, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Nobody says anything."""
    home = Path(shutil.copytree(before.home, tmp_path_factory.mktemp("quiet") / "home"))
    lived = Night(Workspace.open(home), before, {}, [])
    lived.train()
    return lived


@pytest.fixture(scope="module")
def spoken(before: Before, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A word between the first rounds, in the training's own process, and one between the last."""
    home = Path(shutil.copytree(before.home, tmp_path_factory.mktemp("spoken") / "home"))
    said = {10: says(before.asked[0], "off_task"), 20: says(before.asked[1], "on_task")}
    lived = Night(Workspace.open(home), before, dict(said), [])
    lived.train(in_place=False)
    return lived


def checkpoint(lived: Night) -> str:
    done = night.stage_result(lived.ws, lived.before.run.id, "train")
    assert done is not None
    return str(done.result["checkpoint"])


def test_words_said_while_a_night_trains_reach_its_challenger(quiet: Night, spoken: Night) -> None:
    assert quiet.heard == spoken.heard == [10, 20]  # not before the first round, and not after the last
    assert quiet.records == []
    assert [(each["step"], each["words_entered"], each["words_left"]) for each in spoken.records] == [
        (10, 1, 0),
        (20, 1, 0),
    ]
    assert checkpoint(quiet) != checkpoint(spoken)


def test_each_step_says_how_many_words_entered_before_it(spoken: Night) -> None:
    steps = night.training_steps(spoken.ws, spoken.before.run.id)
    for challenger in {step["challenger"] for step in steps}:
        of_it = [step for step in steps if step["challenger"] == challenger]
        assert [step["step"] for step in of_it] == list(range(1, 31))
    entered = [
        (step["step"], step["words_entered"])
        for step in steps
        if step["challenger"] == "full" and "words_entered" in step
    ]
    assert entered == [(11, 1), (21, 1)]


def test_what_entered_counts_as_trained_on_and_is_no_evidence(before: Before, spoken: Night) -> None:
    store = spoken.ws.store
    upto = int(str(before.run.config["upto_seq"]))
    entered = {label.example for label in store.labels("screen", after_seq=upto)}
    done = night.stage_result(spoken.ws, before.run.id, "train")
    assert done is not None and len(entered) == 2
    assert not entered & done.result["crossfit"].keys()  # type: ignore[union-attr]
    (challenger,) = store.get_many(Release, [str(done.result["challenger"])])
    assert entered <= trained_on(spoken.ws, challenger)
    known = Snapshot(spoken.ws, before.run, store.head("screen"))
    held = training.held_out_labels(spoken.ws, known, challenger)
    assert not entered & {label.example for label in held}
    versions = store.get_many(DatasetVersion, [each["dataset_version"] for each in spoken.records])
    assert {item.split("=")[0] for version in versions for item in version.items["train"]} == entered


def test_a_golden_word_and_one_that_nobody_could_tell_never_enter(
    before: Before, quiet: Night, night_of: Callable[..., Night]
) -> None:
    golden = night_of({10: says(before.golden, "off_task")})
    golden.train()
    assert golden.records == [] and checkpoint(golden) == checkpoint(quiet)
    unsure = night_of({10: says(before.asked[0], CANNOT_TELL)})
    unsure.train()
    assert [(each["words_entered"], each["words_left"]) for each in unsure.records] == [(0, 0)]
    assert checkpoint(unsure) == checkpoint(quiet)


def test_a_word_taken_back_leaves_with_all_that_was_made_from_it(
    before: Before, quiet: Night, night_of: Callable[..., Night]
) -> None:
    forgetful = night_of()
    label = snapshot(forgetful.ws, before.run).train[0]

    def take_back(ws: Workspace) -> None:
        (said,) = Classifier.of_champion(ws, "screen").predict(ws.store.get_many(Example, [label.example]))
        ws.store.add(said)
        undo(ws, said.id)

    forgetful.words[10] = take_back
    forgetful.train()
    assert [(each["words_entered"], each["words_left"]) for each in forgetful.records] == [(0, 1)]
    assert checkpoint(forgetful) != checkpoint(quiet)
    (answer,) = Refreshes(forgetful.folder / "training.refreshes").changes()
    assert answer.leaves == (label.example,)


def test_with_semi_online_updates_off_the_training_does_not_ask(before: Before, night_of: Callable[..., Night]) -> None:
    deaf = night_of({10: says(before.asked[0], "off_task")})
    config = {**before.run.config, "learning": {**before.run.config["learning"], "semi_online": False}}  # type: ignore[dict-item]
    deaf.before = replace(before, run=before.run.model_copy(update={"config": config}))
    deaf.train()
    assert deaf.heard == [] and deaf.records == []


INSTANTS = ("prepared", "recorded", "published", "in the next round")


@pytest.mark.parametrize("instant", INSTANTS)
def test_a_night_killed_around_a_refresh_comes_to_the_same_bits(
    before: Before,
    spoken: Night,
    night_of: Callable[..., Night],
    monkeypatch: pytest.MonkeyPatch,
    instant: str,
) -> None:
    killed = night_of({10: says(before.asked[0], "off_task"), 20: says(before.asked[1], "on_task")})
    with monkeypatch.context() as patch, pytest.raises(Killed):
        die_at(patch, instant)
        killed.train()
    assert not (killed.folder / "training").exists()
    killed.train()
    # Manifests hold when a rewording was made, and so are equal within a home alone.
    recorded = [[(each["step"], each["dataset_version"]) for each in lived.records] for lived in (killed, spoken)]
    assert recorded[0] == recorded[1] and [step for step, _ in recorded[0]] == [10, 20]
    assert killed.bits() == spoken.bits()


def die_at(patch: pytest.MonkeyPatch, instant: str) -> None:
    publish, prepare, add = Refreshes.publish, Refreshes.prepare, WordsMeanwhile.answer

    def killed(*_: object, **__: object) -> None:
        raise Killed

    def publish_and_die(self: Refreshes, refresh: Any) -> None:
        publish(self, refresh)
        if refresh.changes:
            raise Killed

    def prepare_and_die(self: Refreshes, *given: Any, **more: Any) -> None:
        prepare(self, *given, **more)
        raise Killed

    def die_on_the_second(self: WordsMeanwhile, step: int) -> None:
        if step == 20:
            raise Killed
        add(self, step)

    if instant == "prepared":
        patch.setattr(Refreshes, "prepare", prepare_and_die)
    elif instant == "recorded":
        patch.setattr(Refreshes, "publish", killed)
    elif instant == "published":
        patch.setattr(Refreshes, "publish", publish_and_die)
    else:
        patch.setattr(WordsMeanwhile, "answer", die_on_the_second)


def test_files_that_were_lost_are_made_again_from_the_record(spoken: Night, tmp_path: Path) -> None:
    ws = Workspace.open(Path(shutil.copytree(spoken.ws.home, tmp_path / "home")))
    shutil.rmtree(ws.run_dir(spoken.before.run.id))
    again = Night(ws, spoken.before, {}, [])
    with lease_of(ws) as lease, pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "run_training", run_in_place)
        result = training._train(ws.as_when_begun(spoken.before.run), spoken.before.run, lease, None)
    assert again.bits() == spoken.bits()
    assert result["words_entered"] == 2


def test_a_training_that_took_in_what_the_store_does_not_know_makes_no_challenger(
    spoken: Night, night_of: Callable[..., Night]
) -> None:
    other = night_of()
    shutil.copytree(spoken.folder, other.folder, dirs_exist_ok=True)
    with pytest.raises(NightshiftError, match=r"took in words after steps \[10, 20\], and the store knows of \[\]"):
        other.train()
    assert night.nights(other.ws, "screen")[0]["state"] == "abandoned"
    assert len(other.ws.store.find(Release)) == 1
