"""vLLM below the trainer draws from the student as it was last refreshed, and its base weights keep their bits."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rollout_checks import (
    SAMPLING,
    SETTINGS,
    asked_of,
    draws_what_the_student_says,
    move,
    pictures,
    sees_each_refresh_and_nothing_before,
    student_of,
)
from weights_inside import hash_of_base

from core.learning.rollouts import Asked, rollout_engine
from core.learning.rollouts.vllm_in_process import VllmInProcess, lora_rank
from core.policy.form import TextForm
from core.policy.vlm.policy import VlmPolicy
from core.schema import NightshiftError
from core.services.bench.verdicts import vllm_is_installed

pytestmark = pytest.mark.soak  # an engine of vLLM starts for it
needs_vllm = pytest.mark.skipif(not vllm_is_installed(), reason="vLLM is not installed here; `make vllm` installs it")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VllmInProcess, VlmPolicy, list[Asked]]]:
    student, library = student_of(tmp_path_factory.mktemp("student")), pictures()
    with pytest.MonkeyPatch.context() as patch:
        # For the test alone: only so can it look at the weights inside.
        patch.setenv("VLLM_ALLOW_INSECURE_SERIALIZATION", "1")
        engine = rollout_engine(student, SETTINGS.model_copy(update={"rollouts": "vllm"}), library)
        assert isinstance(engine, VllmInProcess)
        try:
            yield engine, student, asked_of(student, library)
        finally:
            engine.close()


@needs_vllm
def test_it_draws_what_the_student_says(running):
    draws_what_the_student_says(*running)


@needs_vllm
def test_it_sees_each_refresh_and_nothing_before(running):
    sees_each_refresh_and_nothing_before(*running)


@needs_vllm
def test_no_refresh_changes_a_bit_of_the_base_in_trainer_or_engine(running):
    engine, student, asked = running
    before = hash_of_base(student.model), engine.llm.apply_model(hash_of_base)
    for seed in range(4):
        move(student, seed)
        engine.refresh(student)
        engine.draw(asked, 2, SAMPLING, seed=seed)
    assert before[1][0]
    assert (hash_of_base(student.model), engine.llm.apply_model(hash_of_base)) == before


@needs_vllm
def test_what_it_draws_under_a_form_is_of_that_form(running):
    engine, student, asked = running
    engine.refresh(student)
    form = TextForm(openings=("通过\n", "不通过\n"), least=4, most=12)
    drawn = engine.draw(asked, 4, replace(SAMPLING, max_new_tokens=64, form=form), seed=1)
    for tokens, mask in zip(drawn.tokens_NGT.flatten(0, 1), drawn.mask_NGT.flatten(0, 1), strict=True):
        assert re.fullmatch(form.pattern, student.text_of(tokens[mask].tolist()))


@pytest.mark.skipif(vllm_is_installed(), reason="vLLM is installed here")
def test_without_vllm_it_says_what_to_run(tmp_path):
    with pytest.raises(NightshiftError, match="make vllm"):
        rollout_engine(student_of(tmp_path), SETTINGS.model_copy(update={"rollouts": "vllm"}), None)


def test_room_is_made_for_the_next_rank_that_vllm_has():
    assert [lora_rank(rank) for rank in (1, 4, 16, 17, 512)] == [1, 8, 16, 32, 512]
    with pytest.raises(NightshiftError, match="is more than vLLM serves"):
        lora_rank(513)
