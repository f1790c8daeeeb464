"""The page on which an inspector works through groups of photos: pictures, lines, a verdict and its reason."""

import threading
from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from app.access import allow
from app.console import pages
from app.console.drawing import answer_title, notice, tone, verdict_card
from app.console.keys import review_keys
from app.console.language import label, say
from app.console.review_item import people_said
from app.console.shell import event, html, page_head
from app.engine import Engine
from app.inspecting import NAME, stages_of
from core.access import acting
from core.environments.group_qc.dossier import Dossier, image_key
from core.schema import CANNOT_TELL, Correction, Example, NightshiftError, Prediction, Role, new_id
from core.services import (
    Given,
    ReviewItem,
    Seat,
    Workspace,
    answer_claimed,
    claim_also,
    give_back,
    hand_out,
    renew,
    review_queue,
    take_back,
    take_up,
)
from core.services.groups import Mended

__all__ = ["GroupsPage", "groups_page"]

SESSION_S = 12 * 3600
AT_HAND = 3
"Groups that one person has before them, the one that is shown and the next ones."
SEEN_BY_VIEWERS = 20
RENEW_S = 30.0
LINES_CORRECTED, LINES_TAKEN_BACK = "its lines were corrected", "its corrected lines were taken back"


class Step(NamedTuple):
    """What a person did with a group: said a verdict, or corrected its lines and got it anew."""

    item: ReviewItem
    word: Correction
    lines: tuple[str, ...] = ()
    "The words about its lines."
    anew: str = ""
    "The prediction that was made by these."


@dataclass
class Sitting:
    """What is before one person, and the way back. Every method of the page holds the lock."""

    id: str = field(default_factory=new_id)
    items: list[ReviewItem] = field(default_factory=list)
    waiting: int = 0
    "Groups that are in nobody's hands."
    steps: list[Step] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    "Predictions that were put off."
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def current(self) -> ReviewItem | None:
        return self.items[0] if self.items else None

    @property
    def said(self) -> list[Step]:
        """The verdicts among the steps."""
        return [step for step in self.steps if not step.lines]

    @property
    def agreed(self) -> int:
        """Verdicts of the model that this person gave too."""
        return sum(step.item.prediction.answer == step.word.answer for step in self.said)


def groups_page(console: gr.Blocks, ws: Workspace, engine: Engine) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    environment = ws.environment(NAME)
    answers = (*(environment.answers or ()), CANNOT_TELL)
    page = GroupsPage(ws, engine)
    titles = [answer_title(environment, answer) for answer in answers[:-1]]
    page_head(pages.GROUPS, environment, review_keys(titles), ws)
    sitting = gr.State(None, time_to_live=SESSION_S)
    shown = gr.Textbox(visible=False)
    with gr.Column(elem_classes="ns-page ns-review", elem_id="ns-groups"):
        progress = html()
        with gr.Row(elem_classes="ns-split"):
            with gr.Column(scale=7, min_width=320):
                gallery = html(elem_id="screen")
                lines = gr.Textbox(
                    label=label("Lines of the photos, one each"), lines=6, elem_id="lines", visible=False
                )
                save = gr.Button(label("Save lines and look again"), elem_id="save-lines", visible=False)
            with gr.Column(scale=4, min_width=320, elem_id="ns-panel"):
                panel = html()
                with gr.Column(visible=False, elem_classes="ns-word ns-once ns-dock") as word:
                    with gr.Row(elem_classes="ns-pair"):
                        buttons = [
                            gr.Button(
                                label(title),
                                elem_id=f"answer-{place}",
                                elem_classes=f"ns-toned {tone(environment, answer)}",
                            )
                            for place, (answer, title) in enumerate(zip(answers[:-1], titles, strict=True), start=1)
                        ]
                    with gr.Row(elem_classes="ns-pair"):
                        buttons.append(gr.Button(label("Cannot tell"), elem_id=f"answer-{len(answers)}"))
                        skip = gr.Button(label("Skip"), elem_id="skip")
                take_back = gr.Button(label("Undo"), elem_id="undo", visible=False, elem_classes="ns-once")
                reason = gr.Textbox(
                    label=label("Reason"), placeholder="图片_2，接地线松脱", elem_id="reason", visible=False
                )
        again = gr.Button(label("Look again"), elem_id="again", visible=False)
    outputs = [sitting, progress, gallery, lines, save, panel, word, reason, take_back, again, shown]
    for button, answer in zip(buttons, answers, strict=True):
        button.click(partial(page.answer, answer), [sitting, shown, reason], outputs, **event())
    save.click(page.save_lines, [sitting, shown, lines], outputs, **event())
    skip.click(page.skip, [sitting, shown], outputs, **event())
    take_back.click(page.undo, [sitting], outputs, **event())
    again.click(page.begin, None, outputs, **event())
    gr.Timer(RENEW_S).tick(page.stay, [sitting], None, **event())
    console.load(page.begin, None, outputs, **event())


