"""Screens, words and a night to show: all of it made by the product itself from the drawn samples."""

import csv
import sys
from collections.abc import Collection
from pathlib import Path

from core.schema import Prediction
from core.services import Classifier, Workspace, classify, correct, night
from flows.vigil import only_night

__all__ = ["answer_as_told", "classify_samples", "run_night"]


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
        for stage in (night.ingest, night.make_variants, night.judge, night.train, night.evaluate, night.gate):
            stage(ws, run, lease)
        night.promote(ws, run, lease)
        night.report(ws, run, lease)
    return str(night.night_result(ws, run.id)["outcome"])
