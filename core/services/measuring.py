"""How good a release is on a labelled folder. Nothing is written that training could see."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from PIL.Image import Image

from core.evaluation import abstaining, cluster_sums, difference_ci95, figures, summarise
from core.media import open_image
from core.reading import DerivedCache, Reading
from core.schema import CANNOT_TELL, Example, ItemScore, NightshiftError
from core.services.classify import Classifier
from core.services.folders import FolderRow, read_folder, read_within
from core.services.importing import Progress
from core.services.redacting import taken_in
from core.services.scoring import score_item
from core.services.workspace import Workspace
from core.settings import MediaSettings, RedactionSettings

if TYPE_CHECKING:
    from core.policy.base import Arrays

__all__ = [
    "Answers",
    "FolderLibrary",
    "LabelledPair",
    "PairsOf",
    "answer_pairs",
    "evaluate_folder",
    "folder_figures",
    "labelled_pairs",
    "paired_difference",
    "score_pairs",
]

UNREDACTED = RedactionSettings()
INTERVAL_SEED = 20_260_101


class FolderLibrary:
    """Pictures held in memory, readings in the cache. Meets `core.policy.Library`; knows no store."""

    def __init__(self, cache: DerivedCache, settings: MediaSettings, redaction: RedactionSettings = UNREDACTED) -> None:
        self._cache, self._settings, self._redaction = cache, settings, redaction
        self._pngs: dict[str, bytes] = {}
        self._readings: dict[str, Reading] = {}

    def add(self, data: bytes, name: str | None = None) -> str:
        """Takes a picture in as the product would, and returns its media id. Raises ImageRefused."""
        media, png, reading = taken_in(data, self._settings, self._redaction, name=name)
        self._pngs[media.id] = png
        if reading is not None:
            self._cache.reading(media.id, lambda: open_image(png), lambda _: reading)
        return media.id

    def forget(self, media: str) -> None:
        """Lets go of a picture's pixels; what was read off it stays in the cache."""
        self._pngs.pop(media, None)
        self._readings.pop(media, None)

    def image(self, media: str) -> Image:
        return open_image(self._pngs[media])

    def reading(self, media: str) -> Reading:
        if media not in self._readings:
            self._readings[media] = self._cache.reading(media, lambda: self.image(media))
        return self._readings[media]

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":
        return self._cache.arrays(media, name, make)


class LabelledPair:
    """A row of a folder with its example."""

    def __init__(self, row: FolderRow, example: Example) -> None:
        self.row, self.example = row, example


class PairsOf(Protocol):
    """How the labelled examples of a folder are found; an environment whose folders are others has its own."""

    def __call__(
        self,
        ws: Workspace,
        environment: str,
        directory: Path,
        library: FolderLibrary,
        *,
        read: bool = True,
        progress: Progress | None = None,
    ) -> list[LabelledPair]: ...


def labelled_pairs(
    ws: Workspace,
    environment: str,
    directory: Path,
    library: FolderLibrary,
    *,
    read: bool = True,
    progress: Progress | None = None,
) -> list[LabelledPair]:
    """Every row whose picture, question and label are good; read, unless nobody will ask for it.

    Raises NightshiftError where no row is good.
    """
    bound = ws.environment(environment)
    rows = read_folder(directory)
    media_of: dict[str, str] = {}
    pairs = []
    for done, row in enumerate(rows, start=1):
        try:
            if row.file not in media_of:
                data = read_within(directory / "images", row.file, ws.settings.media)
                media_of[row.file] = library.add(data, row.file)
                if read:
                    library.reading(media_of[row.file])
            if bound.parse_answer(row.label) == CANNOT_TELL:
                continue
            example = bound.example((media_of[row.file],), row.ask, cluster=media_of[row.file])
        except (NightshiftError, OSError):
            continue
        finally:
            if progress is not None:
                progress(done, len(rows))
        pairs.append(LabelledPair(row, example))
    if not pairs:
        raise NightshiftError(f"{directory} has no pair of a good image and a good label in its tasks.csv")
    return pairs


def score_pairs(
    classifier: Classifier,
    examples: Sequence[Example],
    expected: Sequence[str],
    library: FolderLibrary,
    domains: Sequence[str] | None = None,
) -> list[ItemScore]:
    """One score an example, in order."""
    said_NK = classifier.answer_logprobs(examples, library)
    named = domains or [""] * len(examples)
    return [
        score_item(example, answer, said_K, domain=domain or None)
        for example, answer, said_K, domain in zip(examples, expected, said_NK, named, strict=True)
    ]


