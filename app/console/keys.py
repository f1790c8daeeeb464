"""The keys of each page, once: the script that listens, the caps on the buttons and the key sheet come from here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app.console.language import later, say

__all__ = ["CLASSIFY", "MODELS", "Key", "bindings", "caps_css", "key_sheet", "review_keys"]

SHEET = later("Keys")
RESTS = later("They rest while you type in a text field; {escape} or {enter} leaves it.")
CLOSE, CHANGE, WAITS, RESET = later("Close"), later("Change"), later("Press a key…"), later("As they were")


@dataclass(frozen=True)
class Key:
    """A key, the button that it presses (by element id; None where the browser itself acts), and what that does."""

    key: str
    button: str | None
    does: str
    of: str = ""
    "What stands for `{title}` in that."

    @property
    def cap(self) -> str:
        """As it stands on a keyboard."""
        return {" ": "Space"}.get(self.key, self.key if len(self.key) > 1 else self.key.upper())


CLASSIFY = (
    Key("Ctrl V", None, later("paste a picture, anywhere on the page")),
    Key("Enter", None, later("in the description: classify the same picture again")),
    Key("a", "agree", later("agree with the verdict")),
    Key("c", "correct", later("correct it: the other answer is right")),
    Key("n", "unsure", later("nobody can tell from this picture")),
    Key("e", "reason", later("write a reason first")),
    Key("u", "undo", later("take the last word back")),
    Key("j", "judge", later("ask what the judge thinks")),
    Key("l", "elements", later("show or hide what the screen is made of")),
    Key("?", None, later("this sheet")),
)

MODELS = (Key("?", None, later("this sheet")),)


def review_keys(answer_titles: Sequence[str]) -> tuple[Key, ...]:
    """One digit an answer in the environment's order, then one for "cannot tell"."""
    answers = [
        Key(str(place), f"answer-{place}", later("answer: {title}"), title)
        for place, title in enumerate(answer_titles, start=1)
    ]
    return (
        *answers,
        Key(str(len(answers) + 1), f"answer-{len(answers) + 1}", later("nobody can tell from this picture")),
        Key(" ", "skip", later("skip, and come back to it later")),
        Key("e", "reason", later("write or change the reason")),
        Key("u", "undo", later("go back: take the last word back and see its item again")),
        Key("f", "ns-order", later("choose the queue")),
        Key("b", "ns-blind", later("hide or show the model's verdict")),
        Key("?", None, later("this sheet")),
    )


def bindings(keys: Sequence[Key]) -> str:
    """Key to element id as JSON, for the script."""
    return json.dumps({key.key: key.button for key in keys if key.button})


def caps_css(keys: Sequence[Key]) -> str:
    """Style rules that draw the key on its button."""
    return "\n".join(f'button#{key.button}::after {{ content: "{key.cap}"; }}' for key in keys if key.button)


def key_sheet(keys: Sequence[Key]) -> str:
    """The dialog that lists the keys, and on which a person chooses others."""
    rows = "".join(_row(key) for key in keys)
    return (
        f'<dialog id="ns-sheet" aria-label="{say(SHEET)}"><h2>{say(SHEET)}</h2><table>{rows}</table>'
        f"<p>{say(RESTS, escape='<kbd>Esc</kbd>', enter='<kbd>Enter</kbd>')}</p>"
        f'<div class="ns-sheet-foot"><button type="button" data-close-sheet>{say(CLOSE)}</button>'
        f'<button type="button" class="ns-plain" data-reset-keys>{say(RESET)}</button></div></dialog>'
    )


def _row(key: Key) -> str:
    does, change = escape(say(key.does, title=say(key.of))), say(CHANGE)
    if key.button is None:
        return f"<tr><td><kbd>{escape(key.cap)}</kbd></td><td>{does}</td><td></td></tr>"
    button = (
        f'<button type="button" class="ns-plain" data-rebind="{key.button}" data-label="{change}" '
        f'data-waits="{say(WAITS)}" aria-label="{change}: {does}">{change}</button>'
    )
    cap = f'<kbd data-cap="{key.button}">{escape(key.cap)}</kbd>'
    return f"<tr><td>{cap}</td><td>{does}</td><td>{button}</td></tr>"