class GroupsPage:
    """The handlers. The sitting says what was shown and how it was chosen; a page that says otherwise is ignored."""

    def __init__(self, ws: Workspace, engine: Engine) -> None:
        self.ws, self.engine = ws, engine
        self.environment = ws.environment(NAME)

    @allow(Role.VIEWER)
    def begin(self) -> list[Any]:
        """The queue as it stands now."""
        sitting = Sitting()
        self._refill(sitting)
        return self._state(sitting)

    @allow(Role.VIEWER)
    def stay(self, sitting: Any) -> None:
        """The page is still open: what is at hand stays with this person."""
        if isinstance(sitting, Sitting) and _may_answer():
            with sitting.lock:
                renew(self.ws, _seat(sitting), [item.prediction.id for item in sitting.items])

    @allow(Role.OPERATOR)
    def answer(self, answer: str, sitting: Any, shown: Any, reason: Any) -> list[Any]:
        """A person's verdict, and why, on the group that is shown."""
        if not isinstance(sitting, Sitting):
            return self.begin()
        with sitting.lock:
            item = self._shown(sitting, shown)
            if item is None:
                return self._state(sitting)
            # Who agrees with a verdict and a reason that were shown stands by both.
            shown_reason = None if self._is_blind(item) or answer != item.prediction.answer else item.prediction.reason
            why = str(reason or "") or shown_reason
            (word,) = answer_claimed(self.ws, _seat(sitting), [Given(new_id(), item.prediction.id, answer, why)])
            if isinstance(word, NightshiftError):
                return self._state(sitting, notice(say("Not stored: {detail}", detail=word), "bad"))
            sitting.steps.append(Step(item, word))
            self._next(sitting)
            return self._state(sitting, notice(say("Stored: {answer}", answer=answer_title(self.environment, answer))))

    @allow(Role.OPERATOR)
    def save_lines(self, sitting: Any, shown: Any, lines: Any) -> list[Any]:
        """Corrected lines: each that changed is kept, and the group is answered anew by them."""
        if not isinstance(sitting, Sitting):
            return self.begin()
        with sitting.lock:
            item = self._shown(sitting, shown)
            if item is None:
                return self._state(sitting)
            try:
                mended = self._with_lines(item.prediction, str(lines or "").split("\n"), _dossier(item))
            except NightshiftError as error:
                return self._state(sitting, notice(say("Not stored: {detail}", detail=error), "bad"))
            if mended is None:
                return self._state(sitting, notice(say("No line was changed."), "open"))
            seat, anew = _seat(sitting), mended.inspected.prediction
            # By lines that were wrong nobody is to judge the group: so it waits for nobody any more.
            (word,) = answer_claimed(self.ws, seat, [Given(new_id(), item.prediction.id, CANNOT_TELL, LINES_CORRECTED)])
            if isinstance(word, NightshiftError) or anew is None:
                self._next(sitting)
                return self._state(sitting, notice(str(mended.inspected.error or word), "bad"))
            sitting.steps.append(Step(item, word, mended.words, anew.id))
            (example,) = self.ws.store.get_many(Example, [anew.example])
            by_new_lines = item.model_copy(update={"prediction": anew, "example": example})
            try:
                claim_also(self.ws, seat, by_new_lines)
            except NightshiftError as error:
                self._next(sitting)
                return self._state(sitting, notice(str(error), "open"))
            sitting.items[0] = by_new_lines
            return self._state(sitting, notice(say("The lines were stored, and the group was looked at again.")))

    def _with_lines(self, said: Prediction, lines: list[str], dossier: Dossier) -> Mended | None:
        """The words that were stored, and the group by all lines; None where none changed."""
        kept = [line.strip() for line in lines if line.strip()]
        if len(kept) != len(dossier.summaries):
            photos = len(dossier.summaries)
            raise NightshiftError(say("{n} lines for {photos} photos; each photo has one", n=len(kept), photos=photos))
        pairs = enumerate(zip(dossier.summaries, kept, strict=True), start=1)
        changed = {number: after for number, (before, after) in pairs if before != after}
        if not changed:
            return None
        return stages_of(self.engine).correct_lines(said, changed, reviewer=acting().name)

    @allow(Role.OPERATOR)
    def skip(self, sitting: Any, shown: Any) -> list[Any]:
        """The group comes back when nothing else is left."""
        if not isinstance(sitting, Sitting):
            return self.begin()
        with sitting.lock:
            item = self._shown(sitting, shown)
            if item is not None:
                give_back(self.ws, _seat(sitting), [item.prediction.id])
                sitting.skipped.add(item.prediction.id)
                self._next(sitting)
            return self._state(sitting, notice(say("Skipped for now"), "open") if item else "")

    @allow(Role.OPERATOR)
    def undo(self, sitting: Any) -> list[Any]:
        """The last word, taken back; its group is shown again."""
        if not isinstance(sitting, Sitting):
            return self.begin()
        with sitting.lock:
            if not sitting.steps:
                return self._state(sitting, notice(say("There is nothing to undo here."), "bad"))
            step, seat = sitting.steps[-1], _seat(sitting)
            try:
                item = take_up(self.ws, seat, step.item.prediction.id, correction=step.word.id)
                for line in step.lines:
                    take_back(self.ws, line, reviewer=seat.reviewer)
            except NightshiftError as error:
                return self._state(sitting, notice(str(error), "bad"))
            if step.anew:
                # By lines that nobody stands by any more nobody is to judge the group.
                answer_claimed(self.ws, seat, [Given(new_id(), step.anew, CANNOT_TELL, LINES_TAKEN_BACK)])
            sitting.steps.pop()
            sitting.items = [item, *(each for each in sitting.items if each.prediction.id != step.anew)]
            return self._state(sitting, notice(say("Taken back. Here it is again."), "open"))

    def _refill(self, sitting: Sitting) -> None:
        """Further groups, claimed so that nobody else gets them; who may only look is shown the queue."""
        if not _may_answer():
            sitting.items = review_queue(self.ws, NAME, limit=SEEN_BY_VIEWERS, reviewer=acting().name)
            return
        given = hand_out(self.ws, _seat(sitting), limit=AT_HAND, held=sitting.skipped)
        if not given.items and sitting.skipped:
            sitting.skipped.clear()
            given = hand_out(self.ws, _seat(sitting), limit=AT_HAND)
        sitting.items, sitting.waiting = given.items, given.waiting

    def _next(self, sitting: Sitting) -> None:
        sitting.items = sitting.items[1:]
        if not sitting.items:
            self._refill(sitting)

    @staticmethod
    def _shown(sitting: Sitting, shown: Any) -> ReviewItem | None:
        """What is before the person, where the page shows that."""
        item = sitting.current
        return item if item is not None and item.prediction.id == str(shown) else None

    def _state(self, sitting: Sitting, note: str = "") -> list[Any]:
        """Every part of the page for what is before the person now."""
        with sitting.lock:
            item = sitting.current
            head = _progress(sitting, note)
            can_undo = bool(sitting.steps)
        if item is None:
            parts = [f'<section class="ns-card ns-empty"><h2>{say("Nothing waits for you")}</h2></section>', ""]
        else:
            parts = [_gallery(item, is_blind=self._is_blind(item)), "\n".join(_dossier(item).summaries)]
        return [
            sitting,
            head,
            parts[0],
            gr.Textbox(parts[1], visible=item is not None),
            gr.Button(visible=item is not None),
            self._panel(item) if item else "",
            gr.Column(visible=item is not None),
            gr.Textbox("", visible=item is not None),
            gr.Button(visible=can_undo),
            gr.Button(visible=item is None),
            item.prediction.id if item else "",
        ]

    def _is_blind(self, item: ReviewItem) -> bool:
        """Whether the verdict is hidden: of this one, or of all by the settings."""
        return item.blind or self.ws.settings.review.blind

    def _panel(self, item: ReviewItem) -> str:
        dossier = _dossier(item)
        ask = (
            f'<section class="ns-ask"><p class="ns-kicker">{escape(dossier.title)}</p><p>{escape(dossier.focus)}</p>'
            f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in dossier.checklist)}</ul></section>"
        )
        if self._is_blind(item):
            return ask + _blind()
        reason = f'<p class="ns-reason" lang="zh">{escape(item.prediction.reason or "")}</p>'
        said = people_said(self.environment, item)
        return ask + said + verdict_card(self.environment, item.prediction, turn=new_id()) + reason


