"""One item of the review queue as HTML: its picture, what is asked and answered, and why."""

from html import escape

from app.console.drawing import answer_title, card, figure_of, notice, verdict_card, why_card
from app.console.language import say
from app.console.review_texts import TEXTS
from core.environments import Environment
from core.schema import CANNOT_TELL, ChosenBy, Correction, Label, Media
from core.services import ReviewItem

__all__ = ["item_parts", "people_said"]

MOST_OTHERS = 3
"Near-duplicates whose labels are told."
HIDDEN = {ChosenBy.RANDOM_AUDIT: "blind", ChosenBy.DISAGREEMENT: "apart"}


def item_parts(environment: Environment, item: ReviewItem, media: Media, *, hidden: bool) -> dict[str, str]:
    """The picture, the words beside it and the reasons, each as a fragment. Nothing of a hidden verdict is in them."""
    evidence = () if hidden else item.prediction.evidence
    return {
        "figure": figure_of(environment, media, evidence, alt=TEXTS["alt"].format(ask=item.example.ask)),
        "words": _words(environment, item, hidden=hidden),
        "why": "" if hidden else _why(environment, item),
    }


def _words(environment: Environment, item: ReviewItem, *, hidden: bool) -> str:
    verdict = _hidden_card(item) if hidden else verdict_card(environment, item.prediction, turn=item.prediction.id)
    flips = notice(TEXTS["flips"], "open") if item.flips and not hidden else ""
    return (
        f'<section class="ns-ask"><p class="ns-kicker">{escape(say(environment.ask_title))}</p>'
        f"<p>{escape(item.example.ask)}</p></section>{flips}{verdict}"
    )


def _hidden_card(item: ReviewItem) -> str:
    why = HIDDEN.get(item.chosen_by, "hidden") if item.blind else "hidden"
    return (
        f'<article class="ns-card ns-verdict ns-blind"><p class="ns-kicker">{TEXTS[f"{why}_kicker"]}</p>'
        f'<h2>{TEXTS["blind_title"]}</h2><p class="ns-sure">{TEXTS[why]}</p></article>'
    )


def _why(environment: Environment, item: ReviewItem) -> str:
    return f"{people_said(environment, item)}{_judges(environment, item)}{why_card(environment, item.prediction)}"


def people_said(environment: Environment, item: ReviewItem) -> str:
    """What is to be settled or checked: who said what, of this one and of near-duplicates."""

    def said(word: Correction | Label, of: str = "") -> str:
        reason = f" – “{escape(word.reason)}”" if word.reason else ""
        answer = escape(answer_title(environment, word.answer))
        return f"<dt>{escape(word.reviewer)}</dt><dd>{answer}{of}{reason}</dd>"

    if item.dispute is None:
        words = [said(word) for word in item.said]
        apart = len({word.answer for word in item.said if word.answer != CANNOT_TELL}) > 1
    else:
        others = item.dispute.others[:MOST_OTHERS]
        words = [*map(said, item.dispute.words), *(said(word, f" {TEXTS['of_duplicate']}") for word in others)]
        apart = True
    if not words:
        return ""
    settles = f"<p>{TEXTS['settles']}</p>" if apart else ""
    return card(TEXTS["people_said"], f"{settles}<dl>{''.join(words)}</dl>")


def _judges(environment: Environment, item: ReviewItem) -> str:
    """Why this one comes first, where the judges contradict each other on it."""
    if not item.contradicting:
        return ""
    said = []
    for judgment in item.contradicting:
        best = max(judgment.scores, key=lambda each: each.score)
        title = answer_title(environment, best.answer)
        said.append(f"<dt>{escape(judgment.judge)}</dt><dd>{escape(title)}, {best.score:.0%}</dd>")
    return card(TEXTS["judges_apart"], f"<p>{TEXTS['settles']}</p><dl>{''.join(said)}</dl>")
