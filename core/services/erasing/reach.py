"""How far an erasure reaches: everything that was made of a picture, or of a person's words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.schema import (
    Checkpoint,
    Claim,
    Correction,
    DatasetVersion,
    Evaluation,
    Example,
    Judgment,
    Media,
    Prediction,
    Record,
    Release,
    Rollout,
    ShadowAnswer,
    Signal,
    StageResult,
    Tombstone,
    Variant,
    content_id,
)
from core.services.clusters import VARIANT_SOURCE
from core.services.erasing.scrubbing import retractions_kept
from core.services.erasing.wanted import examples_of
from core.services.night.ingest import contents_of, judge_spoke_for
from core.services.night.record import REFRESH, TUNED
from core.services.workspace import Workspace
from core.store import Gone

__all__ = ["Reach", "learnt_from", "orphans", "reach_of_pictures", "reach_of_reviewer", "runs_that_learnt"]

ABOUT_EXAMPLES: tuple[type[Any], ...] = (Prediction, Correction, Judgment, Rollout, Variant, Claim, Signal)


@dataclass
class Reach:
    """What goes, by its ids."""

    media: dict[str, Media] = field(default_factory=dict)
    examples: dict[str, Example] = field(default_factory=dict)
    rows: dict[type[Record], set[str]] = field(default_factory=dict)
    "Records about those examples, or of that reviewer."
    labels: dict[str, str] = field(default_factory=dict)
    "What dataset versions call the labels that go, where their examples stay; and the clusters of these."
    only_mentioned: set[str] = field(default_factory=set)
    "Examples that stay, and of which scores and rewards go that came of the words that go."

    @property
    def named(self) -> set[str]:
        """Ids that other records may name."""
        return {*self.examples, *self.only_mentioned, *self.rows.get(Variant, ())}

    @property
    def ids(self) -> set[str]:
        """Ids of everything that goes."""
        return {*self.media, *self.examples, *(id for ids in self.rows.values() for id in ids)}

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind go."""
        found = {Media.kind: len(self.media), Example.kind: len(self.examples)}
        found |= {kind.kind: len(ids) for kind, ids in self.rows.items()}
        return {kind: number for kind, number in found.items() if number}

    @property
    def gone(self) -> Gone:
        """The same as the store is told it: by example, so that what came in a moment ago goes too."""
        gone: dict[type[Record], dict[str, Collection[str]]] = {
            Media: {"id": set(self.media)},
            Example: {"id": set(self.examples)},
        }
        for kind in ABOUT_EXAMPLES:
            gone[kind] = {"example": set(self.examples), "id": self.rows.get(kind, set())}
        gone[Variant]["parent"] = set(self.examples)
        gone[ShadowAnswer] = {"prediction": self.rows.get(Prediction, set()), "id": self.rows.get(ShadowAnswer, set())}
        return gone


def reach_of_pictures(ws: Workspace, pictures: Collection[str], taken_in_before: datetime) -> Reach:
    """All that hangs on these pictures: examples, variants and the pictures made for those, and every row on them.

    Pictures taken in later are other ones, even where they are the same.
    """
    found = ws.store.find(Media, id=set(pictures)) if pictures else []
    reach = Reach(media={each.id: each for each in found if each.at <= taken_in_before})
    _add_examples(ws, reach, examples_of(ws, reach.media))
    return reach


def reach_of_reviewer(ws: Workspace, reviewer: str) -> Reach:
    """A person's words, what took them back, and all that came of them: variants, rewards, scores, answers as told.

    That they took back somebody else's word stays, without their name.
    """
    kept = {word.id for word in retractions_kept(ws, reviewer)}
    words = [word for word in ws.store.find(Correction, reviewer=reviewer) if word.id not in kept]
    ids = {word.id for word in words}
    taken_back = ws.store.find(Correction, retracts=ids) if ids else []
    about = {word.example for word in words}
    reach = Reach(only_mentioned=about)
    reach.rows[Claim] = {each.id for each in ws.store.find(Claim, reviewer=reviewer)}
    clusters = {each.id: each.cluster for each in ws.store.find(Example, id=about)} if about else {}
    said = [word for word in words if word.retracts is None]
    reach.labels = {contents_of(word.example, word.answer): clusters[word.example] for word in said}
    if not about:
        return reach
    made = ws.store.find(Variant, parent=about)
    _add_examples(ws, reach, ws.store.find(Example, id={each.example for each in made}, parent=about) if made else [])
    rows = reach.rows
    rows.setdefault(Correction, set()).update(ids, (each.id for each in taken_back))
    rows.setdefault(Variant, set()).update(each.id for each in made)
    rows.setdefault(Rollout, set()).update(each.id for each in ws.store.find(Rollout, example=about))
    needed = {word.prediction for word in ws.store.find(Correction, example=about) if word.id not in rows[Correction]}
    told = ws.store.find(Prediction, example=about, from_person=True)
    rows.setdefault(Prediction, set()).update(each.id for each in told if each.id not in needed)
    return reach


