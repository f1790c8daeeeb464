"""Every sentence of the Classify page, in one place. Names in braces are filled in."""

from app.console.language import Texts, later

__all__ = ["TEXTS", "WELCOME"]

_TEXTS = {
    "show_elements": "Show elements",
    "hide_elements": "Hide elements",
    "paste": "Paste a picture",
    "with": "with",
    "drop": "drop it here, or",
    "choose": "choose a file",
    "formats": "PNG, JPEG or WebP, up to {bound}. It stays on this machine.",
    "reading": "Reading the picture…",
    "given": "The picture you gave",
    "ask_first": "Now write the {ask} above, and press Enter.",
    "too_large": "The file is larger than {bound}.",
    "welcome_title": "No verdict yet",
    "gone": "That screen is not here any more.",
    "used_before": "Used before",
    "recent": "Recent screens",
    "take_recent": "Classify this screen again: {ask}",
    "agree": "Agree",
    "agree_with": "Agree: {answer}",
    "correct": "Correct",
    "correct_to": "Correct: {answer}",
    "cannot_tell": "Cannot tell",
    "undo": "Undo",
    "reason": "Reason (optional)",
    "reason_hint": "Why? It helps whoever reads this later.",
    "alt": "Classified: {ask}",
    "taken_back": "Taken back. Nothing of it is learnt.",
    "not_stored": "Not stored: {detail}",
    "stored": "Stored: {answer}",
    "kept": "Kept as a word of its own, and not learnt from.",
    "agreed": "You agree with the verdict. The next night knows that it was right.",
    "corrected": "You corrected the verdict. The next night learns from it, and this screen answers so at once.",
    "ask_judge": "Ask the judge",
    "judge": "The judge",
    "judge_waits": "Asking the judge. You can go on; the answer comes by itself.",
    "judge_agrees": "The judge agrees with the verdict.",
    "judge_contradicts": "The judge contradicts the verdict.",
    "judge_unscored": "The judge cannot say: {detail}",
    "judge_problem": "The judge was not asked: {detail}",
    "judge_cost": "{judge} · {cost}",
    "judge_free": "costs nothing",
    "judge_unknown": "price not known",
}
TEXTS = Texts(_TEXTS)
WELCOME = (
    later("Write the {ask}."),
    later("Paste, drop or choose a picture, or take a recent one."),
    later("Agree or correct with one key. What you say is stored at once, and the next night learns from it."),
)
