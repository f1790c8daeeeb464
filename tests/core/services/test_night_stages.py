"""A whole small night, in this process: every stage on real screens, the real training process, the real store."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from labelled_folder import Pair

from core.environments import environment
from core.evaluation import SINCE_FROZEN
from core.learning import TrainingResult, load_items
from core.schema import (
    CANNOT_TELL,
    Checkpoint,
    DatasetVersion,
    Decision,
    Evaluation,
    Example,
    Frozen,
    Judgment,
    Media,
    NightshiftError,
    Outcome,
    Release,
    Rollout,
    Run,
    StageResult,
    Variant,
)
from core.services import (
    Classifier,
    Wanted,
    Workspace,
    classify,
    correct,
    corrections_waiting,
    forget,
    night,
    night_report,
    night_result,
    nights,
)
from core.services.night.frozen import _decision
from core.services.night.ingest import is_golden
from core.services.night.record import stage_id
from core.settings import JudgingSettings, ReaderSettings
from core.store import Lease, LeaseLost

SETTINGS = """
[learning]
steps = 6
batch_size = 8
variants_per_correction = 8
threads = 1
[variants]
picture_seconds = 1.0
[gate]
folds = 2
hostile_screens = 0
golden_share = 0.3
[night]
lease_s = 600
"""
WORK = {
    "retention": night.retention,
    "ingest": night.ingest,
    "variants": night.make_variants,
    "judge": night.judge,
    "train": night.train,
    "evaluate": night.evaluate,
    "gate": night.gate,
    "frozen": night.frozen,
    "promote": night.promote,
    "report": night.report,
}


@dataclass(frozen=True)
class Lived:
    """A night that was lived through, and the home as it was before training."""

    ws: Workspace
    run: Run
    before_training: Path
    done: dict[str, StageResult]


def lease_of(ws: Workspace) -> Lease:
    return ws.store.lease(night.lease_name("screen"), "test", 600)


@pytest.fixture(scope="module")
def lived(template: tuple[Path, Path], pairs: list[Pair], tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Imported labels, one corrected verdict, one that nobody could tell, one unanswered; then a night."""
    folder = tmp_path_factory.mktemp("night")
    home = Path(shutil.copytree(template[1], folder / "home"))
    (home / "nightshift.toml").write_text(SETTINGS)
    ws = Workspace.open(home)
    classifier = Classifier.of_champion(ws, "screen")
    said = [classify(ws, classifier, pairs[0].data, f"{pairs[0].ask} {more}.") for more in ("Today", "Soon", "Now")]
    correct(ws, said[0].id, "off_task" if said[0].answer == "on_task" else "on_task")
    correct(ws, said[1].id, CANNOT_TELL)
    run = night.begin(ws, "screen", seed=3)
    done: dict[str, StageResult] = {}
    for name, stage in WORK.items():
        if name == "train":
            shutil.copytree(home, folder / "before")
        with lease_of(ws) as lease:
            done[name] = stage(ws, run, lease)
    return Lived(ws, run, folder / "before", done)


def results(lived: Lived, stage: str) -> dict[str, Any]:
    return lived.done[stage].result


def test_every_stage_left_one_result(lived: Lived) -> None:
    assert tuple(WORK) == night.STAGES
    stored = {each.stage: each for each in lived.ws.store.find(StageResult, run=lived.run.id)}
    assert stored == lived.done


def test_a_night_begun_before_a_section_existed_goes_on_with_its_defaults(lived: Lived) -> None:
    config = {name: value for name, value in lived.run.config.items() if name not in ("judging", "reader")}
    begun = lived.ws.as_when_begun(lived.run.model_copy(update={"config": config}))
    assert begun.settings.judging == JudgingSettings()
    assert begun.settings.reader == ReaderSettings()
    assert begun.settings.learning == lived.ws.settings.learning


