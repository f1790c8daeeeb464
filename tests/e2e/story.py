"""Screens, words and a night to show: all of it made by the product itself from the drawn samples."""

import csv
import sys
import unittest.mock
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from core.environments.group_qc.drawing import DrawnGroup, draw_groups
from core.environments.group_qc.summaries import Summariser
from core.schema import Example, Prediction, base, new_id
from core.services import Classifier, Workspace, classify, correct, night
from core.services.groups import Inspector, inspect_group
from flows.vigil import only_night

__all__ = ["answer_as_told", "classify_samples", "days_ago", "hold_against", "inspect_drawn", "run_night"]

STAGES = [night.make_variants if name == "variants" else getattr(night, name) for name in night.STAGES]


@contextmanager
def days_ago(days: float) -> Iterator[None]:
    """Whatever is recorded within the block says that it happened so long ago: a made-up past, for pictures."""

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) - timedelta(days=days)

    present, base.datetime = base.datetime, Earlier
    try:
        yield
    finally:
        base.datetime = present


def classify_samples(
    ws: Workspace, samples: Path, files: Collection[str] | None = None, *, when: str = ""
) -> dict[str, str]:
    """Classifies the pairs of a labelled folder; their labels by prediction id. Nobody's word is stored."""
    classifier = Classifier.of_champion(ws, "screen")
    labels = {}
    for row in csv.DictReader((samples / "tasks.csv").open(encoding="utf-8")):
        if files is None or row["file"] in files:
            work = f"{row['task_description']} {when}".strip()
            said = classify(ws, classifier, (samples / "images" / row["file"]).read_bytes(), work, name=row["file"])
            labels[said.id] = row["label"]
    return labels


def hold_against(ws: Workspace, first: Prediction, works: Sequence[str]) -> None:
    """As if its screen had been classified for these works as well, ever surer."""
    (example,) = ws.store.get_many(Example, [first.example])
    bound = ws.environment(first.environment)
    examples = [bound.example(example.media, work, cluster=example.cluster) for work in works]
    said = [
        first.model_copy(update={"id": new_id(), "example": each.id, "confidence": 0.5 + n / (2 * len(works))})
        for n, each in enumerate(examples)
    ]
    ws.store.add(*examples, *said)


def answer_as_told(ws: Workspace, labels: dict[str, str], allowed: dict[str, str]) -> None:
    """Gives a person's word on each prediction: its label, or what the house rule `allowed` says for its topic."""
    for prediction, label in labels.items():
        said = ws.store.get(Prediction, prediction)
        topic = next((item.text for item in said.evidence if item.box is None), "")
        correct(ws, prediction, next((answer for word, answer in allowed.items() if word in topic), label))


def run_night(ws: Workspace) -> str:
    """A whole night, here and now; its outcome."""
    with only_night(ws.store, night.lease_name("screen"), ws.settings.night.lease_s, tell=sys.stderr.write) as lease:
        run = night.begin(ws, "screen", seed=1, trigger="schedule")
        for stage in STAGES:
            stage(ws, run, lease)
    return str(night.night_result(ws, run.id)["outcome"])


def inspect_drawn(ws: Workspace, photos: Path, groups: Sequence[DrawnGroup]) -> None:
    """Draws groups into `photos` and inspects them on their true lines: stage A of a tiny model knows no Chinese."""
    draw_groups(photos, groups)
    inspector = Inspector.load(ws)
    for group in groups:
        lines = [(line, None) for line in group.summaries]
        with unittest.mock.patch.object(Summariser, "write", lambda *_, lines=lines: lines):
            found = inspect_group(inspector, photos / group.name, group.mission)
        assert found.error is None, found.error
