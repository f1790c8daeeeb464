"""What corrections taught: the examples whose verdict changed from champion to challenger, one by one."""

from collections.abc import Mapping, Sequence
from html import escape

from app.console.drawing import answer_title, badge, card, figure_of, moment, table, tone
from app.console.language import figure, later, say
from app.console.quality import percent
from app.console.states import nothing_yet
from core.environments import Environment
from core.schema import Media
from core.services import Workspace
from core.services.metrics import Lesson, Taught

__all__ = ["CHANGES", "environment_title", "lessons_card", "lessons_table", "said"]

SHOWN = 12
CHANGES = {
    "mended": (later("mended"), "good"),
    "broken": (later("broken"), "bad"),
    "other": (later("otherwise wrong"), "open"),
}


def lessons_card(ws: Workspace, environment: Environment, taught: Taught | None) -> str:
    """Before and after, of one night."""
    title = say("What corrections taught")
    if taught is None:
        return card(title, nothing_yet(say("No night has learnt from corrections yet.")))
    night = say("night of {at}", at=moment(taught.decision.at))
    told = say(
        "On the {n} labelled examples of the {night}, the champion had {before} right and the challenger {after}.",
        n=taught.n,
        night=night,
        before=percent(taught.champion.accuracy),
        after=percent(taught.challenger.accuracy),
    )
    if not taught.lessons:
        return card(title, f"<p>{told} {say('No verdict changed.')}</p>")
    note = say(
        "None of these was trained on by the side that answers: golden examples never are, and the others are answered "
        "by a challenger that was trained without them."
    )
    more = len(taught.lessons) - SHOWN
    rest = f'<p class="ns-fine">{say("{n} more changed.", n=more)}</p>' if more > 0 else ""
    return card(
        title,
        f'<p>{told}</p>{lessons_table(ws, environment, taught.lessons[:SHOWN])}{rest}<p class="ns-fine">{note}</p>',
    )


def lessons_table(ws: Workspace, environment: Environment, lessons: Sequence[Lesson]) -> str:
    """One row an example: picture, work, a person's word, before and after."""
    pictures = {each.id: each for each in ws.store.find(Media, id={lesson.example.media[0] for lesson in lessons})}
    rows = [_row(environment, pictures, lesson) for lesson in lessons]
    head = (say("Picture"), environment_title(environment), say("Before"), say("After"), "")
    return f'<div class="ns-lessons">{table(head, rows)}</div>'


def environment_title(environment: Environment) -> str:
    """What a description is called."""
    return say(environment.ask_title)


def _row(environment: Environment, pictures: Mapping[str, Media], lesson: Lesson) -> tuple[str, ...]:
    media = pictures.get(lesson.example.media[0])
    alt = say("Picture for: {ask}", ask=lesson.example.ask)
    shown = f'<div class="ns-thumb">{figure_of(environment, media, alt=alt)}</div>' if media else ""
    word, kind = CHANGES[lesson.change]
    about = badge(say("corrected"), "now") if lesson.corrected else ""
    seen = say("golden") if lesson.golden else say("cross-fitted")
    return (
        shown,
        f'<span class="ns-clipped" title="{escape(lesson.example.ask)}">{escape(lesson.example.ask)}</span>',
        said(environment, lesson.before, lesson.before_probability),
        said(environment, lesson.after, lesson.after_probability),
        f'{badge(say(word), kind)} {about} <span class="ns-fine">{seen}</span>',
    )


def said(environment: Environment, answer: str, probability: float | None) -> str:
    """An answer in its colour, with how sure it is."""
    sure = f" <span>{figure(probability, '.0%')}</span>" if probability is not None else ""
    return f'<span class="ns-said {tone(environment, answer)}">{escape(answer_title(environment, answer))}</span>{sure}'
