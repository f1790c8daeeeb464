"""Complete BLIP and BLIP-2 models, built from their configurations, small enough for tests."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
    PreTrainedTokenizerFast,
)

WORDS = [
    "a",
    "an",
    "the",
    "of",
    "on",
    "in",
    "at",
    "with",
    "and",
    "two",
    "group",
    "man",
    "woman",
    "child",
    "dog",
    "cat",
    "bird",
    "horse",
    "people",
    "person",
    "computer",
    "screen",
    "table",
    "food",
    "street",
    "car",
    "train",
    "boat",
    "beach",
    "mountain",
    "forest",
    "lake",
    "city",
    "building",
    "house",
    "red",
    "blue",
    "green",
    "white",
    "black",
    "sitting",
    "standing",
    "walking",
    "playing",
    "holding",
    "looking",
    "market",
    "shop",
    "concert",
    "ball",
    "book",
    "camera",
    "phone",
]
SIDE = 32


def _tokenizer() -> PreTrainedTokenizerFast:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[DEC]", "<image>"]
    vocabulary = {word: number for number, word in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        bos_token="[DEC]",
        eos_token="[SEP]",
        additional_special_tokens=["<image>"],
    )


def tiny_blip(folder: Path) -> Path:
    """A BLIP with random weights; it says something, and always the same."""
    torch.manual_seed(3)
    tokenizer = _tokenizer()
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BlipConfig(
        vision_config={**vision, "image_size": SIDE, "patch_size": 8},
        text_config={
            **vision,
            "encoder_hidden_size": 32,
            "vocab_size": len(tokenizer),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        projection_dim=16,
    )
    model = BlipForConditionalGeneration(config)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    model.save_pretrained(folder)
    BlipProcessor(BlipImageProcessor(size={"height": SIDE, "width": SIDE}), tokenizer).save_pretrained(folder)
    return folder


def tiny_blip2(folder: Path) -> Path:
    """The same of BLIP-2, with an OPT behind its bridge."""
    torch.manual_seed(3)
    tokenizer = _tokenizer()
    image_token = tokenizer.convert_tokens_to_ids("<image>")
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Blip2Config(
        vision_config={**vision, "image_size": SIDE, "patch_size": 8},
        qformer_config={**vision, "encoder_hidden_size": 32, "vocab_size": len(tokenizer)},
        text_config={
            "model_type": "opt",
            "hidden_size": 32,
            "word_embed_proj_dim": 32,
            "ffn_dim": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "max_position_embeddings": 128,
            "vocab_size": len(tokenizer),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        num_query_tokens=4,
        image_token_index=image_token,
    )
    model = Blip2ForConditionalGeneration(config)
    model.save_pretrained(folder)
    Blip2Processor(
        BlipImageProcessor(size={"height": SIDE, "width": SIDE}), tokenizer, num_query_tokens=4
    ).save_pretrained(folder)
    return folder
