"""How far a judge's answers agree with people's. Axes: N examples that a person answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from core.evaluation import accuracy, cohen_kappa, ece, kappa_ci95
from core.judge import Judge, Panel, panel_weights
from core.schema import Agreement, Example, Judgment, Label
from core.services.judging import Judged

__all__ = [
    "Said",
    "agreement",
    "agreement_by_category",
    "calibration_error",
    "crossfit",
    "mean_position_bias",
    "said_on",
    "unflattered",
]


@dataclass(frozen=True)
class Said:
    """What a judge said of an example, beside what a person said."""

    judgment: Judgment
    expected: str
    cluster: str
    "Examples of one cluster are one piece of evidence."
    category: str

    @property
    def is_scored(self) -> bool:
        return self.judgment.unscored is None

    @property
    def answer(self) -> str:
        return str(self.judgment.verdict)

    @property
    def confidence(self) -> float:
        return max(each.score for each in self.judgment.scores)

    @property
    def is_right(self) -> bool:
        return self.answer == self.expected


def agreement(said_N: Sequence[Said]) -> Agreement:
    """Accuracy and Cohen's kappa over what was scored, with the interval of kappa over clusters."""
    scored = [each for each in said_N if each.is_scored]
    expected, answers = [each.expected for each in scored], [each.answer for each in scored]
    return Agreement(
        n=len(said_N),
        scored=len(scored),
        accuracy=accuracy([float(each.is_right) for each in scored]),
        kappa=cohen_kappa(expected, answers),
        kappa_ci95=kappa_ci95(expected, answers, [each.cluster for each in scored]),
    )


def agreement_by_category(said_N: Sequence[Said]) -> dict[str, Agreement]:
    """The same for each category."""
    names = sorted({each.category for each in said_N})
    return {name or "(none)": agreement([each for each in said_N if each.category == name]) for name in names}


def calibration_error(said_N: Sequence[Said]) -> float | None:
    """Expected calibration error of the scores that the judge's answers have; None where nothing was scored."""
    scored = [each for each in said_N if each.is_scored]
    return ece([each.confidence for each in scored], [float(each.is_right) for each in scored])


def mean_position_bias(said_N: Sequence[Said]) -> float | None:
    """By how much the answer that stood first was favoured, in the mean; None where places play no part."""
    biases = [each.judgment.position_bias for each in said_N if each.is_scored]
    known = [bias for bias in biases if bias is not None]
    return fmean(known) if known else None


def crossfit(
    panel: Panel, examples: Mapping[str, Example], said_by_member: Mapping[str, Sequence[Said]]
) -> dict[str, Judgment]:
    """The panel's judgments by example id, its members weighed by their agreement on *other* clusters.

    The weights of a panel are fitted to people's answers, so a panel that is measured on the same answers would be
    flattered. Clusters fall into two halves, in the order of their names by turns; each half is judged with the
    weights that the other half gives.
    """
    clusters = sorted({each.cluster for said in said_by_member.values() for each in said})
    half_of = {cluster: place % 2 for place, cluster in enumerate(clusters)}
    combined: dict[str, Judgment] = {}
    for half in (0, 1):
        low: dict[str, float] = {}
        for name, said in said_by_member.items():
            interval = agreement([each for each in said if half_of[each.cluster] != half]).kappa_ci95
            if interval is not None:
                low[name] = interval[0]
        weighed = panel.weighed(panel_weights([member.name for member in panel.members], low))
        voices: dict[str, dict[str, Judgment]] = {}
        for name, said in said_by_member.items():
            for each in said:
                if half_of[each.cluster] == half:
                    voices.setdefault(each.judgment.example, {})[name] = each.judgment
        for id, of_members in voices.items():
            example = examples[id]
            combined[id] = weighed.combined(example, example.answers or (), of_members)
    return combined


def said_on(
    labels: Sequence[Label],
    examples: Mapping[str, Example],
    judgments: Mapping[str, Judgment],
    category: Callable[[Example], str] = lambda _: "",
) -> list[Said]:
    """The judgments of what people labelled, beside the labels; labels without a judgment are left out."""
    return [
        Said(
            judgment=judgments[label.example],
            expected=str(label.answer),
            cluster=examples[label.example].cluster or label.example,
            category=category(examples[label.example]),
        )
        for label in labels
        if label.example in judgments
    ]


def unflattered(
    teacher: Judge, judged: Judged, labels: Sequence[Label], examples: Mapping[str, Example]
) -> dict[str, Judgment]:
    """What a judge said of labelled examples, by example id; of a panel, with weights that other clusters gave."""
    if not isinstance(teacher, Panel):
        return judged.of_example
    by_member = {name: said_on(labels, examples, of.of_example) for name, of in judged.members.items()}
    return crossfit(teacher, examples, by_member)
