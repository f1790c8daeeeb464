"""From corrections to a challenger: replay, groups, loss, and the training process.

TRL is imported when training begins, not when this package is.
"""

from core.learning.caps import Crowd, codes_of, share_capped
from core.learning.features import load_features, save_features
from core.learning.groups import Groups, exact_groups, sampled_groups
from core.learning.items import Targets, TrainingItem, load_items, save_items
from core.learning.job import TrainingJob, run_training
from core.learning.loss import closed_set_loss
from core.learning.pictures import save_pictures
from core.learning.refreshes import Refresh, Refreshes
from core.learning.replay import Replay, sampled
from core.learning.rewarding import Rewarding
from core.learning.scoring import answer
from core.learning.steps import read_steps
from core.learning.teacher import told_by
from core.learning.training import HeldOut, TrainingResult, train

__all__ = [
    "Crowd",
    "Groups",
    "HeldOut",
    "Refresh",
    "Refreshes",
    "Replay",
    "Rewarding",
    "Targets",
    "TrainingItem",
    "TrainingJob",
    "TrainingResult",
    "answer",
    "closed_set_loss",
    "codes_of",
    "exact_groups",
    "load_features",
    "load_items",
    "read_steps",
    "run_training",
    "sampled",
    "sampled_groups",
    "save_features",
    "save_items",
    "save_pictures",
    "share_capped",
    "told_by",
    "train",
]
