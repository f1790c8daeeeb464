"""Nights that never were: champions, challengers and people's labels drawn at random, to measure the gate with.

What is drawn is what the gate sees of a real night: examples in clusters of near-duplicates that mostly go alike,
domains and classes, labels of which some were drawn blindly and the rest reported because the champion was wrong,
stated probabilities, hostile screens. Axes: N examples.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.schema import ChosenBy, Evaluation, ItemScore

__all__ = ["Challenger", "People", "World", "evaluations"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

ANSWERS = ("on_task", "off_task")
HOSTILE = 60
TURNED = 0.1
"Share of hostile screens that turn a champion's verdict, and of those that a challenger answers otherwise."


@dataclass(frozen=True)
class World:
    """What examples are like."""

    domains: int = 15
    right: float = 0.85
    "Share of examples that a champion gets right at the start."
    discordance: float = 0.12
    "Share of examples of which champion and challenger disagree."
    alike: float = 0.7
    "Chance that an example goes as its cluster does; else it goes its own way."
    largest_cluster: int = 3
    "Clusters of 1 to this many examples are equally frequent."
    reported: float = 8.0
    "How much likelier a mistake is to be reported than a right answer to be confirmed."


@dataclass
class People:
    """Labelled examples in the order in which they came, and how the present champion does on them."""

    world: World
    rng: np.random.Generator
    cluster_N: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    domain_N: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    expected_N: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    blind_N: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    right_N: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    "The present champion is right."
    was_wrong_N: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    "The champion of the time was wrong."
    night_N: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    asked_N: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    "The challenger (the night in which it was frozen) that disagreed and so had the example labelled; else -1."
    golden_N: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    accuracy: float = 0.0
    "True share of examples that the present champion gets right."

    def __post_init__(self) -> None:
        self.accuracy = self.world.right

    def __len__(self) -> int:
        return len(self.cluster_N)

    def label(self, count: int, *, blind: float, night: int, golden: float) -> None:
        """People label `count` more examples, the share `blind` of them drawn at random; whole clusters are golden."""
        world, rng = self.world, self.rng
        # Reports come as clusters: enough are drawn that those which nobody reports can be left out.
        clusters = int(count * 8)
        sizes_C = rng.integers(1, world.largest_cluster + 1, clusters)
        blind_C = rng.random(clusters) < blind / (blind + (1 - blind) / self._seen_share())
        cluster_N = np.repeat(np.arange(clusters), sizes_C)
        right_N = self._alike(cluster_N, np.full(len(cluster_N), self.accuracy))
        first_N = np.concatenate([[0], np.cumsum(sizes_C)[:-1]])[cluster_N]
        reported = np.where(right_N[first_N], 1 / world.reported, 1.0)
        kept = np.flatnonzero(blind_C[cluster_N] | (rng.random(clusters)[cluster_N] < reported))[:count]
        start = int(self.cluster_N.max()) + 1 if len(self) else 0
        golden_C = rng.random(clusters) < golden
        self._append(
            cluster_N=start + cluster_N[kept],
            domain_N=rng.integers(world.domains, size=clusters)[cluster_N[kept]],
            expected_N=rng.integers(2, size=len(kept)),
            blind_N=blind_C[cluster_N[kept]],
            right_N=right_N[kept],
            was_wrong_N=~right_N[kept],
            night_N=np.full(len(kept), night),
            golden_N=golden_C[cluster_N[kept]],
            asked_N=np.full(len(kept), -1),
        )

    def break_ties(self, challenger: "Challenger", since: int, count: int, *, night: int) -> "Challenger":
        """People label `count` examples on which a challenger, frozen in the night `since`, disagrees; it has answered
        them."""
        mended, broken = self._turns(challenger.gain)
        right_N = self.rng.random(count) < broken / (mended + broken)
        self._append(
            cluster_N=int(self.cluster_N.max()) + 1 + np.arange(count),
            domain_N=self.rng.integers(self.world.domains, size=count),
            expected_N=self.rng.integers(2, size=count),
            blind_N=np.zeros(count, dtype=bool),
            right_N=right_N,
            was_wrong_N=~right_N,
            night_N=np.full(count, night),
            golden_N=np.zeros(count, dtype=bool),
            asked_N=np.full(count, since),
        )
        return Challenger(challenger.gain, np.concatenate([challenger.turned_N, np.ones(count, dtype=bool)]))

    def challenge(self, gain: float, *, like: "Challenger | None" = None, likeness: float = 0.0) -> "Challenger":
        """A challenger drawn around the champion that is right more often by `gain`, in truth.

        With `like`, each of its answers is that of the other challenger with the chance `likeness`: a training run
        again comes to much the same.
        """
        mended, broken = self._turns(gain)
        chance_N = np.where(self.right_N, broken / self.accuracy, mended / (1 - self.accuracy))
        turned_N = self._alike(self.cluster_N, np.clip(chance_N, 0.0, 1.0))
        if like is not None:
            same = np.flatnonzero(self.rng.random(len(like.turned_N)) < likeness)
            turned_N[same] = like.turned_N[same]
        return Challenger(gain, turned_N)

    def grow(self, challenger: "Challenger") -> "Challenger":
        """The same challenger, which has by now answered what was labelled since."""
        new = self.challenge(challenger.gain).turned_N[len(challenger.turned_N) :]
        return Challenger(challenger.gain, np.concatenate([challenger.turned_N, new]))

    def promote(self, challenger: "Challenger") -> None:
        """The challenger, which has answered everything, is champion."""
        self.right_N = self.right_N ^ challenger.turned_N
        self.accuracy += challenger.gain

    def _turns(self, gain: float) -> tuple[float, float]:
        """Shares of all examples that a challenger of this gain mends and breaks."""
        # Near perfection fewer answers are left to mend than a challenger disagrees on.
        mended = min((self.world.discordance + gain) / 2, 0.8 * (1 - self.accuracy))
        return mended, max(0.0, mended - gain)

    def _alike(self, cluster_N: npt.NDArray[np.int64], chance_N: Floats) -> Bools:
        """Events with the given chances; those of a cluster mostly happen together."""
        rng = self.rng
        if not len(cluster_N):
            return np.zeros(0, dtype=bool)
        together = rng.random(int(cluster_N.max()) + 1)[cluster_N]
        own = rng.random(len(cluster_N))
        return np.asarray(np.where(rng.random(len(cluster_N)) < self.world.alike, together, own) < chance_N)

    def _seen_share(self) -> float:
        """Share of examples that somebody reports or confirms of their own accord."""
        return (1 - self.accuracy) + self.accuracy / self.world.reported

    def _append(self, **columns: npt.NDArray[np.generic]) -> None:
        for name, values in columns.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))


@dataclass(frozen=True)
class Challenger:
    """A challenger's true gain, and where its answers differ from the champion's."""

    gain: float
    turned_N: Bools


def evaluations(
    people: People,
    challenger: Challenger,
    *,
    releases: tuple[str, str],
    counted_N: Bools,
    fresh_N: Bools,
    since: int | None = None,
) -> tuple[Evaluation, Evaluation]:
    """What the gate gets to see: both sides on the examples `counted_N`, of which some are `fresh_N`.

    Disagreements that the challenger frozen in the night `since` asked about need no weighing for it.
    """
    chosen_by = [
        ChosenBy.RANDOM_AUDIT if blind else ChosenBy.VOLUNTEERED if asked < 0 else None if asked == since
        else ChosenBy.DISAGREEMENT
        for blind, asked in zip(people.blind_N.tolist(), people.asked_N.tolist(), strict=True)
    ]  # fmt: skip
    rng = people.rng
    sides = []
    sure_N = rng.beta(5, 2, len(people))
    other_N = np.where(challenger.turned_N, rng.beta(5, 2, len(people)), sure_N)
    turned_H = rng.random(HOSTILE) < TURNED
    otherwise_H = rng.random(HOSTILE) < TURNED
    for release, right_N, sure, held_H in (
        (releases[0], people.right_N, sure_N, ~turned_H),
        (
            releases[1],
            people.right_N ^ challenger.turned_N,
            other_N,
            ~np.where(otherwise_H, rng.random(HOSTILE) < TURNED, turned_H),
        ),
    ):
        sides.append(
            Evaluation.model_construct(
                id=f"evaluation of {release}",
                environment="screen",
                release=release,
                suite="simulated",
                scores=tuple(_scores(people, right_N, sure, counted_N, fresh_N, chosen_by)),
                hostile=tuple(_hostile(held_H)),
                latency_ms_p50=float(rng.normal(10.0, 0.3)),
                weights_bytes=1_000_000,
            )
        )
    return sides[0], sides[1]


def _scores(
    people: People,
    right_N: Bools,
    sure_N: Floats,
    counted_N: Bools,
    fresh_N: Bools,
    chosen_by_N: Sequence[ChosenBy | None],
) -> Sequence[ItemScore]:
    columns = (
        np.flatnonzero(counted_N), people.cluster_N, people.domain_N, people.expected_N, right_N, people.was_wrong_N,
        sure_N, fresh_N,
    )  # fmt: skip
    chosen, cluster, domain, expected, right, was_wrong, sure, fresh = (column.tolist() for column in columns)
    return [
        ItemScore(
            example=f"{i:06d}",
            cluster=f"c{cluster[i]}",
            score=float(right[i]),
            answer=ANSWERS[expected[i] if right[i] else 1 - expected[i]],
            expected=ANSWERS[expected[i]],
            probability=0.5 + sure[i] / 2,
            was_wrong=was_wrong[i],
            chosen_by=chosen_by_N[i],
            fresh=fresh[i],
            domain=f"domain {domain[i]}",
        )
        for i in chosen
    ]


def _hostile(held_H: Bools) -> Sequence[ItemScore]:
    return [
        ItemScore(example=f"hostile {i}", cluster=f"hostile {i}", score=float(held))
        for i, held in enumerate(held_H.tolist())
    ]
