"""Training on a labelled folder, when somebody asks for it: what gives a new model its first idea of the problem.

    sft     supervised fine-tuning: the likelihood of the labels and nothing else
    grpo    the night's own loss, as the settings have it

The folder is taken in first, so its labels are people's words like any others, and golden clusters stay golden. What
comes out is a challenger: it is registered with what it was trained on, and never promoted here.
"""

import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from pydantic import JsonValue, ValidationError

from core.learning import TrainingItem, TrainingJob, TrainingResult, read_steps, run_training, save_features, save_items
from core.policy import Policy
from core.schema import DatasetVersion, Example, Label, NightshiftError, Release, Run, StageResult, new_id
from core.services.classify import load_policy
from core.services.disputes import undisputed
from core.services.importing import Progress, import_folder
from core.services.night.ingest import contents, is_golden
from core.services.night.record import LIBRARIES, TRAINING, stage_id
from core.services.workspace import Workspace
from core.settings import LearningSettings
from core.store import Lease

__all__ = [
    "METHODS",
    "Method",
    "keep_figures",
    "learning_settings",
    "registered",
    "run_under",
    "train_on_folder",
    "training_figures",
    "training_job",
    "training_run",
]

Method: TypeAlias = Literal["sft", "grpo"]
METHODS: tuple[Method, ...] = get_args(Method)

LIKELIHOOD_ALONE: dict[str, Any] = {
    "objective": "closed_set",
    "groups": "exact",
    "gradient_weight": 0.0,
    "likelihood_weight": 1.0,
    "kl_weight": 0.0,
    "entropy_weight": 0.0,
}


