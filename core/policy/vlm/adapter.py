"""LoRA (arXiv:2106.09685) on the language tower of a vision-language model, and on nothing else.

Which weights train is worked out here from the model and the configuration alone, by name, and then compared with
what the library made trainable: a tower that was believed frozen and was not is an error, not a surprise.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from pydantic import BaseModel, ConfigDict, Field

from core.schema import NightshiftError

if TYPE_CHECKING:
    from peft import LoraConfig, PeftModel
    from transformers import PreTrainedModel

__all__ = ["AdapterConfig", "adapt", "load_adapter", "save_adapter", "trainable_names"]

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"


class AdapterConfig(BaseModel):
    """Size and place of the adapter."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rank: int = Field(ge=1)
    alpha: int = Field(ge=1)
    targets: tuple[str, ...] = Field(min_length=1)
    "Last parts of the names of the linear layers that are adapted."
    last_blocks: int = Field(ge=0)
    "Only so many blocks nearest the answer; 0 is all."


def adapt(model: "PreTrainedModel", config: AdapterConfig, *, seed: int = 0) -> "PeftModel":
    """Puts a new adapter into `model`, in place; the model says what it said before until the adapter is trained.

    Raises NightshiftError for targets or blocks that the model does not have.
    """
    from peft import get_peft_model

    layers = adapted_layers(model, config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        adapted = get_peft_model(model, _lora(layers, config))
    return _checked(adapted, layers)


def load_adapter(model: "PreTrainedModel", config: AdapterConfig, directory: Path) -> "PeftModel":
    """Puts the adapter saved in `directory` into `model`, in place, ready to be trained further.

    Raises NightshiftError where the weights are missing, damaged, or of another shape.
    """
    from peft import set_peft_model_state_dict
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    adapted = adapt(model, config)
    try:
        outcome = set_peft_model_state_dict(adapted, load_file(directory / WEIGHTS_FILE))
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        first = (str(error).strip().splitlines() or ["no message"])[0]
        raise NightshiftError(f"the adapter in {directory} does not fit its configuration: {first}") from error
    missing = [name for name in outcome.missing_keys if "lora_" in name]
    if missing or outcome.unexpected_keys:
        wrong = (missing or outcome.unexpected_keys)[0]
        raise NightshiftError(f"the adapter in {directory} does not fit its configuration: see {wrong!r}")
    return adapted


def save_adapter(adapted: "PeftModel", directory: Path) -> None:
    """Writes the adapter as peft reads it; the same weights give the same bytes."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    state = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    weights = {name: state[name].detach().cpu().contiguous() for name in sorted(state)}
    save_file(weights, directory / WEIGHTS_FILE, metadata={"format": "pt"})
    told = adapted.active_peft_config.to_dict()
    # Where the base model is, and that it is the right one, is recorded by the policy.
    told.update(base_model_name_or_path=None, inference_mode=True)
    (directory / CONFIG_FILE).write_text(json.dumps(told, sort_keys=True, indent=1, default=str))


def adapted_layers(model: "PreTrainedModel", config: AdapterConfig) -> tuple[str, ...]:
    """Names of the linear layers that get an adapter, in order."""
    tower, blocks = _language_blocks(model)
    if config.last_blocks > blocks:
        raise NightshiftError(f"vlm.last_blocks is {config.last_blocks}; the language tower has {blocks} blocks")
    first = blocks - (config.last_blocks or blocks)
    names: list[str] = []
    for block in range(first, blocks):
        prefix = f"{tower}.layers.{block}."
        linear = [
            name
            for name, module in model.named_modules()
            if name.startswith(prefix) and isinstance(module, torch.nn.Linear)
        ]
        found = [name for name in linear if name.rpartition(".")[2] in config.targets]
        lacking = sorted(set(config.targets) - {name.rpartition(".")[2] for name in found})
        if lacking:
            there = ", ".join(sorted({name.rpartition(".")[2] for name in linear}))
            raise NightshiftError(f"vlm.targets: {tower} has no layer {lacking[0]!r} in block {block}; it has {there}")
        names += found
    return tuple(names)


def trainable_names(model: torch.nn.Module) -> tuple[str, ...]:
    """Names of all trainable parameters, sorted."""
    return tuple(sorted(name for name, parameter in model.named_parameters() if parameter.requires_grad))


def _language_blocks(model: "PreTrainedModel") -> tuple[str, int]:
    decoder = model.get_decoder()
    tower = next((name for name, module in model.named_modules() if module is decoder), None)
    if not tower or not hasattr(decoder, "layers"):
        raise NightshiftError(f"{type(model).__name__} has no language tower that can be told from the rest")
    return tower, len(decoder.layers)


def _lora(layers: tuple[str, ...], config: AdapterConfig) -> "LoraConfig":
    from peft import LoraConfig

    from core.policy.vlm.lean import AdaptedLinear

    config_of_layers = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=0.0,
        bias="none",
        # One pattern of full names: a list would match by ending, in the vision tower too.
        target_modules="|".join(re.escape(name) for name in layers),
    )
    config_of_layers._register_custom_module({torch.nn.Linear: AdaptedLinear})
    return config_of_layers


def _checked(adapted: "PeftModel", layers: tuple[str, ...]) -> "PeftModel":
    model = adapted.get_base_model()
    expected = sorted(f"{layer}.lora_{side}.default.weight" for layer in layers for side in "AB")
    found = trainable_names(model)
    if list(found) != expected:
        odd = sorted(set(found) ^ set(expected))[0]
        raise NightshiftError(
            f"{len(found)} weights would train, the configuration means {len(expected)}; the first that differs is "
            f"{odd!r}. This model cannot be adapted safely"
        )
    return adapted
