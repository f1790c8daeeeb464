"""How good a release is on labelled groups. Nothing is written that training could see."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from core.environments.group_qc.contract import FAIL, PASS, parse_answer
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.environment import GroupQcEnvironment
from core.environments.group_qc.grouping import site_and_date
from core.environments.group_qc.summaries import GroupPhotos, summarise
from core.media import read_file
from core.policy import Sampling
from core.schema import CANNOT_TELL, Example, NightshiftError
from core.services.folders import FolderRow
from core.services.groups.importing import GroupRow, labelled_groups
from core.services.groups.inspecting import Inspector, mission_of
from core.services.importing import Progress
from core.services.measuring import FolderLibrary, LabelledPair
from core.services.workspace import Workspace

__all__ = ["GroupScore", "evaluate_groups", "group_figures", "group_pairs"]


class GroupScore(NamedTuple):
    """How one group did. `verdict` is None where stage A was stopped, `formed` whether free writing kept the form."""

    mission: str
    expected: str
    verdict: str | None
    formed: bool


def evaluate_groups(
    ws: Workspace, directory: Path, *, release: str = "champion", progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Accuracy, false passes and fails, and how often what is written without constraint keeps the two lines.

    Raises NightshiftError for a folder without groups, and for one with a row that is none: figures are of all of it.
    """
    rows = _judged_groups(ws, directory)
    library = FolderLibrary(ws.cache, ws.settings.media, ws.settings.redaction)
    scores: list[GroupScore] = []
    with closing(Inspector.load(ws, release)) as inspector:
        for row, example in _asked(inspector, rows, library):
            if example is None:
                scores.append(GroupScore(row.mission, row.verdict, None, False))
            else:
                scores.append(_score(inspector, row, example))
                for media in example.media:
                    library.forget(media)
            progress(len(scores), len(rows))
    return group_figures(scores)


def group_pairs(
    ws: Workspace,
    environment: str,  # noqa: ARG001
    directory: Path,
    library: FolderLibrary,
    *,
    read: bool = True,  # noqa: ARG001
    progress: Progress | None = None,
) -> list[LabelledPair]:
    """`core.services.measuring.labelled_pairs` of groups: the champion's stage A says what is asked of each.

    Groups that it is stopped at are left out. Raises NightshiftError where no group is good.
    """
    rows = _judged_groups(ws, directory)
    pairs = []
    with closing(Inspector.load(ws)) as inspector:
        for done, (row, example) in enumerate(_asked(inspector, rows, library), start=1):
            if example is not None:
                told = FolderRow(
                    file=row.photos.name, ask=example.ask, label=row.verdict, app=example.cluster, category=row.mission
                )
                pairs.append(LabelledPair(told, example))
            if progress is not None:
                progress(done, len(rows))
    if not pairs:
        raise NightshiftError(f"stage A wrote proper lines of no group in {directory}; there is nothing to ask")
    return pairs


def _judged_groups(ws: Workspace, directory: Path) -> list[GroupRow]:
    rows, bad = labelled_groups(ws, directory)
    if bad:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise NightshiftError(f"groups.csv in {directory}: {bad[0].file}: {bad[0].reason}{more}")
    rows = [row for row in rows if row.verdict != CANNOT_TELL]
    if not rows:
        raise NightshiftError(f"{directory} has no good group in its groups.csv")
    return rows


def _asked(
    inspector: Inspector, rows: Sequence[GroupRow], library: FolderLibrary
) -> Iterator[tuple[GroupRow, Example | None]]:
    """Each row with what stage A makes of its photos, mission by mission; None where it is stopped."""
    inspector.read_from(library)
    bound = inspector.ws.environment(GroupQcEnvironment.name)
    for name in dict.fromkeys(row.mission for row in rows):
        of_it, mission = [row for row in rows if row.mission == name], mission_of(inspector.ws, name)
        groups = [GroupPhotos(row.photos.name, _photos(row, library, inspector.ws)) for row in of_it]
        for row, found in zip(of_it, summarise(groups, mission, inspector.summariser), strict=True):
            if found.error is None:
                cluster = "/".join(site_and_date(row.photos.name, inspector.ws.settings.group_qc.place_pattern) or ())
                yield row, bound.example(found.media, Dossier.of(mission, found.summaries).text, cluster=cluster)
                continue
            for media in found.media:
                library.forget(media)
            yield row, None


def _photos(row: GroupRow, library: FolderLibrary, ws: Workspace) -> tuple[str, ...]:
    try:
        return tuple(library.add(read_file(path, ws.settings.media), path.name) for path in row.photos.files)
    except NightshiftError:
        return ()


def _score(inspector: Inspector, row: GroupRow, example: Example) -> GroupScore:
    classifier = inspector.classifier
    (logprobs_K,) = classifier.raw_logprobs([example])
    verdict = (example.answers or ())[logprobs_K.index(max(logprobs_K))]
    free = Sampling(temperature=0.0, max_new_tokens=inspector.ws.settings.learning.max_new_tokens)
    (written,) = classifier.policy.generate([example], inspector.ws.library, run="", samples=1, sampling=free)
    try:
        parse_answer(written.answer, Dossier.parse(example.ask))
    except NightshiftError:
        return GroupScore(row.mission, row.verdict, verdict, False)
    return GroupScore(row.mission, row.verdict, verdict, True)


def group_figures(scores: Sequence[GroupScore]) -> dict[str, Any]:
    """The figures of N groups, and by mission. A group that stage A stopped has no verdict: it is not right."""
    by_mission = {name: _figures([each for each in scores if each.mission == name]) for name in _missions(scores)}
    return {**_figures(scores), "by_mission": by_mission}


def _missions(scores: Sequence[GroupScore]) -> list[str]:
    return sorted({each.mission for each in scores})


def _figures(scores: Sequence[GroupScore]) -> dict[str, Any]:
    should_fail = [each for each in scores if each.expected == FAIL]
    should_pass = [each for each in scores if each.expected == PASS]
    return {
        "n": len(scores),
        "accuracy": _share([each.verdict == each.expected for each in scores]),
        "false_pass_rate": _share([each.verdict == PASS for each in should_fail]),
        "false_fail_rate": _share([each.verdict == FAIL for each in should_pass]),
        "format_rate": _share([each.formed for each in scores]),
        "stopped": sum(each.verdict is None for each in scores),
    }


def _share(held: Sequence[bool]) -> float | None:
    return sum(held) / len(held) if held else None
