"""What can be seen on a drawn photo, and how it is said: the whole vocabulary of the truth.

A photo's line is its facts in order, with a comma between: where it was taken from, what state the thing inspected is
in, and whether the label can be read. Which states are faults is a mission's to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["FAR", "LABELS", "MISSIONS", "VIEWS", "DrawnMission", "facts_in", "line_of"]

VIEWS = ("正面", "左侧", "右侧")
FAR = "远景"
"From where nothing of what is inspected can be told."
LABELS = (READABLE, MISSING) = ("标签清晰", "标签缺失")


@dataclass(frozen=True)
class DrawnMission:
    """The states that the thing inspected can be drawn in."""

    right: str
    faults: tuple[str, ...]
    unseen: str
    "What is said of a photo on which it cannot be told."
    label_counts: bool
    "Whether a missing label is a fault here."

    @property
    def states(self) -> tuple[str, ...]:
        return (self.right, *self.faults, self.unseen)

    def is_fault(self, facts: Sequence[str]) -> bool:
        """Whether a photo with these facts fails its group."""
        return bool(set(facts) & set(self.faults)) or (self.label_counts and MISSING in facts)


MISSIONS = {
    "installation_direction": DrawnMission("风扇朝向正确", ("风扇装反", "风扇未插到底"), "看不清风扇", False),
    "grounding_cable": DrawnMission("接地线已接好", ("接地线松脱", "缺少接地线"), "看不清接地线", True),
    "cable_routing": DrawnMission("走线整齐", ("走线交叉", "线缆未绑扎"), "看不清走线", True),
    "air_baffle": DrawnMission("挡风板齐全", ("缺少挡风板", "挡风板翘起"), "看不清挡风板", False),
}
"""By the name of the mission."""

KNOWN = (FAR, *VIEWS, *LABELS, *(state for mission in MISSIONS.values() for state in mission.states))


def line_of(facts: Sequence[str]) -> str:
    """The line that says these facts and nothing else."""
    return "，".join(facts)


def facts_in(line: str) -> frozenset[str]:
    """The facts that a line states, however it is written; only those of the vocabulary are known."""
    return frozenset(fact for fact in KNOWN if fact in line)
