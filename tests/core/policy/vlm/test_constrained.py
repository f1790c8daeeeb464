"""Constrained decoding: what a student with random weights writes under a form is always of that form."""

import re
from pathlib import Path

import pytest
import torch

from core.environments.group_qc.contract import FORM, parse_answer
from core.environments.group_qc.prompt import PROMPT
from core.policy import Sampling
from core.policy.form import TextForm
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Example, NightshiftError
from core.settings import VlmSettings


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> VlmPolicy:
    folder: Path = tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny"))
    return VlmPolicy.create(PROMPT, VlmSettings(model=str(folder)))


def written(student: VlmPolicy, form: TextForm, *, samples: int, temperature: float = 1.0, room: int = 40) -> list[str]:
    batch = student.collate(student.encode([Example.make("group_qc", ("one",), "任务")], None))  # type: ignore[arg-type]
    torch.manual_seed(0)
    drawn = student.sample(batch, samples, Sampling(temperature, max_new_tokens=room, form=form))
    assert bool(drawn.ended_NG.all())
    rows = zip(drawn.tokens_NGT[0], drawn.mask_NGT[0], strict=True)
    return [student.text_of(tokens[mask].tolist()) for tokens, mask in rows]


def test_whatever_is_drawn_under_the_contract_is_of_its_form(student: VlmPolicy) -> None:
    for text in written(student, FORM, samples=12):
        assert re.fullmatch(FORM.pattern, text), text


def test_a_line_of_chinese_alone_parses_as_an_answer(student: VlmPolicy) -> None:
    form = TextForm(openings=FORM.openings, least=4, most=8, signs="接地线松脱")
    for text in written(student, form, samples=8):
        assert parse_answer(text).text == text


def test_the_opening_may_be_given(student: VlmPolicy) -> None:
    (text,) = written(student, FORM.model_copy(update={"openings": ("不通过\n",)}), samples=1, temperature=0)
    assert text.startswith("不通过\n")


def test_an_answer_ends_within_the_room_it_has_and_too_little_room_is_named(student: VlmPolicy) -> None:
    assert all(len(text) <= 6 for text in written(student, TextForm(least=1, most=6), samples=6, room=24))
    with pytest.raises(NightshiftError, match="allow it more new tokens"):
        written(student, TextForm(least=20, most=40), samples=1, room=5)


def test_log_probabilities_are_those_of_the_student_and_not_of_what_was_barred(student: VlmPolicy) -> None:
    batch = student.collate(student.encode([Example.make("group_qc", ("one",), "任务")], None))  # type: ignore[arg-type]
    torch.manual_seed(0)
    drawn = student.sample(batch, 2, Sampling(max_new_tokens=40, form=FORM))
    with torch.no_grad():
        scored = student.completion_scores(batch, drawn.tokens_NGT, drawn.mask_NGT)
    torch.testing.assert_close(drawn.logprobs_NGT, scored.logprobs_NGT, atol=1e-4, rtol=1e-4)


def test_the_verdicts_are_scored_as_first_lines(student: VlmPolicy) -> None:
    batch = student.collate(student.encode([Example.make("group_qc", ("one",), "任务")], None))  # type: ignore[arg-type]
    logprobs_NK = student.verdict_logprobs(batch)
    assert student.answers is None
    assert student.verdicts == ("通过", "不通过")
    torch.testing.assert_close(logprobs_NK.exp().sum(dim=-1), torch.ones(1))
