"""The reader's head: a generalised linear model whose blocks differ in how far one correction reaches.

The log-odds that the first answer holds are the sum of

- `match`: the match features, weighted and bounded, which is all the untrained reader has;
- `topic`: what kind of activity the screen shows ("video streaming counts as work here") reaches every such screen;
- `screen`: the wording of the screen reaches screens that say similar things;
- `work`: the wording of the description reaches descriptions alike;
- `pair`: screen and description together reach only pairs that are alike in both.

Each block is multiplied by a fixed scale. With weight decay toward zero this is a Gaussian prior whose standard
deviations are those scales (Rasmussen and Williams 2006, section 2.1): a single surprising label is explained by the
pair it came from, and only several that agree move a whole topic.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from core.policy.reader.adapted import AdaptedLayers, matched_again

__all__ = ["ReaderConfig", "ReaderModel"]

BLOCK_SCALES = {"match": 0.1, "topic": 5.0, "screen": 0.5, "work": 0.5, "pair": 3.0}
ADAPTED_SCALE = 0.3
MATCH_WEIGHTS = (1.0, 1.0, 1.0, 0.3, 0.3, 0.3, -1.5, 0.4, 0.2)


class ReaderConfig(PretrainedConfig):
    """Sizes, prior weights and block scales. Set by hand, not fitted: see docs/algorithm.md."""

    model_type = "nightshift-reader"

    def __init__(
        self,
        answers: tuple[str, ...] = ("yes", "no"),
        dim: int = 384,
        topics: int = 1,
        match_weights: tuple[float, ...] = MATCH_WEIGHTS,
        match_threshold: float = 1.0,
        match_slope: float = 6.0,
        match_bound: float = 4.0,
        block_scales: dict[str, float] | None = None,
        adapted_layers: int = 0,
        adapted_width: int = 1536,
        adapted_scale: float = ADAPTED_SCALE,
        **kwargs: Any,
    ) -> None:
        self.answers = list(answers)
        self.dim = dim
        self.topics = topics
        self.match_weights = list(match_weights)
        self.match_threshold = match_threshold
        self.match_slope = match_slope
        self.match_bound = match_bound
        self.block_scales = dict(block_scales or BLOCK_SCALES)
        self.adapted_layers = adapted_layers
        self.adapted_width = adapted_width
        self.adapted_scale = adapted_scale
        super().__init__(**kwargs)


class ReaderModel(PreTrainedModel):
    """Weights start at zero, where the reader judges by the match alone."""

    config_class = ReaderConfig
    base_model_prefix = "reader"
    main_input_name = "match"

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__(config)
        self.match_weights = nn.Parameter(torch.zeros(len(config.match_weights)))
        self.bias = nn.Parameter(torch.zeros(1))
        self.topic_weights = nn.Parameter(torch.zeros(config.topics))
        self.screen_weights = nn.Parameter(torch.zeros(config.dim))
        self.work_weights = nn.Parameter(torch.zeros(config.dim))
        self.pair_weights = nn.Parameter(torch.zeros(config.dim, config.dim))
        self.adapted = (
            AdaptedLayers(config.adapted_layers, config.dim, config.adapted_width, config.adapted_scale)
            if config.adapted_layers
            else None
        )
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing is random: an untrained reader is the same everywhere."""

    def forward(
        self, match: Tensor, legible: Tensor, topic: Tensor, screen: Tensor, work: Tensor, **read: Tensor
    ) -> Tensor:
        """Float[N] log-odds of the first answer from match[N, M], legible[N], topic[N, T], screen[N, D], work[N, D].

        `read` is what adapted layers go over (`core.policy.reader.adapted`); a reader without them is given nothing.
        """
        if self.adapted is not None:
            match = matched_again(self.adapted, match, read)
        scale, bound = self.config.block_scales, self.config.match_bound
        # Not a buffer: one that is not saved would come back uninitialised from `from_pretrained`.
        prior_M = match.new_tensor(self.config.match_weights)
        # A prior weight of 0 leaves a feature out: it is not learnt either.
        weights_M = prior_M + scale["match"] * self.match_weights * (prior_M != 0)
        margin_N = match @ weights_M - self.config.match_threshold + scale["match"] * self.bias
        match_N = legible * bound * torch.tanh(self.config.match_slope * margin_N / bound)
        topic_N = scale["topic"] * (topic @ self.topic_weights)
        screen_N = scale["screen"] * (screen @ self.screen_weights)
        work_N = scale["work"] * (work @ self.work_weights)
        pair_N = scale["pair"] * ((screen @ self.pair_weights) * work).sum(-1)
        return match_N + topic_N + screen_N + work_N + pair_N
