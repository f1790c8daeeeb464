"""From pictures that nobody labelled to a first training set: described, asked about, judged, selected."""

from core.services.bootstrap.card import card
from core.services.bootstrap.record import STAGES, begin_bootstrap, bootstrap_progress
from core.services.bootstrap.sources import named_source
from core.services.bootstrap.stages import captions, judge, pictures, questions, select
from core.services.bootstrap.training import train_on_bootstrapped

__all__ = [
    "STAGES",
    "begin_bootstrap",
    "bootstrap_progress",
    "captions",
    "card",
    "judge",
    "named_source",
    "pictures",
    "questions",
    "select",
    "train_on_bootstrapped",
]
