"""A tiny vision-language model that answers in letters: its weights are random but for two rows of its vocabulary."""

from pathlib import Path

import torch

from core.environments.screen.prompt import JUDGE_PROMPT
from core.judge.local import opened_messages
from core.judge.transformers_model import _Loaded
from core.policy.vlm.packing import parts_of
from core.policy.vlm.tiny import tiny_vlm
from core.settings import JudgingSettings

ANSWERS = ("on_task", "off_task")
LOGIT = 12.0


def lettered_vlm(directory: Path) -> Path:
    """Writes the model; which letter it prefers hangs on what it is shown."""
    tiny_vlm("qwen2_5_vl", directory)
    loaded = _Loaded(directory, JudgingSettings())
    backbone, head = parts_of(loaded._model)
    hidden = torch.stack([_end_of_prompt(loaded, backbone, ask) for ask in ("Write.", "Draw.", "Read the mail.")])
    towards = hidden.mean(dim=0)
    towards = towards * LOGIT / (towards @ towards)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for letter in "AB":
            (token,) = loaded._tokenizer.encode(letter)
            tilt = torch.randn(towards.shape, generator=generator) * towards.norm() / 4
            head.weight[token] = towards + tilt
    loaded._model.save_pretrained(directory)
    return directory


@torch.inference_mode()
def _end_of_prompt(loaded: _Loaded, backbone: torch.nn.Module, ask: str) -> torch.Tensor:
    opened, _ = opened_messages({"messages": JUDGE_PROMPT.messages(ask, (), ANSWERS, as_json=False)}, ())
    text = loaded._processor.apply_chat_template(opened, add_generation_prompt=True, tokenize=False)
    inputs = loaded._processor(text=[text], return_tensors="pt")
    return backbone(**inputs).last_hidden_state[0, -1].clone()
