from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from core.reading import TextEncoder, text_encoder

TEXTS = ("Write the report.", "Season 2 Episode 5", "", "import numpy as np", "Schreibe den Bericht", "report " * 300)
SWIFT = pytest.mark.parametrize("swift", [False, True], ids=["exact", "swift"])


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return text_encoder()


def fresh() -> TextEncoder:
    """An encoder that remembers nothing."""
    text_encoder.cache_clear()
    return text_encoder()


def test_every_vector_has_length_one(encoder: TextEncoder) -> None:
    vectors_ND = encoder.embed(TEXTS)
    assert vectors_ND.shape == (len(TEXTS), encoder.dim)
    assert vectors_ND.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors_ND, axis=1), 1, atol=1e-4)


def test_no_texts_give_no_rows(encoder: TextEncoder) -> None:
    assert encoder.embed([]).shape == (0, encoder.dim)


def test_texts_of_one_meaning_are_nearer_than_texts_of_two(encoder: TextEncoder) -> None:
    film, series, invoice = encoder.embed(
        ["watch a movie on television", "watch a series on television", "send the invoice"]
    )
    assert film @ series > film @ invoice + 0.1


@SWIFT
def test_a_texts_vector_is_the_same_bits_in_any_company(swift: bool) -> None:
    together_ND = fresh().embed(TEXTS, swift=swift)
    for text, vector_D in zip(TEXTS, together_ND, strict=True):
        np.testing.assert_array_equal(fresh().embed([text], swift=swift)[0], vector_D)


@SWIFT
def test_vectors_are_those_of_the_model_run_text_by_text(encoder: TextEncoder, swift: bool) -> None:
    for text, vector_D in zip(TEXTS, encoder.embed(TEXTS, swift=swift), strict=True):
        tokens = encoder.tokenizer(text, truncation=True, max_length=96, return_tensors="pt")
        with torch.inference_mode():
            mean_D = encoder.model(**tokens).last_hidden_state[0].mean(0)
        np.testing.assert_allclose(
            vector_D, torch.nn.functional.normalize(mean_D, dim=0).numpy(), atol=3e-3 if swift else 1e-4
        )


@pytest.mark.parametrize("last_layers", [0, 1, 3])
def test_states_are_those_of_the_model_before_its_last_layers(encoder: TextEncoder, last_layers: int) -> None:
    for text, state_TD in zip(TEXTS, encoder.states(TEXTS, last_layers), strict=True):
        tokens = encoder.tokenizer(text, truncation=True, max_length=96, return_tensors="pt")
        with torch.inference_mode():
            hidden = encoder.model(**tokens, output_hidden_states=True).hidden_states
        torch.testing.assert_close(state_TD, hidden[-1 - last_layers][0], atol=1e-4, rtol=1e-4)


def test_a_texts_states_are_the_same_bits_in_any_company(encoder: TextEncoder) -> None:
    for text, together_TD in zip(TEXTS, encoder.states(TEXTS, 2), strict=True):
        (alone_TD,) = encoder.states([text], 2)
        assert torch.equal(alone_TD, together_TD)


def test_the_same_call_gives_the_same_bits_whatever_was_embedded_before() -> None:
    first = fresh().embed(TEXTS).copy()
    other = fresh()
    other.embed([TEXTS[0]])
    other.embed(TEXTS[2:])
    np.testing.assert_array_equal(other.embed(TEXTS), first)


def test_a_text_given_twice_has_the_same_vector_twice(encoder: TextEncoder) -> None:
    one, _, again = encoder.embed(["Fix the parser", "something else", "Fix the parser"])
    np.testing.assert_array_equal(one, again)


def test_threads_get_the_vectors_that_one_thread_gets() -> None:
    calls = [([f"{word} " * (1 + i * 9) for word in ("tax", "film", "code")], 16 + 40 * (i % 3)) for i in range(6)]
    lone = fresh()
    alone = [lone.embed(*call) for call in calls]
    shared = fresh()
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda call: shared.embed(*call), calls))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_more_vectors_are_remembered_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.reading.encoder.MEMORY", 5)
    encoder = fresh()
    for number in range(4):
        encoder.embed([f"text {number}", f"other {number}"])
        assert len(encoder._known) <= 5


def test_a_vector_that_is_remembered_cannot_be_spoilt(encoder: TextEncoder) -> None:
    before = encoder.embed(["Plan the week"])
    encoder.embed(["Plan the week"])[0, 0] = 7
    np.testing.assert_array_equal(encoder.embed(["Plan the week"]), before)


def test_rare_words_are_rarer_than_common_ones(encoder: TextEncoder) -> None:
    assert encoder.rarity("the") == 0
    assert encoder.rarity("the") < encoder.rarity("spreadsheet") < encoder.rarity("hydrometeorological")