def test_every_step_of_the_training_can_be_read_afterwards(lived: Lived) -> None:
    steps = night.training_steps(lived.ws, lived.run.id)
    planned = lived.ws.settings.learning.steps
    by_challenger = {step["challenger"]: [] for step in steps}
    for step in steps:
        by_challenger[step["challenger"]].append(step["step"])
    assert len(by_challenger) == lived.done["train"].result["challengers"]
    assert all(numbers == list(range(1, planned + 1)) for numbers in by_challenger.values())
    assert {"reward", "entropy", "kl", "zero_variance", "seconds"} <= steps[0].keys()
    named = {name for step in steps for name in step if name.startswith("reward/")}
    assert {"reward/exact_verdict", "reward/judge"} <= named


def test_a_stage_that_is_done_is_not_done_again(lived: Lived) -> None:
    before = lived.ws.store.tables()
    with lease_of(lived.ws) as lease:
        for name, stage in WORK.items():
            assert stage(lived.ws, lived.run, lease) == lived.done[name]
    assert lived.ws.store.tables() == before


def test_words_are_learnt_from_or_golden_or_undecided_and_never_two_of_these(lived: Lived) -> None:
    ingested = results(lived, "ingest")
    labels = lived.ws.store.labels("screen")
    assert ingested["train"] + ingested["golden"] + ingested["cannot_tell"] == len(labels) == ingested["ingested"]
    assert ingested["cannot_tell"] == 1
    (version,) = lived.ws.store.get_many(DatasetVersion, [ingested["dataset_version"]])
    clusters = {
        role: {each.cluster for each in lived.ws.store.get_many(Example, [item.split("=")[0] for item in items])}
        for role, items in version.items.items()
    }
    assert not clusters["train"] & clusters["golden"]
    assert all(is_golden(cluster, 0.3) for cluster in clusters["golden"])
    assert not any(is_golden(cluster, 0.3) for cluster in clusters["train"])


def test_labels_are_drawn_by_how_urgent_they_are_and_capped_by_whose_they_are(lived: Lived) -> None:
    items = load_items(lived.ws.run_dir(lived.run.id) / "items.json")
    labels = [item for item in items if item.origin == "correction"]
    made = [item for item in items if item.origin == "variant"]
    assert {item.reviewer for item in labels} <= {"import", "local"}
    assert any(item.application for item in labels)
    assert all(item.priority >= 2 * item.base for item in labels)  # all are new tonight
    assert all(item.priority == item.base == 1.0 for item in made)
    assert len(labels) == results(lived, "ingest")["train"]


def test_variants_are_made_of_what_is_learnt_from_alone(lived: Lived) -> None:
    made = results(lived, "variants")
    variants = lived.ws.store.find(Variant)
    assert len(variants) == len(made["ids"])
    assert sum(made["made"].values()) == made["variants"]
    examples = lived.ws.store.get_many(Example, [each.example for each in variants])
    assert all(not is_golden(example.cluster, 0.3) for example in examples)
    assert {each.parent for each in variants} == {example.parent for example in examples}
    answer_of = {label.example: label.answer for label in lived.ws.store.labels("screen")}
    flips = {each.how: each.answer != answer_of[each.parent] for each in variants}
    assert flips["reworded"] is False
    assert flips.get("other_work", True) is True


def test_no_more_pictures_were_made_and_read_than_the_budget_holds(lived: Lived) -> None:
    tally = results(lived, "variants")
    costs = {kind.name: kind.cost_s for kind in environment("screen").variant_kinds if kind.changes_pixels}
    made = {how: tally["made"].get(how, 0) + tally["dropped"].get(how, 0) for how in costs}
    assert sum(costs[how] * number for how, number in made.items()) == pytest.approx(tally["picture_seconds"])
    assert 0 < tally["picture_seconds"] <= 1.0
    assert len(lived.ws.store.find(Media, source="variant")) == sum(made.values()) > 0


