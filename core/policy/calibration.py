"""What makes a stated confidence true: one temperature over the log-probabilities.

Temperature scaling, Guo et al. 2017 (arXiv:1706.04599): p' = softmax(log p / T), with T chosen to minimise the
negative log-likelihood of labels the policy did not train on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from core.schema import NightshiftError

__all__ = ["Calibration"]

FILE = "calibration.json"
MIN_LABELS = 40
RANGE = (0.3, 5.0)


@dataclass(frozen=True)
class Calibration:
    """`temperature` above 1 makes a policy less sure of itself."""

    temperature: float = 1.0

    def __call__(self, logprobs_NK: Tensor) -> Tensor:
        """Float[N, K] log-probabilities at this temperature."""
        return torch.log_softmax(logprobs_NK / self.temperature, dim=-1)

    @classmethod
    def fit(cls, logprobs_NK: Sequence[Sequence[float]], labels_N: Sequence[int]) -> "Calibration":
        """The best temperature for labels that were held out; 1 where there are too few to tell."""
        if len(labels_N) < MIN_LABELS:
            return cls()
        logprobs, labels = np.asarray(logprobs_NK), np.asarray(labels_N)

        def loss(log_temperature: float) -> float:
            scaled = logprobs / np.exp(log_temperature)
            normalised = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
            return float(-normalised[np.arange(len(labels)), labels].mean())

        found = minimize_scalar(loss, bounds=tuple(np.log(RANGE)), method="bounded")
        return cls(round(float(np.exp(found.x)), 4))

    def write(self, directory: Path) -> None:
        """Beside the weights it belongs to."""
        (directory / FILE).write_text(json.dumps({"temperature": self.temperature}))

    @classmethod
    def read(cls, directory: Path) -> "Calibration":
        """As written; none was needed where there is no file."""
        path = directory / FILE
        if not path.exists():
            return cls()
        try:
            temperature = float(json.loads(path.read_text())["temperature"])
        except (ValueError, KeyError, TypeError) as error:
            raise NightshiftError(f"{path} is not a calibration: {error}") from error
        if not 0 < temperature < float("inf"):
            raise NightshiftError(f"{path} is not a calibration: temperature {temperature} is not a positive number")
        return cls(temperature)
