"""Group quality control, as a person or a program asks for it."""

from core.services.groups.drawing import draw_group_folder
from core.services.groups.evaluating import evaluate_groups, group_pairs
from core.services.groups.importing import import_groups
from core.services.groups.inbox import inspect_inbox
from core.services.groups.inspecting import (
    Inspected,
    Inspector,
    Mended,
    correct_lines,
    inspect_day,
    inspect_group,
    inspect_pictures,
)
from core.services.groups.monitoring import monitored
from core.services.groups.simulating import simulate_groups

__all__ = [
    "Inspected",
    "Inspector",
    "Mended",
    "correct_lines",
    "draw_group_folder",
    "evaluate_groups",
    "group_pairs",
    "import_groups",
    "inspect_day",
    "inspect_group",
    "inspect_inbox",
    "inspect_pictures",
    "monitored",
    "simulate_groups",
]