def orphans(ws: Workspace) -> list[str]:
    """Pictures made for variants that were not kept: whose they were nobody knows any more, and nobody needs them."""
    made = {each.id for each in ws.store.find(Media, source=VARIANT_SOURCE)}
    used = {media for example in ws.store.naming(Example, made) for media in example.media} if made else set()
    return sorted(made - used)


def runs_that_learnt(ws: Workspace, reach: Reach) -> tuple[set[str], set[str]]:
    """Nights and trainings that name something of what goes, and those of them that trained on it."""
    named = reach.named
    entries = {f"{id}=" for id in named}
    versions = ws.store.naming(DatasetVersion, named)
    trained = {
        version.id for version in versions if any(entry.split("=", 1)[0] + "=" in entries for entry in version.trained)
    }
    results = ws.store.naming(StageResult, {*named, *(version.id for version in versions)})
    touched = {done.run for done in results}
    touched |= {str(each.run) for each in ws.store.naming(Evaluation, named) if each.run}
    learnt = {done.run for done in results if _trained_in(done, trained, named)}
    return touched, learnt


def learnt_from(ws: Workspace, runs: Iterable[str]) -> list[dict[str, Any]]:
    """Checkpoints that these runs made, and those that were trained on from there; JSON-ready, oldest first."""
    directly = set(runs)
    releases = ws.store.find(Release)
    champions = {ws.store.champion(release.environment) for release in releases}
    reached: set[str] = set()
    found = []
    for checkpoint in ws.store.find(Checkpoint):
        itself = checkpoint.run in directly
        if not itself and checkpoint.parent not in reached:
            continue
        reached.add(checkpoint.id)
        of_it = [release.id for release in releases if checkpoint.id in release.checkpoints.values()]
        found.append(
            {
                "checkpoint": checkpoint.id,
                "run": checkpoint.run,
                "releases": of_it,
                "directly": itself,
                "champion": any(release in champions for release in of_it),
                "at": checkpoint.at.isoformat(),
            }
        )
    return found


def tombstones_of(reach: Reach, make: Any) -> list[Tombstone]:
    """What is left in the place of everything that has a content hash; `make` takes what, content and cluster."""
    return [
        *(make("media", id, None) for id in sorted(reach.media)),
        *(make("example", example.id, example.cluster) for example in reach.examples.values()),
        *(make("label", content_id(label), cluster) for label, cluster in sorted(reach.labels.items())),
    ]


def _add_examples(ws: Workspace, reach: Reach, examples: Iterable[Example]) -> None:
    """These examples, what was made of them, and pictures that nothing else shows."""
    new = {each.id: each for each in examples}
    while new:
        reach.examples |= new
        made = ws.store.find(Variant, parent=set(new))
        children = {each.example for each in made}
        children |= {each.id for each in ws.store.find(Example, parent=set(new))}
        found = ws.store.find(Example, id=children - reach.examples.keys())
        # The next screen of a session may stand for this one; it is a screen of its own all the same.
        new = {each.id: each for each in found if each.parent is not None}
    shown = {media for example in reach.examples.values() for media in example.media} - reach.media.keys()
    pictures = ws.store.find(Media, id=shown, source=VARIANT_SOURCE) if shown else []
    ids = {each.id for each in pictures}
    shared = {media for each in examples_of(ws, ids) if each.id not in reach.examples for media in each.media}
    reach.media |= {each.id: each for each in pictures if each.id not in shared}
    if reach.examples:
        _add_rows(ws, reach, set(reach.examples))


def _add_rows(ws: Workspace, reach: Reach, examples: set[str]) -> None:
    for kind in ABOUT_EXAMPLES:
        found = {record.id for record in ws.store.find(kind, example=examples)}
        if kind is Variant:
            found |= {record.id for record in ws.store.find(Variant, parent=examples)}
        reach.rows.setdefault(kind, set()).update(found)
    silent = ws.store.find(ShadowAnswer, prediction=reach.rows[Prediction])
    reach.rows.setdefault(ShadowAnswer, set()).update(each.id for each in silent)


def _trained_in(done: StageResult, versions: set[str], named: set[str]) -> bool:
    if done.stage == "ingest" or done.stage.startswith((REFRESH, TUNED)):
        return done.result.get("dataset_version") in versions
    if done.stage == "variants":
        ids = done.result.get("ids")
        return isinstance(ids, list) and bool(named & set(map(str, ids)))
    return done.stage == "judge" and bool(named & judge_spoke_for(done))
