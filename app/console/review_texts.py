"""Every sentence of the Review page, in one place. Names in braces are filled in."""

from app.console.language import Texts
from core.store import Order

__all__ = ["EMPTY", "ORDERS", "SCRIPT", "TEXTS"]

_TEXTS = {
    "blind_kicker": "Blind audit",
    "blind_title": "What do you say?",
    "blind": "This one was drawn at random, and the model's answer stays hidden so that yours is your own. "
    "Such answers are what the gate trusts most.",
    "apart_kicker": "Tie-break",
    "apart": "The champion and a challenger that waits for evidence disagree here. Few answers like this one decide "
    "between them; neither model's answer is shown, so that yours is your own.",
    "hidden_kicker": "Blind",
    "hidden": "The model's verdict is hidden, as you or the settings wish.",
    "flips": "This verdict stands for one screen only: before and after it in the same session it was the other.",
    "judges_apart": "The judges contradict each other",
    "settles": "Your word settles it.",
    "people_said": "What people said",
    "of_duplicate": "of a near-duplicate",
    "alt": "To review: {ask}",
    "cannot_tell": "Cannot tell",
    "skip": "Skip",
    "undo": "Undo",
    "reason": "Reason (optional)",
    "reason_hint": "Why? It helps whoever reads this later.",
    "again": "Look again",
    "order": "Queue",
    "blind_mode": "Hide the verdict",
    "filters": "Filters",
    "work": "Work contains",
    "domain": "Kind of work",
    "session": "Session",
    "reviewer": "Answered by",
    "verdict": "Verdict",
    "since": "From",
    "until": "To",
    "any": "any",
    "clear": "Clear",
    "progress": "Reviewed today",
    "queue_label": "Which items, and in what order",
    "answers_label": "Your answer",
    "loading": "Looking for what needs you most…",
}
_ORDERS = {
    Order.DOUBT: "Most doubtful",
    Order.JUDGES: "Judges disagree",
    Order.NOVELTY: "Nothing like it yet",
    Order.DRIFT: "New kind of screen",
    Order.CONTRADICTION: "People contradict",
    Order.RANDOM: "Random audit",
}
_EMPTY = {
    Order.DOUBT: "Every verdict has been looked at. New ones come in from the Classify page, from the API and from "
    "`nightshift import`.",
    Order.JUDGES: "No judge contradicts a verdict, or another judge, on anything that waits.",
    Order.NOVELTY: "Nothing that waits is unlike what was answered; new screens are compared within a minute.",
    Order.DRIFT: "The screens of the last days are of the kinds that came before.",
    Order.CONTRADICTION: "No two people contradict each other.",
    Order.RANDOM: "Every audit that was drawn has been answered. A share of each new day's screens is drawn.",
}
_SCRIPT = {
    "done": "{n} today",
    "left": "{n} left",
    "pace": "{n} an hour",
    "time_left": "about {n} min to go",
    "almost": "less than a minute to go",
    "sending": "{n} being stored…",
    "stored": "Stored: {answer}",
    "skipped": "Skipped for now",
    "undone": "Taken back. Here it is again.",
    "unskipped": "Here it is again.",
    "not_stored": "Not stored: {detail} It is before you again.",
    "not_undone": "Not taken back: {detail}",
    "trying": "The server does not answer. Trying again…",
    "away": "The server cannot be reached. What was not stored is before you again.",
    "nothing_to_undo": "There is nothing to undo in this sitting; older answers can be changed on the Classify page.",
    "empty_title": "Nothing waits for you",
    "filtered_title": "Nothing matches",
    "filtered": "Nothing that waits is like that. What is kept for blind audits is never picked out.",
    "error_title": "The queue cannot be shown",
    "forbidden_title": "You may not review",
    "forbidden": "Reviewing needs the role of an operator. Ask whoever looks after this installation.",
    "signed_out": "You are signed out. Sign in again; what you stored is safe.",
    "no_picture": "The picture cannot be shown. It may have been erased.",
    "keep_page": "Some answers are not stored yet.",
}
TEXTS, ORDERS, EMPTY, SCRIPT = Texts(_TEXTS), Texts(_ORDERS), Texts(_EMPTY), Texts(_SCRIPT)
