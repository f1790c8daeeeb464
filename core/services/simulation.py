"""A labelled folder replayed as an operator would live it: classify, correct, sleep, and see what was learnt.

Applications are split into a live and an unseen half. The operator gives feedback on live pairs in random order, in
portions with a night after each; the champion at the start, the last challenger and the champion at the end are then
measured on what nobody gave feedback on.
"""

import io
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.evaluation import summarise
from core.media import read_file
from core.schema import ChosenBy, Example, ItemScore, NightshiftError
from core.services.classify import Classifier, classify
from core.services.feedback import correct
from core.services.folders import FolderRow, read_folder
from core.services.importing import Progress
from core.services.measuring import FolderLibrary, labelled_pairs, score_pairs
from core.services.workspace import Workspace

__all__ = ["RunNight", "simulate", "split_by_app"]

MAX_SIBLING_PAIRS = 24
"Corrected pairs whose siblings are rendered and read; more are sampled down to this."

RunNight = Callable[[Workspace, str, int], dict[str, Any]]


@dataclass
class Replay:
    """What an operator has lived through so far."""

    given: list[FolderRow] = field(default_factory=list)
    corrected: list[FolderRow] = field(default_factory=list)
    nights: list[dict[str, Any]] = field(default_factory=list)


def split_by_app(rows: Sequence[FolderRow], seed: int) -> set[str]:
    """The applications of the live half: pairs balanced within 5%, an application never on both sides."""
    generator = np.random.default_rng(seed)
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row.app] = sizes.get(row.app, 0) + 1
    apps = sorted(sizes)
    generator.shuffle(apps)
    live: set[str] = set()
    live_pairs = 0
    for app in apps:
        if live_pairs + sizes[app] <= len(rows) / 2:
            live.add(app)
            live_pairs += sizes[app]
    if abs(live_pairs - len(rows) / 2) > 0.05 * len(rows):
        raise NightshiftError(
            f"cannot split {len(rows)} pairs of {len(apps)} applications into halves: one application is too large"
        )
    return live


