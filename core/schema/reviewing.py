"""What puts an item before a person: who has it in hand, and what is known of it beside its verdict."""

from typing import ClassVar

from pydantic import AwareDatetime

from core.schema.base import Record
from core.schema.examples import ChosenBy

__all__ = ["Claim", "Signal"]


class Claim(Record):
    """An item is before a reviewer, so that nobody else is given it; the last claim of both on it is what counts.

    How the item was chosen stands here, on the server's side: the page that answers it cannot say otherwise.
    """

    kind: ClassVar[str] = "claim"
    environment: str
    example: str
    prediction: str
    reviewer: str
    sitting: str
    "Where the reviewer sits: one person may work in two windows."
    chosen_by: ChosenBy
    chosen_probability: float | None = None
    blind: bool = False
    until: AwareDatetime
    "Others may have the item from then on; given back and answered items end at once."


class Signal(Record):
    """What sets an example apart from the others of its time."""

    kind: ClassVar[str] = "signal"
    environment: str
    example: str
    domain: str
    "The kind of work that it belongs to, as its environment says."
    novelty: float
    "0..2: cosine distance to the nearest example that a person has answered; 1 where nobody has answered any."
    drift: float | None = None
    "Log-odds that it is of the last days rather than of the time before; None where the two do not differ."
    basis: int
    "Answered examples that it was held against."
