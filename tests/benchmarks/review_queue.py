"""How long the review queue takes over N predictions: `python -m tests.benchmarks.review_queue [N]`, one JSON object.

Predictions of two works a screen, half of them in sessions; a tenth answered, judged, and with a signal. Each order
and some filters, median of five in milliseconds, the file opened and let go each time as the server does.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from core.schema import Alternative, Correction, Example, Judgment, Prediction, Record, Signal, new_id, now
from core.store import ANYTHING, Asked, Order, Sought, Store, open_store

PAGE = 5_000
TIMES = 5
ANSWERS = ("on_task", "off_task")
SCREEN = "screen"
SOUGHT = {
    "work": Sought(work="number 17"),
    "domain": Sought(domain="mail"),
    "session": Sought(session="s3"),
    "verdict": Sought(verdict="on_task"),
    "reviewer": Sought(reviewer="bob"),
    "since": Sought(since=now() - timedelta(days=1)),
}


def main(predictions: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"duckdb:///{Path(folder) / 'queue.duckdb'}")
        generator = random.Random(1)
        for start in range(0, predictions, PAGE):
            store.add(*_page(generator, start, min(predictions, start + PAGE)))
        found = {order.value: _median_ms(store, order, ANYTHING) for order in Order}
        found |= {f"doubt, by {name}": _median_ms(store, Order.DOUBT, sought) for name, sought in SOUGHT.items()}
    sys.stdout.write(json.dumps({"predictions": predictions, "p50_ms": found}) + "\n")


def _page(generator: random.Random, start: int, end: int) -> list[Record]:
    records: list[Record] = []
    for n in range(start, end):
        media = f"{n // 2:064x}"
        example = Example.make(SCREEN, (media,), f"Write report number {n % 500}.", answers=ANSWERS, cluster=media)
        said = Prediction(
            id=new_id(),
            environment=SCREEN,
            example=example.id,
            answer=generator.choice(ANSWERS),
            probability=0.7,
            confidence=generator.uniform(0.5, 1.0),
            release="r",
            latency_ms=1.0,
            session=f"s{generator.randrange(200)}" if generator.random() < 0.5 else None,
        )
        records += [example, said, *_beside(generator, example, said)]
    return records


def _beside(generator: random.Random, example: Example, said: Prediction) -> list[Record]:
    about = {"environment": SCREEN, "example": example.id}
    found: list[Record] = []
    if generator.random() < 0.1:
        reviewer = generator.choice(("ann", "bob"))
        found.append(Correction(id=new_id(), prediction=said.id, answer="on_task", reviewer=reviewer, **about))
    if generator.random() < 0.1:
        score = generator.random()
        scores = (Alternative(answer=ANSWERS[0], score=score), Alternative(answer=ANSWERS[1], score=1 - score))
        found.append(Judgment(id=new_id(), judge="reading", prompt_version="1", scores=scores, **about))
    if generator.random() < 0.1:
        known = {"domain": generator.choice(("mail", "code")), "novelty": generator.random(), "basis": 1}
        found.append(Signal(id=new_id(), drift=generator.uniform(-1, 1), **known, **about))
    return found


def _median_ms(store: Store, order: Order, sought: Sought) -> float:
    asked = Asked(
        SCREEN,
        "ann",
        now(),
        sitting="here",
        order=order,
        sought=sought,
        limit=24,
        audit_share=0.2,
        audits_missing=10,
        overlap_share=0.1,
        judges=("reading", "other"),
        disagreement=0.5,
        settle=order is Order.DOUBT,
    )
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        store.waiting(asked)
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
