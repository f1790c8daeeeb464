"""Train: champion to challenger, in a process of its own, with cross-fitted evidence on the side."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from core.judge import Spent
from core.learning import (
    HeldOut,
    Refreshes,
    TrainingItem,
    TrainingJob,
    read_steps,
    run_training,
    save_features,
    save_items,
    told_by,
)
from core.policy import Policy
from core.policy.calibration import Calibration
from core.schema import Checkpoint, Example, Judgment, Label, Release, Rollout, Run, Variant
from core.services.classify import load_policy
from core.services.night.ingest import Snapshot, is_golden, snapshot, trained_clusters
from core.services.night.judge import judgments_of
from core.services.night.kinds import variant_weight, wanted_kinds
from core.services.night.record import Stage, finished, stage
from core.services.night.refresh import Hear, WordsMeanwhile
from core.services.night.replay import Remembered, fresh_priority, remembered
from core.services.night.rewards import earned_by_answer, rollouts_of
from core.services.night.stages import tuned_stages
from core.services.night.variants import known_variants
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["crossfit_logprobs", "held_out_labels", "train", "train_hearing", "training_steps"]

JUDGED_WEIGHT = 0.2
TRAINING_FOLDER, REFRESHES_FOLDER = "training", "training.refreshes"


def train_hearing(hear: Hear | None) -> Stage:
    """The training stage, where `hear` is called with the steps done whenever the training asks what was said since."""

    def work(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
        return _train(ws, run, lease, hear)

    return stage("train")(work)


train = train_hearing(None)
"""Trains the challenger and registers it. Raises NightshiftError where training fails; the champion stays."""


def _train(ws: Workspace, run: Run, lease: Lease, hear: Hear | None) -> dict[str, JsonValue]:
    known = snapshot(ws, run)
    champion = _champion(ws, run)
    policy, champion_dir = load_policy(ws, champion)
    items = _items(ws, run, lease, known)
    ws.store.add(*_rollouts(ws, run, known))
    held = held_out_labels(ws, known, champion)
    scratch = ws.run_dir(run.id)
    scratch.mkdir(parents=True, exist_ok=True)
    job = _job(ws, run, policy, champion_dir, items, held, known, scratch)
    meanwhile = _meanwhile(ws, run, lease, policy, scratch, hear)
    result = run_training(
        job,
        ws.settings.learning.deadline_s,
        while_waiting=lease.renew,
        answer=meanwhile.answer if job.refreshes else None,
    )
    meanwhile.check(result.refreshes)
    stages, told_of_stages = tuned_stages(ws, run, lease, champion)
    calibration = _calibration(result.crossfit, held, known)
    challenger = _register(ws, run, policy, champion, result.weights, calibration, stages)
    return {
        "challenger": challenger.id,
        "checkpoint": challenger.checkpoints["policy"],
        "items": result.items,
        **meanwhile.tally(),
        "steps": ws.settings.learning.steps,
        "challengers": result.challengers,
        "ms_per_step": round(result.ms_per_step, 2),
        "start": dict(result.start),
        "end": dict(result.end),
        **({"judged": _asked_in_training(job)} if job.judge else {}),
        **({"stages": told_of_stages} if told_of_stages else {}),
        "crossfit": {example: list(logprobs) for example, logprobs in sorted(result.crossfit.items())},
    }


def training_steps(ws: Workspace, run_id: str) -> list[dict[str, Any]]:
    """The figures of every optimiser step so far, in order, while a night trains and afterwards.

    Each names its `challenger` (`full`, then `fold-0`, ...) and `step`, from 1. None where nothing was trained yet.
    """
    return read_steps(ws.run_dir(run_id) / TRAINING_FOLDER)


def crossfit_logprobs(ws: Workspace, run: Run) -> dict[str, list[float]]:
    """Answer log-probabilities by the challenger that did not train on the example's cluster."""
    logprobs: dict[str, list[float]] = finished(ws, run.id, "train")["crossfit"]
    return logprobs


def held_out_labels(ws: Workspace, known: Snapshot, champion: Release) -> list[Label]:
    """Labels that can be evidence by cross-fitting: trained on tonight, and never by the champion."""
    clusters = trained_clusters(ws, champion)
    return [label for label in known.train if known.examples[label.example].cluster not in clusters]


def _champion(ws: Workspace, run: Run) -> Release:
    (champion,) = ws.store.get_many(Release, [str(run.config["champion"])])
    return champion


