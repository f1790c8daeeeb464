"""What sampling answers adds to the noise of a step's policy gradient, beside exact groups on the same items.

A step's gradient is linear in what its answers are worth: the mean over the batch of sum_k c_nk J_nk, with J_nk the
gradient of answer k's log-probability and c_nk its share of the group times its advantage. So J is computed once, and
from then on only coefficients are drawn; norms and products follow from the Gram matrix of J. A draw is a step: a batch
of items, drawn anew, and for sampled groups answers to each. Exact groups have the noise of the batch alone.

Axes: S steps, B items of a batch, N items, K answers, P weights.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.environments.screen.draw import draw_samples
from core.environments.screen.prompt import PROMPT
from core.learning import Groups, TrainingItem, exact_groups, sampled_groups
from core.learning.scoring import collate
from core.policy import Features, Policy
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.tiny import SIDE, tiny_vlm
from core.reading import DerivedCache
from core.services.bench.screens import DrawnScreens
from core.services.importing import Progress
from core.services.measuring import FolderLibrary, labelled_pairs
from core.services.workspace import Workspace
from core.settings import VlmSettings

__all__ = ["answer_gradients", "bench_variance", "gradient_noise"]

GROUP_SIZES = (2, 5, 16)
ITEMS, BATCH, STEPS = 32, 8, 20_000


def bench_variance(
    ws: Workspace, environment: str, *, seed: int = 0, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """The noise of either kind of group, for the untrained reader and for the tiny vision-language model."""
    found = {}
    with TemporaryDirectory() as directory:
        students = (("reader", _reader(ws, environment, Path(directory))), ("vlm", _tiny_vlm(Path(directory))))
        for done, (name, (policy, items, features)) in enumerate(students, start=1):
            logprobs_NK, gradients_NKP = answer_gradients(policy, features)
            rewards_NK = torch.tensor([item.rewards for item in items], dtype=torch.float64)
            found[name] = {
                "items": len(items),
                "weights": gradients_NKP.shape[-1],
                **gradient_noise(logprobs_NK, rewards_NK, gradients_NKP, batch=BATCH, steps=STEPS, seed=seed),
            }
            progress(done, len(students))
    return {"batch": BATCH, "steps": STEPS, "seed": seed, "students": found}


def answer_gradients(policy: Policy, features: Sequence[Features]) -> tuple[Tensor, Tensor]:
    """Float64[N, K] log-probabilities and Float[N, K, P] their gradients in the trainable weights."""
    policy.model.eval()
    weights = [weight for weight in policy.model.parameters() if weight.requires_grad]
    logprobs, gradients = [], []
    for each in features:
        said_K = policy.answer_logprobs(collate(policy, [each]))[0]
        of_answers = [torch.autograd.grad(said, weights, retain_graph=True, materialize_grads=True) for said in said_K]
        gradients.append(torch.stack([torch.cat([part.flatten() for part in parts]).cpu() for parts in of_answers]))
        logprobs.append(said_K.detach().double().cpu())
    return torch.stack(logprobs), torch.stack(gradients)


def gradient_noise(
    logprobs_NK: Tensor, rewards_NK: Tensor, gradients_NKP: Tensor, *, batch: int, steps: int, seed: int
) -> dict[str, Any]:
    """Trace of the covariance of a step's gradient, and its mean cosine with the expected one, by kind of group.

    A sampled group's gradient is multiplied by G / (G - 1), so that both kinds expect the same; `expected_rel_diff`
    says how far the mean of the drawn steps is from that. `trace_ratio` is to exact groups; `sampling_alone` is the
    trace of what sampling adds, over the squared norm of the expected gradient.
    """
    flat_MP = gradients_NKP.flatten(0, 1).double()
    gram_MM = flat_MP @ flat_MP.T
    rows_SB = torch.as_tensor(np.random.default_rng(seed).integers(len(rewards_NK), size=(steps, batch)))
    exact = exact_groups(logprobs_NK, rewards_NK)
    expected_M = _coefficients(exact).flatten() / len(rewards_NK)
    exact_SM = _steps(_coefficients(exact)[rows_SB], rows_SB, len(rewards_NK))
    exact_trace = _trace(exact_SM, gram_MM)
    found: dict[str, Any] = {"exact": {"cosine": _cosine(exact_SM, expected_M, gram_MM)}, "sampled": {}}
    generator = torch.Generator().manual_seed(seed)
    drawn_logprobs, drawn_rewards = (each[rows_SB].flatten(0, 1) for each in (logprobs_NK, rewards_NK))
    for size in GROUP_SIZES:
        groups = sampled_groups(drawn_logprobs, drawn_rewards, size, generator)
        worth_SBK = (size / (size - 1) * _coefficients(groups)).unflatten(0, rows_SB.shape)
        sampled_SM = _steps(worth_SBK, rows_SB, len(rewards_NK))
        off_M = sampled_SM.mean(dim=0) - expected_M
        squared = _squared(expected_M[None], gram_MM)
        found["sampled"][str(size)] = {
            "trace_ratio": _trace(sampled_SM, gram_MM) / exact_trace,
            "sampling_alone": float(_squared(sampled_SM - exact_SM, gram_MM).mean() / squared),
            "cosine": _cosine(sampled_SM, expected_M, gram_MM),
            "expected_rel_diff": float((_squared(off_M[None], gram_MM) / squared).sqrt()),
        }
    return found


def _coefficients(groups: Groups) -> Tensor:
    return groups.weights_NK * groups.advantages_NK


def _steps(worth_SBK: Tensor, rows_SB: Tensor, items: int) -> Tensor:
    """Float[S, N K]: what each answer of each item is worth in a step."""
    steps, batch, answers = worth_SBK.shape
    summed_SNK = torch.zeros(steps, items, answers, dtype=worth_SBK.dtype)
    summed_SNK.scatter_add_(1, rows_SB[..., None].expand(-1, -1, answers), worth_SBK / batch)
    return summed_SNK.flatten(1)


def _squared(of_SM: Tensor, gram_MM: Tensor) -> Tensor:
    """Float[S]: squared norms of the gradients that coefficients stand for."""
    return ((of_SM @ gram_MM) * of_SM).sum(dim=1)


def _trace(of_SM: Tensor, gram_MM: Tensor) -> float:
    return float(_squared(of_SM - of_SM.mean(dim=0), gram_MM).mean())


def _cosine(of_SM: Tensor, expected_M: Tensor, gram_MM: Tensor) -> float:
    """Mean over steps; a step that moves nothing counts 0."""
    norms_S = (_squared(of_SM, gram_MM).clamp(min=0) * _squared(expected_M[None], gram_MM)).sqrt()
    return float((of_SM @ gram_MM @ expected_M / norms_S.clamp(min=1e-30)).mean())


def _reader(
    ws: Workspace, environment: str, directory: Path
) -> tuple[Policy, Sequence[TrainingItem], Sequence[Features]]:
    draw_samples(directory / "drawn")
    library = FolderLibrary(DerivedCache(ws.settings.cache_dir), ws.settings.media)
    pairs = labelled_pairs(ws, environment, directory / "drawn", library)[:ITEMS]
    policy = ws.environment(environment).untrained_policy(ws.settings.model_copy(update={"policy": "reader"}))
    items = [
        TrainingItem(
            example=pair.example,
            rewards=tuple(float(answer == pair.row.label) for answer in pair.example.answers or ()),
            origin="judged",
        )
        for pair in pairs
    ]
    return policy, items, policy.encode([item.example for item in items], library)


def _tiny_vlm(directory: Path) -> tuple[Policy, Sequence[TrainingItem], Sequence[Features]]:
    screens = DrawnScreens(SIDE)
    policy = VlmPolicy.create(PROMPT, VlmSettings(model=str(tiny_vlm("qwen2_5_vl", directory / "tiny"))))
    items = screens.items[:ITEMS]
    return policy, items, policy.encode([item.example for item in items], screens)
