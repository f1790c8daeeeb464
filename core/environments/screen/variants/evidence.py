"""Whether a changed screen still shows what decides its label."""

from core.policy.reader.asks import parse_ask
from core.policy.reader.words import stems
from core.reading import Reading, text_encoder

__all__ = ["evidence_left"]

RARE = 1.5
"Words rarer than this say what a screen is about."
HEADLINES = 4
"Of a screen that shares nothing with the work its largest lines tell what else it is."


def evidence_left(ask: str, before: Reading, after: Reading) -> float:
    """0..1: the share of what decided the label of `before` that `after` still shows.

    The smaller of two shares: of all words, and of the telling ones. Telling are the rare words that screen and work
    share, with their lines; where they share none, those of the largest lines. 1 for a screen without any word.
    """
    seen = set(stems(after.text))
    words = set(stems(before.text))
    if not words:
        return 1.0
    telling = _telling(ask, before)
    shares = [len(words & seen) / len(words)]
    if telling:
        shares.append(len(telling & seen) / len(telling))
    return min(shares)


def _telling(ask: str, reading: Reading) -> set[str]:
    encoder = text_encoder()
    wanted, excluded = parse_ask(ask)
    named = {word for word in stems(f"{wanted} {excluded}") if encoder.rarity(word) > RARE}
    lines = [line for line in reading.lines if named & set(stems(line.text))]
    if not lines:
        lines = sorted(reading.lines, key=lambda line: -line.height)[:HEADLINES]
    return {word for line in lines for word in stems(line.text) if len(word) > 2}
