"""Replay over many corrections: how long a draw takes, and priorities made anew, beside the same in pandas.

The corrections are made up: skewed over reviewers, applications and screens as people's are, some questions answered by
several. Both sides begin with the same columns in their own memory and end with the same distribution; what they come
to is compared. Medians of several turns, taken alternately.
"""

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.learning.caps import Crowd, share_capped
from core.learning.replay import Draws
from core.schema import NightshiftError
from core.services.importing import Progress
from core.services.priorities import USUAL_COMPARISONS, USUAL_TRUST, Memory, Words
from core.settings import LearningSettings, ReplaySettings

__all__ = ["bench_replay", "pandas_priorities", "words_made_up"]

BATCH = 512
DRAWS, REFRESHES = 30, 3
ANSWERS, ASKS = 2, 20
"Of a question, and descriptions that a screen is held against."
THREADS = 2
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MadeUp:
    """Words, and the application of each."""

    words: Words
    application_N: NDArray[np.int64]


def bench_replay(rows: int = 1_000_000, *, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """`sample_ms` for a draw of 512, `refresh_s` for priorities, caps and what draws need, `pandas_s` for the same.

    Raises NightshiftError where the two come to different priorities.
    """
    made_up = words_made_up(rows, seed=0)
    after, settings = rows - rows // 100, ReplaySettings()
    ours_s: list[float] = []
    theirs_s: list[float] = []
    pandas_side = pandas_priorities(made_up.words)
    with Memory(made_up.words, answers=ANSWERS, threads=THREADS) as memory:
        for turn in range(REFRESHES):
            ours = _timed(ours_s, lambda: memory.refresh(settings, after_seq=after).priority_N)
            draws = _timed(ours_s, partial(_draws, ours, made_up), add=True)
            theirs = _timed(theirs_s, lambda: pandas_side(settings, after))
            _timed(theirs_s, partial(_draws, theirs, made_up), add=True)
            if not np.allclose(ours, theirs, rtol=1e-9):
                raise NightshiftError("pandas and DuckDB came to different priorities; nothing is reported")
            progress(turn + 1, REFRESHES)
    sample_s: list[float] = []
    for turn in range(DRAWS):
        _timed(sample_s, partial(draws.draw, BATCH, turn))
    refresh_s, pandas_s = statistics.median(ours_s), statistics.median(theirs_s)
    return {
        "rows": rows,
        "sample_ms": round(1000 * statistics.median(sample_s), 3),
        "refresh_s": round(refresh_s, 3),
        "pandas_s": round(pandas_s, 3),
        "ratio": round(pandas_s / refresh_s, 2),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def words_made_up(rows: int, seed: int) -> MadeUp:
    """`rows` words of which the last tenth answers questions that others answered already."""
    generator = np.random.default_rng(seed)
    screens = max(2, rows // 3)
    first = rows - rows // 10
    cluster_N = np.minimum(generator.pareto(1.2, rows) * screens / 20, screens - 1).astype(np.int64)
    question_N = cluster_N * ASKS + generator.integers(0, ASKS, rows)
    again = generator.integers(0, max(1, first), rows - first)
    cluster_N[first:], question_N[first:] = cluster_N[again], question_N[again]
    right_Q = generator.integers(0, ANSWERS, ASKS * screens)
    reviewer_N = np.minimum(generator.pareto(1.0, rows) * 2, 199).astype(np.int64)
    care_R = generator.beta(9, 1, 200)
    slips_N = generator.random(rows) > care_R[reviewer_N]
    words = Words(
        question_N=question_N,
        cluster_N=cluster_N,
        reviewer_N=reviewer_N,
        answer_N=np.where(slips_N, 1 - right_Q[question_N], right_Q[question_N]),
        seq_N=np.arange(1, rows + 1),
        settles_N=generator.random(rows) < 0.001,
        is_label_N=np.ones(rows, dtype=bool),
        differs_N=generator.random(rows) < 0.3,
        doubt_N=generator.random(rows),
    )
    return MadeUp(words, np.minimum(generator.pareto(1.0, rows) * 5, 499).astype(np.int64))


def pandas_priorities(words: Words) -> Callable[[ReplaySettings, int], Floats]:
    """The same as `Memory.refresh`, as one would write it in pandas; the frame is made beforehand."""
    import pandas as pd

    frame = pd.DataFrame({name.removesuffix("_N"): column for name, column in vars(words).items()})
    frame["person"] = frame["reviewer"]

    def priorities(settings: ReplaySettings, after: int) -> Floats:
        asked = frame.groupby("question")["reviewer"]
        several = asked.transform("min") != asked.transform("max")
        said = frame[several].sort_values("seq").groupby(["question", "reviewer"], as_index=False).last()
        settled = said[said["settles"]].sort_values("seq").groupby("question", as_index=False).last()
        settled = settled[["question", "reviewer", "answer"]].rename(columns={"reviewer": "by", "answer": "settled"})
        same = said.groupby(["question", "answer"])["person"].transform("count") - 1
        other = said.groupby("question")["person"].transform("count") - 1 - same
        beside = said.assign(same=same, other=other).merge(settled, on="question", how="left")
        by_other = beside["settled"].notna() & (beside["by"] != beside["reviewer"])
        beside["agrees"] = (beside["answer"] == beside["settled"]).where(by_other, beside["same"] > beside["other"])
        compared = beside[by_other | (beside["settled"].isna() & (beside["same"] != beside["other"]))]
        told = compared.groupby("reviewer")["agrees"].agg(["sum", "count"])
        usual = (told["sum"].sum() + USUAL_COMPARISONS * USUAL_TRUST) / (told["count"].sum() + USUAL_COMPARISONS)
        told = told.reindex(range(int(frame["reviewer"].max()) + 1), fill_value=0)
        prior = settings.prior_comparisons
        trust = (told["sum"] + prior * usual) / (told["count"] + prior)
        chance = 1 / ANSWERS
        beyond = ((trust - chance) / (1 - chance)).clip(lower=settings.least_trust)
        weight = frame["reviewer"].map(beyond / max(settings.least_trust, (usual - chance) / (1 - chance)))
        age = (after - frame["seq"]).clip(lower=0) / settings.half_life
        priority = weight * (
            1
            + settings.disagreement * frame["differs"]
            + settings.doubt * frame["doubt"]
            + settings.novelty / frame.groupby("cluster")["seq"].transform("count")
            + settings.recency * 0.5**age
        )
        return np.asarray(priority, dtype=np.float64)

    return priorities


def _draws(priority_N: Floats, made_up: MadeUp) -> Draws:
    learning = LearningSettings()
    crowds = (
        Crowd(made_up.application_N, learning.application_share),
        Crowd(made_up.words.reviewer_N, learning.reviewer_share),
    )
    families_N = np.arange(len(priority_N))
    return Draws(share_capped(priority_N / priority_N.sum(), families_N, crowds), 0)


def _timed(took_s: list[float], work: Callable[[], Any], *, add: bool = False) -> Any:
    """What `work` returns; its seconds are appended, or added to the last ones."""
    began = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - began
    if add:
        took_s[-1] += seconds
    else:
        took_s.append(seconds)
    return result