def test_the_report_says_by_kind_what_became_of_the_variants(lived: Lived) -> None:
    tally, told = results(lived, "variants"), night_result(lived.ws, lived.run.id)["variants_by_kind"]
    assert {how: each["kept"] for how, each in told.items() if each["kept"]} == tally["made"]
    assert {how: each["dropped"] for how, each in told.items() if each["dropped"]} == tally["dropped"]


def test_labelled_and_doubtful_examples_are_judged_once(lived: Lived) -> None:
    judged = results(lived, "judge")
    known = results(lived, "ingest")
    assert judged["judged"] == known["train"] + known["golden"] + len(judged["doubtful"])
    assert len(judged["doubtful"]) == 1
    of_variants = results(lived, "variants")["judge_asked"]
    assert lived.ws.store.count(Judgment) == judged["judged"] + of_variants
    assert of_variants or judged["unscored"] == sum(each.unscored is not None for each in lived.ws.store.find(Judgment))
    assert 0 <= judged["share"] <= 1


def test_what_each_answer_earned_is_kept_part_by_part(lived: Lived) -> None:
    rollouts = lived.ws.store.find(Rollout, run=lived.run.id)
    told = {label.example: label.answer for label in lived.ws.store.labels("screen")}
    assert len(rollouts) == 2 * (results(lived, "ingest")["train"] + bool(results(lived, "judge")["share"]))
    for rollout in rollouts:
        assert set(rollout.reward_parts) == {"judge", "exact_verdict", "visual_verifier"}
        if rollout.example in told:
            assert rollout.reward == rollout.reward_parts["exact_verdict"] == (rollout.answer == told[rollout.example])


def test_the_challenger_is_a_registered_release_whose_parent_is_the_champion(lived: Lived) -> None:
    trained = results(lived, "train")
    (challenger,) = lived.ws.store.get_many(Release, [trained["challenger"]])
    (checkpoint,) = lived.ws.store.get_many(Checkpoint, [challenger.checkpoints["policy"]])
    (champion,) = lived.ws.store.get_many(Release, [str(lived.run.config["champion"])])
    assert (checkpoint.id, checkpoint.run) == (trained["checkpoint"], lived.run.id)
    assert checkpoint.parent == champion.checkpoints["policy"]
    assert challenger.id != champion.id
    assert trained["steps"] == 6
    assert Classifier.load(lived.ws, "screen", challenger.id).release_id == challenger.id


def test_cross_fitted_evidence_covers_every_label_that_is_learnt_from(lived: Lived) -> None:
    crossfit = results(lived, "train")["crossfit"]
    assert len(crossfit) == results(lived, "ingest")["train"] == results(lived, "evaluate")["crossfit"]


def test_both_releases_were_scored_on_the_same_examples(lived: Lived) -> None:
    evaluated = results(lived, "evaluate")
    ours, theirs = lived.ws.store.get_many(Evaluation, [evaluated["champion"], evaluated["challenger"]])
    assert [each.example for each in ours.scores] == [each.example for each in theirs.scores]
    assert len(ours.scores) == evaluated["golden"] + evaluated["crossfit"]
    assert [each.expected for each in ours.scores] == [each.expected for each in theirs.scores]
    assert sum(each.was_wrong for each in ours.scores) == 1
    assert (ours.release, theirs.release) == (lived.run.config["champion"], results(lived, "train")["challenger"])


def test_so_little_evidence_promotes_nobody(lived: Lived) -> None:
    assert results(lived, "gate")["outcome"] != "promoted"
    assert results(lived, "promote") == {"promoted": False, "champion": lived.run.config["champion"]}
    assert lived.ws.store.champion("screen") == lived.run.config["champion"]