def _items(ws: Workspace, run: Run, lease: Lease, known: Snapshot) -> list[TrainingItem]:
    judged = finished(ws, run.id, "judge")
    weights = {kind.name: variant_weight(kind) for kind in wanted_kinds(ws, run.environment)}
    made = known_variants(ws, finished(ws, run.id, "variants")["ids"])
    variants = [(variant, example) for variant, example in made if variant.how in weights]
    doubtful = _doubtful(ws, judged)
    lessons = remembered(ws, run, known, lease.renew)
    undecided = [example for variant, example in variants if variant.answer is None]
    judgments = judgments_of(ws, run, [*(lesson.example for lesson in lessons), *doubtful, *undecided])
    items = [
        _item(
            ws,
            judged["share"],
            lesson.example,
            lesson.label.answer,
            judgments.get(lesson.example.id),
            lesson.label.reason,
        ).model_copy(update=lesson.of_item)
        for lesson in lessons
    ]
    variants = _drawn_from(ws, known, lessons, variants)
    varied = {example.id for _, example in variants}
    base_of = {lesson.example.id: lesson.base for lesson in lessons}
    items += _variant_items(ws, judged["share"], variants, judgments, weights, base_of)
    if judged["share"] > 0:
        for example in (each for each in doubtful if each.id not in varied):
            item = _item(ws, judged["share"], example, None, judgments.get(example.id))
            if any(reward is not None for reward in item.rewards):
                items.append(item.model_copy(update={"origin": "judged", "weight": JUDGED_WEIGHT * judged["share"]}))
    return items


def _drawn_from(
    ws: Workspace, known: Snapshot, lessons: Sequence[Remembered], variants: Sequence[tuple[Variant, Example]]
) -> list[tuple[Variant, Example]]:
    """Those of labels that are drawn from, in the order of these, and no more than a night can draw."""
    labelled = {label.example for label in known.train}
    places = {lesson.example.id: place for place, lesson in enumerate(lessons)}
    found = [
        (variant, example)
        for variant, example in variants
        if example.id not in labelled and (variant.parent in places or variant.parent not in labelled)
    ]
    found.sort(key=lambda each: places.get(each[0].parent, 0))
    return found[: ws.settings.learning.steps * ws.settings.learning.batch_size]


def _variant_items(
    ws: Workspace,
    share: float,
    variants: Sequence[tuple[Variant, Example]],
    judgments: Mapping[str, Judgment],
    weights: Mapping[str, float],
    base_of: Mapping[str, float],
) -> list[TrainingItem]:
    """Variants of a label count by their kind; those of a disagreement as far as the judge has earned a say, too."""
    items = []
    for variant, example in variants:
        item = _item(ws, share, example, variant.answer, judgments.get(example.id))
        weight = weights[variant.how] if variant.answer is not None else weights[variant.how] * share
        if weight > 0 and (variant.answer is not None or any(reward is not None for reward in item.rewards)):
            base = base_of.get(variant.parent, 1.0)
            made = {"origin": "variant", "weight": weight, "priority": base, "base": base}
            items.append(item.model_copy(update=made))
    return items


def _meanwhile(
    ws: Workspace, run: Run, lease: Lease, policy: Policy, scratch: Path, hear: Hear | None
) -> WordsMeanwhile:
    share = finished(ws, run.id, "judge")["share"]
    bound = ws.environment(run.environment)
    weights = {kind.name: variant_weight(kind) for kind in wanted_kinds(ws, run.environment)}

    def of_word(example: Example, label: Label) -> TrainingItem:
        return _item(ws, share, example, label.answer, None, label.reason).model_copy(
            update={
                "origin": "correction",
                "priority": fresh_priority(ws),
                "application": bound.application(example, ws.library),
                "reviewer": label.reviewer,
            }
        )

    def of_variant(example: Example, answer: JsonValue, how: str) -> TrainingItem:
        return _item(ws, share, example, answer, None).model_copy(update={"weight": weights[how]})

    return WordsMeanwhile(
        ws,
        run,
        lease,
        policy,
        Refreshes(scratch / REFRESHES_FOLDER),
        item_of=of_word,
        variant_item_of=of_variant,
        hear=hear,
    )


def _item(
    ws: Workspace,
    judge_share: float,
    example: Example,
    answer: JsonValue,
    judgment: Judgment | None,
    reason: str | None = None,
) -> TrainingItem:
    earned = earned_by_answer(ws, judge_share, example, answer, judgment)
    by_name = {name: tuple(each.parts[name] for each in earned) for name in (earned[0].parts if earned else ())}
    answers = example.answers or ()
    label = answers.index(str(answer)) if answer is not None else None
    return TrainingItem(
        example=example,
        rewards=tuple(each.reward for each in earned) or (None,) * len(answers),
        gold=ws.environment(example.environment).written(str(answer), reason) if answer is not None else None,
        reward_parts=by_name,
        label=label,
        origin="variant",
    )


