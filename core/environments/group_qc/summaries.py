"""Stage A: each photo of a group becomes one line of Chinese, batch by batch, and what is done is never lost.

Lines are written to a JSONL file, one group a line with the keys 图片_1 ... 图片_N in order, once a group is whole.
A line that was cut by a kill is dropped when the file is opened again, and groups that stand in it are not asked again.
A group of which one photo has no proper line is stopped and told; the rest goes on.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from core.environments.group_qc.dossier import image_key, summary_problem
from core.environments.group_qc.missions import Mission
from core.environments.group_qc.prompt import summary_ask
from core.learning.rollouts import Asked, RolloutEngine
from core.policy import Library, Policy, Sampling
from core.policy.form import TextForm
from core.schema import Example, NightshiftError, content_id

__all__ = ["STAGE_A", "GroupPhotos", "GroupSummaries", "Summariser", "read_summaries", "summarise", "summary_example"]

STAGE_A = "group_qc.summaries"
"The environment that examples of one photo are of; it is not served by itself."
LINE = TextForm(least=2, most=120)


class GroupPhotos(NamedTuple):
    """A group before stage A: its name and its photos, by their ids."""

    name: str
    media: tuple[str, ...]


class GroupSummaries(BaseModel):
    """A group after stage A: a line for each photo, or why there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    group: str
    mission: str
    stage: str
    "What the lines follow from: the checkpoint that wrote them, and what it was told of the mission."
    media: tuple[str, ...]
    summaries: tuple[str, ...] = ()
    error: str | None = None

    def as_line(self) -> str:
        """One line of the file."""
        told: dict[str, Any] = self.model_dump(exclude={"summaries"}, exclude_none=True)
        told |= {image_key(number): line for number, line in enumerate(self.summaries, start=1)}
        return json.dumps(told, ensure_ascii=False)

    @classmethod
    def of_line(cls, line: str) -> "GroupSummaries":
        """Raises NightshiftError for a line with a photo missing or too many, out of order, or a line that is none."""
        try:
            told = json.loads(line, object_pairs_hook=_without_repeats)
        except ValueError as error:
            raise NightshiftError(f"not JSON: {error}") from error
        if not isinstance(told, dict):
            raise NightshiftError("not a JSON object")
        if "summaries" in told:
            raise NightshiftError("does not fit: each photo has a key of its own, and 'summaries' is none")
        keys = [key for key in told if key.startswith("图片_")]
        try:
            read = cls.model_validate(
                {**{k: told[k] for k in told if k not in keys}, "summaries": [told[k] for k in keys]}
            )
        except ValidationError as error:
            raise NightshiftError(f"does not fit: {error.errors()[0]['msg']}") from error
        if read.error is None:
            read.check([*keys])
        return read

    def check(self, keys: Sequence[str]) -> None:
        """Raises NightshiftError unless each photo has its key, in order, and a proper line."""
        wanted = [image_key(number) for number in range(1, len(self.media) + 1)]
        if missing := [key for key in wanted if key not in keys]:
            raise NightshiftError(f"group {self.group}: {missing[0]} is missing; it has {len(self.media)} photos")
        if extra := [key for key in keys if key not in wanted]:
            raise NightshiftError(f"group {self.group}: {extra[0]} is of no photo; it has {len(self.media)} photos")
        if list(keys) != wanted:
            raise NightshiftError(f"group {self.group}: the photos are out of order: {', '.join(keys)}")
        for key, line in zip(wanted, self.summaries, strict=True):
            if problem := summary_problem(line):
                raise NightshiftError(f"group {self.group}: {key}: {problem}")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if repeated := next((key for key in keys if keys.count(key) > 1), None):
        raise NightshiftError(f"{repeated} stands there twice")
    return dict(pairs)


def summary_example(mission: Mission, media: str) -> Example:
    """One photo of a mission, as stage A is asked about it."""
    return Example.make(STAGE_A, (media,), summary_ask(mission), cluster=media)


