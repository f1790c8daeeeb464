"""What in a text tells who somebody is: e-mail addresses, payment cards, phone numbers, and names that are listed."""

import re
import unicodedata
from collections.abc import Iterator

from phonenumbers import Leniency, PhoneNumberMatcher

from core.settings import RedactionSettings

__all__ = ["masked", "private_spans"]

Span = tuple[int, int]
MASK = "(redacted)"

EMAIL = re.compile(
    # Also where a space was read beside the @ or a dot, and where the address is cut off behind the @.
    r"[\w.%+\-]+\s?[@\uff20]\s?[\w\-]+(?:\s?\.\s?[\w\-]+)*|[\w.%+\-]{2,}[@\uff20](?=\s|$)|"
    r"[\w.%+\-]+\s?[\u00a9\u00ae]\s?[\w\-]+\.[\w\-.]+"
)
CARD = re.compile(r"(?<![\w])[0-9OoIlSB](?:[ \-]?[0-9OoIlSB]){12,18}(?![\w])")
READ_AS = str.maketrans("OoIlSB", "001158")
"Figures and the letters that they are taken for by a recogniser."
CERTAIN_FIGURES = 0.75
ISSUERS = "23456"
"First figures of payment cards (ISO/IEC 7812)."


def private_spans(text: str, settings: RedactionSettings) -> list[Span]:
    """Begin and end of everything in `text` that the settings ask to hide, in order and joined where they touch."""
    found: list[Span] = []
    if settings.emails:
        found += [match.span() for match in EMAIL.finditer(text)]
    if settings.cards:
        found += _cards(text)
    if settings.phones:
        found += _phones(text, settings.phone_regions)
    found += _names(text, settings.names)
    joined: list[Span] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def masked(text: str, settings: RedactionSettings) -> str:
    """`text` with all that replaced."""
    for start, end in reversed(private_spans(text, settings)):
        text = f"{text[:start]}{MASK}{text[end:]}"
    return text


def _cards(text: str) -> Iterator[Span]:
    for match in CARD.finditer(text):
        signs = re.sub(r"[ \-]", "", match.group())
        figures = signs.translate(READ_AS)
        certain = sum(sign.isdigit() for sign in signs) / len(signs)
        if certain >= CERTAIN_FIGURES and figures[0] in ISSUERS and _luhn(figures):
            yield match.span()


def _luhn(figures: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B: every second figure from the right doubled."""
    doubled = [int(figure) * (1 + place % 2) for place, figure in enumerate(reversed(figures))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _phones(text: str, regions: tuple[str, ...]) -> Iterator[Span]:
    for region in (None, *regions):
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID):
            yield match.start, match.end


def _names(text: str, names: tuple[str, ...]) -> Iterator[Span]:
    plain = _plain(text)
    for name in names:
        # Between its parts a recogniser may read no space, or a dot.
        parts = r"[\s.,_\-]*".join(re.escape(part) for part in _plain(name).split())
        for match in re.finditer(rf"(?<![^\W_]){parts}(?![^\W_])", plain):
            yield match.span()


def _plain(text: str) -> str:
    """Letter for letter without accents and capitals, so that places in it are places in `text`."""
    return "".join((unicodedata.normalize("NFKD", sign)[0].casefold() or sign)[0] for sign in text)