def _rollouts(ws: Workspace, run: Run, known: Snapshot) -> list[Rollout]:
    """What is kept of the rewards: of words that no night before has heard, and of what only the judge speaks for."""
    judged = finished(ws, run.id, "judge")
    new = {label.example for label in known.new}
    said: list[tuple[Example, JsonValue]] = [
        (known.examples[label.example], label.answer) for label in known.train if label.example in new
    ]
    if judged["share"] > 0:
        said += [(example, None) for example in _doubtful(ws, judged)]
    judgments = judgments_of(ws, run, [example for example, _ in said])
    rollouts = []
    for example, label in said:
        earned = earned_by_answer(ws, judged["share"], example, label, judgments.get(example.id))
        rollouts += rollouts_of(run, example, label, earned)
    return rollouts


def _doubtful(ws: Workspace, judged: dict[str, Any]) -> list[Example]:
    """What only the judge may speak for; never golden."""
    examples = ws.store.get_many(Example, judged["doubtful"])
    return [each for each in examples if not is_golden(each.cluster, ws.settings.gate.golden_share)]


def _job(
    ws: Workspace,
    run: Run,
    policy: Policy,
    champion_dir: Path,
    items: Sequence[TrainingItem],
    held: Sequence[Label],
    known: Snapshot,
    scratch: Path,
) -> TrainingJob:
    paths = {name: scratch / file for name, file in _FILES.items()}
    save_items(paths["items"], items)
    save_features(paths["features"], policy.encode([item.example for item in items], ws.library))
    save_features(
        paths["held_out_features"], policy.encode([known.examples[label.example] for label in held], ws.library)
    )
    folds = ws.settings.gate.folds
    rewards = ws.environment(run.environment).training_rewards(ws.settings)
    judge, spent = rewards.judge if rewards else None, _spent(ws, run)
    return TrainingJob(
        policy=f"{type(policy).__module__}:{type(policy).__name__}",
        champion=champion_dir,
        items=paths["items"],
        features=paths["features"],
        held_out=tuple(
            HeldOut(
                example=label.example,
                cluster=known.examples[label.example].cluster,
                fold=_fold(known.examples[label.example].cluster, folds),
            )
            for label in held
        ),
        held_out_features=paths["held_out_features"],
        rewards=rewards.place if rewards else "",
        reward_arguments=rewards.arguments if rewards else {},
        judge=judge.place if judge else "",
        judge_arguments=judge.arguments if judge else {},
        judge_tokens=spent.tokens,
        judge_usd=spent.usd,
        settings=ws.settings.learning,
        seed=run.seed,
        refreshes=scratch / REFRESHES_FOLDER if ws.settings.learning.semi_online else None,
        out=scratch / TRAINING_FOLDER,
    )


def _spent(ws: Workspace, run: Run) -> Spent:
    """What this night's judge has cost before the training."""
    varied, judged = finished(ws, run.id, "variants"), finished(ws, run.id, "judge")
    written = Spent(varied.get("written_tokens", 0), varied.get("written_usd", 0.0))
    return written + Spent(judged.get("tokens", 0), judged.get("cost_usd") or 0.0)


def _asked_in_training(job: TrainingJob) -> dict[str, JsonValue]:
    """What a judge was asked about while this was trained, and what that cost."""
    files = job.judgments.parent.glob(f"{job.out.name}.judgments*.jsonl")
    said = [each for path in files for each in told_by(path)]
    spent = Spent.on(said)
    unscored = sum(each.unscored is not None for each in said)
    return {
        "groups": len(said),
        "unscored": unscored,
        "calls": sum(each.calls for each in said),
        "tokens": spent.tokens,
        "cost_usd": None if any(each.cost_usd is None for each in said) else spent.usd,
    }


_FILES = {
    "items": "items.json",
    "features": "features.safetensors",
    "held_out_features": "held_out.safetensors",
}


def _fold(cluster: str, folds: int) -> int:
    return int.from_bytes(hashlib.sha256(f"fold/{cluster}".encode()).digest()[:4], "big") % folds


def _calibration(crossfit: dict[str, tuple[float, ...]], held: Sequence[Label], known: Snapshot) -> Calibration:
    labels = [(known.examples[label.example].answers or ()).index(str(label.answer)) for label in held]
    return Calibration.fit([crossfit[label.example] for label in held], labels)


def _register(
    ws: Workspace,
    run: Run,
    policy: Policy,
    champion: Release,
    weights: Path,
    calibration: Calibration,
    stages: dict[str, str],
) -> Release:
    complete = weights.with_name("challenger")
    shutil.rmtree(complete, ignore_errors=True)
    shutil.copytree(weights, complete)
    calibration.write(complete)
    checkpoint: Checkpoint = ws.registry.put(
        complete,
        environment=run.environment,
        policy=policy.name,
        parent=champion.checkpoints["policy"],
        run=run.id,
    )
    return ws.registry.release(run.environment, {**champion.checkpoints, **stages, "policy": checkpoint.id})