class Summariser:
    """A stage A student with the engine that it writes by."""

    def __init__(
        self,
        policy: Policy,
        engine: RolloutEngine,
        library: Library,
        *,
        stage: str,
        at_once: int = 16,
        max_new_tokens: int = 96,
        constrained: bool = True,
    ) -> None:
        """`stage` names its weights. Without `constrained` it may write what it likes, and more groups are stopped."""
        self._policy, self._engine, self._library = policy, engine, library
        self.stage, self.at_once = stage, at_once
        self._sampling = Sampling(0.0, max_new_tokens=max_new_tokens, form=LINE if constrained else None)
        engine.refresh(policy)

    def write(self, mission: Mission, media: Sequence[str]) -> list[tuple[str | None, str | None]]:
        """For each photo its line, or None and why there is none. A photo that cannot be opened stops no other."""
        asked: list[tuple[int, Asked]] = []
        written: list[tuple[str | None, str | None]] = [(None, "nobody asked")] * len(media)
        for place, each in enumerate(media):
            example = summary_example(mission, each)
            try:
                asked.append((place, Asked(example, self._policy.encode([example], self._library)[0])))
            except (NightshiftError, OSError) as error:
                written[place] = None, f"the photo cannot be read: {error}"
        if asked:
            drawn = self._engine.draw([each for _, each in asked], 1, self._sampling, seed=0)
            for row, (place, _) in enumerate(asked):
                text = self._policy.text_of(drawn.tokens_NGT[row, 0][drawn.mask_NGT[row, 0]].tolist())
                cut = None if bool(drawn.ended_NG[row, 0]) else "the summary was cut off before it ended"
                problem = cut or summary_problem(text)
                written[place] = (text, None) if problem is None else (None, problem)
        return written


def summarise(
    groups: Sequence[GroupPhotos], mission: Mission, writer: Summariser, out: Path | None = None
) -> Iterator[GroupSummaries]:
    """One result a group, in order, as it becomes whole; those that `out` holds already are not asked again.

    Raises NightshiftError where `out` is damaged elsewhere than at its end, or two groups have one name.
    """
    if len({group.name for group in groups}) != len(groups):
        raise NightshiftError("two groups have the same name; give each its own")
    if out is not None and not out.parent.is_dir():
        raise NightshiftError(f"there is no folder {out.parent} for {out.name}; make it first")
    done = {each.group: each for each in _begun(out)} if out is not None else {}
    known = {
        group.name: found
        for group in groups
        if (found := done.get(group.name)) is not None
        and (found.mission, found.stage, found.media) == (mission.name, _stage(writer, mission), group.media)
        and found.error is None
    }
    photos = [(g, m) for g, group in enumerate(groups) if group.name not in known for m in group.media]
    lines: dict[int, list[tuple[str | None, str | None]]] = {}
    turn = 0
    for start in range(0, len(photos), writer.at_once):
        batch = photos[start : start + writer.at_once]
        for (g, _), written in zip(batch, writer.write(mission, [media for _, media in batch]), strict=True):
            lines.setdefault(g, []).append(written)
        while turn < len(groups) and _whole(groups[turn], lines.get(turn, ()), known):
            yield _kept(groups[turn], mission, writer, lines.get(turn, ()), known, out)
            turn += 1
    for group in groups[turn:]:
        yield _kept(group, mission, writer, (), known, out)


def _stage(writer: Summariser, mission: Mission) -> str:
    return f"{writer.stage}/{content_id(summary_ask(mission))[:12]}"


def _whole(group: GroupPhotos, lines: Sequence[object], known: dict[str, GroupSummaries]) -> bool:
    return group.name in known or len(lines) == len(group.media)


def _kept(
    group: GroupPhotos,
    mission: Mission,
    writer: Summariser,
    lines: Sequence[tuple[str | None, str | None]],
    known: dict[str, GroupSummaries],
    out: Path | None,
) -> GroupSummaries:
    if group.name in known:
        return known[group.name]
    made = _judged(group, mission, _stage(writer, mission), lines)
    if out is not None:
        _append(out, made)
    return made


def _judged(
    group: GroupPhotos, mission: Mission, stage: str, lines: Sequence[tuple[str | None, str | None]]
) -> GroupSummaries:
    base = GroupSummaries(group=group.name, mission=mission.name, stage=stage, media=group.media)
    problems = [f"{image_key(number)}: {why}" for number, (_, why) in enumerate(lines, start=1) if why is not None]
    if not group.media:
        problems = ["it has no photos"]
    if problems:
        return base.model_copy(update={"error": f"group {group.name}: {problems[0]}"})
    return base.model_copy(update={"summaries": tuple(str(line) for line, _ in lines)})


def _append(out: Path, made: GroupSummaries) -> None:
    with out.open("a", encoding="utf-8") as file:
        file.write(made.as_line() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _begun(out: Path) -> list[GroupSummaries]:
    """What an earlier run wrote; a last line that a kill cut is taken off the file."""
    if not out.exists():
        return []
    data = out.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        with out.open("r+b") as file:
            file.truncate(len(whole))
    return read_summaries(out)


def read_summaries(path: Path) -> list[GroupSummaries]:
    """The groups of a file, of each the last line. Raises NightshiftError naming the line that is wrong, and why."""
    found: dict[str, GroupSummaries] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise NightshiftError(f"the summaries {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            read = GroupSummaries.of_line(line)
        except NightshiftError as error:
            raise NightshiftError(f"{path}, line {number}: {error}") from error
        found[read.group] = read
    return list(found.values())
