"""What pictures show, in words: BLIP (arXiv:2201.12086) or BLIP-2 (arXiv:2301.12597), by transformers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL.Image import Image

from core.policy.vlm.foundation import content_of, folder_of, load_model
from core.schema import NightshiftError

if TYPE_CHECKING:
    from transformers import ProcessorMixin

__all__ = ["Captioner"]

FAMILIES = ("blip", "blip-2")
BEAMS = 3


class Captioner:
    """A model that describes pictures."""

    def __init__(self, model: str, *, tokens: int, batch: int) -> None:
        """Raises NightshiftError for a model that is not on this machine, is no BLIP, or is damaged."""
        self.folder: Path = folder_of(model, "bootstrap.captioner")
        self.name = f"{content_of(self.folder)[:16]}-{tokens}"
        "Says everything that a caption follows from besides its picture."
        self._tokens, self._batch = tokens, batch
        self._model = load_model(self.folder, "bfloat16" if torch.cuda.is_available() else "float32")
        kind = self._model.config.model_type
        if kind not in FAMILIES:
            raise NightshiftError(
                f"{self.folder} holds a {kind!r} model; bootstrap.captioner is one of BLIP or BLIP-2, such as "
                "Salesforce/blip-image-captioning-base"
            )
        self._processor = self._load_processor()

    def describe(self, pictures: Sequence[Image]) -> list[str]:
        """One caption a picture, without a full stop."""
        captions: list[str] = []
        for start in range(0, len(pictures), self._batch):
            captions += self._describe(pictures[start : start + self._batch])
        return captions

    @torch.inference_mode()
    def _describe(self, pictures: Sequence[Image]) -> list[str]:
        pixels = self._processor(images=[picture.convert("RGB") for picture in pictures], return_tensors="pt")
        pixel_values = pixels["pixel_values"].to(self._model.device, self._model.dtype)
        tokens = self._model.generate(
            pixel_values=pixel_values, max_new_tokens=self._tokens, num_beams=BEAMS, do_sample=False
        )
        texts = self._processor.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.split()).rstrip(" .") for text in texts]

    def _load_processor(self) -> "ProcessorMixin":
        from transformers import AutoProcessor

        try:
            return AutoProcessor.from_pretrained(self.folder, local_files_only=True)
        except (OSError, ValueError, ImportError) as error:
            reason = (str(error).strip().splitlines() or ["no message"])[0]
            raise NightshiftError(f"{self.folder} has no usable processor: {reason}") from error
