from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.policy.calibration import MIN_LABELS, RANGE, Calibration
from core.schema import NightshiftError


def answers(seed: int, n: int, boldness: float) -> tuple[list[list[float]], list[int]]:
    """Log-probabilities `boldness` times too sure of themselves, and the labels that came true."""
    generator = np.random.default_rng(seed)
    logits_N = generator.normal(0, 2, n)
    labels_N = (generator.random(n) > 1 / (1 + np.exp(-logits_N))).astype(int)
    bold_N = torch.tensor(logits_N * boldness)
    logprobs_NK = torch.nn.functional.logsigmoid(torch.stack([bold_N, -bold_N], dim=-1))
    return logprobs_NK.tolist(), labels_N.tolist()


def nll(calibration: Calibration, logprobs_NK: list[list[float]], labels_N: list[int]) -> float:
    calibrated_NK = calibration(torch.tensor(logprobs_NK))
    return float(-calibrated_NK[range(len(labels_N)), labels_N].mean())


@pytest.mark.parametrize(("boldness", "temperature"), [(3.0, 3.0), (1.0, 1.0), (0.5, 0.5)])
def test_the_temperature_that_spoilt_the_probabilities_is_found(boldness: float, temperature: float) -> None:
    fitted = Calibration.fit(*answers(0, 4000, boldness))
    assert fitted.temperature == pytest.approx(temperature, rel=0.1)


@pytest.mark.parametrize("boldness", [4.0, 0.4])
def test_fitting_makes_other_labels_likelier(boldness: float) -> None:
    fitted = Calibration.fit(*answers(1, 300, boldness))
    held_out = answers(2, 1000, boldness)
    assert nll(fitted, *held_out) < nll(Calibration(), *held_out) - 0.02


def test_too_few_labels_change_nothing() -> None:
    assert Calibration.fit(*answers(0, MIN_LABELS - 1, 5.0)) == Calibration()
    assert Calibration.fit([], []) == Calibration()


def test_labels_that_are_all_right_do_not_make_it_infinitely_sure() -> None:
    fitted = Calibration.fit([[-0.1, -2.35]] * 100, [0] * 100)
    assert RANGE[0] <= fitted.temperature <= RANGE[1]


@given(st.floats(*RANGE), st.lists(st.floats(-8, 8), min_size=1, max_size=9))
def test_calibrated_probabilities_sum_to_one_and_keep_their_order(temperature: float, logits: list[float]) -> None:
    logits_N = torch.tensor(logits, dtype=torch.float64)
    logprobs_NK = torch.nn.functional.logsigmoid(torch.stack([logits_N, -logits_N], dim=-1))
    calibrated_NK = Calibration(temperature)(logprobs_NK)
    torch.testing.assert_close(calibrated_NK.exp().sum(-1), torch.ones_like(logits_N))
    assert ((logits_N > 1e-3) <= (calibrated_NK[:, 0] > calibrated_NK[:, 1])).all()


def test_a_temperature_of_one_changes_nothing() -> None:
    logprobs_NK = torch.tensor(answers(0, 50, 1.0)[0])
    torch.testing.assert_close(Calibration()(logprobs_NK), logprobs_NK)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    fitted = Calibration.fit(*answers(3, 200, 2.0))
    fitted.write(tmp_path)
    assert Calibration.read(tmp_path) == fitted


def test_where_none_was_written_none_is_needed(tmp_path: Path) -> None:
    assert Calibration.read(tmp_path) == Calibration()


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"temperature": "hot"}', '{"temperature": null}', "\x00"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, written: str) -> None:
    (tmp_path / "calibration.json").write_text(written)
    with pytest.raises(NightshiftError, match=r"calibration\.json is not a calibration"):
        Calibration.read(tmp_path)


@pytest.mark.parametrize("temperature", ["0", "-1", "NaN", "Infinity"])
def test_a_temperature_that_is_none_is_refused(tmp_path: Path, temperature: str) -> None:
    (tmp_path / "calibration.json").write_text(f'{{"temperature": {temperature}}}')
    with pytest.raises(NightshiftError, match="temperature"):
        Calibration.read(tmp_path)
