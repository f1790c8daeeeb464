import json
import re
import string

import pytest
from spoken_texts import texts

from app.console.language import COOKIE, I18N, LANGUAGES, catalog, figure, say

OTHERS = [language for language in LANGUAGES if language != "en"]


def fields(text: str) -> list[str]:
    return sorted(field for _, field, _, _ in string.Formatter().parse(text) if field)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_the_console_has_its_translation_and_no_translation_is_left_over(language):
    assert catalog(language).keys() == texts()


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_figures_of_its_text(language):
    assert [text for text, told in catalog(language).items() if fields(text) != fields(told)] == []


def test_a_fragment_is_known_to_the_browser_in_every_language(client):
    assert client.get("/").status_code == 200
    known = [words.keys() - catalog(language).keys() for language, words in I18N.translations.items()]
    assert known[0] == known[1] and {"head/", "head/review", "head/figures", "review", "intake"} <= known[0]


def test_a_page_begins_with_its_language_and_holds_the_words_of_each(client):
    page = client.get("/figures").text
    first = page.index("<script>", page.index("<head>"))
    assert COOKIE in page[first : page.index("</script>", first)]
    assert "Kennzahlen" in page


def test_what_a_handler_draws_is_in_the_language_of_the_cookie(client):
    text = client.get("/figures").text
    config = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", text, re.S)[1])
    index = next(each["id"] for each in config["dependencies"] if each["backend_fn"])
    body = {"fn_index": index, "data": [], "session_hash": "somebody"}
    for cookie, word in ((None, "Golden accuracy"), ("de", "Genauigkeit (golden)"), ("xx", "Golden accuracy")):
        headers = {"cookie": f"{COOKIE}={cookie}"} if cookie else {}
        assert word in client.post("/gradio_api/run/predict", json=body, headers=headers).text


@pytest.mark.parametrize(
    ("accepted", "cookie", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", None, "de"),
        ("fr, en;q=0.5, de;q=0.7", None, "de"),
        ("en-GB, de;q=0.9", None, "en"),
        ("de;q=0, *;q=broken", None, "en"),
        ("fr", None, "en"),
        ("de", "en", "en"),
        ("en", "de", "de"),
        ("de", "xx", "de"),
    ],
)
def test_the_door_speaks_the_language_of_the_cookie_else_the_one_that_the_browser_prefers(
    client, accepted, cookie, language
):
    headers = {"accept-language": accepted} | ({"cookie": f"{COOKIE}={cookie}"} if cookie else {})
    page = client.get("/login", headers=headers).text
    assert f'<html lang="{language}">' in page
    assert {"en": "No sign-in needed", "de": "Keine Anmeldung nötig"}[language] in page


def test_without_a_request_english_is_spoken():
    assert say("Metrics") == "Metrics" and figure(0.5, ".1%") == "50.0%"
