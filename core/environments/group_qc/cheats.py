"""What the rewards are held to: right answers, and ways to look right without being it."""

from typing import TYPE_CHECKING

from pydantic import JsonValue

from core.environments.group_qc.contract import FAIL, PASS
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.missions import missions
from core.environments.group_qc.prompt import PROMPT
from core.reward import Question

if TYPE_CHECKING:
    from core.environments.base import Environment

__all__ = ["gold_and_cheats"]

GOOD, BAD = "正面，部件安装到位，标签清晰", "左侧，部件松脱，标签清晰"
REASONS = {PASS: "图片_1部件安装到位，图片_2标签清晰", FAIL: "图片_2部件松脱"}


def gold_and_cheats(environment: "Environment") -> list[tuple[Question, JsonValue, bool]]:
    """For every shipped mission and either verdict: the right answer, and what must earn nothing."""
    found: list[tuple[Question, JsonValue, bool]] = []
    for mission in missions().values():
        for label, other, second in ((PASS, FAIL, GOOD), (FAIL, PASS, BAD)):
            dossier = Dossier.of(mission, [GOOD, second])
            example = environment.example(("0" * 64, "1" * 64), dossier.text, cluster="validate")
            gold = f"{label}\n{REASONS[label]}"
            cheats = _cheats(label, other, REASONS[label], dossier)
            question = Question(example=example, label=label)
            found.append((question, gold, True))
            found += [(question, cheat, False) for cheat in cheats]
    return found


def _cheats(label: str, other: str, reason: str, dossier: Dossier) -> list[JsonValue]:
    """The verdict twice, both verdicts, no reason, the question's own words, another script, and other forms."""
    return [
        "", " ", "\n", None, [], {}, True, 1,
        label, f"{label}\n", f"{label}\n\n", f"{label}\n ", f"\n{reason}", f"{label} {reason}", f"{label}，{reason}",
        f"{label}\n{label}", f"{label}\n结论：{label}", f"{label}\n{label}。{label}。", f"{label}{label}\n{reason}",
        f"{label}\n{other}", f"{label}{other}\n{reason}", f"{label} {other}\n{reason}", f"{label}/{other}\n{reason}",
        f"{label}或{other}\n{reason}", f"{label}\n{other}\n{reason}", f"{other}\n{label}\n{reason}",
        f"{label}\n{reason}\n", f"\n{label}\n{reason}", f"{label}\n\n{reason}", f"{label}\n{reason}\n{reason}",
        f"{label} \n{reason}", f" {label}\n{reason}", f"{label}\n {reason}", f"{label}\r\n{reason}",
        f"{label}。\n{reason}", f"“{label}”\n{reason}", f"结论：{label}\n{reason}", f"**{label}**\n{reason}",
        *(f"{label}\n{told}" for told in dossier.instructions), f"{label}\n{dossier.title}：{dossier.focus}",
        *(f"{label}\n{told}如下，{REASONS[label]}" for told in dossier.checklist),
        f"{label}\n{dossier.text}", f"{label}\n{PROMPT.system}", dossier.text, PROMPT.system,
        f"{_traditional(label)}\n{reason}", f"{label[:-1]}過\n{reason}", f"pass\n{reason}", f"PASS\n{reason}",
        f"fail\n{reason}", f"tōngguò\n{reason}", f"合格\n{reason}", f"不合格\n{reason}", f"{label}\u200b\n{reason}",
        f"{label}\n{reason}\u200b", f"{label}\n图\u200b片_1正常",
        f"{label}\nthe cable in 图片_1 is fine", f"{label}\n12345678", f"{label}\n……", f"{label}\n。。。。。。",
        f"{label}\n{reason * 40}", f"{label}\n好", [label, reason], {"verdict": label, "reason": reason},
        f"{label}\n{reason}" * 2, label * 5000, "通" * 100_000,
    ]  # fmt: skip


def _traditional(label: str) -> str:
    return label.replace("过", "過")
