"""Three ways from the bytes of pictures to verdicts of one student: ours, `generate`, and vLLM.

Ours is what classifying runs. The other two serve the student as `VlmPolicy.merge` writes it, without adapter, each
as its own documentation says: transformers with greedy decoding, vLLM held to the answers' first tokens, of which it
gives one. Importing this module needs no vLLM.
"""

import contextlib
import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from core.judge.vllm_engine import running_engine
from core.learning import answer
from core.policy.vlm.policy import VlmPolicy
from core.schema import Example, NightshiftError, content_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from vllm import LLM

    from core.policy.base import Arrays
    from core.reading import Reading

__all__ = ["Generated", "Ours", "Request", "Served", "Side", "served", "vllm_is_installed"]

NEW_TOKENS = 8
"At most so many are generated; the end token ends an answer earlier."
SERVED_LENGTH = 1024
"Tokens of a prompt and its answer, at most."


class Request(NamedTuple):
    """What a caller sends: an encoded picture, and the description of the work."""

    png: bytes
    ask: str


class Side(ABC):
    """One way to a verdict."""

    @abstractmethod
    def verdicts(self, requests: Sequence[Request]) -> list[str | None]:
        """The answer to each request; None where what was said is no answer."""


class Ours(Side):
    """The product's own path: one prefill, and the answers' log-probabilities."""

    def __init__(self, policy: VlmPolicy) -> None:
        self._policy = policy

    def verdicts(self, requests: Sequence[Request]) -> list[str | None]:
        answers = self._policy.config.prompt.answers
        pictures = {str(place): picture(request) for place, request in enumerate(requests)}
        examples = [
            Example.make("screen", (str(place),), request.ask, answers=answers, cluster=content_id(place))
            for place, request in enumerate(requests)
        ]
        best = answer(self._policy, examples, _Decoded(pictures)).argmax(dim=1)
        return [answers[k] for k in best.tolist()]


class Generated(Side):
    """`generate` of transformers, greedy, on a whole batch at once."""

    def __init__(self, policy: VlmPolicy, merged: Path) -> None:
        self._policy = policy
        self._model = AutoModelForImageTextToText.from_pretrained(merged, dtype=policy.model.dtype)
        self._model.eval().to(policy.model.device)
        self._processor = AutoProcessor.from_pretrained(merged, padding_side="left")

    @torch.inference_mode()
    def verdicts(self, requests: Sequence[Request]) -> list[str | None]:
        inputs = self._processor(
            text=[self._policy.prompt_text(request.ask, pictures=1) for request in requests],
            images=[picture(request) for request in requests],
            padding=True,
            return_tensors="pt",
        ).to(self._model.device)
        tokens = self._model.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False)
        said = self._processor.batch_decode(tokens[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return [self._verdict(text) for text in said]

    def _verdict(self, text: str) -> str | None:
        prompt = self._policy.config.prompt
        by_word = dict(zip(prompt.words, prompt.answers, strict=True))
        return by_word.get(text.strip())


class Served(Side):
    """A vLLM engine; made by `served`, which also ends it."""

    def __init__(self, policy: VlmPolicy, engine: "LLM") -> None:
        from vllm import SamplingParams

        self._policy, self._engine = policy, engine
        first_tokens = policy.answer_tokens.tokens_KT[:, 0].tolist()
        self._answer_of = dict(zip(first_tokens, policy.config.prompt.answers, strict=True))
        self._sampling = SamplingParams(max_tokens=1, temperature=0, allowed_token_ids=first_tokens)

    def verdicts(self, requests: Sequence[Request]) -> list[str | None]:
        prompts = [
            {
                "prompt": self._policy.prompt_text(request.ask, pictures=1),
                "multi_modal_data": {"image": picture(request)},
            }
            for request in requests
        ]
        outputs = self._engine.generate(prompts, self._sampling, use_tqdm=False)
        return [self._answer_of.get(output.outputs[0].token_ids[0]) for output in outputs]


def vllm_is_installed() -> bool:
    return find_spec("vllm") is not None


@contextlib.contextmanager
def served(policy: VlmPolicy, merged: Path) -> Iterator[Served]:
    """vLLM with the model in `merged`, on as many threads as this process has; its processes end with the block."""
    if not policy.answer_tokens.first_decides:
        raise NightshiftError("vLLM is asked for one token; give the answers words that begin with different ones")
    dtype = str(policy.model.dtype).removeprefix("torch.")
    with running_engine(merged, dtype, SERVED_LENGTH, pictures=1) as engine:
        yield Served(policy, engine)


def picture(request: Request) -> Image.Image:
    """The decoded picture of a request."""
    return Image.open(io.BytesIO(request.png)).convert("RGB")


class _Decoded:
    """The pictures of one call. Meets `core.policy.Library` for policies that look at pixels."""

    def __init__(self, pictures: dict[str, Image.Image]) -> None:
        self._pictures = pictures

    def image(self, media: str) -> Image.Image:
        return self._pictures[media]

    def reading(self, media: str) -> "Reading":
        raise NightshiftError(f"picture {media} is not read here: the benchmark's student looks at pixels")

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":  # noqa: ARG002
        return make()
