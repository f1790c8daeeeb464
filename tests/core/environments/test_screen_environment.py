from pathlib import Path

import numpy as np
import pytest
from memory_library import MemoryLibrary
from PIL import Image

from core.environments import Environment, environment
from core.environments.screen.siblings import restate
from core.environments.screen.variants.paraphrase import reword
from core.environments.screen.variants.repaint import LARGER, SMALLER
from core.learning.variants import Labelled, draft_pictures
from core.reward import Question, combine, reward_parts
from core.schema import CANNOT_TELL, NightshiftError
from core.settings import Settings, load_settings

ASKS = (
    "Write the minutes of the meeting.",
    "Fix the login page",
    "I have to compare two offers for insurance.",
    "Plan the trip; no games.",
)


@pytest.fixture
def screen() -> Environment:
    return environment("screen")


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings(home)


@pytest.fixture
def picture(drawn: Path) -> Image.Image:
    return Image.open(drawn / "images" / "code_editor.png").convert("RGB")


def test_an_unknown_environment_is_refused_naming_those_there_are() -> None:
    with pytest.raises(NightshiftError, match=r"no environment 'document'; there are: .*screen"):
        environment("document")


def test_no_cheat_earns_anything_and_every_gold_answer_earns_all(screen: Environment, settings: Settings) -> None:
    assert screen.validate(settings) == []
    assert sum(not right for _, _, right in screen.gold_and_cheats()) >= 20


def test_a_reward_that_a_cheat_can_earn_is_found(
    screen: Environment, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "core.environments.screen.environment.exact_verdict",
        lambda question, answer: float(str(question.label) in str(answer)),
    )
    problems = screen.validate(settings)
    assert any("'the answer is on_task'" in problem for problem in problems)


@pytest.mark.parametrize("ask", ["", "   ", "\n\t"])
def test_an_empty_description_is_refused(screen: Environment, ask: str) -> None:
    with pytest.raises(NightshiftError, match="'Work description' is empty"):
        screen.example(("m",), ask, cluster="c")


def test_an_endless_description_is_refused(screen: Environment) -> None:
    assert screen.example(("m",), "x" * 2000, cluster="c").ask == "x" * 2000
    with pytest.raises(NightshiftError, match="2001 characters; at most 2000"):
        screen.example(("m",), "x" * 2001, cluster="c")


def test_a_question_about_nothing_is_refused(screen: Environment) -> None:
    with pytest.raises(NightshiftError, match="needs an input"):
        screen.example((), "Write the report.", cluster="c")


def test_blanks_around_and_between_words_make_no_other_question(screen: Environment) -> None:
    one = screen.example(("m",), "Write the report.", cluster="c")
    assert screen.example(("m",), "  Write\n the   report. ", cluster="c").id == one.id


@pytest.mark.parametrize("answer", ["on_task", "off_task", CANNOT_TELL])
def test_the_answers_of_a_person_are_taken_as_they_are(screen: Environment, answer: str) -> None:
    assert screen.parse_answer(answer) == answer


@pytest.mark.parametrize("answer", ["", "On_task", "on task", "on_task ", "maybe", None, True, 0, ["on_task"], {}])
def test_anything_else_is_no_answer(screen: Environment, answer: object) -> None:
    with pytest.raises(NightshiftError, match="the answers are on_task, off_task, cannot_tell"):
        screen.parse_answer(answer)  # type: ignore[arg-type]


def test_every_answer_has_a_title(screen: Environment) -> None:
    assert set(screen.answer_titles) == set(screen.answers or ())


def test_unknown_students_and_judges_are_refused_naming_those_there_are(screen: Environment, home: Path) -> None:
    with pytest.raises(NightshiftError, match="no policy 'oracle'; there are: reader"):
        screen.untrained_policy(load_settings(home, policy="oracle"))
    with pytest.raises(NightshiftError, match="no judge 'oracle'; there are: reading, openai"):
        screen.judge(load_settings(home, judge="oracle"))


def test_the_judges_weight_is_the_share_it_has_earned(screen: Environment, settings: Settings) -> None:
    weights = {reward.name: reward.weight for reward in screen.rewards(settings, judge_share=0.5)}
    assert weights == {"judge": 0.25, "exact_verdict": 0.3, "visual_verifier": 0.2}
    (judge,) = [each for each in screen.rewards(settings, judge_share=0.0) if each.name == "judge"]
    assert judge.weight == 0


