"""The vision-language student.

With a closed answer set a verdict is one prefill of prompt and pictures, and the log-probability of each answer's word.
In free text it samples, and scores what was sampled.
"""

import contextlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from core.policy.base import Completions, Features, Library, Policy, Sampling, TokenScores
from core.policy.vlm.adapter import AdapterConfig, adapt, load_adapter, save_adapter
from core.policy.vlm.answers import AnswerTokens
from core.policy.vlm.batches import collated, one_example
from core.policy.vlm.constrained import ByteVocabulary, InForm
from core.policy.vlm.foundation import Dtype, content_of, folder_of, load_model, load_processor
from core.policy.vlm.frozen import frozen
from core.policy.vlm.generation import never_sampled, sampled
from core.policy.vlm.opening import Opening
from core.policy.vlm.packing import packed_logprobs, packed_scores
from core.policy.vlm.prompt import Prompt
from core.policy.vlm.rollouts import rollouts_of
from core.schema import Example, NightshiftError, Rollout
from core.settings import VlmSettings

if TYPE_CHECKING:
    from peft import PeftModel

__all__ = ["VlmPolicy"]

CONFIG_FILE = "vlm.json"


class VlmConfig(BaseModel):
    """What a saved student consists of besides its adapter."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    base: str
    "Folder or hub name of the model that is adapted."
    base_content: str
    "Hash of its files."
    dtype: Dtype
    max_pixels: int
    adapter: AdapterConfig
    prompt: Prompt


class VlmPolicy(Policy):
    """Any image-text-to-text model of transformers, its language tower adapted, everything else frozen."""

    name = "vlm"
    at_once = 8

    def __init__(self, config: VlmConfig, folder: Path, adapter: Path | None) -> None:
        """`folder` holds the base model, `adapter` the saved adapter; without one a new adapter is begun."""
        self.config, self._folder = config, folder
        model = load_model(folder, config.dtype)
        self._processor = load_processor(folder)
        self._adapted: PeftModel = (
            adapt(model, config.adapter) if adapter is None else load_adapter(model, config.adapter, adapter)
        )
        self.model = model.eval()
        self.answers = config.prompt.answers or None
        tokenizer = self._processor.tokenizer
        self._control_tokens = tuple(str(token) for token in tokenizer.added_tokens_decoder.values())
        if self.answers is not None:
            self.answer_tokens = AnswerTokens.of(config.prompt.words, tokenizer, self.prompt_text("", pictures=1))
            self.answer_mask_KT = self.answer_tokens.mask_KT
        self.end_token: int = tokenizer.eos_token_id
        self.never_sampled = never_sampled(tokenizer, len(model.get_output_embeddings().weight))
        self.verdict_tokens = AnswerTokens.of_lines(config.prompt.verdicts, tokenizer)
        self._opening = Opening(model, self._opening_tokens())
        self._frozen = self._merged = False

    @classmethod
    def create(cls, prompt: Prompt, settings: VlmSettings) -> Self:
        """The base model with an adapter that has learnt nothing yet.

        Raises NightshiftError for a model that is not here or does not fit, and for answers that collide.
        """
        folder = folder_of(settings.model)
        base = str(folder) if Path(settings.model).expanduser().is_dir() else settings.model
        config = VlmConfig(
            base=base,
            base_content=content_of(folder),
            dtype=settings.dtype,
            max_pixels=settings.max_pixels,
            adapter=AdapterConfig(
                rank=settings.rank, alpha=settings.alpha, targets=settings.targets, last_blocks=settings.last_blocks
            ),
            prompt=prompt,
        )
        return cls(config, folder, None)

    @property
    def folder(self) -> Path:
        """Where the base model is."""
        return self._folder

    def messages(self, ask: str, *, pictures: int) -> list[dict[str, Any]]:
        """The prompt as a conversation."""
        return self.config.prompt.messages(ask, pictures, self._control_tokens)

    def looks_at(self, example: Example) -> tuple[str, ...]:
        """The pictures of the example that stand in its prompt."""
        return example.media if self.config.prompt.pictures else ()

    def pictures(self, example: Example, library: Library | None) -> list[Image.Image]:
        """Those pictures as the student sees them. Raises NightshiftError where there is nowhere to look."""
        shown = self.looks_at(example)
        if not shown:
            return []
        if library is None:
            raise NightshiftError(f"example {example.id} has pictures, and nobody says where they are")
        return [bounded(library.image(media), self.config.max_pixels) for media in shown]

    def prompt_text(self, ask: str, *, pictures: int) -> str:
        """The whole prompt as the model reads it, up to where its answer begins."""
        text: str = self._processor.apply_chat_template(
            self.messages(ask, pictures=pictures),
            add_generation_prompt=True,
            tokenize=False,
            processor_kwargs={"padding": False},
        )
        return text

    def _opening_tokens(self) -> list[int]:
        """Tokens that stand before the first picture of every prompt."""
        before, picture, _ = self.prompt_text("", pictures=1).partition(self._processor.image_token)
        tokens: list[int] = self._processor.tokenizer(before)["input_ids"]
        # The last one may come out otherwise where a processor writes something else in the picture's place.
        return tokens[:-1] if picture else []

    def encode(self, examples: Sequence[Example], library: Library) -> list[Features]:
        return [self._features(example, library) for example in examples]

    def _features(self, example: Example, library: Library) -> Features:
        pictures = self.pictures(example, library)
        text = self.prompt_text(example.ask, pictures=len(pictures))
        # One example a call, and nothing cut off: the same features whatever company it is encoded in.
        inputs = self._processor(text=[text], images=pictures or None, return_tensors="pt", truncation=False)
        return one_example(inputs, self.model.dtype)

    def collate(self, features: Sequence[Features]) -> Features:
        return collated(features, padding=self._processor.tokenizer.pad_token_id or 0)

    def freeze(self) -> None:
        """Puts the adapter into the weights and keeps what follows from them; training and saving are refused then."""
        if self._frozen:
            return
        # In bfloat16 what an adapter adds would be lost in rounding where it is small beside a weight.
        self._merged = self.config.dtype == "float32"
        self.model = frozen(self._adapted.merge_and_unload() if self._merged else self.model)
        with torch.inference_mode():
            self._opening.keep(self.model.base_model)
        self._frozen = True

    def optimizer(self, learning_rate: float, items: int) -> torch.optim.Optimizer:
        self._refuse_if_frozen()
        return super().optimizer(learning_rate, items)

    def _refuse_if_frozen(self) -> None:
        if self._frozen:
            raise NightshiftError("this student is frozen for answering; load it again to train or save it")

    def answer_logprobs(self, batch: Features) -> Tensor:
        """Float[N, K]: each answer's word at the end of the prompt, normalised over the answers."""
        return torch.log_softmax(self.answer_token_logprobs(batch).sum(dim=-1), dim=-1)

    def answer_token_logprobs(self, batch: Features) -> Tensor:
        if self.answers is None:
            raise NotImplementedError("this student answers in free text; it has no answers to score")
        return self._token_logprobs(batch, self.answer_tokens)

    @property
    def verdicts(self) -> tuple[str, ...] | None:
        return self.answers or self.config.prompt.verdicts or None

    def verdict_logprobs(self, batch: Features) -> Tensor:
        """In free text: each first line that an answer may have, its line break included, normalised over them."""
        if self.answers is not None:
            return self.answer_logprobs(batch)
        if self.verdict_tokens is None:
            raise NotImplementedError("this student answers in free text without a verdict; it has none to score")
        return torch.log_softmax(self._token_logprobs(batch, self.verdict_tokens).sum(dim=-1), dim=-1)

    def _token_logprobs(self, batch: Features, scored: AnswerTokens) -> Tensor:
        N = len(batch["input_ids"])
        tokens_KT, mask_KT = (tensor.to(self.model.device) for tensor in (scored.tokens_KT, scored.mask_KT))
        completions = tokens_KT.expand(N, -1, -1), mask_KT.expand(N, -1, -1)
        with torch.inference_mode() if self._frozen else contextlib.nullcontext():
            return packed_logprobs(self.model, batch, *completions, self._opening)

    def completion_scores(self, batch: Features, completions_NGT: Tensor, mask_NGT: Tensor) -> TokenScores:
        return packed_scores(self.model, batch, completions_NGT, mask_NGT, self._opening)

    def sample(self, batch: Features, samples: int, sampling: Sampling) -> Completions:
        def in_form(prompt_length: int) -> InForm:
            assert sampling.form is not None
            room = sampling.max_new_tokens
            return InForm(sampling.form, self._byte_vocabulary, prompt_length=prompt_length, room=room)

        return sampled(
            self.model,
            batch,
            samples,
            sampling,
            end=self.end_token,
            never=self.never_sampled,
            constraint=in_form if sampling.form else None,
        )

    @cached_property
    def _byte_vocabulary(self) -> ByteVocabulary:
        return ByteVocabulary(self._processor.tokenizer, self.never_sampled, self.end_token)

    def generate(
        self, examples: Sequence[Example], library: Library, *, run: str, samples: int, sampling: Sampling
    ) -> list[Rollout]:
        found: list[Rollout] = []
        for first in range(0, len(examples), self.at_once):
            chunk = examples[first : first + self.at_once]
            batch = self.collate(self.encode(chunk, library))
            here = {name: tensor.to(self.model.device) for name, tensor in batch.items()}
            found += rollouts_of(chunk, self.sample(here, samples, sampling), self.text_of, run=run)
        return found

    def text_of(self, tokens: Sequence[int]) -> str:
        said = [token for token in tokens if token != self.end_token]
        text: str = self._processor.tokenizer.decode(said, clean_up_tokenization_spaces=False)
        return text

    def tokens_of(self, text: str) -> list[int]:
        """Raises NightshiftError for a text that holds a control token: no answer may."""
        tokens: list[int] = self._processor.tokenizer.encode(text, add_special_tokens=False)
        if found := set(tokens) & {*self.never_sampled, self.end_token}:
            raise NightshiftError(
                f"the answer {text!r} holds {self._processor.tokenizer.decode([min(found)])!r}, a control token of the "
                "model, which no answer can hold"
            )
        return [*tokens, self.end_token]

    def save_adapter(self, directory: Path) -> None:
        """Writes the adapter alone, as peft and vLLM read it."""
        self._refuse_if_frozen()
        save_adapter(self._adapted, directory)

    def save(self, directory: Path) -> None:
        self.save_adapter(directory)
        (directory / CONFIG_FILE).write_text(self.config.model_dump_json(indent=1))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Raises NightshiftError also where the base model is not here, or is not the one the adapter was made for."""
        try:
            config = VlmConfig.model_validate_json((directory / CONFIG_FILE).read_bytes())
        except (OSError, ValidationError) as error:
            raise NightshiftError(f"{directory} holds no vision-language student: {error}") from error
        folder = folder_of(config.base)
        found = content_of(folder)
        if found != config.base_content:
            raise NightshiftError(
                f"the adapter in {directory} was made for {config.base} with content {config.base_content[:12]}, and "
                f"{folder} now holds {found[:12]}; put the model back as it was"
            )
        return cls(config, folder, directory)

    def merge(self, directory: Path) -> None:
        """Writes a complete model without adapter, its processor included, that answers as this student does."""
        from copy import deepcopy

        directory.mkdir(parents=True, exist_ok=True)
        # Of a copy: merging and taking apart again would leave rounding errors in the base's weights.
        merged = self.model if self._merged else deepcopy(self._adapted).merge_and_unload()
        merged.save_pretrained(directory)
        self._processor.save_pretrained(directory)


def bounded(image: Image.Image, max_pixels: int) -> Image.Image:
    """The picture, smaller where it has more pixels than `max_pixels`; its shape is kept."""
    image = image if image.mode == "RGB" else image.convert("RGB")
    factor = (max_pixels / (image.width * image.height)) ** 0.5
    if factor >= 1:
        return image
    size = max(1, int(image.width * factor)), max(1, int(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)
