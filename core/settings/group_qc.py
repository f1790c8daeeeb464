"""The second environment: photos of a cabinet, one line each, and a verdict with a reason."""

import re
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from core.settings.section import Section

__all__ = ["GroupQcSettings", "GroupRewardSettings"]


class GroupRewardSettings(Section):
    """Weights of the reward parts; renormalised over the parts that answered."""

    label: float = Field(1.0, ge=0, description="The verdict is the one that a person gave.")
    format: float = Field(0.2, ge=0, description="Exactly two lines, verdict and reason.")
    evidence: float = Field(0.1, ge=0, description="The reason names a photo of the group.")
    consistent: float = Field(0.1, ge=0, description="The reason does not say the opposite of the verdict.")
    reason: float = Field(0.3, ge=0, description="The reason follows from the lines of the photos that it names.")

    @model_validator(mode="after")
    def _a_label_teaches(self) -> "GroupRewardSettings":
        if self.label <= 0:
            raise ValueError("without a weight for the label nothing teaches the verdict")
        return self


class GroupQcSettings(Section):
    """Group quality control; what is not here is as for every environment."""

    missions: Path | None = Field(None, description="Folder of missions, *.toml, beside those that are shipped.")
    inbox: Path | None = Field(
        None, description="Folder with a folder for each mission, whose new groups a night looks at first."
    )
    group_pattern: str = Field(
        r"(?P<group>[^_]+_\d{4}-\d{2}-\d{2}_.+)[_-](?P<photo>\d+)",
        description="Of a photo's file name without its ending, where photos do not lie in a folder of their group: "
        "SITE_DATE_CABINET_PHOTO. A camera's own names (IMG_0001) say nothing of what belongs together.",
    )
    place_pattern: str = Field(
        r"(?P<site>[^_]+)_(?P<date>\d{4}-\d{2}-\d{2})(_.*)?",
        description="Of a group's name: its site and date, which are never on both sides of a split.",
    )
    model: str = Field("", description="Folder or hub name of stage B's model; empty: that of [vlm].")
    summary_model: str = Field("", description="Folder or hub name of stage A's model; empty: that of [vlm].")
    summary_max_pixels: int = Field(512 * 512, ge=56 * 56, description="Larger photos are scaled down for stage A.")
    last_blocks: int = Field(4, ge=0, description="Stage B adapts so many blocks nearest the answer; 0 adapts all.")
    rank: int = Field(16, ge=1, description="Rank of the adapters' matrices.")
    steps: int = Field(200, ge=1, description="Optimiser steps of a night.")
    batch_size: int = Field(16, ge=1, description="Groups a step.")
    group_size: int = Field(8, ge=4, le=8, description="Answers sampled a group of photos.")
    learning_rate: float = Field(1e-4, gt=0, le=0.01, description="Of the adapter.")
    kl_weight: float = Field(0.02, ge=0, description="Weight of the divergence from the champion.")
    max_new_tokens: int = Field(128, ge=8, le=1024, description="Tokens at which an answer is cut off.")
    summary_tokens: int = Field(96, ge=8, le=1024, description="Tokens at which a photo's line is cut off.")
    summaries_at_once: int = Field(16, ge=1, description="Photos that stage A looks at together.")
    places: int = Field(4, ge=1, description="Groups that the server has in hand or waiting; more are sent away (429).")
    summary_corrections: int = Field(30, ge=1, description="Corrected lines from which on a night tunes stage A.")
    summary_steps: int = Field(100, ge=1, description="Optimiser steps of that.")
    false_pass_cost: float = Field(5.0, ge=1, description="What a false pass costs, where a false fail costs 1.")
    false_pass_rate: float = Field(
        0.2, gt=0, le=1, description="A challenger whose false passes may be more in any mission is refused."
    )
    reward: GroupRewardSettings = GroupRewardSettings()

    @field_validator("group_pattern")
    @classmethod
    def _names_group_and_photo(cls, pattern: str) -> str:
        _naming(pattern, "group", "photo")
        if not re.search(r"\(\?P<photo>(\\d|\[0-9\])[^()]*\)", pattern):
            raise ValueError(r"the part photo must be a number, as (?P<photo>\d+) is")
        return pattern

    @field_validator("place_pattern")
    @classmethod
    def _names_site_and_date(cls, pattern: str) -> str:
        return _naming(pattern, "site", "date")


def _naming(pattern: str, *parts: str) -> str:
    try:
        names = re.compile(pattern).groupindex
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    if lacking := [part for part in parts if part not in names]:
        raise ValueError(f"it must name the part (?P<{lacking[0]}>...)")
    return pattern
