"""Judgments of many examples: those there are from the store, the others asked for and written as they come."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.judge import Judge, Spent
from core.policy import Library
from core.schema import Example, Judgment
from core.store import Store

__all__ = ["Judged", "judge_examples", "stored_judgments", "unscored_reasons"]

FIGURE = re.compile(r"[-+]?\d+(\.\d+)?")
Told = Callable[[int, int], None]
"""Told how many of how many judgments there are; now and then also while none comes."""


@dataclass(frozen=True)
class Judged:
    """What a judge said."""

    of_example: dict[str, Judgment]
    "One judgment an example, by its id."
    made: tuple[Judgment, ...]
    "Those that were asked for now; the others were in the store."

    @property
    def calls(self) -> int:
        return sum(judgment.calls for judgment in self.made)

    @property
    def cost_usd(self) -> float | None:
        """Of what was asked for now; None where a price is not known."""
        costs = [judgment.cost_usd for judgment in self.made]
        return None if None in costs else sum(cost for cost in costs if cost is not None)


def unscored_reasons(judgments: Iterable[Judgment]) -> Counter[str]:
    """Why nothing was scored, each reason with its number; figures in them do not tell them apart."""
    return Counter(FIGURE.sub("n", each.unscored) for each in judgments if each.unscored is not None)


def stored_judgments(store: Store, teacher: Judge, examples: Sequence[Example]) -> dict[str, Judgment]:
    """What the store holds of this judge on these examples, by example id. Transient reasons are not among it."""
    ids = {teacher.judgment_id(example, example.answers or ()) for example in examples}
    found = store.find(Judgment, id=ids) if ids else []
    return {judgment.example: judgment for judgment in found}


def judge_examples(
    store: Store,
    teacher: Judge,
    examples: Sequence[Example],
    library: Library,
    *,
    spent: Spent = Spent(),  # noqa: B008 (frozen)
    told: Told = lambda *_: None,
) -> Judged:
    """One judgment an example. A judgment is in the store before the ones after it are waited for."""
    known = stored_judgments(store, teacher, examples)
    wanted = {example.id: example for example in examples if example.id not in known}
    made: list[Judgment] = []
    for page in teacher.judge_all(list(wanted.values()), library, spent):
        if page:
            store.add(*page)
            made += page
        told(len(made), len(wanted))
    return Judged({**known, **{judgment.example: judgment for judgment in made}}, tuple(made))
