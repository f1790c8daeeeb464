"""Both stages on tiny models of the Qwen-VL family, taught on drawn groups: what the whole path can learn, measured.

A tiny model knows no language. So each begins with lessons: stage A on photos and their lines, stage B on Chinese lines
about groups of which few are answers and none says more of the verdict than chance.
"""

from core.environments.group_qc.tiny.benchmark import Sizes, bench_groups, learn_verdicts, read_groups
from core.environments.group_qc.tiny.kept import Taught, kept_in
from core.environments.group_qc.tiny.models import taught_summariser, warmed_up

__all__ = [
    "Sizes",
    "Taught",
    "bench_groups",
    "kept_in",
    "learn_verdicts",
    "read_groups",
    "taught_summariser",
    "warmed_up",
]
