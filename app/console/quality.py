"""Cards about how good the model is: its golden accuracy night by night, what it mixes up, how well it knows itself."""

from collections.abc import Sequence
from html import escape

from app.console.drawing import answer_title, badge, card, day, moment, short_id, table, tone
from app.console.language import figure, say
from app.console.states import nothing_yet
from core.environments import Environment
from core.evaluation import Summary
from core.evaluation.charts import Share, share_chart
from core.evaluation.trends import Calibrated, Mark, Measured, measured_chart, reliability_chart
from core.services.metrics import ChampionChange, GoldenHistory, GoldenPoint, Quality

__all__ = ["chart", "confusion_card", "domains_card", "golden_card", "interval", "percent", "reliability_card"]

SHOWN_DOMAINS = 12


def percent(share: float | None) -> str:
    """A share as people read it; a dash for none."""
    return "–" if share is None else figure(share, ".1%")


def interval(ci95: tuple[float, float] | None) -> str:
    """A 95% interval of a share."""
    if ci95 is None:
        return "–"
    return say("{low} to {high}", low=figure(ci95[0], ".1%"), high=figure(ci95[1], ".1%"))


def chart(drawn: str, caption: str, rows: str) -> str:
    """A drawing, what it says in words, and the same as a table for whoever cannot or will not read drawings."""
    return (
        f'<figure class="ns-chart"><div class="ns-drawn" tabindex="0" role="group" aria-label="{say("Chart")}">{drawn}'
        f"</div><figcaption>{caption}</figcaption></figure>"
        f'<details class="ns-data"><summary>{say("As a table")}</summary>{rows}</details>'
    )


def golden_card(history: GoldenHistory) -> str:
    """Accuracy on what is never trained on, after each night, with the changes of champion."""
    title = say("Golden accuracy, night by night")
    if not history.points:
        return card(title, nothing_yet(say("No night has compared a challenger with the champion yet.")))
    last, first = history.points[-1], history.points[0]
    points = [_measured(point) for point in history.points]
    marks = [_mark(each, history.points) for each in history.changes if each.after]
    alt = say(
        "Golden accuracy over {nights} nights, from {first} to {last}; the champion changed {changes} times.",
        nights=len(points),
        first=percent(first.golden.accuracy),
        last=percent(last.golden.accuracy),
        changes=len(marks),
    )
    caption = say(
        "Share of golden examples, which are never trained on, that the champion after each night gets right, with its "
        "95% interval. Hollow: that night's challenger. Upright lines: the champion changed."
    )
    changes = "".join(f"<li>{_change_line(each)}</li>" for each in history.changes[::-1][:6] if each.after)
    listed = f'<ul class="ns-changes">{changes}</ul>' if changes else ""
    return card(title, chart(measured_chart(points, marks, title=alt), caption, _golden_table(history)) + listed)


def _measured(point: GoldenPoint) -> Measured:
    low, high = point.golden.ci95 or (0.0, 1.0)
    accuracy = point.golden.accuracy or 0.0
    tip = f"{percent(accuracy)} ({interval(point.golden.ci95)}), n = {point.golden.n}"
    return Measured(day(point.at), accuracy, low, high, beside=point.challenger.accuracy, tip=tip)


def _mark(change: ChampionChange, points: Sequence[GoldenPoint]) -> Mark:
    """Before the point that is the new champion's already, else after the last one before it."""
    is_its_own = points[change.after - 1].release == change.release
    return Mark(change.after - is_its_own, _change_words(change), change.action == "promote")


def _change_words(change: ChampionChange) -> str:
    what = say("promoted") if change.action == "promote" else say("rolled back")
    return f"{day(change.at)}: {change.release[:10]} {what}"


def _change_line(change: ChampionChange) -> str:
    what = badge(say("promoted"), "good") if change.action == "promote" else badge(say("rolled back"), "bad")
    return f"{moment(change.at)} {short_id(change.release)} {what} <span>{escape(change.reason)}</span>"


def _golden_table(history: GoldenHistory) -> str:
    rows = [
        (
            moment(point.at),
            short_id(point.release),
            percent(point.golden.accuracy),
            interval(point.golden.ci95),
            str(point.golden.n),
            percent(point.challenger.accuracy),
        )
        for point in history.points[::-1]
    ]
    head = (say("Night"), say("Champion"), say("Right"), say("95% interval"), "n", say("Challenger"))
    return table(head, rows, numbers=(2, 3, 4, 5))


