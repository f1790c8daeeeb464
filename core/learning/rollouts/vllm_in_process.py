"""Completions by vLLM in processes of this training: the adapter is handed over as a LoRA, the base stays as it is."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from core.judge.vllm_engine import running_engine
from core.learning.processes import process_count
from core.learning.rollouts.adapters import write_adapter
from core.learning.rollouts.base import Asked, RolloutEngine, Sampled, completions_of
from core.policy import Completions, Library, Policy, Sampling
from core.policy.vlm.policy import VlmPolicy
from core.schema import NightshiftError
from core.settings import LearningSettings

if TYPE_CHECKING:
    from vllm import LLM

__all__ = ["BANNED", "VllmInProcess", "checked", "lora_rank"]

BANNED = -100.0
"""Added to the logits of tokens that are never sampled: vLLM takes no less, and e^-100 is never drawn."""
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM reserves room for."""


class VllmInProcess(RolloutEngine):
    """An `LLM` of vLLM; made by `start`."""

    name = "vllm"

    def __init__(self, llm: "LLM", policy: VlmPolicy, library: Library | None, ends: ExitStack) -> None:
        """`ends` holds what has to end with the engine."""
        self.llm, self._policy, self._library, self._ends = llm, policy, library, ends
        self._adapters = Path(ends.enter_context(TemporaryDirectory(prefix="nightshift-adapters-")))
        self._lora: Any = None
        self._refreshed = 0

    @classmethod
    def start(cls, policy: VlmPolicy, settings: LearningSettings, library: Library | None) -> Self:
        """Raises NightshiftError where vLLM is not installed, does not start, or would be started several times."""
        if find_spec("vllm") is None:
            raise NightshiftError("learning.rollouts is 'vllm', and vLLM is not installed here; run `make vllm`")
        if process_count() > 1:
            raise NightshiftError(
                f"learning.rollouts 'vllm' would start one engine in each of {process_count()} processes on the same "
                'accelerators; start one server and set rollouts = "vllm_server"'
            )
        options: dict[str, Any] = {"enable_lora": True, "max_loras": 1}
        options["max_lora_rank"] = lora_rank(policy.config.adapter.rank)
        if policy.model.device.type == "cuda":
            options["gpu_memory_utilization"] = settings.rollout_memory
        with ExitStack() as ends:
            try:
                llm = ends.enter_context(running_engine(policy.folder, policy.config.dtype, **options))
            except (RuntimeError, ValueError, OSError) as error:
                first = (str(error).splitlines() or ["no message"])[0]
                raise NightshiftError(f"vLLM did not start: {first}") from error
            return cls(llm, policy, library, ends.pop_all())

    def refresh(self, policy: Policy) -> None:
        from vllm.lora.request import LoRARequest

        assert isinstance(policy, VlmPolicy)
        self._policy = policy
        folder = write_adapter(policy, self._adapters)
        before = Path(self._lora.lora_path) if self._lora is not None else None
        self._refreshed += 1
        # Another number each time: vLLM keeps what it has loaded under a number.
        self._lora = LoRARequest(folder.name, self._refreshed, str(folder))
        if before not in (None, folder):
            shutil.rmtree(before, ignore_errors=True)  # type: ignore[arg-type]

    def draw(self, asked: Sequence[Asked], samples: int, sampling: Sampling, seed: int) -> Completions:
        from vllm import SamplingParams
        from vllm.sampling_params import StructuredOutputsParams

        params = [
            SamplingParams(
                n=samples,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                max_tokens=sampling.max_new_tokens,
                seed=(seed + row) % 2**63,
                logprobs=0,
                logit_bias=dict.fromkeys(self._policy.never_sampled, BANNED),
                stop_token_ids=[self._policy.end_token],
                ignore_eos=True,  # what a base model's own files call its end may be another token than ours
                detokenize=False,
                structured_outputs=StructuredOutputsParams(regex=sampling.form.pattern) if sampling.form else None,
            )
            for row in range(len(asked))
        ]
        prompts = [self._prompt(each) for each in asked]
        outputs = self.llm.generate(prompts, params, lora_request=self._lora, use_tqdm=False)
        drawn = [
            checked(
                self._policy,
                each,
                output.prompt_token_ids,
                [
                    (one.token_ids, [at[t].logprob for t, at in zip(one.token_ids, one.logprobs, strict=True)])
                    for one in output.outputs
                ],
            )
            for each, output in zip(asked, outputs, strict=True)
        ]
        return completions_of(drawn, self._policy.model.device)

    def _prompt(self, asked: Asked) -> Any:
        example = asked.example
        prompt: dict[str, Any] = {"prompt": self._policy.prompt_text(example.ask, pictures=len(example.media))}
        if self._policy.looks_at(example):
            prompt["multi_modal_data"] = {"image": self._policy.pictures(example, self._library)}
        return prompt

    def close(self) -> None:
        self._ends.close()


def lora_rank(rank: int) -> int:
    """The least rank that vLLM has room for and an adapter of `rank` fits into. Raises NightshiftError beyond them."""
    fits = [each for each in RANKS if each >= rank]
    if not fits:
        raise NightshiftError(f'vlm.rank {rank} is more than vLLM serves ({RANKS[-1]}); set rollouts = "transformers"')
    return fits[0]


def checked(
    policy: VlmPolicy,
    asked: Asked,
    prompt: Sequence[int] | None,
    sampled: Sequence[tuple[Sequence[int], Sequence[float]]],
) -> list[Sampled]:
    """The completions of one prompt as an engine reports them: tokens and their log-probabilities.

    Raises NightshiftError where the engine saw another prompt than the trainer encodes, or drew a control token: what
    would be learnt then is not what the policy said.
    """
    own = asked.features["input_ids"].tolist()
    if prompt is not None and list(prompt) != own:
        raise NightshiftError(
            f"the rollout engine read example {asked.example.id} as {len(prompt)} tokens, the trainer as {len(own)} or "
            "as others; both must have the same processor, chat template and bounds of pictures"
        )
    never = set(policy.never_sampled)
    found = []
    for tokens, logprobs in sampled:
        if never.intersection(tokens):
            raise NightshiftError(
                f"the rollout engine drew control token {min(never.intersection(tokens))}; none may be"
            )
        if not tokens or len(tokens) != len(logprobs):
            raise NightshiftError(f"the rollout engine gave {len(logprobs)} log-probabilities for {len(tokens)} tokens")
        found.append(Sampled(tokens, logprobs, tokens[-1] == policy.end_token))
    return found
