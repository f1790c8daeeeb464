"""From the photos of a group to a stored verdict with its reason: stage A, then stage B, of the same release."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import JsonValue

from core.access import acting, entry
from core.environments.group_qc.dossier import MOST_PHOTOS, Dossier, image_key, summary_problem
from core.environments.group_qc.environment import SUMMARIES, GroupQcEnvironment
from core.environments.group_qc.grouping import Grouped, Photos, grouped, one_group, site_and_date
from core.environments.group_qc.missions import Mission, named
from core.environments.group_qc.summaries import STAGE_A, GroupPhotos, Summariser, summarise, summary_example
from core.learning.rollouts import RolloutEngine, rollout_engine
from core.media import read_file
from core.policy import Library
from core.schema import ChosenBy, Correction, Example, NightshiftError, Prediction, Release, new_id
from core.services.classify import Classifier, answer_and_log, load_policy, take_in
from core.services.feedback import standing_word
from core.services.workspace import Workspace

__all__ = [
    "Inspected",
    "Inspector",
    "Mended",
    "correct_lines",
    "dossier_of",
    "inspect_day",
    "inspect_group",
    "inspect_groups",
    "inspect_pictures",
    "mission_of",
]

NAME = GroupQcEnvironment.name


@dataclass(frozen=True)
class Inspected:
    """What came of a group: a prediction, or why there is none."""

    group: str
    mission: str
    media: tuple[str, ...] = ()
    summaries: tuple[str, ...] = ()
    prediction: Prediction | None = None
    error: str | None = None

    def told(self) -> dict[str, JsonValue]:
        """JSON-ready."""
        lines = {image_key(number): line for number, line in enumerate(self.summaries, start=1)}
        said: dict[str, JsonValue] = {"group": self.group, "mission": self.mission, "summaries": dict(lines)}
        if self.prediction is None:
            return {**said, "error": self.error}
        found = self.prediction
        return {
            **said,
            "verdict": found.answer,
            "reason": found.reason,
            "evidence": [image_key(self.media.index(str(each.media)) + 1) for each in found.evidence],
            "confidence": round(found.confidence, 4),
            "from_person": found.from_person,
            "prediction": found.id,
            "release": found.release,
        }


class Inspector:
    """Both stages of a release, loaded once."""

    def __init__(self, ws: Workspace, release: Release, classifier: Classifier | None = None) -> None:
        """`classifier` is stage B of the release where somebody has loaded it already.

        Raises NightshiftError for a release without stage A.
        """
        if SUMMARIES not in release.checkpoints:
            raise NightshiftError(f"release {release.id[:12]} has no stage A; it names only its policy")
        self.ws = ws.of(NAME)
        self.classifier = classifier or Classifier.of_release(self.ws, release)
        policy, _ = load_policy(self.ws, release, SUMMARIES)
        self._stage_a = policy, release.checkpoints[SUMMARIES]
        self._engine: RolloutEngine | None = None
        self.read_from(self.ws.library)

    def close(self) -> None:
        """Ends what stage A writes by; it may be one with processes of its own."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def read_from(self, library: Library) -> None:
        """From here on photos come from there, and not from the workspace."""
        policy, stage = self._stage_a
        own = self.ws.settings.group_qc
        self.close()
        self._engine = rollout_engine(policy, self.ws.settings.learning, library)
        self.summariser = Summariser(
            policy,
            self._engine,
            library,
            stage=stage,
            at_once=own.summaries_at_once,
            max_new_tokens=own.summary_tokens,
        )

    @classmethod
    def load(cls, ws: Workspace, release: str = "champion") -> Self:
        """By id, or `champion` or `challenger`."""
        return cls(ws, ws.registry.named(ws.environment(NAME).name, release))


def mission_of(ws: Workspace, name: str) -> Mission:
    """The mission called `name`, shipped or in the folder of the settings. Raises NightshiftError naming those."""
    return named(name, ws.settings.group_qc.missions)


def inspect_group(inspector: Inspector, directory: Path, mission: str) -> Inspected:
    """The photos in `directory` as one group. Raises NightshiftError where it holds none or the mission is unknown."""
    chosen = mission_of(inspector.ws, mission)
    (found,) = inspect_groups(inspector, [one_group(directory)], chosen)
    return found


def inspect_day(
    inspector: Inspector, directory: Path, mission: str, out: Path | None = None
) -> tuple[Iterator[Inspected], Grouped]:
    """Every group of a day's folder, one by one, and what is in no group.

    `out` keeps the lines of stage A as they come: a run that was killed does not ask for them again.
    """
    chosen = mission_of(inspector.ws, mission)
    there = grouped(directory, inspector.ws.settings.group_qc.group_pattern)
    return inspect_groups(inspector, there.groups, chosen, out), there


def inspect_pictures(
    inspector: Inspector, group: str, pictures: Sequence[tuple[str, bytes]], mission: str
) -> Inspected:
    """Photos that are not in a folder, each with a name, as one group.

    Raises NightshiftError for an unknown mission, and for photos that are refused: nothing is answered then.
    """
    chosen = mission_of(inspector.ws, mission)
    if not 1 <= len(pictures) <= MOST_PHOTOS:
        raise NightshiftError(f"group {group} has {len(pictures)} photos; a group has 1 to {MOST_PHOTOS}")
    (found,) = _answered(inspector, [GroupPhotos(group, _taken_in(inspector.ws, group, pictures))], chosen, None)
    return found


