from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_library import MemoryLibrary
from PIL import Image, ImageChops

from core.environments import environment
from core.environments.screen.variants.chrome import REFRAMED
from core.environments.screen.variants.contrast import NEAR_MISS, OTHER_WORK, purposes
from core.environments.screen.variants.covers import OCCLUDED, OVERLAID
from core.environments.screen.variants.neighbours import NEIGHBOUR
from core.environments.screen.variants.paraphrase import REWORDED, reword
from core.environments.screen.variants.repaint import COMPRESSED, RECOLOURED, RESCALED, compress, recolour, rescale
from core.learning.variants import Draft, Labelled, VariantContext, VariantKind, draft_variants

TEXT_KINDS = (REWORDED, OTHER_WORK)
PICTURES = (RECOLOURED, RESCALED, REFRAMED, OVERLAID, OCCLUDED, COMPRESSED)
FAR_WORKS = (
    "Watch the next episode of the series.",
    "Bake a cake after the recipe.",
    "Book a train to the coast.",
    "Tune the guitar and practise scales.",
)


@pytest.fixture
def picture() -> Image.Image:
    gradient = np.linspace(0, 255, 320 * 200 * 3).reshape(200, 320, 3).astype(np.uint8)
    return Image.fromarray(gradient)


@pytest.fixture
def coding(library: MemoryLibrary, code: str, picture: Image.Image) -> Labelled:
    library.images[code] = picture
    return labelled(code, "Fix the parser and write a test for it.", "on_task")


def labelled(media: str, ask: str, answer: str, *, surprising: bool = False) -> Labelled:
    example = environment("screen").example((media,), ask, cluster=media)
    return Labelled(example, answer, surprising=surprising)


def elsewhere(library: MemoryLibrary, asks: Sequence[str] = FAR_WORKS) -> list[Labelled]:
    return [labelled(library.add(f"A screen about {ask}", "with", "text"), ask, "on_task") for ask in asks]


def drafts(
    parent: Labelled, library: MemoryLibrary, others: Sequence[Labelled] = (), kinds: Sequence[VariantKind] = TEXT_KINDS
) -> list[Draft]:
    return draft_variants(parent, kinds, VariantContext([parent, *others], library), seed=0, limit=20)


def test_the_same_parent_in_the_same_context_has_the_same_variants(coding: Labelled, library: MemoryLibrary) -> None:
    kinds = environment("screen").variant_kinds
    once, again = (drafts(coding, library, elsewhere(library), kinds) for _ in range(2))
    assert [(each.how, each.ask, each.answer) for each in once] == [(each.how, each.ask, each.answer) for each in again]
    assert [each.image and each.image.tobytes() for each in once] == [
        each.image and each.image.tobytes() for each in again
    ]
    pictures = {kind.name for kind in PICTURES}
    assert {each.how for each in once} >= {"reworded", "other_work", "near_miss"} | pictures


def test_another_seed_makes_other_variants(coding: Labelled, library: MemoryLibrary) -> None:
    context = VariantContext([coding], library)
    one, other = (
        [each.ask for each in draft_variants(coding, [REWORDED], context, seed=seed, limit=9)] for seed in (0, 1)
    )
    assert one != other


def test_other_parents_do_not_change_how_one_is_reworded(coding: Labelled, library: MemoryLibrary) -> None:
    alone = drafts(coding, library, kinds=[REWORDED])
    in_company = drafts(coding, library, elsewhere(library), kinds=[REWORDED])
    assert [each.ask for each in alone] == [each.ask for each in in_company]


def test_no_more_are_made_than_asked_for(coding: Labelled, library: MemoryLibrary) -> None:
    context = VariantContext([coding, *elsewhere(library)], library)
    kinds = environment("screen").variant_kinds
    for limit in (0, 1, 4):
        assert len(draft_variants(coding, kinds, context, seed=0, limit=limit)) <= limit
    for kind in kinds:
        assert len(draft_variants(coding, [kind], context, seed=0, limit=50)) <= kind.limit


