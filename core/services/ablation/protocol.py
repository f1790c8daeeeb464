"""The protocol of an ablation.

A split puts every application on one side. A night over the one half trains a challenger for each arm, by the night's
own stages; the other half is answered by all of them. Nothing is fitted there: verdicts are the more probable answer,
and the temperature is fitted on the cross-fitted labels of the half that was learnt from. Each split is measured in one
direction, so a pair is answered in about half of the splits; answers are pooled, and intervals count an application
once however often its pairs were answered.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from core.schema import ItemScore, NightshiftError
from core.services.ablation.arms import Arm, choose_arms
from core.services.ablation.figures import ablation_figures
from core.services.ablation.lessons import LABELLED_SHARE, LATE_SHARE, Lessons, drawn_lessons
from core.services.ablation.parts import Part, Parts
from core.services.ablation.training import Challengers
from core.services.classify import Classifier
from core.services.folders import FolderRow, read_folder
from core.services.importing import Progress
from core.services.measuring import FolderLibrary, LabelledPair, answer_pairs, labelled_pairs
from core.services.simulation import split_by_app
from core.services.workspace import Workspace, derived_cache
from core.settings import Settings

__all__ = ["Watch", "ablate", "measure_arms", "measured_apps", "unwatched"]


Watch = Callable[[str], AbstractContextManager[Progress]]


@contextmanager
def unwatched(what: str) -> Iterator[Progress]:  # noqa: ARG001
    yield lambda *_: None


def ablate(
    directory: Path,
    *,
    settings: Settings,
    told: Mapping[str, Any],
    splits: int = 5,
    arms: Sequence[str] | None = None,
    seed: int = 0,
    environment: str = "screen",
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """The figures of every arm, pooled over `splits`; JSON-ready.

    `told` are the settings of the throw-away homes; `settings`, those of the lasting home, say where readings are
    cached and where an interrupted ablation finds what it has measured. `watch` opens the progress of a named piece of
    work. Raises NightshiftError for an arm that is none, a folder that cannot be split, and where a training fails.
    """
    chosen, left_out = choose_arms(arms, settings)
    pairs, found = measure_arms(
        directory,
        chosen,
        settings=settings,
        told=told,
        splits=splits,
        seed=seed,
        environment=environment,
        watch=watch,
    )
    return {
        "n": len(pairs),
        "applications": len({pair.row.app for pair in pairs}),
        "splits": splits,
        "seed": seed,
        "labelled_share": LABELLED_SHARE,
        "late_share": LATE_SHARE,
        **ablation_figures(chosen, found, positive=(pairs[0].example.answers or ("",))[0]),
        "left_out": left_out,
    }


def measure_arms(
    directory: Path,
    arms: Sequence[Arm],
    *,
    settings: Settings,
    told: Mapping[str, Any],
    splits: int,
    seed: int,
    environment: str,
    watch: Watch = unwatched,
) -> tuple[list[LabelledPair], dict[str, list[Part]]]:
    """All pairs, and what each arm said of the measured half of each split; arguments as of `ablate`."""
    if splits < 1:
        raise NightshiftError(f"{splits} splits: at least 1 is needed")
    with tempfile.TemporaryDirectory(prefix="nightshift-ablate-") as scratch:
        root = Path(scratch)
        ws = Workspace.open(root / "untrained", **told)
        library = FolderLibrary(derived_cache(settings), ws.settings.media, ws.settings.redaction)
        reads = Classifier.of_champion(ws, environment).policy.reads
        measured = [measured_apps(read_folder(directory), seed * 1000 + split) for split in range(splits)]
        with watch("reading screens") as progress:
            pairs = labelled_pairs(ws, environment, directory, library, read=reads, progress=progress)
        parts = Parts(settings.home / "ablation", _follows_from(ws, environment, pairs, seed))
        drawn = _drawn(arms, root / "drawn", len(pairs) // 2)
        found: dict[str, list[Part]] = {arm.name: [] for arm in arms}
        with watch("arms trained and measured") as progress:
            for split, apps in enumerate(measured):
                learnt = Lessons(directory, [pair.row for pair in pairs if pair.row.app not in apps])
                half = [pair for pair in pairs if pair.row.app in apps]
                challengers = Challengers(
                    root / f"split-{split}", environment, {"folder": learnt, **drawn}, told, seed * 1000 + split
                )
                for done, arm in enumerate(arms, start=split * len(arms) + 1):
                    part = parts.find(arm, split) or _measure(ws, environment, arm, challengers, half, library)
                    parts.keep(arm, split, part)
                    found[arm.name].append(part)
                    progress(done, splits * len(arms))
        parts.clear()
    return pairs, found


def measured_apps(rows: Sequence[FolderRow], seed: int) -> set[str]:
    """The applications of the half that is measured; the others are learnt from.

    Raises NightshiftError where there is but one, or one is too large for a half.
    """
    apps = {row.app for row in rows}
    if len(apps) < 2:
        raise NightshiftError(
            f"{len(rows)} pairs of {len(apps)} application: an ablation learns from some applications and is measured "
            "on others, so manifest.csv must name at least 2"
        )
    return apps - split_by_app(rows, seed)


def _measure(
    ws: Workspace,
    environment: str,
    arm: Arm,
    challengers: Challengers,
    half: Sequence[LabelledPair],
    library: FolderLibrary,
) -> Part:
    training = None
    if arm.classifier == "challenger":
        classifier, training = challengers.train(arm)
    elif arm.classifier == "prompt":
        classifier = Classifier.prompted(ws, environment)
    else:
        classifier = Classifier.of_champion(ws, environment)
    given = answer_pairs(classifier, half, library)
    scores = [_of_app(score, pair) for score, pair in zip(given.scores, half, strict=True)]
    return Part(scores=scores, hard=[pair.row.hard for pair in half], latency_ms=given.latency_ms, training=training)


def _of_app(score: ItemScore, pair: LabelledPair) -> ItemScore:
    """Screens of one application are no independent evidence."""
    return score.model_copy(update={"cluster": pair.row.app})


def _drawn(arms: Sequence[Arm], directory: Path, pairs: int) -> dict[str, Lessons]:
    if all(arm.lessons != "drawn" for arm in arms):
        return {}
    return {"drawn": drawn_lessons(directory, pairs)}


def _follows_from(ws: Workspace, environment: str, pairs: Sequence[LabelledPair], seed: int) -> dict[str, Any]:
    return {
        "pairs": [[pair.example.id, pair.row.label, pair.row.app, pair.row.hard] for pair in pairs],
        "settings": ws.settings.model_dump(mode="json", exclude={"home", "store", "blobs", "cache", "serve", "night"}),
        "champion": Classifier.of_champion(ws, environment).release_id,
        "seed": seed,
    }
