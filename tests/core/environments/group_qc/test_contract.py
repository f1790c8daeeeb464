import re

import pytest

from core.environments import environment
from core.environments.group_qc.contract import FAIL, FORM, PASS, contradicts, parse_answer
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.judge import follows
from core.environments.group_qc.missions import named
from core.environments.group_qc.rewards import group_rewards
from core.reward import Question, combine, reward_parts
from core.schema import NightshiftError
from core.settings import load_settings

DOSSIER = Dossier.of(named("grounding_cable"), ["正面，接地线已接好，标签清晰", "左侧，接地线松脱，标签清晰"])
GOOD = f"{FAIL}\n图片_2接地线松脱"


def worth(answer: object, label: str | None = FAIL) -> dict[str, float | None]:
    example = environment("group_qc").example(("a" * 64, "b" * 64), DOSSIER.text, cluster="one")
    return reward_parts(Question(example=example, label=label), answer, group_rewards())  # type: ignore[arg-type]


def test_two_proper_lines_are_an_answer() -> None:
    answer = parse_answer(GOOD, DOSSIER)
    assert (answer.verdict, answer.reason, answer.text) == (FAIL, "图片_2接地线松脱", GOOD)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{GOOD}\n", "exactly two lines"),
        (f"{PASS}{FAIL}\n图片_2接地线松脱", "first line"),
        (f"{FAIL}\n", "0 characters"),
        (f"{FAIL}\nthe cable of 图片_2", "not a line of Chinese"),
        (f"{FAIL}\n结论：{FAIL}", "verdict again"),
        (f"{FAIL}\n接地线两端接牢，标签齐全", "copied"),
        (None, "a text of two lines"),
    ],
)
def test_what_breaks_the_contract_is_named(text: object, says: str) -> None:
    with pytest.raises(NightshiftError, match=says):
        parse_answer(text, DOSSIER)  # type: ignore[arg-type]


def test_gold_answers_earn_everything_and_cheats_nothing(tmp_path) -> None:
    assert environment("group_qc").validate(load_settings(tmp_path)) == []


def test_a_wrong_verdict_in_two_proper_lines_earns_its_form_alone() -> None:
    parts = worth(f"{PASS}\n图片_1接地线已接好")
    assert (parts["label"], parts["format"]) == (0.0, 1.0)
    seed = group_rewards(label=1.0, format=0.2, evidence=0, consistent=0, reason=0)
    assert combine({"label": 0.0, "format": 1.0}, seed, label_says=None) == pytest.approx(0.2 / 1.2)


def test_without_a_label_the_verdict_is_worth_nothing_either_way() -> None:
    assert worth(GOOD, label=None)["label"] is None


def test_a_reason_that_names_no_photo_or_one_that_is_not_there_has_no_evidence() -> None:
    assert [worth(f"{FAIL}\n{reason}")["evidence"] for reason in ("接地线松脱", "图片_3接地线松脱")] == [0.0, 0.0]


def test_a_reason_that_says_the_opposite_contradicts_its_verdict() -> None:
    assert contradicts(parse_answer(f"{PASS}\n图片_2松脱，不合格"))
    assert contradicts(parse_answer(f"{FAIL}\n图片_1和图片_2均符合要求"))
    assert contradicts(parse_answer(f"{PASS}\n图片_1合格图片_2不合格"))
    assert not contradicts(parse_answer(f"{FAIL}\n图片_1合格图片_2不合格"))
    assert not contradicts(parse_answer(f"{PASS}\n图片_1和图片_2未发现不合格"))
    assert not contradicts(parse_answer(f"{PASS}\n图片_1线缆通过走线架，固定良好"))
    assert worth(f"{FAIL}\n图片_1和图片_2均符合要求")["consistent"] == 0.0


def test_a_reason_follows_as_far_as_the_lines_of_the_photos_it_names_bear_it_out() -> None:
    def share(reason: str) -> float:
        return follows(parse_answer(f"{FAIL}\n{reason}"), DOSSIER)

    assert share("图片_2接地线松脱") == 1.0
    assert share("图片_1接地线松脱") < 0.7
    assert share("图片_2螺丝生锈严重") == 0.0
    assert share("接地线松脱") == 0.0
    assert share("接地线松脱，见图片_2") == 1.0
    assert share("机柜已经烧毁全部设备丢失，图片_1标签清晰") < 0.4


def test_what_a_line_denies_does_not_follow_from_it_nor_what_only_the_reason_denies() -> None:
    lines = Dossier.of(
        named("installation_direction"), ["正面，风扇未插到底，没有标签", "左侧，风扇朝向正确，标签清晰"]
    )

    def share(reason: str) -> float:
        return follows(parse_answer(f"{FAIL}\n{reason}"), lines)

    assert share("图片_1风扇未插到底且没有标签") > 0.8
    assert share("图片_1未插到底") == 1.0
    assert share("图片_1风扇插到底") <= 0.4
    assert share("图片_2风扇朝向不正确") <= 0.7
    assert share("图片_2风扇未朝向正确") <= 0.4


def test_what_the_form_allows_parses() -> None:
    assert re.fullmatch(FORM.pattern, GOOD)
    assert not re.fullmatch(FORM.pattern, f"{GOOD}\n")
    assert not re.fullmatch(FORM.pattern, "大概通过\n图片_1接地线已接好")
