"""Fragments of the page as HTML. Everything that comes from data is escaped here, and nowhere else is HTML made of it.

Gradio's templates would run `${...}` inside values put in by Handlebars, so fragments are whole strings that are shown
as they are.
"""

from collections.abc import Sequence
from datetime import date, datetime
from html import escape

from app.console.language import later, say
from core.environments import Environment
from core.environments.screen import Element
from core.schema import CANNOT_TELL, Evidence, Media, Prediction
from core.services.verifying import ScreenFindings

__all__ = [
    "answer_title",
    "badge",
    "card",
    "day",
    "elements_figure",
    "figure_of",
    "moment",
    "notice",
    "short_id",
    "table",
    "tone",
    "verdict_card",
    "why_card",
]

SURENESS = (
    (0.6, later("barely more than a guess")),
    (0.8, later("fairly sure")),
    (0.95, later("sure")),
    (1.01, later("very sure")),
)


def answer_title(environment: Environment, answer: object) -> str:
    """How an answer is shown to a person; plain text."""
    if answer == CANNOT_TELL:
        return say("Cannot tell")
    return say(environment.answer_titles.get(str(answer), str(answer)))


def tone(environment: Environment, answer: object) -> str:
    """The style class that gives each answer its colour everywhere."""
    answers = environment.answers or ()
    return f"ns-answer-{answers.index(answer)}" if answer in answers else "ns-answer-none"


def leaning(environment: Environment, weight: float) -> str:
    """The style class of the answer that a piece of evidence speaks for; see `Evidence.weight`."""
    if not weight or not environment.answers:
        return "ns-answer-none"
    return tone(environment, environment.answers[0 if weight > 0 else 1])


def short_id(id: str | None) -> str:
    """The beginning of an id, enough to tell it from others."""
    return f"<code>{escape(id[:10])}</code>" if id else say("none")


def moment(at: datetime | str) -> str:
    """A moment as the browser's script and a reader without one can both show it."""
    when = datetime.fromisoformat(at) if isinstance(at, str) else at
    local = when.astimezone()
    exact, short = say("{at:%A %d %B %Y, %H:%M:%S %Z}", at=local), say("{at:%d %b %Y, %H:%M}", at=local)
    return f'<time datetime="{when.isoformat()}" title="{exact}">{short}</time>'


def day(at: date) -> str:
    """A day, short enough for a chart."""
    return say("{at:%d %b}", at=at)


def card(title: str, body: str) -> str:
    """A titled box; `body` is HTML already."""
    return f'<section class="ns-card"><h3 class="ns-title">{escape(title)}</h3>{body}</section>'


def badge(text: str, kind: str) -> str:
    """A word in a coloured pill; `kind` is good, bad, open or now."""
    return f'<span class="ns-badge ns-{kind}">{escape(text)}</span>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """A table whose cells are HTML already; `numbers` are the columns that are set flush right."""

    def cell(tag: str, column: int, content: str) -> str:
        return f"<{tag}{' class=ns-number' if column in numbers else ''}>{content}</{tag}>"

    top = "".join(cell("th", column, escape(name)) for column, name in enumerate(head))
    body = "".join(f"<tr>{''.join(cell('td', *place) for place in enumerate(row))}</tr>" for row in rows)
    rows_and_head = f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="ns-scroll"><table class="ns-table">{rows_and_head}</table></div>'


def notice(text: str, kind: str = "good") -> str:
    """A line that says what just happened; `kind` is good, bad or open. Empty text leaves no trace."""
    return f'<p class="ns-notice ns-{kind}" role="status">{escape(text)}</p>' if text else ""


def figure_of(environment: Environment, media: Media, evidence: Sequence[Evidence] = (), *, alt: str) -> str:
    """The picture at its natural proportions, with the boxes of the evidence drawn on it."""
    boxes = "".join(
        _box(number, item, leaning(environment, item.weight))
        for number, item in _numbered(evidence)
        if item.box is not None
    )
    return (
        f'<figure class="ns-screen" style="--ratio:{media.width / media.height:.4f}" tabindex="0" role="button" '
        f'aria-label="{say("Show the picture in full")}" title="{say("Show in full")}">'
        f'<img src="/v1/media/{escape(media.id)}" alt="{escape(alt)}" width="{media.width}" height="{media.height}">'
        f"{boxes}</figure>"
    )


