"""A background of ordinary activities: what a match is measured against, and coordinates for a customer's own rules.

A raw similarity says little by itself: some screens resemble everything. Against a background of activities it is
known which ones a screen and a description of work resemble, and whether they are the same ones.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from core.reading import TextEncoder
from core.schema import NightshiftError, content_id

__all__ = ["Activity", "Background", "BackgroundVectors"]


class Activity(BaseModel):
    """One kind of thing people do: phrases its inputs contain, how the work is described, and words that tell it."""

    model_config = ConfigDict(frozen=True)
    name: str
    screens: tuple[str, ...]
    works: tuple[str, ...]
    terms: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()


class BackgroundVectors(NamedTuple):
    """Axes: S phrases of screens, W phrases of work, D of the encoder; `starts` marks each activity's first phrase."""

    screens_SD: NDArray[np.float32]
    works_WD: NDArray[np.float32]
    starts: NDArray[np.int64]


class Background(BaseModel):
    """The activities, in the order of the model's topic axis."""

    model_config = ConfigDict(frozen=True)
    about: str = ""
    activities: tuple[Activity, ...]

    @classmethod
    def read(cls, path: Path) -> "Background":
        """Raises NightshiftError for a file that is missing or not of this form."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise NightshiftError(f"{path} is not a list of activities: {error}") from error

    @property
    def digest(self) -> str:
        """Short hash of the content; part of the name of everything derived with it."""
        return content_id(self.model_dump(mode="json"))[:12]

    def vectors(self, encoder: TextEncoder) -> BackgroundVectors:
        """The phrases embedded; computed once a process."""
        return _vectors(self, encoder)


@lru_cache(maxsize=4)
def _vectors(background: Background, encoder: TextEncoder) -> BackgroundVectors:
    sizes = [len(activity.screens) for activity in background.activities]
    return BackgroundVectors(
        screens_SD=encoder.embed([phrase for a in background.activities for phrase in a.screens]),
        works_WD=encoder.embed([phrase for a in background.activities for phrase in a.works]),
        starts=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
    )
