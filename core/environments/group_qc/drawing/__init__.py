"""Groups of photos, drawn rather than taken: racks, units, cables and labels, planted faults, and the whole truth."""

from core.environments.group_qc.drawing.facts import FAR, LABELS, MISSIONS, VIEWS, facts_in, line_of
from core.environments.group_qc.drawing.folder import draw_groups, reason_of
from core.environments.group_qc.drawing.groups import DrawnGroup, DrawnPhoto, drawn_group

__all__ = [
    "FAR",
    "LABELS",
    "MISSIONS",
    "VIEWS",
    "DrawnGroup",
    "DrawnPhoto",
    "draw_groups",
    "drawn_group",
    "facts_in",
    "line_of",
    "reason_of",
]