def evaluate_folder(
    ws: Workspace,
    environment: str,
    directory: Path,
    *,
    release: str = "champion",
    prompted: bool = False,
    beside_prompted: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Accuracy with its interval, AUROC, calibration, hard pairs, categories, and latency on a folder.

    Of a release, or, where `prompted`, of the baseline that is only asked. `beside_prompted` adds the baseline's
    figures as `baseline`, with the release's `difference` from it on the same pairs.
    """
    classifier = Classifier.prompted(ws, environment) if prompted else Classifier.load(ws, environment, release)
    baseline = Classifier.prompted(ws, environment) if beside_prompted else None
    library = FolderLibrary(ws.cache, ws.settings.media, ws.settings.redaction)
    reads = any(each.policy.reads for each in (classifier, baseline) if each is not None)
    pairs = labelled_pairs(ws, environment, directory, library, read=reads, progress=progress)
    given = answer_pairs(classifier, pairs, library)
    measured = {**folder_figures(given, pairs), "by_category": by_category(given.scores)}
    if baseline is not None:
        theirs = answer_pairs(baseline, pairs, library)
        measured["baseline"] = {
            "policy": baseline.release_id,
            **folder_figures(theirs, pairs),
            "difference": paired_difference(theirs.scores, given.scores),
        }
    return measured


class Answers(NamedTuple):
    """What one classifier said to N pairs, in their order."""

    scores: list[ItemScore]
    latency_ms: list[float]
    "From the picture to the verdict: reading, as it took when the picture was read, and answering."


def answer_pairs(classifier: Classifier, pairs: Sequence[LabelledPair], library: FolderLibrary) -> Answers:
    """Asks one pair after the other, as a person would."""
    scores, latency_ms = [], []
    for pair in pairs:
        started = time.perf_counter()
        scores += score_pairs(classifier, [pair.example], [pair.row.label], library, [pair.row.category])
        read_ms = library.reading(pair.example.media[0]).read_ms if classifier.policy.reads else 0.0
        latency_ms.append(read_ms + (time.perf_counter() - started) * 1000)
    return Answers(scores, latency_ms)


def folder_figures(given: Answers, pairs: Sequence[LabelledPair]) -> dict[str, Any]:
    """The figures of N answers to N pairs."""
    overall = figures(given.scores, positive=(pairs[0].example.answers or ("",))[0])
    hard = summarise([score for score, pair in zip(given.scores, pairs, strict=True) if pair.row.hard])
    return {
        "n": overall.n,
        "accuracy": overall.accuracy,
        "ci95": list(overall.ci95) if overall.ci95 else None,
        "balanced_accuracy": overall.balanced_accuracy,
        "auroc": overall.auroc,
        "ece": overall.ece,
        "abstaining": [line.model_dump() for line in abstaining(given.scores)],
        "hard": {"n": hard.n, "accuracy": hard.accuracy, "ci95": list(hard.ci95) if hard.ci95 else None},
        "latency_ms": {
            "p50": round(float(np.percentile(given.latency_ms, 50)), 1),
            "p95": round(float(np.percentile(given.latency_ms, 95)), 1),
        },
    }


def paired_difference(
    before: Sequence[ItemScore],
    after: Sequence[ItemScore],
    *,
    value: Callable[[ItemScore], float] = lambda score: score.score,
) -> dict[str, Any]:
    """How much more often `after` is right than `before` on the same N examples, with its 95% interval over clusters;
    or by how much more its `value`.

    Raises ValueError where they are not the same examples.
    """
    if [score.example for score in before] != [score.example for score in after]:
        raise ValueError("only answers to the same examples, in the same order, can be compared pair by pair")
    differences_N = [value(theirs) - value(ours) for ours, theirs in zip(before, after, strict=True)]
    sums = cluster_sums(differences_N, [score.cluster or score.example for score in before], np.ones(len(before)))
    interval = difference_ci95(sums, seed=INTERVAL_SEED)
    return {"accuracy": sums.mean, "ci95": list(interval) if interval else None}


def by_category(scores: Sequence[ItemScore]) -> Mapping[str, dict[str, Any]]:
    """Number and accuracy for each domain the scores name."""
    names = sorted({score.domain or "" for score in scores})
    grouped = {name: [score for score in scores if (score.domain or "") == name] for name in names}
    return {name or "(none)": {"n": len(of), "accuracy": summarise(of).accuracy} for name, of in grouped.items()}
