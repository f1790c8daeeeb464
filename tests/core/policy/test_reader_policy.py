import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from memory_library import MemoryLibrary

from core.environments.screen.environment import screen_background
from core.policy.reader.matching import ACTIVITY_FEATURES, MATCH_FEATURES
from core.policy.reader.policy import ReaderPolicy
from core.schema import Example, NightshiftError

ANSWERS = ("on_task", "off_task")
CODING = "Fix the header parser and run its unit tests."
WATCHING = "Watch the next episode of the series and note how its story is told."
BUDGETING = "Update the quarterly revenue forecast in the spreadsheet."


@pytest.fixture
def reader() -> ReaderPolicy:
    return ReaderPolicy.create(ANSWERS, screen_background())


@pytest.fixture
def trained(reader: ReaderPolicy) -> ReaderPolicy:
    """A reader whose every weight has been moved."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in reader.model.parameters():
            weight.copy_(0.05 * torch.randn(weight.shape, generator=generator))
    return reader


def example(media: str, ask: str) -> Example:
    return Example.make("screen", (media,), ask, answers=ANSWERS)


def on_task(reader: ReaderPolicy, library: MemoryLibrary, media: str, ask: str) -> float:
    """Probability that the screen is on task."""
    batch = reader.collate(reader.encode([example(media, ask)], library))
    with torch.no_grad():
        return float(reader.answer_logprobs(batch)[0, 0].exp())


def test_an_untrained_reader_tells_matching_from_foreign_work(
    reader: ReaderPolicy, library: MemoryLibrary, code: str, film: str, sheet: str
) -> None:
    own = {code: CODING, film: WATCHING, sheet: BUDGETING}
    for media, ask in own.items():
        assert on_task(reader, library, media, ask) > 0.5
        for foreign in set(own.values()) - {ask}:
            assert on_task(reader, library, media, foreign) < 0.5


def test_a_reader_without_activities_answers_alike_whatever_kind_is_shown_or_wanted(
    library: MemoryLibrary, code: str
) -> None:
    reader = ReaderPolicy.create(ANSWERS, screen_background(), activities=False)
    with torch.no_grad():
        for weight in reader.model.parameters():
            weight.fill_(0.05)
    batch = reader.collate(reader.encode([example(code, CODING)], library))
    changed = {name: tensor.clone() for name, tensor in batch.items()}
    changed["topic"] += 1
    for feature in ACTIVITY_FEATURES:
        changed["match"][:, MATCH_FEATURES.index(feature)] += 1
    assert torch.equal(reader.answer_logprobs(batch), reader.answer_logprobs(changed))


def test_work_that_is_ruled_out_is_off_task(reader: ReaderPolicy, library: MemoryLibrary, film: str) -> None:
    ruled_out = "Prepare the tax return. Do not watch movies or series."
    assert on_task(reader, library, film, ruled_out) < 0.5
    assert on_task(reader, library, film, ruled_out) < on_task(reader, library, film, "Prepare the tax return.")


def test_an_exclusion_lowers_the_verdict_on_work_that_would_match(
    reader: ReaderPolicy, library: MemoryLibrary, film: str
) -> None:
    excluded = WATCHING + " No movies and no series, no episodes to watch."
    assert on_task(reader, library, film, excluded) < on_task(reader, library, film, WATCHING)


@pytest.mark.parametrize("texts", [(), ("",), ("a", "b"), ("12",)])
def test_a_screen_without_text_gets_a_finite_answer(
    reader: ReaderPolicy, library: MemoryLibrary, texts: tuple[str, ...]
) -> None:
    (features,) = reader.encode([example(library.add(*texts), CODING)], library)
    assert all(bool(torch.isfinite(value).all()) for value in features.values())
    assert 0 < on_task(reader, library, library.add(*texts), CODING) < 1


def test_a_reader_that_sees_no_text_says_by_its_confidence_that_it_cannot_tell(
    reader: ReaderPolicy, library: MemoryLibrary, film: str
) -> None:
    assert 0.45 < on_task(reader, library, library.add(), CODING) < 0.5
    assert on_task(reader, library, film, CODING) < 0.2


@pytest.mark.parametrize("ask", ["x", "!!!", "0", "写报告", "no", "word " * 400])
def test_any_description_gets_a_finite_answer(
    reader: ReaderPolicy, library: MemoryLibrary, code: str, ask: str
) -> None:
    assert 0 < on_task(reader, library, code, ask) < 1


def test_the_probabilities_of_the_answers_sum_to_one(
    trained: ReaderPolicy, library: MemoryLibrary, code: str, film: str
) -> None:
    batch = trained.collate(trained.encode([example(code, CODING), example(film, CODING)], library))
    logprobs_NK = trained.answer_logprobs(batch)
    assert logprobs_NK.shape == (2, 2)
    torch.testing.assert_close(logprobs_NK.exp().sum(-1), torch.ones(2))


def test_an_example_is_encoded_alike_in_any_company(
    reader: ReaderPolicy, library: MemoryLibrary, code: str, film: str, sheet: str
) -> None:
    examples = [example(media, ask) for media in (code, film, sheet) for ask in (CODING, WATCHING, BUDGETING)]
    together = reader.encode(examples, library)
    for one, features in zip(reversed(examples), reversed(together), strict=True):
        library.kept.clear()
        (alone,) = reader.encode([one], library)
        assert alone.keys() == features.keys()
        assert all(torch.equal(alone[name], features[name]) for name in alone)


def test_what_a_screen_says_is_embedded_once(reader: ReaderPolicy, library: MemoryLibrary, code: str) -> None:
    reader.encode([example(code, CODING), example(code, WATCHING)], library)
    assert [media for media, _ in library.kept] == [code]


def test_the_gradient_reaches_every_weight(reader: ReaderPolicy, library: MemoryLibrary, code: str, film: str) -> None:
    batch = reader.collate(reader.encode([example(code, CODING), example(film, CODING)], library))
    (-reader.answer_logprobs(batch)[:, 1].mean()).backward()
    for name, weight in reader.model.named_parameters():
        assert weight.requires_grad, name
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_one_step_of_its_optimizer_moves_it_toward_the_label(
    reader: ReaderPolicy, library: MemoryLibrary, film: str
) -> None:
    before = on_task(reader, library, film, CODING)
    batch = reader.collate(reader.encode([example(film, CODING)], library))
    optimizer = reader.optimizer(0.003, items=10)
    (-reader.answer_logprobs(batch)[0, 0]).backward()
    optimizer.step()
    assert on_task(reader, library, film, CODING) > before


def test_what_was_saved_is_loaded_bit_for_bit(
    trained: ReaderPolicy, library: MemoryLibrary, code: str, tmp_path: Path
) -> None:
    trained.save(tmp_path)
    loaded = ReaderPolicy.load(tmp_path)
    assert loaded.answers == trained.answers
    assert loaded.background == trained.background
    assert all(
        torch.equal(one, other)
        for one, other in zip(trained.model.parameters(), loaded.model.parameters(), strict=True)
    )
    assert on_task(loaded, library, code, CODING) == on_task(trained, library, code, CODING)


def test_equal_weights_are_saved_byte_for_byte_alike(trained: ReaderPolicy, tmp_path: Path) -> None:
    one, other, again = (tmp_path / name for name in ("one", "other", "again"))
    trained.save(one)
    trained.save(other)
    ReaderPolicy.load(one).save(again)
    for folder in (other, again):
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
            path.name: path.read_bytes() for path in one.iterdir()
        }


def test_only_files_that_a_registry_takes_are_saved(trained: ReaderPolicy, tmp_path: Path) -> None:
    trained.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_two_untrained_readers_are_the_same(tmp_path: Path) -> None:
    for name in ("one", "other"):
        ReaderPolicy.create(ANSWERS, screen_background()).save(tmp_path / name)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "other")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("answers", [(), ("yes",), ("yes", "no", "perhaps")])
def test_anything_but_two_answers_is_refused(answers: tuple[str, ...]) -> None:
    with pytest.raises(NightshiftError, match=f"tells two answers apart, not {len(answers)}"):
        ReaderPolicy.create(answers, screen_background())


def damaged(folder: Path, how: str) -> None:
    weights = folder / "model.safetensors"
    if how == "weights cut off":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif how == "weights of noise":
        weights.write_bytes(b"\xff" * 64)
    elif how == "no weights":
        weights.unlink()
    elif how == "no config":
        (folder / "config.json").unlink()
    elif how == "config of noise":
        (folder / "config.json").write_text("{")
    elif how == "config of another size":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "topics": 3}))
    elif how == "no background":
        (folder / "background.json").unlink()
    elif how == "background of noise":
        (folder / "background.json").write_text("[]")
    else:
        raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        "weights cut off",
        "weights of noise",
        "no weights",
        "no config",
        "config of noise",
        "config of another size",
        "no background",
        "background of noise",
    ],
)
def test_a_damaged_folder_is_refused_in_words(reader: ReaderPolicy, tmp_path: Path, how: str) -> None:
    reader.save(tmp_path)
    damaged(tmp_path, how)
    with pytest.raises(NightshiftError, match=str(tmp_path)):
        ReaderPolicy.load(tmp_path)


def test_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match="nowhere"):
        ReaderPolicy.load(tmp_path / "nowhere")


@pytest.mark.parametrize("ask", [CODING, WATCHING])
def test_a_verdict_is_explained_by_lines_that_stand_on_the_screen(
    reader: ReaderPolicy, library: MemoryLibrary, code: str, ask: str
) -> None:
    evidence = reader.explain(example(code, ask), library)
    on_screen = {line.text: line.box for line in library.reading(code).lines}
    lines = [each for each in evidence if each.box is not None]
    assert 1 <= len(lines) <= 5
    assert len(evidence) <= 5
    assert all(on_screen[each.text] == each.box and each.media == code for each in lines)
    assert all(0 <= edge <= 1 for each in lines for edge in each.box or ())
    weights = [abs(each.weight) for each in lines]
    assert weights == sorted(weights, reverse=True)


def test_the_strongest_line_speaks_for_the_verdict(
    reader: ReaderPolicy, library: MemoryLibrary, code: str, film: str
) -> None:
    def strongest(media: str) -> float:
        lines = [each for each in reader.explain(example(media, CODING), library) if each.box is not None]
        return lines[0].weight

    assert strongest(code) > 0 > strongest(film)


def test_a_screen_without_text_is_explained_by_that(reader: ReaderPolicy, library: MemoryLibrary) -> None:
    (evidence,) = reader.explain(example(library.add("", "a"), CODING), library)
    assert "no text" in evidence.text


def test_importing_policies_pulls_in_no_trainer_no_database_and_no_orchestrator() -> None:
    program = (
        "import sys, core.policy, core.policy.reader.policy, core.learning; "
        "print([name for name in ('trl', 'duckdb', 'prefect', 'gradio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_reader_with_other_match_features_is_refused(reader: ReaderPolicy, tmp_path: Path) -> None:
    reader.save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "match_weights": [1.0]}))
    with pytest.raises(NightshiftError):
        ReaderPolicy.load(tmp_path)
