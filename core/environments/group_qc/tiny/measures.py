"""What tiny stages can do, on groups that they were not taught."""

import time
from collections.abc import Sequence
from typing import Any

import torch

from core.environments.group_qc.contract import parse_answer
from core.environments.group_qc.drawing import DrawnGroup, facts_in
from core.environments.group_qc.missions import missions
from core.environments.group_qc.summaries import GroupPhotos, Summariser, summarise, summary_example
from core.environments.group_qc.tiny.lessons import DrawnLibrary, dossier_of, group_example
from core.learning.rollouts.in_trainer import InTrainer
from core.policy import Sampling
from core.policy.vlm.generation import sampled
from core.policy.vlm.policy import VlmPolicy
from core.schema import NightshiftError

__all__ = ["lines_of", "stage_a_figures", "stage_a_speed", "stage_b_figures"]

LONGEST = 24
"Tokens of a line or an answer of a tiny model."
SPEED_TOKENS = 16
SAMPLES = 4


def lines_of(policy: VlmPolicy, groups: Sequence[DrawnGroup], at_once: int = 32) -> dict[str, tuple[str, ...]]:
    """What stage A writes of each group, by name; groups that were stopped are not in it."""
    writer = Summariser(
        policy, InTrainer(), DrawnLibrary(groups), stage="tiny", at_once=at_once, max_new_tokens=LONGEST
    )
    found: dict[str, tuple[str, ...]] = {}
    for name, mission in missions().items():
        of_it = [
            GroupPhotos(group.name, tuple(photo.seed for photo in group.photos))
            for group in groups
            if group.mission == name
        ]
        found |= {each.group: each.summaries for each in summarise(of_it, mission, writer) if each.error is None}
    return found


def stage_a_figures(policy: VlmPolicy, groups: Sequence[DrawnGroup]) -> dict[str, Any]:
    """`stated`: share of the planted facts that the lines state; `clean`: share of lines that state no other."""
    lines = lines_of(policy, groups)
    stated = planted = clean = photos = 0
    for group in groups:
        for place, photo in enumerate(group.photos):
            said = facts_in(lines[group.name][place]) if group.name in lines else frozenset()
            stated += len(said & set(photo.facts))
            planted += len(photo.facts)
            clean += said <= set(photo.facts)
            photos += 1
    return {"photos": photos, "stated": stated / planted, "clean": clean / photos, "stopped": len(groups) - len(lines)}


def stage_a_speed(policy: VlmPolicy, groups: Sequence[DrawnGroup], at_once: int = 16) -> dict[str, float]:
    """Photos a second in batches and one by one, on one engine, all made to write the same number of tokens."""
    photos = [photo for group in groups for photo in group.photos][: 2 * at_once]
    examples = [summary_example(missions()[photo.mission], photo.seed) for photo in photos]
    features = policy.encode(examples, DrawnLibrary(groups))
    rate = {}
    for size in (at_once, 1):
        _write_fixed(policy, features[:size])
        began = time.perf_counter()
        for start in range(0, len(features), size):
            _write_fixed(policy, features[start : start + size])
        rate[size] = len(features) / (time.perf_counter() - began)
    return {"photos_a_second": rate[at_once], "one_by_one": rate[1], "times": rate[at_once] / rate[1]}


def _write_fixed(policy: VlmPolicy, features: Sequence[dict[str, torch.Tensor]]) -> None:
    never = (*policy.never_sampled, policy.end_token)
    sampled(policy.model, policy.collate(features), 1, Sampling(0.0, max_new_tokens=SPEED_TOKENS), end=-1, never=never)


def stage_b_figures(
    policy: VlmPolicy, groups: Sequence[DrawnGroup], lines: Sequence[Sequence[str]], *, seed: int = 0
) -> dict[str, float]:
    """`format`: share of free samples with two proper lines; `right`: share that also give the right verdict;
    `verdicts`: share of groups whose likelier verdict is right, `false_pass` of failing ones that pass by it, and
    `probability`: what the right verdict is given in the mean, of the two."""
    features = policy.encode([group_example(*pair) for pair in zip(groups, lines, strict=True)], DrawnLibrary(()))
    formed = right = verdicts = false_passes = 0
    probability = 0.0
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for start in range(0, len(groups), 24):
            batch = policy.collate(features[start : start + 24])
            drawn = policy.sample(batch, SAMPLES, Sampling(max_new_tokens=LONGEST))
            logprobs_NK = policy.verdict_logprobs(batch)
            likelier = logprobs_NK.argmax(dim=-1).tolist()
            for row, group in enumerate(groups[start : start + 24]):
                said = (policy.verdicts or ())[likelier[row]]
                verdicts += said == group.verdict
                probability += float(logprobs_NK[row, (policy.verdicts or ()).index(group.verdict)].exp())
                false_passes += said != group.verdict == (policy.verdicts or ())[1]
                for sample in range(SAMPLES):
                    tokens = drawn.tokens_NGT[row, sample][drawn.mask_NGT[row, sample]].tolist()
                    verdict = _verdict(policy.text_of(tokens), group, lines[start + row])
                    formed += verdict is not None
                    right += verdict == group.verdict
    failing = sum(group.verdict == (policy.verdicts or ())[1] for group in groups)
    return {
        "groups": len(groups),
        "format": formed / (SAMPLES * len(groups)),
        "right": right / (SAMPLES * len(groups)),
        "verdicts": verdicts / len(groups),
        "probability": probability / len(groups),
        "false_pass": false_passes / max(failing, 1),
    }


def _verdict(text: str, group: DrawnGroup, lines: Sequence[str]) -> str | None:
    try:
        return parse_answer(text, dossier_of(group, lines)).verdict
    except NightshiftError:
        return None
