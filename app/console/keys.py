"""The keys of each page, once: the script that listens, the caps on the buttons and the key sheet come from here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["CLASSIFY", "MODELS", "Key", "bindings", "caps_css", "key_sheet", "review_keys"]


@dataclass(frozen=True)
class Key:
    """A key, the button that it presses (by element id; None where the browser itself acts), and what that does."""

    key: str
    button: str | None
    does: str

    @property
    def cap(self) -> str:
        """As it stands on a keyboard."""
        return {" ": "Space"}.get(self.key, self.key if len(self.key) > 1 else self.key.upper())


CLASSIFY = (
    Key("Ctrl V", None, "paste a picture, anywhere on the page"),
    Key("Enter", None, "in the description: classify the same picture again"),
    Key("a", "agree", "agree with the verdict"),
    Key("c", "correct", "correct it: the other answer is right"),
    Key("n", "unsure", "nobody can tell from this picture"),
    Key("e", "reason", "write a reason first"),
    Key("u", "undo", "take the last word back"),
    Key("?", None, "this sheet"),
)

MODELS = (Key("?", None, "this sheet"),)


def review_keys(answer_titles: Sequence[str]) -> tuple[Key, ...]:
    """One digit an answer in the environment's order, then one for "cannot tell"."""
    answers = [
        Key(str(place), f"answer-{place}", f"answer: {title}") for place, title in enumerate(answer_titles, start=1)
    ]
    return (
        *answers,
        Key(str(len(answers) + 1), f"answer-{len(answers) + 1}", "nobody can tell from this picture"),
        Key(" ", "skip", "skip, and come back to it later"),
        Key("e", "reason", "write a reason first"),
        Key("u", "undo", "take the last word back and see the item again"),
        Key("?", None, "this sheet"),
    )


def bindings(keys: Sequence[Key]) -> str:
    """Key to element id as JSON, for the script."""
    return json.dumps({key.key: key.button for key in keys if key.button})


def caps_css(keys: Sequence[Key]) -> str:
    """Style rules that draw the key on its button."""
    return "\n".join(f'button#{key.button}::after {{ content: "{key.cap}"; }}' for key in keys if key.button)


def key_sheet(keys: Sequence[Key]) -> str:
    """The dialog that lists the keys."""
    rows = "".join(f"<tr><td><kbd>{escape(key.cap)}</kbd></td><td>{escape(key.does)}</td></tr>" for key in keys)
    return (
        '<dialog id="ns-sheet" aria-label="Keys"><h2>Keys</h2>'
        f"<table>{rows}</table><p>They rest while you type in a text field; <kbd>Esc</kbd> leaves it.</p>"
        '<button type="button" data-close-sheet>Close</button></dialog>'
    )