@pytest.mark.parametrize("answer", ["on_task", "off_task"])
def test_rewording_and_repainting_keep_the_answer(coding: Labelled, library: MemoryLibrary, answer: str) -> None:
    parent = labelled(coding.example.media[0], coding.example.ask, answer)
    made = drafts(parent, library, kinds=[REWORDED, *PICTURES])
    assert {each.how for each in made} == {"reworded", *(kind.name for kind in PICTURES)}
    assert {each.answer for each in made} == {answer}
    assert {each.parent.id for each in made} == {parent.example.id}


def test_rewording_changes_the_question_and_not_the_picture(coding: Labelled, library: MemoryLibrary) -> None:
    made = drafts(coding, library, kinds=[REWORDED])
    asks = [each.ask for each in made]
    assert len(asks) == len(set(asks)) == 3
    assert coding.example.ask not in asks
    assert all(each.image is None for each in made)


def test_repainting_changes_the_picture_and_not_the_question(coding: Labelled, library: MemoryLibrary) -> None:
    made = drafts(coding, library, kinds=PICTURES)
    assert {each.ask for each in made} == {coding.example.ask}
    own = library.image(coding.example.media[0]).tobytes()
    assert all(each.image is not None and each.image.tobytes() != own for each in made)


def test_other_work_on_the_same_screen_is_off_task(coding: Labelled, library: MemoryLibrary) -> None:
    made = drafts(coding, library, elsewhere(library), kinds=[OTHER_WORK])
    assert 1 <= len(made) <= 3
    assert {each.answer for each in made} == {"off_task"}
    assert {each.ask for each in made} <= set(FAR_WORKS)
    assert all(each.image is None for each in made)


def test_work_that_is_alike_is_no_other_work(coding: Labelled, library: MemoryLibrary) -> None:
    alike = elsewhere(library, ["Repair the parser and add tests.", "Fix the bug in the parser."])
    assert drafts(coding, library, alike, kinds=[OTHER_WORK]) == []


def test_work_that_rules_something_out_is_no_other_work(coding: Labelled, library: MemoryLibrary) -> None:
    excluding = elsewhere(library, ["Bake a cake; no source code.", "Book a train. Don't open the editor."])
    assert drafts(coding, library, excluding, kinds=[OTHER_WORK]) == []


def test_work_done_on_the_same_screen_is_no_other_work(coding: Labelled, library: MemoryLibrary) -> None:
    same_screen = [labelled(coding.example.media[0], ask, "off_task") for ask in FAR_WORKS]
    assert drafts(coding, library, same_screen, kinds=[OTHER_WORK]) == []


def test_an_off_task_label_makes_no_other_work(coding: Labelled, library: MemoryLibrary) -> None:
    off_task = labelled(coding.example.media[0], coding.example.ask, "off_task")
    assert drafts(off_task, library, elsewhere(library), kinds=[OTHER_WORK]) == []


def test_a_surprising_label_makes_no_other_work(coding: Labelled, library: MemoryLibrary) -> None:
    surprising = labelled(coding.example.media[0], coding.example.ask, "on_task", surprising=True)
    assert drafts(surprising, library, elsewhere(library), kinds=[OTHER_WORK]) == []


def test_a_screen_like_one_under_a_customers_rule_makes_no_other_work(
    coding: Labelled, library: MemoryLibrary, film: str
) -> None:
    lines = [line.text for line in library.reading(coding.example.media[0]).lines]
    ruled = labelled(library.add(*lines, "another tab"), "Rest for a while.", "on_task", surprising=True)
    unlike = labelled(film, "Rest for a while.", "on_task", surprising=True)
    assert drafts(coding, library, [*elsewhere(library), ruled], kinds=[OTHER_WORK]) == []
    assert drafts(coding, library, [*elsewhere(library), unlike], kinds=[OTHER_WORK]) != []


@given(st.integers(0, 10_000), st.sampled_from(["Fix it.", "iOS bug: check", "Write", "É", "a", "Test the tool"]))
def test_a_reworded_request_is_never_empty_and_ends_as_a_sentence(seed: int, ask: str) -> None:
    text = reword(ask, np.random.default_rng(seed))
    assert text.endswith(".")
    assert not text.endswith("..")
    assert len(text) > len(ask)


