"""How a labelled group may change without changing, or knowingly changing, its verdict.

Photos and lines go together: whoever leaves a photo out leaves its line out, and numbers the rest anew. What a photo
shows is only known from its line, so a kind that depends on it asks the line, and makes nothing where there is doubt.
"""

from collections.abc import Sequence

import numpy as np

from core.environments.group_qc.contract import FAIL, PASS, images_named
from core.environments.group_qc.dossier import Dossier, summary_problem
from core.learning.variants import Draft, Labelled, VariantContext, VariantKind

__all__ = ["IRRELEVANT_OUT", "RELEVANT_OUT", "REWORDED", "SHUFFLED", "restated", "reworded"]

UNSEEN = ("看不清", "无法判断", "无关")
"What a line says of a photo that does not matter. That something is not to be seen may be the very fault."
SAME = (
    ("标签清晰", "标签可辨认"),
    ("看不清", "无法看清"),
    ("缺少", "未安装"),
    ("已接好", "已接牢"),
    ("整齐", "规整"),
    ("齐全", "装齐"),
)
"Words for the same thing, either way."
OPENINGS = ("照片显示：", "可见：", "图中为：")
SIBLING_ENDINGS = ("，如图", "，现场拍摄", "，见照片")
"Of lines, in ways that no variant uses."


def reworded(line: str, generator: np.random.Generator) -> str:
    """The same line in other words, or as it is where these would not fit."""
    said = line
    for one, other in SAME:
        if one in said and generator.random() < 0.7:
            said = said.replace(one, other)
    if generator.random() < 0.5:
        said = f"{OPENINGS[int(generator.integers(len(OPENINGS)))]}{said}"
    return said if summary_problem(said) is None else line


def restated(ask: str, generator: np.random.Generator) -> str:
    """The same dossier, its lines ended in a way that no variant uses; a line that this does not fit stays as it is."""
    dossier = Dossier.parse(ask)
    ends = [SIBLING_ENDINGS[int(generator.integers(len(SIBLING_ENDINGS)))] for _ in dossier.summaries]
    ended = [a + b for a, b in zip(dossier.summaries, ends, strict=True)]
    fitting = [b if summary_problem(b) is None else a for a, b in zip(dossier.summaries, ended, strict=True)]
    return dossier.with_summaries(fitting).text


def _reworded(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:  # noqa: ARG001
    dossier = Dossier.parse(parent.example.ask)
    drafts = []
    for _ in range(REWORDED.limit):
        lines = [reworded(line, generator) for line in dossier.summaries]
        if lines != list(dossier.summaries):
            drafts.append(_draft("reworded", parent, dossier, range(len(lines)), lines=lines))
    return drafts


def _shuffled(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:  # noqa: ARG001
    dossier = Dossier.parse(parent.example.ask)
    orders = [generator.permutation(len(dossier.summaries)).tolist() for _ in range(SHUFFLED.limit)]
    straight = list(range(len(dossier.summaries)))
    return [_draft("shuffled", parent, dossier, order) for order in orders if order != straight]


def _irrelevant_out(
    parent: Labelled,
    context: VariantContext,  # noqa: ARG001
    generator: np.random.Generator,  # noqa: ARG001
) -> list[Draft]:
    """Without a photo whose line says that it does not show what is inspected; the verdict does not rest on it.

    Of a group that failed only where its reason says which photo it failed by.
    """
    dossier = Dossier.parse(parent.example.ask)
    if parent.answer == FAIL and not _named(parent):
        return []
    aside = [place for place, line in enumerate(dossier.summaries) if any(each in line for each in UNSEEN)]
    named = _named(parent)
    return [
        _draft("irrelevant_out", parent, dossier, _without(dossier, place))
        for place in aside
        if len(dossier.summaries) > 1 and place + 1 not in named
    ]


def _relevant_out(
    parent: Labelled,
    context: VariantContext,
    generator: np.random.Generator,  # noqa: ARG001
) -> list[Draft]:
    """Without the only photo that a failing verdict rests on: what is left passes.

    Only where the reason names exactly one photo, and every other line stands in a group of the mission that passed.
    """
    dossier, named = Dossier.parse(parent.example.ask), _named(parent)
    if parent.answer != FAIL or len(named) != 1 or not 1 <= named[0] <= len(dossier.summaries):
        return []
    kept = _without(dossier, named[0] - 1)
    harmless = _lines_that_passed(context.labelled, dossier.mission)
    if not kept or not all(dossier.summaries[place] in harmless for place in kept):
        return []
    return [_draft("relevant_out", parent, dossier, kept, answer=PASS)]


def _lines_that_passed(labelled: Sequence[Labelled], mission: str) -> set[str]:
    passed = (Dossier.parse(each.example.ask) for each in labelled if each.answer == PASS)
    return {line for dossier in passed if dossier.mission == mission for line in dossier.summaries}


def _named(parent: Labelled) -> tuple[int, ...]:
    return images_named(parent.reason or "")


def _without(dossier: Dossier, place: int) -> list[int]:
    return [each for each in range(len(dossier.summaries)) if each != place]


def _draft(
    how: str,
    parent: Labelled,
    dossier: Dossier,
    order: Sequence[int],
    *,
    lines: Sequence[str] | None = None,
    answer: str | None = None,
) -> Draft:
    """The group with the photos at these places of it, in this order."""
    said = dossier.summaries if lines is None else lines
    changed = dossier.with_summaries([said[place] for place in order])
    kept = parent.answer if answer is None else answer
    media = tuple(parent.example.media[place] for place in order)
    return Draft(how, parent.example, kept, changed.text, photos=media)


SHUFFLED = VariantKind(
    "shuffled",
    "keeps",
    changes_pixels=False,
    limit=2,
    make=_shuffled,
    preserves="every photo and its line; no verdict rests on their order",
)
REWORDED = VariantKind(
    "reworded",
    "keeps",
    changes_pixels=False,
    limit=2,
    make=_reworded,
    preserves="what every line says",
)
IRRELEVANT_OUT = VariantKind(
    "irrelevant_out",
    "keeps",
    changes_pixels=False,
    limit=2,
    make=_irrelevant_out,
    preserves="every photo that shows what is inspected",
)
RELEVANT_OUT = VariantKind(
    "relevant_out",
    "flips",
    changes_pixels=False,
    limit=1,
    make=_relevant_out,
    preserves="the photos whose lines were seen to pass",
)
