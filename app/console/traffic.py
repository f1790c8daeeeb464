"""Cards about what comes in and goes out: volume, verdicts, response times, drift, and agreement between people."""

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape

from app.console.drawing import answer_title, badge, card, day, moment, table, tone
from app.console.language import figure, later, say
from app.console.quality import chart, percent
from app.console.states import nothing_yet
from core.environments import Environment
from core.evaluation import Drift
from core.evaluation.trends import Line, Stack, line_chart, stack_chart
from core.services.metrics import BetweenPeople, Drifts, JudgeKappa, Live
from core.store import DayOfPredictions

__all__ = ["agreement_card", "drift_card", "kappa_word", "tiles", "traffic_card"]

SHOWN_DAYS = 30
SHOWN_PAIRS = 12
DRIFTS = {
    "answers": later("Verdicts: which answers are given"),
    "confidence": later("Verdicts: how sure they are"),
    "kinds of work": later("Inputs: kinds of work"),
    "sizes of screens": later("Inputs: sizes of screens"),
}
KAPPA = ((0.2, later("slight")), (0.4, later("fair")), (0.6, later("moderate")), (0.8, later("substantial")))


def tiles(facts: Sequence[tuple[str, str, str]]) -> str:
    """Large figures side by side: name, figure (HTML), and what to know of it."""
    shown = "".join(
        f'<div class="ns-tile"><dt>{escape(name)}</dt><dd><strong>{value}</strong><span>{note}</span></dd></div>'
        for name, value, note in facts
    )
    return f'<dl class="ns-tiles">{shown}</dl>'


def traffic_card(environment: Environment, live: Live) -> str:
    """How many verdicts a day, which, and how fast."""
    title = say("Verdicts and response times")
    if not live.days:
        return card(title, nothing_yet(say("Nothing has been classified yet.")))
    shown = _last_days(live)
    labels = [day(each) for each, _ in shown]
    known = [figures for _, figures in shown if figures is not None]
    volume = stack_chart(
        labels,
        _stacks(environment, shown),
        title=say(
            "Verdicts a day over {days} days; {n} in all, {last} on the last day.",
            days=len(shown),
            n=sum(figures.predictions for figures in known),
            last=known[-1].predictions if known else 0,
        ),
    )
    speed = line_chart(
        labels,
        [
            Line(say("95 in 100"), [of.latency_ms_p95 if of else None for _, of in shown], strong=False),
            Line(say("median"), [of.latency_ms_p50 if of else None for _, of in shown]),
        ],
        title=say("Response times in milliseconds, median and 95th percentile, day by day."),
        unit=" ms",
    )
    legend = "".join(
        f'<span class="{stack.tone}">{escape(stack.label)}</span>' for stack in _stacks(environment, shown)
    )
    caption = (
        f'<span class="ns-legend">{legend}</span>{say("Days in UTC. Below: milliseconds from picture to verdict.")}'
    )
    return card(title, chart(f"{volume}{speed}", caption, _days_table(environment, known)))


def _last_days(live: Live) -> list[tuple[date, DayOfPredictions | None]]:
    """The days up to the last one with predictions, those without any included."""
    by_day = {each.day: each for each in live.days}
    last = live.days[-1].day
    count = min(SHOWN_DAYS, (last - live.days[0].day).days + 1)
    wanted = [last - timedelta(days=back) for back in range(count - 1, -1, -1)]
    return [(each, by_day.get(each)) for each in wanted]


def _stacks(environment: Environment, shown: Sequence[tuple[date, DayOfPredictions | None]]) -> list[Stack]:
    answers = [*(environment.answers or ())]
    answers += sorted({answer for _, of in shown if of for answer in of.answers} - set(answers))
    stacks = [
        Stack(
            answer_title(environment, answer),
            tone(environment, answer),
            [of.answers.get(answer, 0) if of else 0 for _, of in shown],
        )
        for answer in answers
    ]
    by_people = Stack(say("a person's word"), "ns-answer-2", [of.from_person if of else 0 for _, of in shown])
    return [*stacks, by_people] if any(by_people.values) else stacks


