"""What works before the student: tuned on what people corrected of it, by the likelihood of their words, and measured
by what the student then answers.
"""

import math
import shutil
from collections.abc import Sequence

import torch
from pydantic import JsonValue

from core.environments.base import EarlierStage
from core.learning import TrainingItem, TrainingJob, run_training, save_features, save_items
from core.learning.scoring import collate
from core.policy import Policy
from core.schema import (
    CANNOT_TELL,
    Checkpoint,
    DatasetVersion,
    Example,
    Label,
    NightshiftError,
    Release,
    Run,
    StageResult,
)
from core.services.classify import Classifier, load_policy
from core.services.night.ingest import is_golden
from core.services.night.record import TUNED, heard_of_stage, stage_id
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["answered_through", "tuned_stages"]

UNLIKELY = 1e-6
"The probability of the right answer where a stage stopped."
MIN_GOLDEN = 5
"Golden words that a stage is measured on before it takes the place of another; with fewer it stays as it is."


def tuned_stages(
    ws: Workspace, run: Run, lease: Lease, champion: Release
) -> tuple[dict[str, str], dict[str, JsonValue]]:
    """Checkpoints of the stages that became better, by their names; and of each what was found, JSON-ready.

    A stage is tuned where people corrected it often enough since it was last, and kept where the golden words among
    these, which it is not trained on, are no less likely to it than before.
    """
    made: dict[str, str] = {}
    told: dict[str, JsonValue] = {}
    for stage in ws.environment(run.environment).earlier_stages(ws.settings):
        labels = _words(ws, run, stage, champion.checkpoints[stage.name])
        if len(labels) < stage.least:
            told[stage.name] = {"corrections": len(labels), "kept": f"fewer than {stage.least} corrections"}
            continue
        examples = ws.store.get_many(Example, [label.example for label in labels])
        golden = [is_golden(example.cluster, ws.settings.gate.golden_share) for example in examples]
        if sum(golden) < MIN_GOLDEN or all(golden):
            told[stage.name] = {
                "corrections": len(labels),
                "kept": f"{sum(golden)} of them golden; {MIN_GOLDEN} wanted",
            }
            continue
        lease.renew()
        checkpoint, found = _tuned(ws, run, lease, champion, stage, labels, examples, golden)
        told[stage.name] = {"corrections": len(labels), **found}
        if checkpoint is not None:
            made[stage.name] = checkpoint
    return made, told


def answered_through(
    ws: Workspace, classifier: Classifier, other: Release, labels: Sequence[Label], examples: Sequence[Example]
) -> list[list[float]]:
    """Log-probabilities of each answer by a whole release, which is compared with another on labelled examples.

    Where both have the same stages before the student, the examples are as they are stored. A stage in which they
    differ makes each example anew: what the other's wrote, or what people corrected of that, is not what this student
    would be given. An example of which a stage makes nothing proper counts as answered wrongly.
    """
    (release,) = ws.store.get_many(Release, [classifier.release_id])
    its_own = {
        name: load_policy(ws, release, name)[0]
        for name, checkpoint in release.checkpoints.items()
        if name != "policy" and checkpoint != other.checkpoints.get(name)
    }
    if not its_own or not examples:
        return classifier.answer_logprobs(examples)
    bound, own = classifier.environment, ws.of(release.environment)
    anew = bound.staged(examples, its_own, own.library, own.settings)
    answered = iter(classifier.answer_logprobs([example for example in anew if example is not None]))
    return [
        next(answered) if example is not None else _wrong(bound.answers or (), label)
        for example, label in zip(anew, labels, strict=True)
    ]


def _wrong(answers: Sequence[str], label: Label) -> list[float]:
    """As if any answer but the right one had been given."""
    others = len(answers) - 1
    return [math.log(UNLIKELY if each == label.answer else (1 - UNLIKELY) / others) for each in answers]