def _may_answer() -> bool:
    """Whether who is before the page may say what is right, or may only look."""
    return acting().may(Role.OPERATOR, None)


def _seat(sitting: Sitting) -> Seat:
    return Seat(NAME, acting().name, sitting.id)


def _blind() -> str:
    return (
        f'<article class="ns-card ns-verdict ns-blind" data-turn="{new_id()}">'
        f'<p class="ns-kicker">{say("Blind audit")}</p><h2>{say("What do you say?")}</h2></article>'
    )


def _dossier(item: ReviewItem) -> Dossier:
    return Dossier.parse(item.example.ask)


def _gallery(item: ReviewItem, *, is_blind: bool) -> str:
    """The photos with their lines; those that the reason rests on are marked, unless the verdict is hidden."""
    rests_on = set() if is_blind else {each.media for each in item.prediction.evidence}
    figures = []
    for number, (media, line) in enumerate(zip(item.example.media, _dossier(item).summaries, strict=True), start=1):
        marked = " ns-evidence" if media in rests_on else ""
        figures.append(
            f'<figure class="ns-photo{marked}"><img src="/v1/media/{escape(media)}" alt="{escape(line)}">'
            f'<figcaption lang="zh"><b>{image_key(number)}</b> {escape(line)}</figcaption></figure>'
        )
    return f'<section class="ns-gallery">{"".join(figures)}</section>'


def _progress(sitting: Sitting, note: str) -> str:
    told = len([1 for step in sitting.said if step.word.answer != CANNOT_TELL])
    done = say("{n} in this sitting", n=f"<strong>{len(sitting.said)}</strong>")
    if told:
        done += ", " + say("{agreed} of {n} as the model said", agreed=sitting.agreed, n=told)
    waiting = say("{n} waiting", n=len(sitting.items) + sitting.waiting)
    held = " ".join(item.prediction.id for item in sitting.items) if _may_answer() else ""
    return (
        f'<div class="ns-progress" data-door="/console/{NAME}/review" data-sitting="{sitting.id}" data-held="{held}">'
        f"<div><p>{done}</p>{note}<p>{waiting}</p></div></div>"
    )
