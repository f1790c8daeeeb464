"""What an interrupted ablation has measured already: kept until it is complete, so that no later one can find it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from core.schema import ItemScore, content_id
from core.services.ablation.arms import Arm

__all__ = ["Part", "Parts"]


class Part(BaseModel):
    """One arm on the measured half of one split. Axes: N pairs."""

    model_config = ConfigDict(frozen=True)
    scores: list[ItemScore]
    "Clustered by application."
    hard: list[bool]
    latency_ms: list[float]
    training: dict[str, float] | None = None
    "Figures of the training; None for what is not trained."


class Parts:
    """A folder with one file an arm and split, named after all that it follows from."""

    def __init__(self, directory: Path, follows_from: Mapping[str, Any]) -> None:
        self._directory, self._follows_from = directory, dict(follows_from)
        self._known: set[Path] = set()

    def find(self, arm: Arm, split: int) -> Part | None:
        """What was measured before the interruption."""
        path = self._path(arm, split)
        try:
            return Part.model_validate_json(path.read_bytes())
        except (OSError, ValueError):
            return None

    def keep(self, arm: Arm, split: int, part: Part) -> None:
        """Written aside and renamed: it is there whole or not at all."""
        path = self._path(arm, split)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".partial")
        aside.write_text(part.model_dump_json())
        aside.replace(path)

    def clear(self) -> None:
        """To be called when all is measured."""
        for path in self._known:
            path.unlink(missing_ok=True)
        if self._directory.is_dir() and not any(self._directory.iterdir()):
            self._directory.rmdir()

    def _path(self, arm: Arm, split: int) -> Path:
        told: JsonValue = {section: dict(values) for section, values in arm.settings.items()}
        path = self._directory / f"{content_id(self._follows_from, arm.name, told, split)}.json"
        self._known.add(path)
        return path