def _days_table(environment: Environment, known: Sequence[DayOfPredictions]) -> str:
    answers = environment.answers or ()
    rows = [
        (
            day(of.day),
            f"{of.predictions:,}",
            *(f"{of.answers.get(answer, 0):,}" for answer in answers),
            percent(of.confidence),
            _ms(of.latency_ms_p50),
            _ms(of.latency_ms_p95),
        )
        for of in known[::-1]
    ]
    titles = [answer_title(environment, answer) for answer in answers]
    head = (say("Day"), say("Verdicts"), *titles, say("Mean confidence"), say("Median"), say("95 in 100"))
    return table(head, rows, numbers=tuple(range(1, len(head))))


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"


def drift_card(found: Drifts) -> str:
    """Whether what comes in, or what is answered, is other than it was."""
    title = say("Drift")
    if found.found is None:
        return card(
            title,
            nothing_yet(
                say(
                    "Too little to compare: the champion gave {lately} answers since {border}, and {before} before. "
                    "A hundred on each side say something.",
                    lately=found.lately,
                    border=day(found.border),
                    before=found.before,
                )
            ),
        )
    rows = [
        (escape(say(DRIFTS[each.what])), badge(*_drift_word(each)), figure(each.stability_index, ".3f"), _p(each.p))
        for each in found.found
    ]
    head = (say("What"), say("Moved?"), say("Index"), "p")
    note = say(
        "The champion's answers since {border} ({lately}) against all its earlier ones ({before}). Index: population "
        "stability, 0.2 and more with a small p counts as moved.",
        border=day(found.border),
        lately=found.lately,
        before=found.before,
    )
    return card(title, f'{table(head, rows, numbers=(2, 3))}<p class="ns-fine">{note}</p>')


def _drift_word(moved: Drift) -> tuple[str, str]:
    return (say("moved"), "bad") if moved.is_there else (say("as before"), "good")


def _p(value: float) -> str:
    return figure(value, ".3f") if value >= 0.001 else f"<{figure(0.001, '.3f')}"


def agreement_card(people: Sequence[BetweenPeople], judges: Sequence[JudgeKappa]) -> str:
    """Kappa of people with each other, and of judges with people: what can be expected of a model at all."""
    rows = [
        (
            f"{escape(each.first)} · {escape(each.second)}",
            _kappa(each.kappa, each.kappa_ci95),
            say("{same} of {n} alike", same=each.same, n=each.n),
        )
        for each in people[:SHOWN_PAIRS]
    ]
    rows += [
        (
            say("judge {name} · people", name=escape(each.judge)),
            _kappa(each.overall.kappa, each.overall.kappa_ci95),
            say("{scored} scored, {at}", scored=each.overall.scored, at=moment(each.at)),
        )
        for each in judges
    ]
    hint = ""
    if not people:
        hint = nothing_yet(
            say("No example has the words of two people yet; Review puts some before several reviewers.")
        )
    if not judges:
        hint += nothing_yet(say("No judge has been audited yet."))
    shown = table((say("Who"), say("Kappa"), say("On what")), rows) if rows else ""
    note = say("Kappa: 0 is chance, 1 is perfect agreement; in brackets its 95% interval.")
    return card(say("Agreement"), f'{hint}{shown}<p class="ns-fine">{note}</p>')


def _kappa(kappa: float | None, ci95: tuple[float, float] | None) -> str:
    if kappa is None:
        return f'<span class="ns-soft">{say("none yet")}</span>'
    bounds = f" ({figure(ci95[0], '.2f')} – {figure(ci95[1], '.2f')})" if ci95 else ""
    return f"<strong>{figure(kappa, '.2f')}</strong>{bounds} <span class='ns-soft'>{kappa_word(kappa)}</span>"


def kappa_word(kappa: float) -> str:
    """In a word (Landis and Koch, Biometrics 33, 1977)."""
    if kappa <= 0:
        return say("none")
    return say(next((word for below, word in KAPPA if kappa < below), later("almost perfect")))