def elements_figure(environment: Environment, media: Media, found: ScreenFindings, *, alt: str) -> str:
    """The picture with its title and elements as a layer over it, and a legend; text that says nothing is left out."""
    shown = [
        element
        for element in found.elements
        if element.kind != "text" or element.says in ("relevant", "distracting") or element.text == found.title
    ]
    marks = "".join(_mark(element, is_title=element.text == found.title) for element in shown)
    figure = figure_of(environment, media, alt=alt).replace("</figure>", f"{marks}</figure>")
    first, second = (escape(answer_title(environment, answer)) for answer in (environment.answers or ("", ""))[:2])
    title = f"“{escape(found.title)}”" if found.title is not None else say("none found")
    told = say(
        "Window title: {title}. {n} elements; a part speaks for an answer where the verdict would lean the other way "
        "without it.",
        title=title,
        n=len(shown),
    )
    return (
        f'{figure}<p class="ns-legend ns-layer"><span class="ns-relevant">{say("speaks for {answer}", answer=first)}'
        f'</span><span class="ns-distracting">{say("speaks for {answer}", answer=second)}</span>'
        f'<span class="ns-neutral">{say("neither")}</span></p><p class="ns-fine">{told}</p>'
    )


def _mark(element: Element, *, is_title: bool) -> str:
    name = say("title") if is_title else say(element.kind.replace("_", " "))
    weight = "" if element.weight is None else f" {element.weight:+.1f}"
    kind = f"ns-{element.says or 'neutral'}"
    # A label on a button would hide what it says.
    label = "" if element.kind == "button" and not is_title else f"<b>{escape(name)}</b>"
    return (
        f'<span class="ns-element {kind}" style="{_place(element.box)}" title="{escape(name + weight)}">{label}</span>'
    )


def _place(box: tuple[float, float, float, float]) -> str:
    left, top, right, bottom = box
    return f"left:{left:.2%};top:{top:.2%};width:{max(0.0, right - left):.2%};height:{max(0.0, bottom - top):.2%}"


def _numbered(evidence: Sequence[Evidence]) -> list[tuple[int, Evidence]]:
    """Evidence that stands somewhere on the picture, counted from 1."""
    return list(enumerate((item for item in evidence if item.box is not None), start=1))


def _box(number: int, item: Evidence, lean: str) -> str:
    box = item.box or (0.0, 0.0, 0.0, 0.0)
    atop = " ns-atop" if box[1] < 0.04 else ""
    return f'<span class="ns-box {lean}{atop}" style="{_place(box)}" data-mark="{number}"><b>{number}</b></span>'


def verdict_card(environment: Environment, said: Prediction, *, turn: str) -> str:
    """The verdict and how sure it is."""
    title, colour = escape(answer_title(environment, said.answer)), tone(environment, said.answer)
    if said.from_person:
        kicker = say("A person says")
        sure = f'<p class="ns-sure">{say("It was said before; the model was not needed.")}</p>'
    else:
        words = say(next(word for below, word in SURENESS if said.confidence < below))
        kicker = say("The model says")
        sure = (
            f'<div class="ns-bar {colour}" role="meter" aria-label="{say("Confidence")}" aria-valuemin="0" '
            f'aria-valuemax="100" aria-valuenow="{said.confidence * 100:.0f}">'
            f'<i style="width:{said.confidence:.1%}"></i></div>'
            f'<p class="ns-sure"><strong>{said.confidence:.0%}</strong> {words}</p>'
        )
    return (
        f'<article class="ns-card ns-verdict" role="status" data-turn="{escape(turn)}">'
        f'<p class="ns-kicker">{kicker}</p><h2 class="{colour}">{title}</h2>{sure}</article>'
    )


def why_card(environment: Environment, said: Prediction) -> str:
    """What decided it, strongest first, numbered as on the picture, and who answered in what time."""
    evidence = () if said.from_person else said.evidence
    heaviest = max((abs(item.weight) for item in evidence), default=0.0) or 1.0
    remarks = "".join(f'<li class="ns-remark">{escape(item.text)}</li>' for item in evidence if item.box is None)
    rows = "".join(
        f'<li class="{leaning(environment, item.weight)}" data-mark="{number}"><b>{number}</b>'
        f'<span class="ns-line">{escape(item.text)}</span>'
        f'<span class="ns-weight" aria-hidden="true"><i style="width:{abs(item.weight) / heaviest:.0%}"></i></span>'
        "</li>"
        for number, item in _numbered(evidence)
    )
    legend = "".join(
        f'<span class="{tone(environment, answer)}">'
        f"{say('speaks for {answer}', answer=escape(answer_title(environment, answer)))}</span>"
        for answer in environment.answers or ()
    )
    decided = (
        f'<h3>{say("What decided it")}</h3><ul>{remarks}{rows}</ul><p class="ns-legend">{legend}</p>'
        if evidence
        else ""
    )
    return (
        f'<section class="ns-card ns-why">{decided}'
        f'<p class="ns-fine">{say("release {id}", id=short_id(said.release))} · {_duration_ms(said.latency_ms)}</p>'
        "</section>"
    )


def _duration_ms(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
