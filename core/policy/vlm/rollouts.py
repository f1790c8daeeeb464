"""Sampled completions as the records that are kept of them."""

from collections.abc import Callable, Sequence

from core.policy.base import Completions
from core.schema import Example, Rollout, Turn, new_id

__all__ = ["rollouts_of"]


def rollouts_of(
    examples: Sequence[Example], completions: Completions, text_of: Callable[[Sequence[int]], str], *, run: str
) -> list[Rollout]:
    """G rollouts of each of N examples, in order."""
    masks, tokens, logprobs = (
        tensor.flatten(0, 1).cpu()
        for tensor in (completions.mask_NGT, completions.tokens_NGT, completions.logprobs_NGT)
    )
    samples = completions.tokens_NGT.shape[1]
    found = []
    for row, (mask_T, tokens_T, logprobs_T) in enumerate(zip(masks, tokens, logprobs, strict=True)):
        example, said = examples[row // samples], tokens_T[mask_T].tolist()
        answer = text_of(said)
        found.append(
            Rollout(
                id=new_id(),
                environment=example.environment,
                example=example.id,
                run=run,
                turns=(Turn(role="assistant", content=answer),),
                answer=answer,
                tokens=tuple(said),
                token_logprobs=tuple(logprobs_T[mask_T].tolist()),
                token_mask=(True,) * len(said),
            )
        )
    return found
