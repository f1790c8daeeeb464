"""A Qwen2.5-VL of 3 billion random weights: right for speed and memory, and it knows nothing.

Sizes are those of Qwen/Qwen2.5-VL-3B-Instruct. Its tokenizer is the tiny one, so a prompt has about twice the tokens.
"""

from pathlib import Path

from core.policy.vlm.tiny import QWEN_TEMPLATE, QWEN_TOKENS, _qwen_ids, _tokenizer

__all__ = ["random_3b"]

TEXT = {
    "vocab_size": 151_936,
    "hidden_size": 2048,
    "intermediate_size": 11_008,
    "num_hidden_layers": 36,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
    "bos_token_id": None,
    "tie_word_embeddings": True,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
}
VISION = {
    "depth": 32,
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "num_heads": 16,
    "out_hidden_size": 2048,
    "patch_size": 14,
    "window_size": 112,
    "fullatt_block_indexes": [7, 15, 23, 31],
}


def random_3b(directory: Path, *, seed: int = 0) -> Path:
    """Writes a complete model folder in bfloat16, 8 GB, and returns `directory`."""
    import torch
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(QWEN_TOKENS, (), end="<|im_end|>")
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = Qwen2_5_VLConfig(
        text_config={**TEXT, **ends}, vision_config=VISION, **_qwen_ids(tokenizer), tie_word_embeddings=True
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 1280 * 28 * 28}
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(size=size), tokenizer, Qwen2VLVideoProcessor(size=size), chat_template=QWEN_TEMPLATE
    )
    with torch.random.fork_rng(), torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        torch.manual_seed(seed)
        model = Qwen2_5_VLForConditionalGeneration._from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(directory)
    processor.save_pretrained(directory)
    return directory
