"""What the judges leave to people: open verdicts on which they contradict each other or the model."""

from html import escape

from app.console import pages
from app.console.drawing import answer_title, badge, card, figure_of, table
from app.console.language import figure, later, say
from app.console.lessons import environment_title, said
from app.console.states import nothing_yet
from core.environments import Environment
from core.schema import Judgment, Media
from core.services import Workspace
from core.services.standing import Disagreement, open_disagreements

__all__ = ["settling"]

SHOWN = 10


def settling(ws: Workspace, environment: Environment) -> str:
    """The card; those between judges come first, as they do in the review queue."""
    title = say("To be settled")
    found = open_disagreements(ws, environment.name)
    if not found:
        return card(
            title, nothing_yet(say("No judge contradicts the model, or another judge, on what waits for a person."))
        )
    one, more = (
        later("Judges contradict each other or the model on one example."),
        later("Judges contradict each other or the model on {n} examples."),
    )
    told = say(one if len(found) == 1 else more, n=len(found))
    page = pages.word_page(environment)
    leads_to = pages.address(page, environment, ws)
    link = f'<a href="{leads_to}">{say("Settle them in {page}", page=say(page.title))}</a>'
    pictures = {each.id: each for each in ws.store.find(Media, id={each.example.media[0] for each in found[:SHOWN]})}
    rows = [_row(environment, each, pictures.get(each.example.media[0])) for each in found[:SHOWN]]
    head = (say("Picture"), environment_title(environment), say("Model"), say("Judges"), "")
    return card(title, f'<p>{told} {link}</p><div class="ns-lessons">{table(head, rows)}</div>')


def _row(environment: Environment, each: Disagreement, media: Media | None) -> tuple[str, ...]:
    alt = say("Picture for: {ask}", ask=each.example.ask)
    thumb = f'<div class="ns-thumb">{figure_of(environment, media, alt=alt)}</div>' if media else ""
    model = said(environment, str(each.prediction.answer), each.prediction.confidence)
    word = say("among judges") if each.between == "judges" else say("judge and model")
    return (
        thumb,
        f'<span class="ns-clipped" title="{escape(each.example.ask)}">{escape(each.example.ask)}</span>',
        model,
        "<br>".join(_judged(environment, judgment) for judgment in each.judgments),
        badge(word, "open"),
    )


def _judged(environment: Environment, judgment: Judgment) -> str:
    best = max(judgment.scores, key=lambda each: each.score)
    title = escape(answer_title(environment, best.answer))
    return f"{escape(judgment.judge)}: <strong>{title}</strong> {figure(best.score, '.0%')}"
