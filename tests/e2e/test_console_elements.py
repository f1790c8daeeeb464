"""The layer over a classified picture: what it is made of, and what that says for the work."""

from pathlib import Path

from acting import copy_picture, describe
from playwright.sync_api import Page


def test_elements_are_drawn_over_the_picture_with_a_legend_and_go_away_again(page: Page, samples: Path) -> None:
    page.goto("/")
    page.wait_for_selector("#ns-intake")
    describe(page, "Plan the sprint.")
    copy_picture(page, samples / "images" / "kanban.png")
    page.keyboard.press("Control+V")
    page.wait_for_selector("body[data-intake='answered'] .ns-verdict")
    page.click("#elements")
    page.wait_for_selector("#screen .ns-element.ns-relevant")
    assert page.locator("#screen .ns-layer span").all_inner_texts() == [
        "speaks for On task",
        "speaks for Off task",
        "neither",
    ]
    picture = page.locator("#screen .ns-screen").bounding_box()
    for mark in page.locator("#screen .ns-element").all():
        box = mark.bounding_box()
        assert box and picture
        assert picture["x"] - 1 <= box["x"] and box["x"] + box["width"] <= picture["x"] + picture["width"] + 1
    page.click("#elements")
    page.wait_for_selector("#screen .ns-element", state="detached")
