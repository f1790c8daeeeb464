"""Small drawings as inline SVG, coloured by the style sheet of the page they stand in. All text is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

__all__ = [
    "WIDTH",
    "Change",
    "Curve",
    "Interval",
    "Share",
    "change_chart",
    "curve_chart",
    "interval_chart",
    "share_chart",
    "short_label",
    "svg",
]

WIDTH, LABEL, ROW = 760, 200, 34
VALUES = 150
"Room for the figures at the end of a row."
MOST_POINTS = 200
Tone = Literal["better", "worse", "plain"]


@dataclass(frozen=True)
class Share:
    """A share in 0..1 with its interval."""

    label: str
    value: float
    low: float
    high: float
    tone: Tone = "plain"


@dataclass(frozen=True)
class Change:
    """How many examples of a group became better and worse."""

    label: str
    better: int
    worse: int


@dataclass(frozen=True)
class Curve:
    """A figure over time, oldest first; None where there was none."""

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Interval:
    """A figure of at most 1 with its interval, at one moment."""

    label: str
    value: float
    low: float
    high: float


def share_chart(shares: Sequence[Share], *, title: str) -> str:
    """Dots with whiskers on a common axis that starts at a round tenth below the lowest whisker."""
    start = max(0.0, int(min([share.low for share in shares], default=0.0) * 10 - 1e-9) / 10)
    height = ROW * len(shares) + 30
    place = (WIDTH - LABEL - 70) / (1.0 - start)

    def x(value: float) -> float:
        return LABEL + (value - start) * place

    step = 0.1 if start < 0.7 else 0.05
    ticks = [start + step * count for count in range(round((1.0 - start) / step) + 1)]
    marks = [
        f'<line class="axis" x1="{x(t):.1f}" x2="{x(t):.1f}" y1="4" y2="{height - 24}"/>'
        f'<text class="soft" x="{x(t):.1f}" y="{height - 6}" text-anchor="middle">{t:.0%}</text>'
        for t in ticks
    ]
    rows = [
        _share_row(share, 22 + ROW * i, x(share.value), x(share.low), x(share.high)) for i, share in enumerate(shares)
    ]
    return svg(height, title, [*marks, *rows])


def change_chart(changes: Sequence[Change], *, title: str) -> str:
    """Bars from a middle line: worse to the left, better to the right."""
    height = ROW * len(changes) + 8
    middle = LABEL + (WIDTH - LABEL) / 2
    unit = ((WIDTH - LABEL) / 2 - 46) / max([1, *(max(c.better, c.worse) for c in changes)])
    line = f'<line class="axis" x1="{middle}" x2="{middle}" y1="2" y2="{height - 4}"/>'
    rows = [_change_row(change, 20 + ROW * i, middle, unit) for i, change in enumerate(changes)]
    return svg(height, title, [line, *rows])


def curve_chart(curves: Sequence[Curve], *, title: str) -> str:
    """A line a figure, each on its own scale, with its first and last value. A figure that never was is left out."""
    drawn = [(curve.label, [v for v in curve.values if v is not None]) for curve in curves]
    rows = [
        _curve_row(label, values, 4 + ROW * i) for i, (label, values) in enumerate(each for each in drawn if each[1])
    ]
    return svg(ROW * len(rows) + 8, title, rows)


def interval_chart(points: Sequence[Interval], *, title: str) -> str:
    """Figures over time from left to right, each with its whisker, on an axis up to 1 that shows 0."""
    left, top, height = 46, 12, 190
    floor = min(0.0, *(round(point.low * 4 - 0.5) / 4 for point in points))
    apart = (WIDTH - left - 24) / max(1, len(points))

    def y(value: float) -> float:
        return top + (1 - max(floor, value)) / (1 - floor) * (height - top)

    def x(place: int) -> float:
        return left + apart * (place + 0.5)

    ticks = [floor + 0.25 * count for count in range(round((1 - floor) / 0.25) + 1)]
    marks = [
        f'<line class="axis" x1="{left}" x2="{WIDTH - 10}" y1="{y(t):.1f}" y2="{y(t):.1f}"/>'
        f'<text class="soft" x="{left - 8}" y="{y(t) + 4:.1f}" text-anchor="end">{t:g}</text>'
        for t in ticks
    ]
    line = " ".join(f"{x(place):.1f},{y(point.value):.1f}" for place, point in enumerate(points))
    marks.append(f'<polyline class="curve" points="{line}"/>')
    every = max(1, -(-len(points) * 64 // (WIDTH - left)))
    for place, point in enumerate(points):
        marks.append(
            f'<line class="whisker plain" x1="{x(place):.1f}" x2="{x(place):.1f}" y1="{y(point.low):.1f}" '
            f'y2="{y(point.high):.1f}"/><circle class="plain" cx="{x(place):.1f}" cy="{y(point.value):.1f}" r="5"/>'
        )
        if (len(points) - 1 - place) % every == 0:
            marks.append(
                f'<text class="soft" x="{x(place):.1f}" y="{height + 20}" text-anchor="middle">'
                f"{short_label(point.label)}</text>"
            )
    return svg(height + 28, title, marks)


def _curve_row(label: str, values: Sequence[float], top: int) -> str:
    stride = -(-len(values) // MOST_POINTS)
    kept = [*values[:-1:stride], values[-1]]
    low, high = min(kept), max(kept)
    across = (WIDTH - LABEL - VALUES) / max(1, len(kept) - 1)
    down = (ROW - 10) / (high - low) if high > low else 0.0
    middle = top + ROW / 2
    points = " ".join(
        f"{LABEL + i * across:.1f},{top + 5 + (high - value) * down if down else middle:.1f}"
        for i, value in enumerate(kept)
    )
    return (
        f'<text x="{LABEL - 14}" y="{middle + 4}" text-anchor="end">{short_label(label)}</text>'
        f'<polyline class="curve" points="{points}"/>'
        f'<text x="{WIDTH - 2}" y="{middle + 4}" text-anchor="end">{_brief(values[0])} → {_brief(values[-1])}</text>'
    )


def _brief(value: float) -> str:
    return f"{value:.3g}" if abs(value) >= 0.001 or value == 0 else "<0.001"


def _share_row(share: Share, y: int, at: float, low: float, high: float) -> str:
    return (
        f'<text x="{LABEL - 14}" y="{y + 4}" text-anchor="end">{short_label(share.label)}</text>'
        f'<line class="whisker {share.tone}" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
        f'<circle class="{share.tone}" cx="{at:.1f}" cy="{y}" r="6.5"/>'
        f'<text x="{WIDTH - 2}" y="{y + 4}" text-anchor="end">{share.value:.1%}</text>'
    )


def _change_row(change: Change, y: int, middle: float, unit: float) -> str:
    left, right = change.worse * unit, change.better * unit
    bars = (
        f'<text x="{LABEL - 14}" y="{y + 4}" text-anchor="end">{short_label(change.label)}</text>'
        f'<rect class="worse" x="{middle - left - 1:.1f}" y="{y - 9}" width="{left:.1f}" height="18" rx="3"/>'
        f'<rect class="better" x="{middle + 1:.1f}" y="{y - 9}" width="{right:.1f}" height="18" rx="3"/>'
    )
    return (
        f'{bars}<text x="{middle - left - 8:.1f}" y="{y + 4}" text-anchor="end">{change.worse}</text>'
        f'<text x="{middle + right + 8:.1f}" y="{y + 4}">{change.better}</text>'
    )


def svg(height: int, title: str, parts: Sequence[str], *, width: int = WIDTH) -> str:
    """The drawing as one picture, that a screen reader reads out as its title."""
    name = escape(title)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{name}">{"".join(parts)}</svg>'


def short_label(label: str) -> str:
    """A label that fits beside a row, escaped."""
    return escape(label if len(label) <= 26 else f"{label[:25]}…")