def test_the_nights_object_says_what_its_stages_said(lived: Lived) -> None:
    told = night_result(lived.ws, lived.run.id)
    (decision,) = lived.ws.store.find(Decision)
    assert told["run_id"] == lived.run.id
    assert told["ingested"] == results(lived, "ingest")["ingested"]
    assert told["variants"] == results(lived, "variants")["variants"]
    assert told["judged"] == results(lived, "judge")["judged"]
    assert told["steps"] == 6
    assert told["challenger"] == decision.challenger == results(lived, "train")["challenger"]
    assert (told["outcome"], told["promoted"]) == (decision.outcome.value, False)
    assert [gate["name"] for gate in told["gates"]] == [gate.name for gate in decision.gates]
    assert all(set(gate) == {"name", "value", "bound", "passed", "note"} for gate in told["gates"])
    assert set(told["seconds"]) >= set(night.STAGES) - {"report"}
    assert all(seconds >= 0 for seconds in told["seconds"].values())


def test_the_morning_page_stands_alone(lived: Lived) -> None:
    page = night_report(lived.ws, lived.run.id)
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "<script src" not in page
    assert 'href="http' not in page


def test_the_list_of_nights_says_how_it_ended(lived: Lived) -> None:
    (listed,) = nights(lived.ws, "screen")
    assert (listed["run_id"], listed["seed"], listed["state"], listed["stage"]) == (lived.run.id, 3, "finished", None)
    assert listed["outcome"] == results(lived, "gate")["outcome"]
    assert list(listed["seconds"]) == list(night.STAGES)


def test_what_a_night_has_seen_waits_no_longer(lived: Lived) -> None:
    assert corrections_waiting(lived.ws, "screen") == 0
    assert corrections_waiting(Workspace.open(lived.before_training), "screen") == 0


def fingerprint(ws: Workspace, run: Run) -> str:
    result = TrainingResult.read(ws.run_dir(run.id) / "training")
    assert result is not None
    return result.job


def test_training_the_same_night_again_elsewhere_gives_the_same_weights(lived: Lived, tmp_path: Path) -> None:
    elsewhere = Workspace.open(Path(shutil.copytree(lived.before_training, tmp_path / "home")))
    (run,) = elsewhere.store.find(Run)
    with lease_of(elsewhere) as lease:
        again = night.train(elsewhere, run, lease)
    # Also what a training is recognised by, where a night goes on with it.
    assert fingerprint(elsewhere, run) == fingerprint(lived.ws, run)
    assert again.result["checkpoint"] == results(lived, "train")["checkpoint"]
    assert again.result["challenger"] == results(lived, "train")["challenger"]
    assert again.result["crossfit"] == results(lived, "train")["crossfit"]


def test_a_policy_that_collapses_ends_the_night_with_the_reason_and_without_a_challenger(
    lived: Lived, tmp_path: Path
) -> None:
    ws = Workspace.open(Path(shutil.copytree(lived.before_training, tmp_path / "home")))
    (run,) = ws.store.find(Run)
    learning = {**lived.ws.settings.learning.model_dump(mode="json"), "collapse_entropy": 9.0, "collapse_steps": 2}
    run = run.model_copy(update={"config": {**run.config, "learning": learning}})
    with lease_of(ws) as lease, pytest.raises(NightshiftError, match="stopped at step 2: the policy has collapsed"):
        night.train(ws, run, lease)
    (listed,) = nights(ws, "screen")
    assert (listed["state"], listed["outcome"]) == ("abandoned", None)
    assert "hardly any entropy" in listed["why"] and "the champion stays" in listed["why"]
    assert ws.store.count(Release) == 1 and ws.store.champion("screen") == run.config["champion"]


def test_a_night_without_feedback_ends_and_the_next_begins_anew(ws: Workspace) -> None:
    run = night.begin(ws, "screen", seed=1)
    with lease_of(ws) as lease, pytest.raises(NightshiftError, match="nothing to learn from yet"):
        night.ingest(ws, run, lease)
    assert nights(ws, "screen")[0]["state"] == "abandoned"
    assert night.begin(ws, "screen", seed=1).id != run.id


