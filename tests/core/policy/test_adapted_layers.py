"""The reader's own last layers of the text encoder."""

from pathlib import Path

import pytest
import torch
from memory_library import MemoryLibrary

from core.environments.screen.environment import ScreenEnvironment, screen_background
from core.judge import ReadingJudge
from core.policy import Features
from core.policy.reader.adapted import matched_again
from core.policy.reader.policy import ReaderPolicy
from core.reading import text_encoder
from core.schema import Example, NightshiftError
from core.settings import Settings

ANSWERS = ("on_task", "off_task")
CODING = "Fix the header parser and run its unit tests; no e-mail today."
WATCHING = "Watch the next episode of the series and note how its story is told."


def new_reader(layers: int = 1) -> ReaderPolicy:
    return ReaderPolicy.create(ANSWERS, screen_background(), adapted_layers=layers)


@pytest.fixture
def reader() -> ReaderPolicy:
    return new_reader()


@pytest.fixture
def adapted(reader: ReaderPolicy) -> ReaderPolicy:
    """A reader whose layers alone have been moved."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in reader.model.named_parameters():
            if name.startswith("adapted."):
                weight.copy_(0.5 * torch.randn(weight.shape, generator=generator))
    return reader


def example(media: str, ask: str) -> Example:
    return Example.make("screen", (media,), ask, answers=ANSWERS)


def logprobs(reader: ReaderPolicy, library: MemoryLibrary, *examples: Example) -> torch.Tensor:
    with torch.no_grad():
        return reader.answer_logprobs(reader.collate(reader.encode(examples, library)))


def all_pairs(code: str, film: str, sheet: str) -> list[Example]:
    return [example(media, ask) for media in (code, film, sheet) for ask in (CODING, WATCHING)]


@pytest.mark.parametrize("layers", [1, 3, 6])
def test_an_untrained_reader_answers_as_one_whose_encoder_is_fixed(
    library: MemoryLibrary, code: str, film: str, sheet: str, layers: int
) -> None:
    pairs = [*all_pairs(code, film, sheet), example(library.add(), CODING), example(library.add("one line"), WATCHING)]
    torch.testing.assert_close(
        logprobs(new_reader(layers), library, *pairs), logprobs(new_reader(0), library, *pairs), atol=1e-3, rtol=0
    )


def test_the_match_features_are_those_of_the_encoder_until_something_is_added(
    reader: ReaderPolicy, library: MemoryLibrary, code: str, film: str, sheet: str
) -> None:
    batch = reader.collate(reader.encode(all_pairs(code, film, sheet), library))
    assert reader.model.adapted is not None
    torch.testing.assert_close(
        matched_again(reader.model.adapted, batch["match"], batch), batch["match"], atol=2e-5, rtol=0
    )


def test_padding_changes_no_answer(
    adapted: ReaderPolicy, library: MemoryLibrary, code: str, film: str, sheet: str
) -> None:
    pairs = [*all_pairs(code, film, sheet), example(library.add("two", "lines"), "x")]
    alone = torch.cat([logprobs(adapted, library, each) for each in pairs])
    torch.testing.assert_close(logprobs(adapted, library, *pairs), alone, atol=1e-4, rtol=0)


def test_the_gradient_reaches_every_added_weight_and_none_of_the_encoders(
    reader: ReaderPolicy, library: MemoryLibrary, code: str, film: str, sheet: str
) -> None:
    batch = reader.collate(reader.encode(all_pairs(code, film, sheet), library))
    (-reader.answer_logprobs(batch)[:, 1].mean()).backward()
    for name, weight in reader.model.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name
    assert all(weight.grad is None for weight in text_encoder().model.parameters())


def test_a_batch_in_which_nothing_is_ruled_out_gives_gradients_too(
    reader: ReaderPolicy, library: MemoryLibrary, code: str
) -> None:
    batch: Features = reader.collate(reader.encode([example(code, WATCHING)], library))
    (-reader.answer_logprobs(batch)[:, 1].mean()).backward()
    assert reader.model.adapted is not None
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in reader.model.adapted.parameters())


def test_an_adapted_reader_is_loaded_as_it_was_saved(
    adapted: ReaderPolicy, library: MemoryLibrary, code: str, film: str, sheet: str, tmp_path: Path
) -> None:
    pairs = all_pairs(code, film, sheet)
    adapted.save(tmp_path)
    assert torch.equal(logprobs(ReaderPolicy.load(tmp_path), library, *pairs), logprobs(adapted, library, *pairs))
    assert not torch.equal(logprobs(adapted, library, *pairs), logprobs(new_reader(), library, *pairs))


def test_a_checkpoint_grows_by_seven_megabytes_a_layer(reader: ReaderPolicy, tmp_path: Path) -> None:
    reader.save(tmp_path)
    assert (tmp_path / "model.safetensors").stat().st_size < 8_000_000


def test_releases_share_what_is_known_of_a_screen_and_no_answer(
    adapted: ReaderPolicy, library: MemoryLibrary, code: str
) -> None:
    pair = example(code, CODING)
    before, moved = logprobs(new_reader(), library, pair), logprobs(adapted, library, pair)
    assert len(library.kept) == 1
    assert torch.equal(logprobs(new_reader(), library, pair), before)
    assert not torch.equal(moved, before)


def test_no_adapted_reader_moves_the_judge(adapted: ReaderPolicy, library: MemoryLibrary, code: str) -> None:
    pair, judge = example(code, CODING), ReadingJudge(screen_background())
    before = judge.judge(pair, ANSWERS, library).scores
    logprobs(adapted, library, pair)
    assert judge.judge(pair, ANSWERS, library).scores == before


def test_more_layers_than_the_encoder_has_are_refused() -> None:
    with pytest.raises(NightshiftError, match=r"reader\.adapted_layers is 7; the text encoder has 6 layers"):
        new_reader(7)


def test_the_setting_says_how_many_layers_the_first_champion_adapts(tmp_path: Path) -> None:
    for layers in (0, 2):
        settings = Settings(home=tmp_path, reader={"adapted_layers": layers})
        assert ScreenEnvironment().untrained_policy(settings).model.config.adapted_layers == layers