def train_on_folder(
    ws: Workspace,
    environment: str,
    method: Method,
    directory: Path,
    lease: Lease,
    *,
    release: str = "champion",
    steps: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Trains `release` on the folder's labels and registers what comes out as a challenger; JSON-ready figures.

    `progress` is told of pictures taken in, and then of optimiser steps. Raises NightshiftError for a folder without
    a label to train on and where the training fails; nothing is registered then.
    """
    began = time.perf_counter()
    settings = learning_settings(ws.settings.learning, method, steps=steps, learning_rate=learning_rate)
    start = ws.registry.named(environment, release)
    taken_in = import_folder(ws, environment, directory, progress=progress)
    train, golden = _split(ws, environment, set(taken_in.example_ids))
    if not train:
        raise NightshiftError(
            f"{directory} has no label to train on: {len(golden)} are golden, {len(taken_in.rejected)} were left out"
        )
    ws.store.check_token(lease.name, lease.token)
    run = _begin(ws, environment, method, start, settings, seed, train, golden)
    policy, folder = load_policy(ws, start)
    job = training_job(ws, run, policy, folder, _items(train), settings)
    result = run_under(ws, lease, job, progress=progress)
    challenger = registered(ws, run, policy, start, result)
    figures = training_figures(method, start, challenger, result)
    figures |= {"items": result.items, "golden_left_out": len(golden), "trainable": list(result.trainable)}
    return keep_figures(ws, run, figures, began)


def learning_settings(
    told: LearningSettings, method: Method, *, steps: int | None = None, learning_rate: float | None = None
) -> LearningSettings:
    """The settings of one training: those of the nights, except for what the method and the caller say."""
    asked = {"steps": steps, "learning_rate": learning_rate}
    changes = {name: value for name, value in asked.items() if value is not None}
    loss = LIKELIHOOD_ALONE if method == "sft" else {}
    try:
        return LearningSettings.model_validate({**told.model_dump(), **loss, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise NightshiftError(f"training with {where} {first['input']!r}: {first['msg']}") from error


def _split(ws: Workspace, environment: str, examples: set[str]) -> tuple[list[tuple[Label, Example]], list[Label]]:
    """The labels that stand for these examples, disputes aside: to train on, and golden."""
    labels = [label for label in undisputed(ws, environment) if label.example in examples]
    known = {each.id: each for each in ws.store.get_many(Example, [label.example for label in labels])}
    share = ws.settings.gate.golden_share
    golden = [label for label in labels if is_golden(known[label.example].cluster, share)]
    train = [(label, known[label.example]) for label in labels if label not in golden]
    return train, golden


def _begin(
    ws: Workspace,
    environment: str,
    method: Method,
    start: Release,
    settings: LearningSettings,
    seed: int,
    train: list[tuple[Label, Example]],
    golden: list[Label],
) -> Run:
    """Records what is trained on before it is: later nights must know what their champion has seen."""
    run = training_run(environment, method, start, settings, seed)
    kept = {"train": [label for label, _ in train], "golden": golden}
    dataset = DatasetVersion.make(
        environment,
        {role: contents(labels) for role, labels in kept.items()},
    )
    result: dict[str, JsonValue] = {"dataset_version": dataset.id, "train": len(train), "golden": len(golden)}
    ingested = StageResult(id=stage_id(run.id, "ingest"), run=run.id, stage="ingest", result=result, seconds=0.0)
    ws.store.add(run, dataset, ingested)
    return run


def training_run(environment: str, method: Method, start: Release, settings: LearningSettings, seed: int) -> Run:
    """A training that somebody asked for; not stored yet."""
    return Run(
        id=new_id(),
        environment=environment,
        seed=seed,
        config={"method": method, "from": start.id, "learning": settings.model_dump(mode="json")},
        versions={library: version(library) for library in LIBRARIES},
        trigger=TRAINING,
    )


def _items(train: Sequence[tuple[Label, Example]]) -> list[TrainingItem]:
    return [
        TrainingItem(
            example=example,
            rewards=(None,) * len(example.answers or ()),
            label=(example.answers or ()).index(str(label.answer)),
            origin="replay",
        )
        for label, example in train
    ]


def training_job(
    ws: Workspace,
    run: Run,
    policy: Policy,
    folder: Path,
    items: Sequence[TrainingItem],
    settings: LearningSettings,
    *,
    refreshes: Path | None = None,
) -> TrainingJob:
    """What a training process is given; `folder` holds the weights it begins from."""
    scratch = ws.run_dir(run.id)
    scratch.mkdir(parents=True, exist_ok=True)
    save_items(scratch / "items.json", items)
    save_features(scratch / "features.safetensors", policy.encode([item.example for item in items], ws.library))
    return TrainingJob(
        policy=f"{type(policy).__module__}:{type(policy).__name__}",
        champion=folder,
        items=scratch / "items.json",
        features=scratch / "features.safetensors",
        settings=settings,
        seed=run.seed,
        refreshes=refreshes,
        out=scratch / "training",
    )


def run_under(
    ws: Workspace,
    lease: Lease,
    job: TrainingJob,
    *,
    progress: Progress | None = None,
    answer: Callable[[int], None] | None = None,
) -> TrainingResult:
    """The training's result; the lease is kept meanwhile, and `progress` told of optimiser steps.

    Raises LeaseLost where the lease is not ours any more at the end, NightshiftError where the training fails.
    """

    def told() -> None:
        lease.renew()
        if progress is not None:
            progress(len(read_steps(job.out)), job.settings.steps)

    result = run_training(job, job.settings.deadline_s, while_waiting=told, answer=answer)
    ws.store.check_token(lease.name, lease.token)
    return result


def registered(ws: Workspace, run: Run, policy: Policy, start: Release, result: TrainingResult) -> Release:
    """What a training came to, as a challenger."""
    checkpoint = ws.registry.put(
        result.weights,
        environment=run.environment,
        policy=policy.name,
        parent=start.checkpoints["policy"],
        run=run.id,
    )
    return ws.registry.release(run.environment, {"policy": checkpoint.id})


def training_figures(
    method: Method, start: Release, challenger: Release, result: TrainingResult
) -> dict[str, JsonValue]:
    """What every training that somebody asked for says of itself."""
    return {
        "method": method,
        "from": start.id,
        "challenger": challenger.id,
        "checkpoint": challenger.checkpoints["policy"],
        "steps": result.steps,
        "ms_per_step": round(result.ms_per_step, 2),
        "start": dict(result.start),
        "end": dict(result.end),
        "promoted": False,
    }


def keep_figures(ws: Workspace, run: Run, figures: dict[str, JsonValue], began: float) -> dict[str, Any]:
    """Stores them as the run's `train` stage; with the run and the seconds since `began` (`time.perf_counter`)."""
    seconds = round(time.perf_counter() - began, 2)
    ws.store.add(StageResult(id=stage_id(run.id, "train"), run=run.id, stage="train", result=figures, seconds=seconds))
    return {**figures, "run": run.id, "seconds": seconds}
