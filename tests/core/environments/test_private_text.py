"""What counts as private in a text, also as a recogniser reads it."""

import pytest

from core.environments.screen.private_text import masked, private_spans
from core.settings import RedactionSettings

ALL = RedactionSettings(
    emails=True, cards=True, phones=True, phone_regions=("US", "GB", "DE"), names=("Ann Other", "Émile")
)


def hidden(text: str, settings: RedactionSettings = ALL) -> list[str]:
    return [text[start:end] for start, end in private_spans(text, settings)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("From: ann.other@example.com to all", ["ann.other@example.com"]),
        ("ann.other@ example.com", ["ann.other@ example.com"]),
        ("ann.other@example .co.uk", ["ann.other@example .co.uk"]),
        ("a+tag@mail-1.example.org;b@c.de", ["a+tag@mail-1.example.org", "b@c.de"]),
        ("cut off: ann.other@exam", ["ann.other@exam"]),
        ("cut off: ann.other@", ["ann.other@"]),
        ("paid with 4111 1111 1111 1111 today", ["4111 1111 1111 1111"]),
        ("4111-1111-1111-1111", ["4111-1111-1111-1111"]),
        ("378282246310005", ["378282246310005"]),
        ("as read: 4l11 1111 1111 111I", ["4l11 1111 1111 111I"]),
        ("call +44 20 7946 0958 now", ["+44 20 7946 0958"]),
        ("call (212) 555-0123 now", ["(212) 555-0123"]),
        ("Tel. 030 901820", ["030 901820"]),
        ("dear ann other,", ["ann other"]),
        ("ANNOTHER", ["ANNOTHER"]),
        ("Ann.Other asked emile", ["Ann.Other", "emile"]),
    ],
)  # fmt: skip
def test_private_text_is_found(text: str, wanted: list[str]) -> None:
    assert hidden(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "order 4111 1111 1111 1112", "invoice 1234567890123", "2026-11-26 06:14:05", "Total 1,234.56",
        "Announcement", "another", "Emilia", "version 3.12.4", "192.168.0.1", "Q3 2031: 41 of 57",
    ],
)  # fmt: skip
def test_other_text_is_left(text: str) -> None:
    assert hidden(text) == []


def test_only_what_is_asked_for_is_found() -> None:
    text = "Ann Other, ann@example.com, 4111 1111 1111 1111, +44 20 7946 0958"
    assert hidden(text, RedactionSettings()) == []
    assert hidden(text, RedactionSettings(emails=True)) == ["ann@example.com"]
    assert hidden(text, RedactionSettings(cards=True)) == ["4111 1111 1111 1111"]
    assert hidden(text, RedactionSettings(phones=True)) == ["+44 20 7946 0958"]
    assert hidden(text, RedactionSettings(names=("Ann Other",))) == ["Ann Other"]


def test_names_of_files_are_masked() -> None:
    assert masked("mail to ann@example.com.png", ALL) == "mail to (redacted)"


@pytest.mark.parametrize("wrong", [{"names": ["A"]}, {"names": [" . "]}, {"phone_regions": ["Germany"]}])
def test_settings_that_would_hide_everything_or_nothing_are_refused(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"too short for a name|no country"):
        RedactionSettings(**wrong)