def test_a_night_says_what_it_was_made_with(lived: Lived) -> None:
    (run,) = lived.ws.store.find(Run)
    assert {"learning", "gate", "reward", "judge", "policy", "champion"} <= run.config.keys()
    assert {"torch", "transformers", "trl", "accelerate", "peft"} <= run.versions.keys()
    assert night_result(lived.ws, run.id)["seed"] == run.seed == 3
    assert lived.ws.store.get(DatasetVersion, night_result(lived.ws, run.id)["dataset_version"]) is not None


def test_an_unfinished_night_is_gone_on_with(imported: Workspace) -> None:
    run = night.begin(imported, "screen", seed=5, trigger="schedule")
    assert night.begin(imported, "screen", seed=5) == run
    assert night.begin(imported, "screen") == run
    assert nights(imported, "screen")[0]["state"] == "running"
    assert nights(imported, "screen")[0]["stage"] == "retention"


def test_an_unfinished_night_with_another_seed_is_abandoned(imported: Workspace) -> None:
    run = night.begin(imported, "screen", seed=5)
    other = night.begin(imported, "screen", seed=6)
    assert (other.seed, other.id != run.id) == (6, True)
    newest, oldest = nights(imported, "screen")
    assert (newest["run_id"], oldest["run_id"], oldest["state"]) == (other.id, run.id, "abandoned")
    assert "seed 6" in oldest["why"]


def test_words_said_after_a_night_began_wait_for_the_next(imported: Workspace) -> None:
    run = night.begin(imported, "screen", seed=5)
    labels = len(imported.store.labels("screen"))
    example = imported.store.labels("screen")[0].example
    (said,) = Classifier.of_champion(imported, "screen").predict(imported.store.get_many(Example, [example]))
    imported.store.add(said)
    correct(imported, said.id, CANNOT_TELL)
    with lease_of(imported) as lease:
        ingested = night.ingest(imported, run, lease).result
    assert (ingested["ingested"], ingested["cannot_tell"]) == (labels, 0)
    assert corrections_waiting(imported, "screen") == 1


def test_a_night_keeps_the_settings_it_began_with(imported: Workspace) -> None:
    run = night.begin(imported, "screen", seed=5)
    (imported.home / "nightshift.toml").write_text("[gate]\ngolden_share = 0.0\n")
    changed = Workspace.open(imported.home)
    with lease_of(changed) as lease:
        ingested = night.ingest(changed, run, lease).result
    golden = [
        each
        for each in imported.store.get_many(Example, [label.example for label in imported.store.labels("screen")])
        if is_golden(each.cluster, 0.2)
    ]
    assert ingested["golden"] == len(golden)


def test_no_stage_works_without_the_lease(imported: Workspace) -> None:
    run = night.begin(imported, "screen", seed=5)
    lease = lease_of(imported)
    lease.release()
    with pytest.raises(LeaseLost):
        night.ingest(imported, run, lease)
    assert imported.store.find(StageResult) == []


def test_stages_refuse_to_run_out_of_order(imported: Workspace) -> None:
    run = night.begin(imported, "screen", seed=5)
    with lease_of(imported) as lease, pytest.raises(NightshiftError, match=r"stage 'gate' of night .* has not run"):
        night.promote(imported, run, lease)


def test_a_night_that_is_not_over_has_no_result_and_no_report(imported: Workspace) -> None:
    run = night.begin(imported, "screen", seed=5)
    with pytest.raises(NightshiftError, match="has not run"):
        night_result(imported, run.id)
    with pytest.raises(NightshiftError, match="has no report"):
        night_report(imported, run.id)


@pytest.fixture
def later(lived: Lived, tmp_path: Path) -> tuple[Workspace, Run, Frozen]:
    """A home whose first challenger is frozen, and a second night that has come as far as an undecided gate."""
    ws = Workspace.open(Path(shutil.copytree(lived.ws.home, tmp_path / "home")))
    (first,) = ws.store.find(Decision)
    asked = Frozen(
        id="asked",
        environment="screen",
        champion=first.champion,
        challenger=first.challenger,
        run=lived.run.id,
        upto_seq=int(str(lived.run.config["upto_seq"])),
    )
    run = lived.run.model_copy(update={"id": "second", "config": {**lived.run.config, "after_seq": asked.upto_seq}})
    undecided = first.model_copy(
        update={"id": "undecided", "run": run.id, "outcome": Outcome.UNDECIDED, "more_examples_needed": None}
    )
    gate = StageResult(
        id=stage_id(run.id, "gate"), run=run.id, stage="gate", result={"decision": "undecided"}, seconds=0.0
    )
    ws.store.add(asked, run, undecided, gate)
    return ws, run, asked


