"""What a description of work wants, and what it rules out.

"Finish the report; no e-mail before noon" wants a report and rules e-mail out. A sentence encoder is nearly blind to
that difference, so the clauses are told apart by rule before they are embedded.
"""

import re
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Ask", "parse_ask"]

CLAUSE_END = re.compile(
    r"""[.;:!?\n]+\s* | ,\s+(?:but|and|so|while|then|with)\s+ | ,\s+ | \s+(?:but|while|whereas)\s+ |
        \s+(?=and\s+(?:leave|do\s+not|don['’]t|not|no|ignore|skip|keep\s+out)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
EXCLUDES = re.compile(
    r"""\b(?:
        no\b(?!\s+(?:longer|later|matter)) | not?\s+(?:now|today|yet) | do\s+not | don['’]t | never | without |
        nothing\s+(?:else|but) | nobody | avoid\w* | ignor\w+ | skip\w* | except | instead\s+of | rather\s+than |
        stay\w*\s+(?:closed|off|out|away|shut) | (?:keep|kept|keeping)\s+(?:out|away|off|closed|shut) |
        remain\w*\s+closed |
        leave\b.*\b(?:alone|closed|for\s+later|aside) | (?:can|could|must|may|will|has\s+to|have\s+to)\s+wait |
        (?:come|comes|is|are|follows?)\s+(?:later|tomorrow|afterwards) | put\w*\s+(?:off|aside) |
        postpon\w+ | off[\s-]limits | forbidden | not\s+(?:allowed|part|the\s+job|my\s+job|today) |
        isn['’]t | aren['’]t |
        is\s+not | are\s+not | close\s+(?:the|all|your)
    )""",
    re.IGNORECASE | re.VERBOSE,
)

TOOL = re.compile(
    r"""\b(?:in|into|on|with|using|from)\s+(?:the|our|a|an|my)\s+((?:[\w-]+\s+){0,3}[\w-]+)""",
    re.IGNORECASE | re.VERBOSE,
)


class Ask(NamedTuple):
    """The two halves of a description; either may be empty."""

    wanted: str
    excluded: str


@lru_cache(maxsize=10_000)
def parse_ask(text: str) -> Ask:
    """Splits `text` into clauses and sorts them; a text that only excludes is left whole as wanted."""
    clauses = [clause.strip() for clause in CLAUSE_END.split(text) if clause and clause.strip()]
    excluded = [clause for clause in clauses if EXCLUDES.search(clause)]
    wanted = [clause for clause in clauses if clause not in excluded]
    if not excluded or not wanted:
        return Ask(wanted=text.strip(), excluded="")
    return Ask(wanted=", ".join(wanted), excluded=", ".join(excluded))


def tool_phrases(text: str) -> list[str]:
    """What the work is done in or with, up to four words each: "the jingle in the sequencer" has "sequencer"."""
    return TOOL.findall(text)
