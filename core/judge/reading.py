"""The embedded judge: compares what can be read with the work by fixed rules, and abstains where they disagree.

It shares the encoder with the reader but none of its weights, so no night of training can move it.
"""

import math
import time
from collections.abc import Sequence

import numpy as np
from pydantic import JsonValue

from core.judge.base import Judge
from core.policy import Library
from core.policy.reader.background import Background
from core.policy.reader.matching import MATCH_FEATURES, kept_screen_vectors, match_features
from core.policy.testimony import Testimony
from core.reading import ENGINE, text_encoder
from core.schema import Example, Judgment

__all__ = ["ReadingJudge"]

MIN_LINES = 3
SURE_LOGIT = 0.5
"Below this it is unscored. Chosen so that some 85% of pairs are scored; see docs/algorithm.md."
CONTRADICTS_LOGIT = 1.0
"Views that are this sure of different answers contradict each other."
SLOPE = 6.0

WEIGHTS_BY_VIEW = {
    "passages": {"lines": 1.0, "passage": 2.0},
    "whole": {"document": 2.0, "same_activities_seen": 0.3, "same_activities_done": 0.3, "shared_words": 0.3},
    # The reader's prior weights of the two; it sums over all features, and this is the mean of three views.
    "kinds": {"same_kind": 3 * 0.4, "kind_overlap": 3 * 0.2},
}
THRESHOLD_BY_VIEW = {"passages": 0.85, "whole": 0.65, "kinds": 0.0}
"""Of `kinds` what chance brings: both of its features are 0 there."""
EXCLUDED_WEIGHT = -1.5


class ReadingJudge(Judge):
    """Three views of the screen: its best passages, the whole, and the kind of activity its words are of.

    There is a score only where they do not contradict each other.
    """

    name = "reading"
    reads = True

    def __init__(self, background: Background) -> None:
        self.background = background
        self.prompt_version = f"3/{background.digest}/{ENGINE}"

    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:
        started = time.perf_counter()
        library = Testimony(library, example)
        reading = library.reading(example.media[0])
        if len(reading.lines) < MIN_LINES:
            return self.unscored(example, candidates, f"only {len(reading.lines)} lines of text on the screen")
        encoder = text_encoder()
        screen = kept_screen_vectors(example.media[0], library, self.background, encoder)
        values = match_features(example.ask, reading.text, screen, self.background, encoder)
        features = dict(zip(MATCH_FEATURES, values.tolist(), strict=True))
        logits = {view: self._logit(view, features) for view in WEIGHTS_BY_VIEW}
        elapsed_ms = (time.perf_counter() - started) * 1000
        described = ", ".join(f"{view} {logit:+.1f}" for view, logit in logits.items())
        mean = float(np.mean(list(logits.values())))
        if min(logits.values()) < -CONTRADICTS_LOGIT and max(logits.values()) > CONTRADICTS_LOGIT:
            return self.unscored(example, candidates, f"its views of the screen contradict: {described}", elapsed_ms)
        if abs(mean) < SURE_LOGIT:
            return self.unscored(
                example, candidates, f"the screen neither fits nor contradicts: {described}", elapsed_ms
            )
        fits = 1 / (1 + math.exp(-mean))
        score_of = dict(zip(example.answers or (), (fits, 1 - fits), strict=False))
        scores = [score_of.get(candidate, 0.0) if isinstance(candidate, str) else 0.0 for candidate in candidates]
        return self.scored(example, candidates, scores, described, elapsed_ms)

    def _logit(self, view: str, features: dict[str, float]) -> float:
        margin = sum(weight * features[name] for name, weight in WEIGHTS_BY_VIEW[view].items())
        margin += EXCLUDED_WEIGHT * features["excluded"] - THRESHOLD_BY_VIEW[view]
        return SLOPE * margin
