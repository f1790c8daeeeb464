"""What a judge that is often wrong does to learning, with and without earned weights.

Nights are run up to their training, by the night's own stages, in throw-away homes. A made-up customer counts films,
music, games and social media as work, which the untrained champion does not know. The home holds some labels and many
verdicts that nobody looked at; the judge of the latter knows the right answer and gives the wrong one in a share of
cases. Challengers are measured on screens drawn anew.
"""

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Self

from pydantic import JsonValue

from core.environments import Environment
from core.evaluation import summarise
from core.judge import Judge
from core.policy import Library
from core.reading import DerivedCache
from core.schema import Example, Judgment
from core.services import night
from core.services.ablation.lessons import Lessons, drawn_lessons, take_in
from core.services.classify import Classifier
from core.services.folders import FolderRow
from core.services.importing import Progress
from core.services.measuring import FolderLibrary, score_pairs
from core.services.workspace import Workspace
from core.settings import Settings

__all__ = ["ERRORS", "simulate_judges"]

ERRORS = (0.0, 0.2, 0.3, 0.4)
"Shares of cases in which a judge is wrong."
RULE = dict.fromkeys(("video_streaming", "music", "gaming", "social_media"), "on_task")
LABELLED_PAIRS, PAIRS, MEASURED_PAIRS = 48, 120, 96
LEASE_S = 86_400.0
TOLD: dict[str, Any] = {
    # Variants would have to be read, and nothing of what is measured here hangs on them.
    "learning": {"steps": 100, "variants_per_correction": 0},
    "gate": {"folds": 2},
}


class ErringJudge(Judge):
    """Knows the right answers, and gives the wrong one in a share `error` of cases, always the same ones."""

    def __init__(self, truth: Mapping[str, str], error: float | None, seed: int) -> None:
        """`truth` is the right answer by example; without `error` it says nothing."""
        self._truth, self._error, self._seed = truth, error, seed
        # Judges of their own: another version of one would be held only against what people say from then on.
        self.name, self.prompt_version = f"wrong in {error}", str(seed)

    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:  # noqa: ARG002
        if self._error is None:
            return self.unscored(example, candidates, "it is not asked")
        digest = hashlib.sha256(f"{self._seed}/{example.id}".encode()).digest()
        is_wrong = int.from_bytes(digest[:6], "big") / 2**48 < self._error
        right = self._truth[example.id]
        scores = [float((candidate == right) != is_wrong) for candidate in candidates]
        return self.scored(example, candidates, scores, "", 0.0)


class _Taught(Workspace):
    """A home whose judge is given, whatever its settings say."""

    teacher: Judge | None = None

    def taught_by(self, teacher: Judge) -> Self:
        self.teacher = teacher
        return self

    def environment(self, name: str) -> Environment:
        bound = super().environment(name)
        if self.teacher is None:
            return bound
        teacher: Judge = self.teacher

        class Bound(type(bound)):  # type: ignore[misc]
            def judge(self, settings: Settings) -> Judge:  # noqa: ARG002
                return teacher

        return Bound()


@dataclass(frozen=True)
class _Arm:
    error: float | None
    earns: bool

    @property
    def name(self) -> str:
        return "labels" if self.error is None else "earned" if self.earns else "fixed"


ARMS = (_Arm(None, True), *(_Arm(error, earns) for error in ERRORS for earns in (True, False)))


