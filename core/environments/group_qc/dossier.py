"""A group of photos as stage B reads it: the mission, and one line for each photo. Pictures are not looked at again."""

import re
from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.environments.group_qc.chinese import is_chinese_line
from core.environments.group_qc.missions import Mission
from core.schema import NightshiftError

__all__ = ["MOST_PHOTOS", "Dossier", "image_key"]

MOST_PHOTOS = 40
LONGEST_SUMMARY = 200
"Characters."
HEAD = re.compile(r"任务：(?P<title>.+)（(?P<name>[a-z][a-z0-9_]*)）")
FOCUS, CHECKLIST = "重点：", "检查项："
PHOTO = re.compile(r"图片_(?P<number>[1-9]\d*)：(?P<summary>.+)")


def image_key(number: int) -> str:
    """How photo `number` of a group, from 1, is called."""
    return f"图片_{number}"


class Dossier(BaseModel):
    """What is known of a group. `text` and `parse` are each other's inverse."""

    model_config = ConfigDict(frozen=True)
    mission: str
    title: str
    focus: str
    checklist: tuple[str, ...]
    summaries: tuple[str, ...] = Field(min_length=1, max_length=MOST_PHOTOS)

    @field_validator("summaries")
    @classmethod
    def _are_chinese_lines(cls, summaries: tuple[str, ...]) -> tuple[str, ...]:
        for number, summary in enumerate(summaries, start=1):
            if problem := summary_problem(summary):
                raise ValueError(f"{image_key(number)}: {problem}")
        return summaries

    @classmethod
    def of(cls, mission: Mission, summaries: Sequence[str]) -> Self:
        """Raises NightshiftError for summaries that are missing, too many, not one line, or not Chinese."""
        try:
            return cls(
                mission=mission.name,
                title=mission.title,
                focus=mission.focus,
                checklist=mission.checklist,
                summaries=tuple(summaries),
            )
        except ValidationError as error:
            raise NightshiftError(f"the summaries of a group do not fit: {error.errors()[0]['msg']}") from error

    @property
    def text(self) -> str:
        """The lines that stage B is shown."""
        photos = [f"{image_key(number)}：{summary}" for number, summary in enumerate(self.summaries, start=1)]
        head = [f"任务：{self.title}（{self.mission}）", f"{FOCUS}{self.focus}", CHECKLIST + "；".join(self.checklist)]
        return "\n".join([*head, *photos])

    @property
    def instructions(self) -> tuple[str, ...]:
        """What was said of the mission before anybody looked at a photo."""
        return (self.title, self.focus, *self.checklist)

    def with_summaries(self, summaries: Sequence[str]) -> Self:
        """The same mission about other lines. Raises NightshiftError where they do not fit."""
        try:
            return type(self).model_validate({**self.model_dump(), "summaries": tuple(summaries)})
        except ValidationError as error:
            raise NightshiftError(f"the summaries of a group do not fit: {error.errors()[0]['msg']}") from error

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises NightshiftError for a text that is no dossier."""
        lines = text.split("\n")
        head = HEAD.fullmatch(lines[0])
        if head is None or len(lines) < 4 or not lines[1].startswith(FOCUS) or not lines[2].startswith(CHECKLIST):
            raise NightshiftError(
                "a group is described by 任务：TITLE（NAME）, 重点：, 检查项：, and a line 图片_1： for each photo; "
                f"this begins with {lines[0][:40]!r}"
            )
        summaries = []
        for number, line in enumerate(lines[3:], start=1):
            photo = PHOTO.fullmatch(line)
            if photo is None or int(photo["number"]) != number:
                raise NightshiftError(
                    f"{image_key(number)}： is wanted in line {number + 3}, which reads {line[:40]!r}"
                )
            summaries.append(photo["summary"])
        try:
            return cls(
                mission=head["name"],
                title=head["title"],
                focus=lines[1].removeprefix(FOCUS),
                checklist=tuple(lines[2].removeprefix(CHECKLIST).split("；")),
                summaries=tuple(summaries),
            )
        except ValidationError as error:
            raise NightshiftError(f"the summaries of a group do not fit: {error.errors()[0]['msg']}") from error


def summary_problem(summary: str) -> str | None:
    """Why a line is no summary, in words; None for one that is."""
    if not summary.strip():
        return "the summary is empty"
    if len(summary.splitlines()) > 1:
        return f"the summary has {len(summary.splitlines())} lines; one is wanted"
    if len(summary) > LONGEST_SUMMARY:
        return f"the summary has {len(summary)} characters; at most {LONGEST_SUMMARY}"
    if not is_chinese_line(summary):
        return f"the summary {summary[:40]!r} is not a line of Chinese"
    return None
