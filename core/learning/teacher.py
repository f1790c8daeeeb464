"""A judge in the midst of a training: all that was sampled for an item is scored beside each other, in one call.

What it said is kept beside the training, so that one that was killed and goes on pays nothing twice and is told the
same again.
"""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue, ValidationError

from core.judge import Group, Judge, Spent
from core.policy import Library
from core.schema import Judgment, NightshiftError

__all__ = ["Teacher", "judge_at", "told_by"]


class Teacher:
    """A judge, what it said so far, and what that cost."""

    def __init__(self, judge: Judge, library: Library, kept: Path, spent: Spent = Spent()) -> None:  # noqa: B008
        """`kept` is the file of what it said; `spent` is what the night had spent on judges before."""
        self._judge, self._library, self._kept = judge, library, kept
        self._said = {each.id: each for each in told_by(kept)}
        self._spent = spent + Spent.on(list(self._said.values()))

    def judgments(self, groups: Sequence[Group]) -> list[Judgment | None]:
        """One of each group, in their order; None for one without answers. What cannot be scored says why."""
        ids = [self._judge.judgment_id(example, said) if said else None for example, said in groups]
        asked = {id: group for id, group in zip(ids, groups, strict=True) if id is not None and id not in self._said}
        if asked:
            by_example: dict[str, list[Judgment]] = {}
            with self._kept.open("a", encoding="utf-8") as file:
                for page in self._judge.judge_groups(list(asked.values()), self._library, self._spent):
                    self._spent += Spent.on(page)
                    for each in page:
                        by_example.setdefault(each.example, []).append(each)
                        file.write(each.model_dump_json() + "\n")
                    file.flush()
            # One that is unscored for now has an id of its own; within a step it stands for what was asked.
            for id, (example, _) in asked.items():
                found = by_example.get(example.id, [])
                exact = next((each for each in found if each.id == id), None)
                if said := exact or next(iter(found), None):
                    self._said[id] = said
        return [None if id is None else self._said.get(id) for id in ids]


def told_by(kept: Path) -> list[Judgment]:
    """What a teacher said so far; a line that a kill cut is none."""
    try:
        lines = kept.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(Judgment.model_validate_json(line))
        except ValidationError:
            continue
    return found


def judge_at(place: str, arguments: Mapping[str, JsonValue]) -> Judge:
    """The judge that the function at `package.module:function` makes of `arguments`.

    Raises NightshiftError where there is no such function, or the judge lacks a setting, a key or its model.
    """
    module, _, name = place.partition(":")
    try:
        make = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise NightshiftError(f"no judge at {place!r} (expected package.module:function): {error}") from error
    judge: Judge = make(**arguments)
    return judge
