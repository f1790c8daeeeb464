"""Policies that kill the process that trains them at a chosen instant. The training process imports them by name.

`DOOMED_COUNTS` names a file that gets a byte for each training step begun. `DOOMED_AT=40` kills as step 40 of the
process begins (over all challengers), `DOOMED_IN=manifest.json:2` as that file is opened for the second time in a
checkpoint that is being written.
"""

import os
import signal
import sys
from pathlib import Path

import torch
from linear_policy import LinearPolicy
from torch import Tensor

from core.policy import Features
from core.policy.reader.policy import ReaderPolicy
from core.policy.vlm.policy import VlmPolicy

_steps_begun = 0


def _step_begins() -> None:
    global _steps_begun
    if not torch.is_grad_enabled():
        return
    _steps_begun += 1
    with Path(os.environ["DOOMED_COUNTS"]).open("a") as counts:
        counts.write(".")
    if str(_steps_begun) == os.environ.get("DOOMED_AT"):
        _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_in_a_checkpoint() -> None:
    name, _, times = os.environ["DOOMED_IN"].partition(":")
    opened = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal opened
        if event == "open" and str(arguments[0]).endswith(f".partial/{name}") and "checkpoints/" in str(arguments[0]):
            opened += 1
            if opened == int(times):
                _die()

    sys.addaudithook(watch)


if "DOOMED_IN" in os.environ:
    _die_in_a_checkpoint()


class DoomedLinear(LinearPolicy):
    def answer_logprobs(self, batch: Features) -> Tensor:
        _step_begins()
        return super().answer_logprobs(batch)


class DoomedReader(ReaderPolicy):
    def answer_logprobs(self, batch: Features) -> Tensor:
        _step_begins()
        return super().answer_logprobs(batch)


class DoomedVlm(VlmPolicy):
    def answer_token_logprobs(self, batch: Features) -> Tensor:
        _step_begins()
        return super().answer_token_logprobs(batch)