@pytest.mark.parametrize("size", [(1, 1), (7, 900), (320, 200)])
@pytest.mark.parametrize("paint", [rescale, recolour, compress])
def test_pictures_of_any_shape_can_be_repainted(paint: object, size: tuple[int, int]) -> None:
    for seed in range(4):
        repainted = paint(Image.new("RGB", size, "teal"), np.random.default_rng(seed))  # type: ignore[operator]
        assert repainted.mode == "RGB"
        assert min(repainted.size) >= 1


def test_another_theme_is_dark_for_light_or_a_tint_or_other_hues(picture: Image.Image) -> None:
    inverted = ImageChops.invert(picture).tobytes()
    seen = {recolour(picture, np.random.default_rng(seed)).tobytes() == inverted for seed in range(12)}
    assert seen == {True, False}


def test_a_near_miss_is_work_of_the_same_kind_about_something_that_is_nowhere_on_the_screen(
    coding: Labelled, library: MemoryLibrary
) -> None:
    made = drafts(coding, library, elsewhere(library), kinds=[NEAR_MISS])
    assert 1 <= len(made) <= 2
    assert {each.answer for each in made} == {"off_task"}
    assert {each.ask for each in made} <= set(purposes()["programming"][1:])


def test_a_near_miss_may_be_what_somebody_else_does_with_the_same_kind_of_application(
    coding: Labelled, library: MemoryLibrary
) -> None:
    theirs = "Fix the bug in the code of the glockenspiel synthesizer."
    asks = {
        each.ask
        for seed in range(8)
        for each in draft_variants(
            coding, [NEAR_MISS], VariantContext([coding, *elsewhere(library, [theirs])], library), seed=seed, limit=2
        )
    }
    assert theirs in asks


def test_what_the_screen_is_about_is_no_near_miss(coding: Labelled, library: MemoryLibrary) -> None:
    shown = elsewhere(library, ["Fix the header parser until test_parser passes with the Content-Type header."])
    made = drafts(coding, library, shown, kinds=[NEAR_MISS])
    assert not {each.ask for each in made} & {each.example.ask for each in shown}


@pytest.mark.parametrize("change", [{"answer": "off_task"}, {"surprising": True}])
def test_no_near_miss_is_made_of_what_a_fresh_eye_would_not_call_on_task(
    coding: Labelled, library: MemoryLibrary, change: dict[str, object]
) -> None:
    assert drafts(replace(coding, **change), library, kinds=[NEAR_MISS]) == []  # type: ignore[arg-type]


def test_a_neighbour_in_the_session_stands_for_the_screen(coding: Labelled, library: MemoryLibrary) -> None:
    later = library.add("parser.py - tidewatch - Editor", "12:05")
    context = VariantContext([coding], library, neighbours={coding.example.media[0]: [later]})
    (made,) = draft_variants(coding, [NEIGHBOUR], context, seed=0, limit=9)
    assert (made.media, made.image, made.ask, made.answer) == (later, None, coding.example.ask, "on_task")


def test_what_pops_up_has_no_word_of_the_work(library: MemoryLibrary) -> None:
    media = library.add("Inbox", image=Image.new("RGB", (900, 600), "white"))
    every = "Anna Marek Leila Mum Tomasz Yuki Uncle Ravi Neighbour Weather Calendar Battery"
    parent = labelled(media, f"Write to {every}.", "on_task")
    assert drafts(parent, library, kinds=[OVERLAID]) == []


def test_nothing_pops_up_on_a_screen_that_is_too_small(library: MemoryLibrary) -> None:
    media = library.add("Inbox", image=Image.new("RGB", (200, 90), "white"))
    assert drafts(labelled(media, "Answer the mail.", "on_task"), library, kinds=[OVERLAID, OCCLUDED]) == []


def test_between_other_bars_the_content_is_pixel_for_pixel_what_it_was(
    coding: Labelled, library: MemoryLibrary, picture: Image.Image
) -> None:
    (made,) = drafts(coding, library, kinds=[REFRAMED])
    left, top = made.parameters["left"], made.parameters["top"]
    assert made.image is not None
    assert made.image.crop((left, top, left + picture.width, top + picture.height)).tobytes() == picture.tobytes()
