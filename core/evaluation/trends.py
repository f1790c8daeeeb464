"""Drawings over time, and of how well confidence is stated, as inline SVG like those of `charts`."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from core.evaluation.charts import WIDTH, short_label, svg

__all__ = [
    "Calibrated",
    "Line",
    "Mark",
    "Measured",
    "Stack",
    "line_chart",
    "measured_chart",
    "reliability_chart",
    "stack_chart",
]

LEFT, RIGHT, TOP = 52, 14, 14
"Room for figures of the axis, at the end, and above."
APART = 62
"Least distance of two labels of the time axis."


@dataclass(frozen=True)
class Measured:
    """A share in 0..1 with its interval, at one moment, and another beside it where there is one."""

    label: str
    value: float
    low: float
    high: float
    beside: float | None = None
    tip: str = ""


@dataclass(frozen=True)
class Mark:
    """Something that happened after so many points of a chart; a fraction lies between two."""

    after: float
    label: str
    good: bool = True


@dataclass(frozen=True)
class Stack:
    """A part of each bar, in the colour of a style class."""

    label: str
    tone: str
    values: Sequence[int]


@dataclass(frozen=True)
class Line:
    """A figure at each moment; None where there is none."""

    label: str
    values: Sequence[float | None]
    strong: bool = True


@dataclass(frozen=True)
class Calibrated:
    """Answers of about one stated confidence: its mean, the share that is right with its interval, and how many."""

    confidence: float
    right: float
    low: float
    high: float
    n: int


def measured_chart(points: Sequence[Measured], marks: Sequence[Mark], *, title: str) -> str:
    """Shares from left to right with whiskers, marks as upright lines, on an axis that begins below the lowest one."""
    height = 216
    lowest = min([*(point.low for point in points), *(p.beside for p in points if p.beside is not None)], default=0.0)
    floor = max(0.0, min(0.9, int(lowest * 10 - 1e-9) / 10))
    axis = _Axis(floor, 1.0, height, len(points))
    step = 0.1 if floor < 0.75 else 0.05
    parts = [axis.tick(floor + step * i, f"{floor + step * i:.0%}") for i in range(round((1 - floor) / step) + 1)]
    for mark in marks:
        x = axis.x(mark.after - 0.5)
        parts.append(
            f'<line class="{"mark" if mark.good else "mark back"}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" '
            f'y2="{height}"><title>{escape(mark.label)}</title></line>'
        )
    line = " ".join(f"{axis.x(i):.1f},{axis.y(point.value):.1f}" for i, point in enumerate(points))
    parts.append(f'<polyline class="curve" points="{line}"/>')
    for i, point in enumerate(points):
        x = axis.x(i)
        beside = (
            f'<circle class="hollow" cx="{x:.1f}" cy="{axis.y(point.beside):.1f}" r="5"/>'
            if point.beside is not None
            else ""
        )
        parts.append(
            f'<g><title>{escape(point.tip)}</title><line class="whisker plain" x1="{x:.1f}" x2="{x:.1f}" '
            f'y1="{axis.y(point.low):.1f}" y2="{axis.y(point.high):.1f}"/>{beside}'
            f'<circle class="plain" cx="{x:.1f}" cy="{axis.y(point.value):.1f}" r="5"/></g>'
        )
    return svg(height + 28, title, [*parts, *axis.labels([point.label for point in points])])


def stack_chart(labels: Sequence[str], stacks: Sequence[Stack], *, title: str) -> str:
    """A bar for each moment, made of parts."""
    height = 190
    totals = [sum(stack.values[i] for stack in stacks) for i in range(len(labels))]
    top = _round_up(max(totals, default=0))
    axis = _Axis(0.0, top, height, len(labels))
    parts = [axis.tick(top * i / 4, _brief(top * i / 4)) for i in range(5)]
    wide = max(1.5, min(34.0, axis.apart * 0.72))
    for i in range(len(labels)):
        below = 0
        for stack in stacks:
            value = stack.values[i]
            if value:
                high, left = axis.y(below + value), axis.x(i) - wide / 2
                tip = escape(f"{labels[i]}: {stack.label} {value:,}")
                parts.append(
                    f'<rect class="toned {stack.tone}" x="{left:.1f}" y="{high:.1f}" width="{wide:.1f}" '
                    f'height="{max(0.6, axis.y(below) - high):.1f}"><title>{tip}</title></rect>'
                )
            below += value
    return svg(height + 28, title, [*parts, *axis.labels(labels)])


def line_chart(labels: Sequence[str], lines: Sequence[Line], *, title: str, unit: str) -> str:
    """Lines over common moments on a common axis from 0; where a figure is missing the line is broken."""
    height = 150
    top = _round_up(max((v for line in lines for v in line.values if v is not None), default=0.0))
    axis = _Axis(0.0, top, height, len(labels))
    parts = [axis.tick(top * i / 4, f"{_brief(top * i / 4)}{unit}") for i in range(0, 5, 2)]
    for line in lines:
        shape = "curve" if line.strong else "curve faint"
        for run in _runs(line.values):
            points = " ".join(f"{axis.x(i):.1f},{axis.y(value):.1f}" for i, value in run)
            parts.append(f'<polyline class="{shape}" points="{points}"/>')
            if len(run) == 1:
                ((i, value),) = run
                parts.append(f'<circle class="plain" cx="{axis.x(i):.1f}" cy="{axis.y(value):.1f}" r="3"/>')
        last = next(((i, v) for i, v in reversed(list(enumerate(line.values))) if v is not None), None)
        if last is not None:
            x, y = axis.x(last[0]), axis.y(last[1])
            parts.append(
                f'<text class="soft" x="{x:.1f}" y="{y - 7:.1f}" text-anchor="end">{escape(line.label)}</text>'
            )
    return svg(height + 28, title, [*parts, *axis.labels(labels)])


def reliability_chart(bins: Sequence[Calibrated], *, title: str, across: str, up: str) -> str:
    """How often answers of each stated confidence are right; on the diagonal they are as right as they say."""
    side, left, top = 300, 58, 10
    floor = 0.0 if any(each.confidence < 0.5 for each in bins) else 0.5

    def x(value: float) -> float:
        return left + (value - floor) / (1 - floor) * side

    def y(value: float) -> float:
        return top + (1 - value) * side

    parts = []
    for i in range(5):
        share, stated = i / 4, floor + (1 - floor) * i / 4
        parts.append(
            f'<line class="axis" x1="{left}" x2="{left + side}" y1="{y(share):.1f}" y2="{y(share):.1f}"/>'
            f'<text class="soft" x="{left - 8}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
            f'<text class="soft" x="{x(stated):.1f}" y="{top + side + 18}" text-anchor="middle">{stated:.0%}</text>'
        )
    parts.append(f'<line class="ideal" x1="{x(floor):.1f}" y1="{y(floor):.1f}" x2="{x(1):.1f}" y2="{y(1):.1f}"/>')
    most = max((each.n for each in bins), default=1)
    for each in bins:
        tip = escape(f"{each.confidence:.0%} → {each.right:.0%} (n = {each.n})")
        parts.append(
            f'<g><title>{tip}</title><line class="whisker plain" x1="{x(each.confidence):.1f}" '
            f'x2="{x(each.confidence):.1f}" y1="{y(each.low):.1f}" y2="{y(each.high):.1f}"/><circle class="plain" '
            f'cx="{x(each.confidence):.1f}" cy="{y(each.right):.1f}" r="{4 + 7 * (each.n / most) ** 0.5:.1f}"/></g>'
        )
    middle = top + side / 2
    parts.append(
        f'<text class="soft" x="{left + side / 2}" y="{top + side + 38}" text-anchor="middle">{escape(across)}</text>'
        f'<text class="soft" transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">{escape(up)}</text>'
    )
    return svg(top + side + 46, title, parts, width=left + side + 16)


class _Axis:
    """Moments from left to right, a figure upwards."""

    def __init__(self, floor: float, top: float, height: int, moments: int) -> None:
        self.floor, self.top, self.height = floor, top, height
        self.apart = (WIDTH - LEFT - RIGHT) / max(1, moments)

    def x(self, place: float) -> float:
        return LEFT + self.apart * (place + 0.5)

    def y(self, value: float) -> float:
        return TOP + (self.top - value) / (self.top - self.floor) * (self.height - TOP)

    def tick(self, value: float, text: str) -> str:
        return (
            f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(value):.1f}" y2="{self.y(value):.1f}"/>'
            f'<text class="soft" x="{LEFT - 8}" y="{self.y(value) + 4:.1f}" text-anchor="end">{escape(text)}</text>'
        )

    def labels(self, texts: Sequence[str]) -> Iterable[str]:
        """So many of the moments' labels as have room, the last among them."""
        every = max(1, -(-APART // max(1, int(self.apart))))
        for place, text in enumerate(texts):
            if (len(texts) - 1 - place) % every == 0:
                yield (
                    f'<text class="soft" x="{self.x(place):.1f}" y="{self.height + 20}" text-anchor="middle">'
                    f"{short_label(text)}</text>"
                )


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    runs: list[list[tuple[int, float]]] = []
    for i, value in enumerate(values):
        if value is None:
            continue
        if runs and runs[-1][-1][0] == i - 1:
            runs[-1].append((i, value))
        else:
            runs.append([(i, value)])
    return runs


def _round_up(value: float) -> float:
    """The next of 4, 8, 12, 16, 20, 40, 60, 80, 100, 200, 400, ... that is not below: its quarters are whole."""
    if value <= 20:
        return max(4.0, 4.0 * math.ceil(value / 4))
    size = 20.0 * 10 ** max(0, math.floor(math.log10(value / 20)))
    return size * next(times for times in (1, 2, 3, 4, 5, 10) if size * times >= value)


def _brief(value: float) -> str:
    return f"{value:,.0f}" if value < 10_000 else f"{value / 1000:,.0f}k"
