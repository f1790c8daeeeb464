"""Prompts to tiny models, completions behind them, and what a plain forward says of each."""

import torch
from PIL import Image
from torch import Tensor
from transformers import PreTrainedModel

from core.policy.base import Features

__all__ = ["ONE_TOKEN", "THREE_TOKENS", "plain_logprobs", "prompts_of"]

QUESTIONS = ("Yes or no?", "Is the person at work on the quarterly report, and would anybody else say so? Yes or no?")
SIZES = ((112, 84), (168, 112))

ONE_TOKEN = torch.tensor([[[300], [301], [300], [7 + 20]], [[301], [301], [301], [301]]])
THREE_TOKENS = torch.tensor(
    [
        [[300, 310, 320], [300, 310, 330], [340, 350, 360], [300, 310, 320]],
        [[301, 0, 0], [300, 310, 0], [340, 350, 360], [341, 310, 360]],
    ]
)


def prompts_of(processor: object, padding_side: str = "left") -> Features:
    """Two prompts of different length over pictures of different size and content."""
    generator = torch.Generator().manual_seed(3)
    pictures = [
        Image.fromarray(torch.randint(0, 255, (height, width, 3), generator=generator).byte().numpy())
        for width, height in SIZES
    ]
    texts = [
        processor.apply_chat_template(
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}],
            add_generation_prompt=True,
        )
        for question in QUESTIONS
    ]
    return dict(
        processor(
            text=texts,
            images=[[picture] for picture in pictures],
            padding=True,
            padding_side=padding_side,
            return_tensors="pt",
        )
    )


def plain_logprobs(model: PreTrainedModel, prompts: Features, completions_NGT: Tensor, mask_NGT: Tensor) -> Tensor:
    """One whole forward for each completion of both prompts: what packing is held to."""
    columns = []
    for g in range(completions_NGT.shape[1]):
        added = completions_NGT[:, g], mask_NGT[:, g].long()
        inputs = {
            **prompts,
            "input_ids": torch.cat([prompts["input_ids"], added[0]], dim=1),
            "attention_mask": torch.cat([prompts["attention_mask"], added[1]], dim=1),
        }
        if "mm_token_type_ids" in prompts:
            types = prompts["mm_token_type_ids"]
            inputs["mm_token_type_ids"] = torch.cat([types, torch.zeros_like(added[0])], dim=1)
        logits = model(**inputs, use_cache=False).logits[:, -added[0].shape[1] - 1 : -1]
        logprobs = torch.log_softmax(logits, dim=-1).gather(-1, added[0][..., None])[..., 0]
        columns.append(logprobs.masked_fill(~mask_NGT[:, g], 0.0))
    return torch.stack(columns, dim=1)