def simulate(
    directory: Path,
    *,
    cache: Path,
    corrections: int,
    nights: int,
    seed: int,
    relabel: Mapping[str, str],
    run_night: RunNight,
    environment: str = "screen",
    progress: Progress | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The whole experiment in a throw-away home; only readings are kept, in `cache`.

    `relabel` plants a rule of the customer's own: manifest category to label. Raises NightshiftError for a folder that
    cannot be split or an unknown category or label.
    """
    started = time.perf_counter()
    if corrections < 1 or nights < 1:
        raise NightshiftError(f"{corrections} corrections in {nights} nights: both must be at least 1")
    with tempfile.TemporaryDirectory(prefix="nightshift-simulate-") as home:
        ws = Workspace.open(Path(home), **{**(overrides or {}), "cache": cache})
        rows = _relabelled(ws, environment, read_folder(directory), relabel)
        live_apps = split_by_app(rows, seed)
        library = FolderLibrary(ws.cache, ws.settings.media, ws.settings.redaction)
        known = {(pair.row.file, pair.row.ask): pair.example for pair in
                 labelled_pairs(ws, environment, directory, library, progress=progress)}  # fmt: skip
        rows = [row for row in rows if (row.file, row.ask) in known]
        first = Classifier.of_champion(ws, environment)
        order = np.random.default_rng([seed, 1]).permutation([i for i, row in enumerate(rows) if row.app in live_apps])
        portions = np.array_split(order[:corrections], nights)
        replay = Replay()
        challengers: list[Classifier] = []
        for night, portion in enumerate(portions):
            _live_through(ws, environment, directory, [rows[i] for i in portion], replay)
            replay.nights.append(run_night(ws, environment, seed * 1000 + night))
            challengers.append(Classifier.load(ws, environment, str(replay.nights[-1]["challenger"])))
        suites = _suites(ws, environment, rows, live_apps, replay, relabel, known, library, seed)
        before = _score(first, suites, library)
        nightly = [_score(challenger, suites, library) for challenger in challengers]
        scored = {
            "before": before,
            "challenger": nightly[-1],
            "after": _score(Classifier.of_champion(ws, environment), suites, library),
        }
        fed = np.cumsum([len(portion) for portion in portions]).tolist()
        curve = [{"feedback": n, **_shares(scores)} for n, scores in zip([0, *fed], [before, *nightly], strict=True)]
    return {
        "feedback": len(replay.given),
        "corrections": len(replay.corrected),
        "nights": replay.nights,
        **{name: _summaries(scores) for name, scores in scored.items()},
        "changes": {name: _changes(before, scored[name]) for name in ("challenger", "after")},
        "curve": curve,
        "seconds": round(time.perf_counter() - started, 1),
    }


def _relabelled(
    ws: Workspace, environment: str, rows: Sequence[FolderRow], relabel: Mapping[str, str]
) -> list[FolderRow]:
    categories = {row.category for row in rows}
    for category, label in relabel.items():
        ws.environment(environment).parse_answer(label)
        if category not in categories:
            raise NightshiftError(
                f"no category {category!r} in the manifest; there are: {', '.join(sorted(categories))}"
            )
    return [row.model_copy(update={"label": relabel.get(row.category, row.label)}) for row in rows]


def _live_through(ws: Workspace, environment: str, directory: Path, rows: Sequence[FolderRow], replay: Replay) -> None:
    classifier = Classifier.of_champion(ws, environment)
    for row in rows:
        data = read_file(directory / "images" / row.file, ws.settings.media)
        said = classify(ws, classifier, data, row.ask, name=row.file, session="simulation")
        # Looked at in random order whatever was said: each word is as good as a random audit's.
        correct(ws, said.id, row.label, reason=row.why, chosen_by=ChosenBy.RANDOM_AUDIT, chosen_probability=1.0)
        replay.given.append(row)
        if said.answer != row.label:
            replay.corrected.append(row)


Suite = tuple[list[Example], list[str]]


def _suites(
    ws: Workspace,
    environment: str,
    rows: Sequence[FolderRow],
    live_apps: set[str],
    replay: Replay,
    relabel: Mapping[str, str],
    known: Mapping[tuple[str, str], Example],
    library: FolderLibrary,
    seed: int,
) -> dict[str, Suite]:
    given = {(row.file, row.ask) for row in replay.given}
    live = [row for row in rows if row.app in live_apps and (row.file, row.ask) not in given]
    unseen = [row for row in rows if row.app not in live_apps]

    def suite(chosen: Sequence[FolderRow]) -> Suite:
        return [known[row.file, row.ask] for row in chosen], [row.label for row in chosen]

    suites = {
        "corrected": _siblings(ws, environment, replay.corrected, known, library, seed),
        "live": suite(live),
        "unseen": suite(unseen),
        "hard": suite([row for row in (*live, *unseen) if row.hard]),
        "all": suite([*live, *unseen]),
    }
    if relabel:
        suites["rule"] = suite([row for row in unseen if row.category in relabel])
        suites["elsewhere"] = suite([row for row in unseen if row.category not in relabel])
    return suites


def _siblings(
    ws: Workspace,
    environment: str,
    rows: Sequence[FolderRow],
    known: Mapping[tuple[str, str], Example],
    library: FolderLibrary,
    seed: int,
) -> Suite:
    bound = ws.environment(environment)
    generator = np.random.default_rng([seed, 2])
    examples, expected = [], []
    chosen = sorted(generator.permutation(len(rows))[:MAX_SIBLING_PAIRS])
    for row in (rows[i] for i in chosen):
        original = known[row.file, row.ask]
        for image, ask in bound.siblings(library.image(original.media[0]), row.ask, generator):
            buffer = io.BytesIO()
            image.save(buffer, "PNG")
            media = library.add(buffer.getvalue())
            examples.append(bound.example((media,), ask, cluster=original.cluster))
            expected.append(row.label)
    return examples, expected


Scores = dict[str, list[ItemScore]]


def _score(classifier: Classifier, suites: Mapping[str, Suite], library: FolderLibrary) -> Scores:
    return {name: score_pairs(classifier, examples, expected, library) for name, (examples, expected) in suites.items()}


def _summaries(scores: Scores) -> dict[str, Any]:
    summaries = {name: summarise(of) for name, of in scores.items()}
    return {
        name: {"n": each.n, "accuracy": each.accuracy, "ci95": list(each.ci95) if each.ci95 else None}
        for name, each in summaries.items()
    }


def _shares(scores: Scores) -> dict[str, float | None]:
    return {name: summarise(of).accuracy for name, of in scores.items()}


def _changes(before: Scores, after: Scores) -> dict[str, dict[str, int]]:
    """How many answers each suite got right that were wrong before, and the other way round."""
    moved = {
        name: [new.score - old.score for old, new in zip(before[name], after[name], strict=True)] for name in before
    }
    return {name: {"mends": sum(d > 0 for d in of), "breaks": sum(d < 0 for d in of)} for name, of in moved.items()}