def looked_at(ws: Workspace, run: Run) -> dict[str, Any]:
    with lease_of(ws) as lease:
        return night.frozen(ws, run, lease).result


def test_a_frozen_challenger_is_looked_at_and_waits_on(later: tuple[Workspace, Run, Frozen]) -> None:
    ws, run, asked = later
    result = looked_at(ws, run)
    (told,) = result["waiting"]
    assert (told["challenger"], told["state"], told["nights"]) == (asked.challenger, "waits", 1)
    assert (told["evidence"], told["needed"]) == (1.0, 60.0)
    assert result["decision"] is None
    assert night.waiting(ws, "screen") == [asked]
    disagreed = result["wanted"][asked.challenger]
    assert night.wanted(ws, "screen") == disagreed


def test_a_challenger_frozen_against_another_champion_waits_no_longer(later: tuple[Workspace, Run, Frozen]) -> None:
    ws, run, asked = later
    moved = run.model_copy(update={"config": {**run.config, "champion": "another"}})
    result = looked_at(ws, moved)
    assert [told["state"] for told in result["waiting"]] == ["ended"]
    assert night.waiting(ws, "screen") == []
    assert night.waiting(ws, "screen", before=moved) == [asked], "the same night, killed and run again, sees the same"


def test_what_was_labelled_before_it_was_frozen_is_no_evidence(later: tuple[Workspace, Run, Frozen]) -> None:
    ws, run, asked = later

    def since(upto_seq: int) -> str:
        decision = _decision(ws, run, asked.model_copy(update={"upto_seq": upto_seq}))
        return next(gate.note for gate in decision.gates if gate.name == SINCE_FROZEN)

    assert "mends 0 and breaks 0 of 0 examples labelled since" in since(asked.upto_seq)
    assert "of 0 examples" not in since(0), "the same labels, had they come later"


@pytest.mark.soak
def test_after_a_whole_night_a_screen_that_it_learnt_from_can_be_erased_and_the_next_night_runs(
    lived: Lived, tmp_path: Path
) -> None:
    """Of the real thing nothing is left either, and the page of the night is drawn anew without it."""
    ws = Workspace.open(Path(shutil.copytree(lived.ws.home, tmp_path / "home")))
    before = night_report(ws, lived.run.id)
    (version,) = ws.store.get_many(DatasetVersion, [results(lived, "ingest")["dataset_version"]])
    learnt = ws.store.get_many(Example, [entry.split("=")[0] for entry in version.items["train"]])
    # The page lists the descriptions of changed verdicts.
    example = next((each for each in learnt if each.ask in before), learnt[0])

    done = forget(ws, Wanted(screen=example.id))

    assert done["proof"]["ok"], done["proof"]["found"]
    assert results(lived, "train")["checkpoint"] in [each["checkpoint"] for each in done["trained_on_it"]]
    after = night_report(ws, lived.run.id)
    assert example.ask not in after and after != before
    assert night.training_steps(ws, lived.run.id) == night.training_steps(lived.ws, lived.run.id)
    run = night.begin(ws, "screen", seed=4)
    for stage in WORK.values():
        with lease_of(ws) as lease:
            stage(ws, run, lease)
    assert night_result(ws, run.id)["run_id"] == run.id
    version = ws.store.get_many(DatasetVersion, [night_result(ws, run.id)["dataset_version"]])[0]
    assert not any(entry.startswith(example.id) for entries in version.items.values() for entry in entries)
