"""The model that a student adapts: found by path or hub name, on this machine, and known by its content.

Nothing is downloaded here: a name of the hub has to be in the local cache already. Weights come from safetensors
only and no code of a model's author is run.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from core.disk import sha256_of
from core.schema import NightshiftError, content_id

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, ProcessorMixin

__all__ = ["Dtype", "content_of", "folder_of", "load_model", "load_processor"]

Dtype = Literal["float32", "bfloat16"]

MATTERS = (".safetensors", ".json", ".txt", ".jinja", ".model")
"Files that decide what a model says: weights, configuration, tokenizer, chat template."


def folder_of(model: str, setting: str = "vlm.model") -> Path:
    """Where the files of the model that `setting` names are.

    Raises NightshiftError where neither a folder nor the cache of the hub has it.
    """
    from huggingface_hub import snapshot_download

    if (folder := Path(model).expanduser()).is_dir():
        return folder.resolve()
    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (OSError, ValueError) as error:
        raise NightshiftError(
            f"the model {model!r} is not on this machine: it is no folder, and `hf download {model}` has not been run "
            f"here; {setting} names a folder or a model of the hub"
        ) from error


def content_of(folder: Path) -> str:
    """Hash of everything in `folder` that decides what the model says; computed once a process and content."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in MATTERS and path.is_file())
    stamps = tuple((path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    return _hashed(folder, tuple(files), stamps)


def load_model(folder: Path, dtype: Dtype) -> "PreTrainedModel":
    """The model with every weight frozen, on the accelerator where there is one.

    Raises NightshiftError for one that is not image-text-to-text, has no safetensors weights, or is damaged.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForImageTextToText

    from core.policy.vlm.lean import lean

    config = _config(folder)
    if type(config) not in AutoModelForImageTextToText._model_mapping:
        raise NightshiftError(
            f"{folder} holds a {config.model_type!r} model, which does not take pictures and text to text; name "
            "an image-text-to-text model such as Qwen/Qwen2.5-VL-3B-Instruct"
        )
    try:
        model = AutoModelForImageTextToText.from_pretrained(
            folder, config=config, dtype=getattr(torch, dtype), use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise NightshiftError(f"the model in {folder} cannot be loaded: {_first_line(error)}") from error
    model.requires_grad_(False)
    return lean(model.eval()).to("cuda" if torch.cuda.is_available() else "cpu")


def load_processor(folder: Path) -> "ProcessorMixin":
    """Tokenizer, image processor and chat template. Raises NightshiftError where one is missing."""
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, ImportError) as error:
        raise NightshiftError(f"{folder} has no usable processor: {_first_line(error)}") from error
    if not getattr(processor, "chat_template", None):
        raise NightshiftError(f"{folder} has no chat template; take the model's instruction-tuned version")
    return processor


def _config(folder: Path) -> "PreTrainedConfig":
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise NightshiftError(f"{folder} holds no model that transformers knows: {_first_line(error)}") from error


@lru_cache(maxsize=4)
def _hashed(folder: Path, files: tuple[Path, ...], stamps: tuple[tuple[int, int], ...]) -> str:  # noqa: ARG001
    return content_id({path.relative_to(folder).as_posix(): sha256_of(path) for path in files})


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]
