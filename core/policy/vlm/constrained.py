"""Decoding that can write nothing but one form: a logits processor for transformers, over any byte-level tokenizer.

What a row has written so far is kept as bytes. A token may follow where what it adds still begins an answer of the
form: one of the openings, then signs, of which a character may be spread over several tokens. The end may come once
there are enough signs, and must at the most, or before the room runs out in the middle of a character.

Axes: R rows, L tokens of a row with its prompt, V vocabulary.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import LogitsProcessor

from core.policy.form import TextForm
from core.schema import NightshiftError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["ByteVocabulary", "InForm"]

LONGEST_CHARACTER = 4
"Bytes of UTF-8."


class ByteVocabulary:
    """The bytes that each token of a byte-level tokenizer writes, and which tokens go on with what was written."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", never: tuple[int, ...], end: int) -> None:
        """`never` are tokens that are not drawn, `end` ends a text. Raises NightshiftError for a tokenizer of another
        kind, whose tokens are no bytes."""
        self.end = end
        self._bytes: list[bytes] = [b""] * (max(*tokenizer.get_vocab().values(), *never, end) + 1)
        barred = {*never, end}
        for text, token in tokenizer.get_vocab().items():
            if token not in barred:
                self._bytes[token] = _bytes_of(text)
        # What follows is the same for all that has been written so far, but for its last bytes.
        self._openings: dict[tuple[TextForm, bytes], list[int]] = {}
        self._lines: dict[tuple[TextForm, bytes], dict[int, tuple[int, int]]] = {}

    def __len__(self) -> int:
        return len(self._bytes)

    def written(self, tokens: Sequence[int]) -> bytes:
        """What these tokens say."""
        return b"".join(self._bytes[token] for token in tokens)

    def in_opening(self, written: bytes, form: TextForm) -> list[int]:
        """Tokens with which the bytes still begin an opening."""
        if (form, written) not in self._openings:
            openings = [opening.encode() for opening in form.openings]
            self._openings[form, written] = [
                token
                for token, added in enumerate(self._bytes)
                if added and any(opening.startswith(written + added) for opening in openings)
            ]
        return self._openings[form, written]

    def in_line(self, pending: bytes, form: TextForm) -> dict[int, tuple[int, int]]:
        """Tokens that go on in signs: how many characters each finishes, and how many bytes of the next then lack."""
        if (form, pending) not in self._lines:
            self._lines[form, pending] = {
                token: adds
                for token, added in enumerate(self._bytes)
                if added and (adds := _adds(pending + added, form)) is not None
            }
        return self._lines[form, pending]


class InForm(LogitsProcessor):
    """Bars every token with which a row would leave `form`; log-probabilities are noted before it is asked."""

    def __init__(self, form: TextForm, vocabulary: ByteVocabulary, *, prompt_length: int, room: int) -> None:
        """`room` is how many tokens may be drawn."""
        self._form, self._vocabulary, self._prompt_length, self._room = form, vocabulary, prompt_length, room

    def __call__(self, rows_RL: Tensor, scores_RV: Tensor) -> Tensor:
        left = self._room - (rows_RL.shape[1] - self._prompt_length)
        for row, scores_V in zip(rows_RL[:, self._prompt_length :].tolist(), scores_RV, strict=True):
            if self._vocabulary.end not in row:
                allowed = self._allowed(self._vocabulary.written(row), left)
                scores_V.masked_fill_(~allowed.to(scores_V.device), float("-inf"))
        return scores_RV

    def _allowed(self, written: bytes, left: int) -> Tensor:
        """Bool[V]: what may follow these bytes with so many tokens left."""
        allowed = torch.zeros(len(self._vocabulary), dtype=torch.bool)
        line = _line(written, self._form)
        if line is None:
            allowed[self._vocabulary.in_opening(written, self._form)] = True
            return allowed
        signs, pending = _signs(line)
        if left > 1:
            # A character that has begun needs room to be finished, and one token a byte is the most it takes.
            allowed[
                [
                    token
                    for token, (adds, lacking) in self._vocabulary.in_line(pending, self._form).items()
                    if signs + adds + bool(lacking) <= self._form.most and lacking < left - 1
                ]
            ] = True
        if signs >= self._form.least and not pending:
            allowed[self._vocabulary.end] = True
        if not allowed.any():
            raise NightshiftError(
                f"{left} tokens are left for an answer of at least {self._form.least} signs; allow it more new tokens"
            )
        return allowed


def _bytes_of(text: str) -> bytes:
    try:
        return bytes(_BYTE_OF[sign] for sign in text)
    except KeyError as error:
        raise NightshiftError(
            f"the token {text!r} is no sequence of bytes; constrained decoding needs a byte-level tokenizer, such as "
            "Qwen-VL's, or rollouts by vLLM"
        ) from error


def _byte_alphabet() -> dict[str, int]:
    """Character of a byte-level vocabulary to its byte (GPT-2's table: bytes that do not print are moved up)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = (byte for byte in range(256) if byte not in printable)
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(moved)}


_BYTE_OF = _byte_alphabet()


def _line(written: bytes, form: TextForm) -> bytes | None:
    """What stands behind the opening; None where that is not whole yet."""
    for opening in form.openings:
        if written.startswith(opening.encode()):
            return written[len(opening.encode()) :]
    return None


def _signs(line: bytes) -> tuple[int, bytes]:
    """Whole characters, and the bytes of one that has only begun."""
    for cut in range(LONGEST_CHARACTER):
        try:
            return len(line[: len(line) - cut].decode()), line[len(line) - cut :]
        except UnicodeDecodeError:
            continue
    raise NightshiftError("a constrained completion holds bytes that begin no character")


def _adds(line: bytes, form: TextForm) -> tuple[int, int] | None:
    for cut in range(min(LONGEST_CHARACTER, len(line) + 1)):
        whole, begun = line[: len(line) - cut], line[len(line) - cut :]
        try:
            text = whole.decode()
        except UnicodeDecodeError:
            continue
        if all(form.sign.fullmatch(sign) for sign in text) and (lacking := _lacking(begun, form)) is not None:
            return len(text), lacking
        return None
    return None


@lru_cache(maxsize=4096)
def _lacking(begun: bytes, form: TextForm) -> int | None:
    """Bytes until a begun character of three bytes is whole and is a sign; None where it cannot become one."""
    if not begun:
        return 0
    wanted = 3 if 0xE0 <= begun[0] <= 0xEF else 2 if 0xC2 <= begun[0] <= 0xDF else 0
    if len(begun) >= wanted:
        return None
    reachable = any(
        form.sign.fullmatch(chr(code)) and chr(code).encode().startswith(begun) for code in _codes(begun, wanted)
    )
    return wanted - len(begun) if reachable else None


def _codes(begun: bytes, wanted: int) -> range:
    """The characters whose UTF-8 could begin so."""
    first = begun[0] & (0x0F if wanted == 3 else 0x1F)
    low, high = first << 6 * (wanted - 1), ((first + 1) << 6 * (wanted - 1)) - 1
    return range(max(low, 0x80), min(high, 0xD7FF if low < 0xD800 else 0xFFFF) + 1)
