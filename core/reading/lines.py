"""A reading: the lines found on a picture."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

__all__ = ["Line", "Reading", "in_reading_order"]

SAME_ROW = 10
"Pixels: lines whose tops follow one another this closely stand in one row."


class Line(BaseModel):
    """One line of text. `box` is left, top, right, bottom as fractions of width and height."""

    model_config = ConfigDict(frozen=True)
    text: str
    box: tuple[float, float, float, float]
    score: float
    "The recogniser's confidence, 0..1."

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]


class Reading(BaseModel):
    """Everything read off one picture, in reading order."""

    model_config = ConfigDict(frozen=True)
    width: int
    height: int
    lines: tuple[Line, ...]
    engine: str
    read_ms: float
    "What the reading took when it was made."

    @property
    def text(self) -> str:
        """All lines, joined by spaces."""
        return " ".join(line.text for line in self.lines)


def in_reading_order(lines: Sequence[Line], height: int) -> tuple[Line, ...]:
    """Row by row from the top, each from the left; the same whatever order they come in. `height` is in pixels."""
    ordered: list[Line] = []
    row: list[Line] = []
    for line in sorted(lines, key=lambda line: (line.box[1], line.box[0], line.box, line.text)):
        if row and (line.box[1] - row[-1].box[1]) * height >= SAME_ROW:
            ordered += sorted(row, key=lambda line: line.box[0])
            row = []
        row.append(line)
    return (*ordered, *sorted(row, key=lambda line: line.box[0]))
