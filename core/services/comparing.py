"""Two releases on the same labelled examples, and every example on which they differ."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.schema import Example, ItemScore, Media, NightshiftError, Prediction
from core.services.classify import Classifier
from core.services.disputes import undisputed
from core.services.importing import Progress
from core.services.measuring import FolderLibrary, PairsOf, labelled_pairs, paired_difference, score_pairs
from core.services.night.ingest import is_golden
from core.services.scoring import score_item
from core.services.workspace import Workspace

__all__ = ["Explained", "compare_releases", "explain_apart"]


class Case(NamedTuple):
    """A labelled example and where it is from."""

    example: Example
    expected: str
    source: str
    shown: str
    "What a person knows the picture by."


class Explained(NamedTuple):
    """What two releases say to one example, and what weighed in each verdict."""

    example: Example
    media: Media
    a: Prediction
    b: Prediction
    moved: list[tuple[str, float, float]]
    "Lines and remarks with their weight in each verdict, in log-odds toward the first answer; most moved first."


def explain_apart(ws: Workspace, a: Classifier, b: Classifier, example_id: str) -> Explained:
    """Why two releases answer an example differently. Stores nothing. Raises NightshiftError for an unknown example."""
    (example,) = ws.store.get_many(Example, [example_id])
    (media,) = ws.store.get_many(Media, example.media[:1])
    before, after = (classifier.predict([example])[0] for classifier in (a, b))
    weights: dict[str, list[float]] = {}
    for side, prediction in enumerate((before, after)):
        for item in prediction.evidence:
            weights.setdefault(item.text, [0.0, 0.0])[side] += item.weight
    moved = [(text, first, second) for text, (first, second) in weights.items()]
    moved.sort(key=lambda line: (-abs(line[2] - line[1]), line))
    return Explained(example, media, before, after, moved)


def compare_releases(
    ws: Workspace,
    environment: str,
    a: str,
    b: str,
    *,
    dataset: Path | None = None,
    pairs_of: PairsOf = labelled_pairs,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What `a` and `b` answer to the golden examples and to a labelled folder: figures, and every changed verdict.

    `fixed` and `broken` are seen from `a` to `b`. Raises NightshiftError for an unknown release, and where there is
    no labelled example to compare them on.
    """
    first, second = (Classifier.load(ws, environment, name) for name in (a, b))
    if first.release_id == second.release_id:
        raise NightshiftError(f"{a!r} and {b!r} are the same release {first.release_id[:12]}")
    golden = _golden(ws, environment)
    folder, library = _folder(ws, environment, dataset, pairs_of, progress)
    if not golden and not folder:
        raise NightshiftError("there is no golden example yet to compare on; name a labelled folder with --dataset")
    cases = [*golden, *folder]
    said = [[*_score(each, golden, None), *_score(each, folder, library)] for each in (first, second)]
    changed = [
        _change(case, *pair) for case, *pair in zip(cases, *said, strict=True) if pair[0].answer != pair[1].answer
    ]
    return {
        "a": {"release": first.release_id, "right": _right(said[0])},
        "b": {"release": second.release_id, "right": _right(said[1])},
        "n": len(cases),
        "golden": len(golden),
        "difference": paired_difference(*said),
        "fixed": sum(each["change"] == "fixed" for each in changed),
        "broken": sum(each["change"] == "broken" for each in changed),
        "changed": changed,
    }


def _golden(ws: Workspace, environment: str) -> list[Case]:
    labels = undisputed(ws, environment)
    examples = ws.store.get_many(Example, [label.example for label in labels])
    share = ws.settings.gate.golden_share
    kept = [pair for pair in zip(labels, examples, strict=True) if is_golden(pair[1].cluster, share)]
    media = {each.id: each for each in ws.store.get_many(Media, {m for _, example in kept for m in example.media})}
    return [
        Case(example, str(label.answer), "golden", media[example.media[0]].source or example.media[0])
        for label, example in kept
    ]


def _folder(
    ws: Workspace, environment: str, dataset: Path | None, pairs_of: PairsOf, progress: Progress | None
) -> tuple[list[Case], FolderLibrary | None]:
    if dataset is None:
        return [], None
    library = FolderLibrary(ws.cache, ws.settings.media, ws.settings.redaction)
    pairs = pairs_of(ws, environment, dataset, library, progress=progress)
    return [Case(pair.example, pair.row.label, "dataset", pair.row.file) for pair in pairs], library


def _score(classifier: Classifier, cases: Sequence[Case], library: FolderLibrary | None) -> list[ItemScore]:
    examples, expected = [case.example for case in cases], [case.expected for case in cases]
    if library is not None:
        return score_pairs(classifier, examples, expected, library)
    said_NK = classifier.answer_logprobs(examples)
    return [score_item(*each) for each in zip(examples, expected, said_NK, strict=True)]


def _change(case: Case, before: ItemScore, after: ItemScore) -> dict[str, Any]:
    change = "fixed" if after.score > before.score else "broken" if after.score < before.score else "other"
    return {
        "change": change,
        "example": case.example.id,
        "source": case.source,
        "shown": case.shown,
        "ask": case.example.ask,
        "expected": case.expected,
        "a": {"answer": before.answer, "probability": before.probability},
        "b": {"answer": after.answer, "probability": after.probability},
    }


def _right(scores: Sequence[ItemScore]) -> int:
    return sum(score.score == 1 for score in scores)