def _words(ws: Workspace, run: Run, stage: EarlierStage, checkpoint_id: str) -> list[Label]:
    """What people said of the stage since it was tuned, as it stood when this night began."""
    checkpoint = ws.store.get(Checkpoint, checkpoint_id)
    last = ws.store.get(Run, checkpoint.run) if checkpoint is not None and checkpoint.run else None
    heard = 0 if last is None else heard_of_stage(last, stage.examples)
    words = ws.store.labels(stage.examples, after_seq=heard, upto_seq=heard_of_stage(run, stage.examples))
    return [label for label in words if label.answer != CANNOT_TELL]


def _tuned(
    ws: Workspace,
    run: Run,
    lease: Lease,
    champion: Release,
    stage: EarlierStage,
    labels: Sequence[Label],
    examples: Sequence[Example],
    golden: Sequence[bool],
) -> tuple[str | None, dict[str, JsonValue]]:
    policy, folder = load_policy(ws, champion, stage.name)
    features = policy.encode(examples, ws.library)
    items = [
        TrainingItem(example=example, gold=str(label.answer), origin="correction")
        for example, label in zip(examples, labels, strict=True)
    ]
    scratch = ws.run_dir(run.id)
    scratch.mkdir(parents=True, exist_ok=True)
    _record(ws, run, lease, stage, examples, golden)
    kept = [place for place, is_it in enumerate(golden) if not is_it]
    save_items(scratch / f"{stage.name}.json", [items[place] for place in kept])
    save_features(scratch / f"{stage.name}.safetensors", [features[place] for place in kept])
    job = TrainingJob(
        policy=f"{type(policy).__module__}:{type(policy).__name__}",
        champion=folder,
        items=scratch / f"{stage.name}.json",
        features=scratch / f"{stage.name}.safetensors",
        rewards=stage.rewards.place,
        reward_arguments=stage.rewards.arguments,
        settings=stage.learning,
        seed=run.seed,
        out=scratch / f"training-{stage.name}",
    )
    result = run_training(job, stage.learning.deadline_s, while_waiting=lease.renew)
    measured = [place for place, is_it in enumerate(golden) if is_it]
    challenger = type(policy).load(result.weights)
    before, after = (_nats(each, features, labels, measured) for each in (policy, challenger))
    found: dict[str, JsonValue] = {
        "golden": len(measured),
        "nats_before": round(before, 4),
        "nats_after": round(after, 4),
    }
    if after > before:
        return None, {**found, "kept": "the golden words became less likely"}
    complete = result.weights.with_name("challenger")
    shutil.rmtree(complete, ignore_errors=True)
    shutil.copytree(result.weights, complete)
    put = ws.registry.put(
        complete,
        environment=run.environment,
        policy=policy.name,
        parent=champion.checkpoints[stage.name],
        run=run.id,
    )
    return put.id, {**found, "checkpoint": put.id}


def _record(
    ws: Workspace, run: Run, lease: Lease, stage: EarlierStage, examples: Sequence[Example], golden: Sequence[bool]
) -> None:
    """Says what is trained on before it is, so that an erasure finds it; by ids alone: lines are people's text."""
    roles = {
        role: tuple(example.id for example, is_it in zip(examples, golden, strict=True) if is_it is of_role)
        for role, of_role in (("train", False), ("golden", True))
    }
    version = DatasetVersion.make(stage.examples, roles)
    name = f"{TUNED}{stage.name}"
    result: dict[str, JsonValue] = {"dataset_version": version.id}
    ws.store.check_token(lease.name, lease.token)
    done = StageResult(id=stage_id(run.id, name), run=run.id, stage=name, result=result, seconds=0.0)
    ws.store.add(version, done)


@torch.no_grad()
def _nats(
    policy: Policy, features: Sequence[dict[str, torch.Tensor]], labels: Sequence[Label], rows: Sequence[int]
) -> float:
    """Minus the mean log-probability of a token of what people said."""
    nats, tokens = 0.0, 0
    for row in rows:
        try:
            said = policy.tokens_of(str(labels[row].answer))
        except NightshiftError:
            continue
        tokens_11T = torch.tensor(said, device=policy.model.device)[None, None]
        scores = policy.completion_scores(collate(policy, [features[row]]), tokens_11T, torch.ones_like(tokens_11T) > 0)
        nats, tokens = nats - float(scores.logprobs_NGT.sum()), tokens + len(said)
    return nats / max(tokens, 1)
