"""Scenes and pages, without a browser."""

from collections import Counter
from pathlib import Path

import pytest

from core.environments.screen.rendering import KINDS, Catalogue, Scene, asked_of, html_of, load_catalogue, make_scene
from core.schema import NightshiftError

OWN = """
name = "Beekeep"
layout = "hive"
category = "beekeeping"
kinds = ["web"]
accent = "#c08a00"

[[en]]
title = "Hive 7"
items = ["Queen seen"]
body = ["Eleven kilos of honey."]
works = ["Look after the hives."]
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def scenes(catalogue: Catalogue) -> list[Scene]:
    languages = catalogue.languages
    return [
        make_scene(catalogue, f"7/{number}", KINDS[number % 3], languages[number // 3 % len(languages)])
        for number in range(600)
    ]


def test_there_are_many_applications_for_work_and_leisure_in_every_language(catalogue: Catalogue) -> None:
    assert len(catalogue.applications) >= 25
    assert sum(app.leisure for app in catalogue.applications) >= 8
    assert len(catalogue.languages) >= 4
    assert all(app.matters.keys() == set(catalogue.languages) for app in catalogue.applications)


def test_no_two_matters_are_about_the_same_work(catalogue: Catalogue) -> None:
    works = Counter(
        work
        for app in catalogue.applications
        for matters in app.matters.values()
        for matter in matters
        for work in matter.works
    )
    assert set(works.values()) == {1}


def test_the_same_seed_makes_the_same_page_and_another_seed_another(catalogue: Catalogue) -> None:
    one, again, other = (make_scene(catalogue, seed, "desktop", "de") for seed in ("3/1", "3/1", "3/2"))
    assert one == again
    assert html_of(one, catalogue) == html_of(again, catalogue) != html_of(other, catalogue)


def test_a_page_needs_nothing_from_anywhere_else(catalogue: Catalogue, scenes: list[Scene]) -> None:
    for scene in scenes[:60]:
        page = html_of(scene, catalogue)
        assert "http:" not in page and "https:" not in page and "<script" not in page


def test_every_layout_is_filled_in_everywhere_it_can_stand(catalogue: Catalogue, scenes: list[Scene]) -> None:
    seen = {(scene.front.app.name, scene.kind) for scene in scenes if html_of(scene, catalogue)}
    assert seen == {(app.name, kind) for app in catalogue.applications for kind in app.kinds}


def test_a_screen_is_on_task_for_what_its_front_window_is_about_and_off_task_for_what_no_window_is(
    catalogue: Catalogue, scenes: list[Scene]
) -> None:
    about = {
        work: (app.name, number)
        for app in catalogue.applications
        for matters in app.matters.values()
        for number, matter in enumerate(matters)
        for work in matter.works
    }
    for scene in scenes:
        for asked in asked_of(scene, catalogue):
            key = about[asked.work]
            if asked.on_task:
                assert key == scene.front.key
            else:
                assert key not in {window.key for window in scene.windows}


def test_labels_are_about_even_and_some_are_near_misses(catalogue: Catalogue, scenes: list[Scene]) -> None:
    asked = [each for scene in scenes for each in asked_of(scene, catalogue)]
    on_task = sum(each.on_task for each in asked) / len(asked)
    hard = sum(each.why.startswith("hard") for each in asked) / len(asked)
    assert 0.4 < on_task < 0.6
    assert 0.05 < hard < 0.5


def test_windows_stand_within_the_screen_in_every_arrangement(scenes: list[Scene]) -> None:
    assert {scene.arrangement for scene in scenes} == {"maximised", "single", "side_by_side", "overlapping", "phone"}
    for scene in scenes:
        for window in scene.windows:
            assert window.left >= 0 and window.top >= 0
            assert window.left + window.width <= scene.width and window.top + window.height <= scene.height


def test_templates_of_ones_own_stand_beside_ours(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "layouts").mkdir()
    (tmp_path / "apps" / "beekeep.toml").write_text(OWN)
    (tmp_path / "layouts" / "hive.html").write_text("<p>{{ m.body[0] }}</p>")
    catalogue = load_catalogue(tmp_path)
    assert len(catalogue.applications) == len(load_catalogue().applications) + 1
    fronts = (make_scene(catalogue, str(seed), "web", "en") for seed in range(300))
    own = next(scene for scene in fronts if scene.front.app.name == "Beekeep")
    assert "<p>Eleven kilos of honey.</p>" in html_of(own, catalogue)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OWN.replace('"hive"', '"cave"'), "names the layout 'cave'"),
        (OWN.replace('name = "Beekeep"', ""), "name: Field required"),
        ("name = ", "is not valid TOML"),
    ],
)
def test_a_wrong_template_is_named_with_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "layouts").mkdir()
    (tmp_path / "layouts" / "hive.html").write_text("")
    (tmp_path / "apps" / "beekeep.toml").write_text(text)
    with pytest.raises(NightshiftError, match=message):
        load_catalogue(tmp_path)


def test_a_layout_that_asks_for_what_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "layouts").mkdir()
    (tmp_path / "apps" / "beekeep.toml").write_text(OWN)
    (tmp_path / "layouts" / "hive.html").write_text("{{ m.wings }}")
    catalogue = load_catalogue(tmp_path)
    fronts = (make_scene(catalogue, str(seed), "web", "en") for seed in range(300))
    own = next(scene for scene in fronts if scene.front.app.name == "Beekeep")
    with pytest.raises(NightshiftError, match=r"layouts/hive.html cannot show 'Beekeep'"):
        html_of(own, catalogue)
