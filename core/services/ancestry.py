"""From a model to the words it learnt from, and from a word to the models that learnt from it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from core.schema import Checkpoint, Example, Label, Release
from core.services.night.ingest import trained_in
from core.services.releases import releases
from core.services.workspace import Workspace

__all__ = ["Generation", "LearntWord", "ancestry", "learnt_by"]

SHOWN_WORDS = 50


class LearntWord(NamedTuple):
    """A person's standing word on an example."""

    label: Label
    example: Example


class Generation(NamedTuple):
    """A model, and what it learnt beyond its parent."""

    checkpoint: str
    release: str | None
    "Its release; None where it was never one by itself."
    state: str | None
    at: datetime | None
    run: str | None
    "The night that made it; None for the untrained model."
    learnt: int
    "Examples it was trained on and its parent was not."
    words: list[LearntWord]
    "The standing words on those, newest first; at most fifty."


def ancestry(ws: Workspace, environment: str, name: str) -> list[Generation]:
    """A release and its ancestors, youngest first. Raises NightshiftError for an unknown release."""
    release = ws.registry.named(environment, name)
    made = {each.id: each for each in ws.store.find(Checkpoint, environment=environment)}
    chain = _chain(made, release.checkpoints["policy"])
    all_releases = ws.store.find(Release, environment=environment)
    of_checkpoint = {each.checkpoints["policy"]: each for each in all_releases}
    states = {str(each["release"]): str(each["state"]) for each in releases(ws, environment)}
    trained = [_trained_by(ws, made.get(each)) for each in chain]
    labels = {label.example: label for label in ws.store.labels(environment)}
    generations = []
    for place, checkpoint in enumerate(chain):
        own = trained[place].difference(*trained[place + 1 :])
        found, of = made.get(checkpoint), of_checkpoint.get(checkpoint)
        generations.append(
            Generation(
                checkpoint=checkpoint,
                release=of.id if of else None,
                state=states.get(of.id) if of else None,
                at=found.at if found else None,
                run=found.run if found else None,
                learnt=len(own),
                words=_words(ws, labels, own),
            )
        )
    return generations


def _words(ws: Workspace, labels: dict[str, Label], examples: Collection[str]) -> list[LearntWord]:
    newest = sorted((labels[each] for each in examples if each in labels), key=lambda label: -label.seq)[:SHOWN_WORDS]
    known = {each.id: each for each in ws.store.find(Example, id=[label.example for label in newest])}
    return [LearntWord(label, known[label.example]) for label in newest if label.example in known]


def learnt_by(ws: Workspace, environment: str, example: str) -> list[Release]:
    """Every release that was trained on an example, itself or through an ancestor; oldest first."""
    made = {each.id: each for each in ws.store.find(Checkpoint, environment=environment)}
    with_it = {id for id, each in made.items() if example in _trained_by(ws, each)}
    return [
        each
        for each in ws.store.find(Release, environment=environment)
        if not with_it.isdisjoint(_chain(made, each.checkpoints["policy"]))
    ]


def _chain(made: Mapping[str, Checkpoint], checkpoint: str) -> list[str]:
    """From a checkpoint back to the untrained model's."""
    chain: list[str] = []
    at: str | None = checkpoint
    while at is not None and at not in chain:
        chain.append(at)
        at = made[at].parent if at in made else None
    return chain


def _trained_by(ws: Workspace, checkpoint: Checkpoint | None) -> set[str]:
    return trained_in(ws, checkpoint.run) if checkpoint is not None and checkpoint.run is not None else set()
