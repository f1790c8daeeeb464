import numpy as np
import pytest
from memory_library import MemoryLibrary

from core.environments import environment
from core.environments.group_qc.contract import FAIL, PASS
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.missions import named
from core.environments.group_qc.variants import IRRELEVANT_OUT, RELEVANT_OUT, REWORDED, SHUFFLED, restated
from core.learning.variants import Draft, Labelled, VariantContext, VariantKind, draft_variants

FINE, LOOSE, FAR = "正面，接地线已接好，标签清晰", "左侧，接地线松脱，标签清晰", "远景，看不清接地线，标签清晰"


def labelled(answer: str, *lines: str, reason: str | None = None) -> Labelled:
    ask = Dossier.of(named("grounding_cable"), lines).text
    media = tuple(f"{place}".rjust(64, "0") for place in range(1, len(lines) + 1))
    return Labelled(environment("group_qc").example(media, ask, cluster="one"), answer, reason=reason)


def drafts(kind: VariantKind, parent: Labelled, *others: Labelled) -> list[Draft]:
    return draft_variants(parent, [kind], VariantContext([parent, *others], MemoryLibrary()), seed=0, limit=10)


def test_photos_and_lines_are_shuffled_together() -> None:
    parent = labelled(FAIL, FINE, LOOSE, FAR)
    made = drafts(SHUFFLED, parent)
    assert made
    line_of = dict(zip(parent.example.media, (FINE, LOOSE, FAR), strict=True))
    for draft in made:
        assert Dossier.parse(draft.ask).summaries == tuple(line_of[media] for media in draft.photos or ())
        assert (draft.answer, set(draft.photos or ())) == (FAIL, set(parent.example.media))


def test_a_photo_that_shows_nothing_may_be_left_out() -> None:
    failed = labelled(FAIL, FINE, LOOSE, FAR, reason="图片_2接地线松脱")
    for parent in (failed, labelled(PASS, FINE, LOOSE, FAR)):
        (draft,) = drafts(IRRELEVANT_OUT, parent)
        assert (draft.answer, Dossier.parse(draft.ask).summaries) == (parent.answer, (FINE, LOOSE))


@pytest.mark.parametrize("reason", [None, "接地线没有接好"])
def test_nothing_is_left_out_of_a_group_that_may_have_failed_by_it(reason: str | None) -> None:
    assert drafts(IRRELEVANT_OUT, labelled(FAIL, FINE, FAR, reason=reason)) == []
    assert drafts(IRRELEVANT_OUT, labelled(FAIL, FINE, "左侧，未见接地线", reason="图片_1接地线松脱")) == []


def test_a_line_at_its_longest_is_left_as_it_is() -> None:
    longest = ("接地线已接好" * 40)[:200]
    parent = labelled(PASS, longest, FINE)
    for ask in (
        *(draft.ask for draft in drafts(REWORDED, parent)),
        restated(parent.example.ask, np.random.default_rng(0)),
    ):
        assert max(map(len, Dossier.parse(ask).summaries)) <= 200


def test_without_the_one_photo_that_a_fail_rests_on_the_group_passes() -> None:
    passed = labelled(PASS, FINE, FAR)
    (draft,) = drafts(RELEVANT_OUT, labelled(FAIL, FINE, LOOSE, FAR, reason="图片_2接地线松脱"), passed)
    assert (draft.answer, Dossier.parse(draft.ask).summaries) == (PASS, (FINE, FAR))


@pytest.mark.parametrize("reason", [None, "接地线松脱", "图片_1和图片_2不好"])
def test_nothing_is_left_out_where_the_reason_does_not_name_one_photo(reason: str | None) -> None:
    assert drafts(RELEVANT_OUT, labelled(FAIL, FINE, LOOSE, reason=reason), labelled(PASS, FINE)) == []


def test_nothing_flips_where_another_line_was_never_seen_to_pass() -> None:
    parent = labelled(FAIL, "右侧，接地线锈蚀，标签清晰", LOOSE, reason="图片_2接地线松脱")
    assert drafts(RELEVANT_OUT, parent, labelled(PASS, FINE)) == []


def test_other_words_keep_number_and_order_of_the_lines_and_siblings_use_words_that_no_variant_does() -> None:
    parent = labelled(FAIL, FINE, LOOSE)
    made = {draft.ask for draft in drafts(REWORDED, parent)}
    assert made
    assert all(len(Dossier.parse(ask).summaries) == 2 for ask in made)
    assert restated(parent.example.ask, np.random.default_rng(0)) not in made