def test_work_belongs_to_a_domain_that_fits(screen: Environment) -> None:
    domain = screen.domain(screen.example(("m",), "Fix the bug in the parser and run the unit tests.", cluster="c"))
    assert domain == "programming"


def test_siblings_are_the_screen_the_work_and_both_in_another_form(screen: Environment, picture: Image.Image) -> None:
    siblings = screen.siblings(picture, ASKS[0], np.random.default_rng(0))
    changed = [(image.tobytes() != picture.tobytes(), ask != ASKS[0]) for image, ask in siblings]
    assert changed == [(True, False), (False, True), (True, True)]
    assert all(image.size == picture.size for image, _ in siblings)


@pytest.mark.parametrize("ask", ASKS)
def test_no_variant_ever_words_the_work_as_a_sibling_does(ask: str) -> None:
    reworded = {reword(ask, np.random.default_rng(seed)) for seed in range(300)}
    restated = {restate(ask, np.random.default_rng(seed)) for seed in range(50)}
    assert len(reworded) > 3
    assert len(restated) == 4
    assert not {text.lower() for text in reworded} & {text.lower() for text in restated}


def test_no_variant_ever_paints_the_screen_as_a_sibling_does(
    screen: Environment, library: MemoryLibrary, picture: Image.Image
) -> None:
    small = picture.resize((256, 160))
    media = library.add("Editor", image=small)
    parent = Labelled(screen.example((media,), "x", cluster="c"), "on_task")
    kinds = [kind for kind in screen.variant_kinds if kind.changes_pixels]
    made = [draft for seed in range(12) for draft in draft_pictures(parent, kinds, library, seed=seed)]
    siblings = [screen.siblings(small, "x", np.random.default_rng(seed))[0][0] for seed in range(12)]
    assert {draft.how for draft in made} == {kind.name for kind in kinds}
    assert not {draft.image.resize(small.size).tobytes() for draft in made if draft.image} & {
        sibling.tobytes() for sibling in siblings
    }
    assert SMALLER[1] < 0.88 and LARGER[0] > 0.96, "no variant is scaled as siblings are"


def verifier(screen: Environment, settings: Settings, library: MemoryLibrary, media: str, ask: str) -> float | None:
    """What the visual verifier alone makes of `on_task`."""
    question = Question(screen.example((media,), ask, cluster="c"), library=library)
    parts = reward_parts(question, "on_task", screen.rewards(settings, judge_share=1.0))
    assert parts["judge"] is None
    assert parts["exact_verdict"] is None
    assert combine(parts, screen.rewards(settings, judge_share=1.0), label_says=None) == parts["visual_verifier"]
    return parts["visual_verifier"]


def test_a_title_that_names_the_work_verifies_it(
    screen: Environment, settings: Settings, library: MemoryLibrary
) -> None:
    media = library.add("Glacier moraine survey.odt - Writer")
    ask = "Write up the survey of the glacier moraine."
    assert verifier(screen, settings, library, media, ask) == 1.0


def test_a_title_that_names_what_is_ruled_out_refutes_it(
    screen: Environment, settings: Settings, library: MemoryLibrary
) -> None:
    media = library.add("Glacier moraine - Encyclopedia")
    ask = "Write up the glacier moraine survey. No encyclopedia."
    assert verifier(screen, settings, library, media, ask) == 0.0


def test_a_screen_full_of_other_words_refutes_it(
    screen: Environment, settings: Settings, library: MemoryLibrary, film: str
) -> None:
    crowded = library.add(*(f"{line.text} {i}" for i in range(3) for line in library.reading(film).lines))
    assert verifier(screen, settings, library, crowded, "Calibrate the spectrometer.") == 0.0


def test_where_no_rule_speaks_the_verifier_is_silent(
    screen: Environment, settings: Settings, library: MemoryLibrary, film: str
) -> None:
    assert verifier(screen, settings, library, library.add(), "Calibrate the spectrometer.") is None
    assert verifier(screen, settings, library, film, "Look around.") is None