def inspect_groups(
    inspector: Inspector, groups: Sequence[Photos], mission: Mission, out: Path | None = None
) -> Iterator[Inspected]:
    """Each group with what came of it; first those of which a photo is refused."""
    ws = inspector.ws
    taken: list[GroupPhotos] = []
    for group in groups:
        try:
            pictures = [(path.name, read_file(path, ws.settings.media)) for path in group.files]
            taken.append(GroupPhotos(group.name, _taken_in(ws, group.name, pictures)))
        except (NightshiftError, OSError) as error:
            yield Inspected(group.name, mission.name, error=f"group {group.name}: {error}")
    yield from _answered(inspector, taken, mission, out)


def _answered(
    inspector: Inspector, groups: Sequence[GroupPhotos], mission: Mission, out: Path | None
) -> Iterator[Inspected]:
    for found in summarise(groups, mission, inspector.summariser, out):
        if found.error is not None:
            yield Inspected(found.group, mission.name, found.media, error=found.error)
            continue
        lines = _as_corrected(inspector.ws, mission, found.media, found.summaries)
        yield answer_group(inspector, found.group, mission, found.media, lines)


def answer_group(
    inspector: Inspector, group: str, mission: Mission, media: Sequence[str], lines: Sequence[str]
) -> Inspected:
    """Stage B on lines that stand, its prediction stored."""
    ws, began = inspector.ws, time.perf_counter()
    try:
        dossier = Dossier.of(mission, lines)
        example = ws.environment(NAME).example(media, dossier.text, cluster=_cluster(ws, group, media))
        said = answer_and_log(ws, inspector.classifier, example, began, session=group)
    except NightshiftError as error:
        return Inspected(group, mission.name, tuple(media), tuple(lines), error=str(error))
    return Inspected(group, mission.name, tuple(media), tuple(lines), said)


def dossier_of(ws: Workspace, prediction: Prediction) -> tuple[Example, Dossier]:
    """What a prediction about a group was asked."""
    (example,) = ws.store.get_many(Example, [prediction.example])
    return example, Dossier.parse(example.ask)


class Mended(NamedTuple):
    """What came of corrected lines: the words that were stored, and the group as it is answered by all of them."""

    words: tuple[str, ...]
    inspected: Inspected


def correct_lines(
    inspector: Inspector, prediction: Prediction, lines: Mapping[int, str], *, reviewer: str | None = None
) -> Mended:
    """Stores what a person (`acting()`) says photos show, by their numbers from 1, and answers the group anew.

    All lines or none: raises NightshiftError, having stored nothing, for a line that is no summary, for a photo that is
    not there, and where a photo was erased.
    """
    ws = inspector.ws
    example, dossier = dossier_of(ws, prediction)
    mission, said = mission_of(ws, dossier.mission), list(dossier.summaries)
    photos: list[Example] = []
    words: list[Correction] = []
    for number, line in sorted(lines.items()):
        if not 1 <= number <= len(said):
            raise NightshiftError(f"there is no {image_key(number)}; the group has {len(said)} photos")
        said[number - 1] = line.strip()
        if problem := summary_problem(said[number - 1]):
            raise NightshiftError(f"{image_key(number)}: {problem}")
        photo = summary_example(mission, example.media[number - 1]).model_copy(update={"cluster": example.cluster})
        word = Correction(
            id=new_id(),
            environment=STAGE_A,
            example=photo.id,
            answer=said[number - 1],
            reviewer=reviewer or acting().name,
            chosen_by=ChosenBy.VOLUNTEERED,
        )
        photos.append(photo)
        words.append(word)
    told = [entry("correction.given", prediction.id, image_key(number), once=word.id)
            for number, word in zip(sorted(lines), words, strict=True)]  # fmt: skip
    late = ws.store.add_unless_erased(*photos, *words, *told)
    if late & {word.id for word in words}:
        raise NightshiftError("a photo was erased; nothing can be said of it any more")
    answered = answer_group(inspector, prediction.session or "", mission, example.media, said)
    return Mended(tuple(word.id for word in words), answered)


def _as_corrected(ws: Workspace, mission: Mission, media: Sequence[str], lines: Sequence[str]) -> list[str]:
    """The lines, each a person's where one stands."""
    words = (standing_word(ws, summary_example(mission, each).id) for each in media)
    return [line if word is None else str(word.answer) for line, word in zip(lines, words, strict=True)]


def _taken_in(ws: Workspace, group: str, pictures: Sequence[tuple[str, bytes]]) -> tuple[str, ...]:
    found = []
    for name, data in pictures:
        try:
            found.append(take_in(ws, data, name=name, source=name, session=group).id)
        except NightshiftError as error:
            raise NightshiftError(f"{name}: {error}") from error
    if len(set(found)) != len(found):
        raise NightshiftError("it holds the same photo twice; leave one out")
    return tuple(found)


def _cluster(ws: Workspace, group: str, media: Sequence[str]) -> str:
    """Site and date, so that no cabinet is on both sides of a split; else the first of its photos' near-duplicates,
    in whatever order they came."""
    place = site_and_date(group, ws.settings.group_qc.place_pattern)
    return "/".join(place) if place else min(ws.clusters.cluster(each) for each in media)