def simulate_judges(
    *, cache: Path, seeds: int = 3, environment: str = "screen", progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Accuracy of challengers on unseen screens, by the judge's error: with the share that the judge earned, and with
    its whole weight; beside the untrained champion and what the labels alone teach. JSON-ready.

    Readings are kept in `cache`. Raises NightshiftError where a training fails.
    """
    started = time.perf_counter()
    before: list[float] = []
    found: dict[_Arm, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="nightshift-judges-") as scratch:
            trial = _Trial(Path(scratch), cache, environment, seed)
            before.append(trial.accuracy(Classifier.of_champion(trial.ws, environment)))
            for place, arm in enumerate(ARMS, start=1):
                found[arm].append(trial.learn(arm))
                progress(seed * len(ARMS) + place, seeds * len(ARMS))
    return {
        "seeds": seeds,
        "labels": LABELLED_PAIRS,
        "unlabelled": PAIRS - LABELLED_PAIRS,
        "measured": MEASURED_PAIRS,
        "champion": {"accuracy": round(fmean(before), 4), "by_seed": before},
        "labels_alone": _figures(found[ARMS[0]]),
        "by_error": [
            {"error": error, **{arm.name: _figures(found[arm]) for arm in ARMS if arm.error == error}}
            for error in ERRORS
        ],
        "seconds": round(time.perf_counter() - started, 1),
    }


def _figures(of_seeds: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    return {
        "accuracy": round(fmean(each["accuracy"] for each in of_seeds), 4),
        "share": round(fmean(each["share"] for each in of_seeds), 4),
        "by_seed": [each["accuracy"] for each in of_seeds],
        "share_by_seed": [each["share"] for each in of_seeds],
    }


class _Trial:
    """One drawing of everything: lessons, what was labelled, and the screens that challengers are measured on."""

    def __init__(self, root: Path, cache: Path, environment: str, seed: int) -> None:
        self._root, self._cache, self._environment, self._seed = root, cache, environment, seed
        self.ws = self._open(earns=True).taught_by(ErringJudge({}, None, seed))
        lessons = drawn_lessons(root / "lessons", PAIRS, first_seed=1000 * seed)
        ruled = Lessons(lessons.folder, [_ruled(row) for row in lessons.rows])
        take_in(
            self.ws, environment, ruled, root / "labelled", seed, labelled_share=LABELLED_PAIRS / PAIRS, late_share=0.0
        )
        self._truth = dict(self._answers(ruled))
        measured = drawn_lessons(root / "measured", MEASURED_PAIRS, first_seed=1000 * seed + 500)
        self._library = FolderLibrary(DerivedCache(cache), self.ws.settings.media, self.ws.settings.redaction)
        self._measured = [self._pair(measured.folder, _ruled(row)) for row in measured.rows]

    def learn(self, arm: _Arm) -> dict[str, float]:
        """Accuracy of the challenger that a night with such a judge trains, and the share that the judge had."""
        ws = self._open(earns=arm.earns).taught_by(ErringJudge(self._truth, arm.error, self._seed))
        run = night.begin(ws, self._environment, seed=self._seed, trigger="simulation of judges")
        with ws.store.lease(night.lease_name(self._environment), "simulation", LEASE_S) as lease:
            stages = (night.ingest, night.make_variants, night.judge, night.train)
            _, _, judged, trained = [stage(ws, run, lease) for stage in stages]
        night.abandon(ws, run, "a simulation measures the challenger elsewhere")
        challenger = Classifier.load(ws, self._environment, str(trained.result["challenger"]))
        share = float(str(judged.result["share"])) if arm.error is not None else 0.0
        return {"accuracy": self.accuracy(challenger), "share": share}

    def accuracy(self, classifier: Classifier) -> float:
        """On the screens that nobody has seen."""
        examples, expected = zip(*self._measured, strict=True)
        scores = score_pairs(classifier, examples, expected, self._library)
        return round(summarise(scores).accuracy or 0.0, 4)

    def _open(self, *, earns: bool) -> _Taught:
        settings = {**TOLD, "reward": {"judge_earns": earns}, "cache": self._cache}
        return _Taught.open(self._root / "home", **settings)

    def _answers(self, lessons: Lessons) -> Iterator[tuple[str, str]]:
        library = FolderLibrary(DerivedCache(self._cache), self.ws.settings.media, self.ws.settings.redaction)
        for row in lessons.rows:
            data = (lessons.folder / "images" / row.file).read_bytes()
            example = self.ws.environment(self._environment).example((library.add(data),), row.ask, cluster="")
            yield example.id, row.label

    def _pair(self, folder: Path, row: FolderRow) -> tuple[Example, str]:
        media = self._library.add((folder / "images" / row.file).read_bytes())
        return self.ws.environment(self._environment).example((media,), row.ask, cluster=media), row.label


def _ruled(row: FolderRow) -> FolderRow:
    return row.model_copy(update={"label": RULE.get(row.category, row.label)})