def confusion_card(environment: Environment, quality: Quality | None) -> str:
    """What was right against what was said, each cell as a share of its row."""
    title = say("What it mixes up")
    if quality is None:
        return card(title, nothing_yet(say("The champion has not been measured yet; the next night does it.")))
    answers = environment.answers or ()
    head = "".join(f'<th scope="col">{escape(answer_title(environment, answer))}</th>' for answer in answers)
    rows = "".join(_confusion_row(environment, quality, answers, right) for right in answers)
    overall = quality.overall
    told = say(
        "Of {n} examples labelled by people that it had not trained on, {share} are right ({interval}).",
        n=overall.n,
        share=percent(overall.accuracy),
        interval=interval(overall.ci95),
    )
    return card(
        title,
        f'<div class="ns-scroll"><table class="ns-confusion"><caption>{say("It says …")}</caption><thead><tr>'
        f'<th scope="col">{say("Right is …")}</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="ns-fine">{told} {_measured_when(quality)}</p>',
    )


def _confusion_row(environment: Environment, quality: Quality, answers: Sequence[str], right: str) -> str:
    of_row = [quality.confusion.get((right, answer), 0) for answer in answers]
    cells = "".join(
        f'<td class="{tone(environment, answer)}" style="--share:{count / max(1, sum(of_row)):.3f}">'
        f"<strong>{count}</strong> <span>{figure(count / max(1, sum(of_row)), '.0%')}</span></td>"
        for answer, count in zip(answers, of_row, strict=True)
    )
    return f'<tr><th scope="row">{escape(answer_title(environment, right))}</th>{cells}</tr>'


def _measured_when(quality: Quality) -> str:
    return say("Measured {at} on {release}.", at=moment(quality.at), release=short_id(quality.release))


def reliability_card(quality: Quality | None) -> str:
    """Whether answers are as often right as they say they are."""
    title = say("Whether it knows how sure it may be")
    if quality is None or not quality.reliability:
        return card(title, nothing_yet(say("There are no measured answers yet.")))
    bins = [Calibrated(each.confidence, each.right, *each.ci95, n=each.n) for each in quality.reliability]
    error = percent(quality.overall.ece)
    alt = say("Reliability diagram in {n} steps; expected calibration error {error}.", n=len(bins), error=error)
    drawn = reliability_chart(bins, title=alt, across=say("stated confidence"), up=say("share that is right"))
    caption = say(
        "On the dashed line answers are as often right as they say. Expected calibration error: {error}.", error=error
    )
    rows = [
        (
            f"{figure(each.low, '.0%')} – {figure(each.high, '.0%')}",
            str(each.n),
            percent(each.confidence),
            percent(each.right),
            interval(each.ci95),
        )
        for each in quality.reliability
    ]
    head = (say("Confidence"), "n", say("Its mean"), say("Right"), say("95% interval"))
    return card(title, f'<div class="ns-small">{chart(drawn, caption, table(head, rows, numbers=(1, 2, 3, 4)))}</div>')


def domains_card(quality: Quality | None) -> str:
    """Accuracy by kind of work, most examples first."""
    title = say("By kind of work")
    if quality is None or not quality.by_domain:
        return card(title, nothing_yet(say("No kind of work has three measured examples yet.")))
    shown = list(quality.by_domain.items())[:SHOWN_DOMAINS]
    shares = [_share(name, summary) for name, summary in shown]
    alt = say("Accuracy for {n} kinds of work, each with its 95% interval.", n=len(shown))
    rows = [
        (escape(_plain(name)), str(of.n), percent(of.accuracy), interval(of.ci95))
        for name, of in quality.by_domain.items()
    ]
    table_of = table((say("Kind of work"), "n", say("Right"), say("95% interval")), rows, numbers=(1, 2, 3))
    return card(title, chart(share_chart(shares, title=alt), say("Share right, with its 95% interval."), table_of))


def _share(name: str, summary: Summary) -> Share:
    low, high = summary.ci95 or (0.0, 1.0)
    return Share(f"{_plain(name)} ({summary.n})", summary.accuracy or 0.0, low, high)


def _plain(name: str) -> str:
    return name.replace("_", " ")
