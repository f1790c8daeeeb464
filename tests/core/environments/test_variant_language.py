"""A phrase book translates the whole of a request or nothing of it."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_library import MemoryLibrary

from core.environments import environment
from core.environments.screen.variants.language import LANGUAGES, PHRASEBOOK, TRANSLATED, translate
from core.learning.variants import Labelled, VariantContext, draft_variants

BOOK = tomllib.loads(PHRASEBOOK.read_text(encoding="utf-8"))
ASK = "Write the sales report for the board meeting."


@pytest.mark.parametrize(
    ("ask", "german", "french", "spanish"),
    [
        (
            ASK,
            "Den Verkaufsbericht für die Vorstandssitzung schreiben.",
            "Écrire le rapport des ventes pour la réunion du conseil.",
            "Escribir el informe de ventas para la reunión del consejo.",
        ),
        (
            "Log in to the server and restart the service.",
            "Am Server anmelden und den Dienst neu starten.",
            "Se connecter au serveur et redémarrer le service.",
            "Iniciar sesión en el servidor y reiniciar el servicio.",
        ),
        (
            "Prepare our slides for the meeting with Anna",
            "Unsere Folien für die Besprechung mit Anna vorbereiten.",
            "Préparer nos diapositives pour la réunion avec Anna.",
            "Preparar nuestras diapositivas para la reunión con Anna.",
        ),
        (
            "Answer all the e-mails in the inbox.",
            "Alle E-Mails im Posteingang beantworten.",
            "Traiter tous les courriels dans la boîte de réception.",
            "Contestar todos los correos en la bandeja de entrada.",
        ),
    ],
)
def test_cases_articles_and_contractions_are_those_of_the_language(
    ask: str, german: str, french: str, spanish: str
) -> None:
    assert [translate(ask, language) for language in ("de", "fr", "es")] == [german, french, spanish]


@pytest.mark.parametrize(
    "ask",
    [
        "Write the limerick.",
        "Write the report carefully.",
        "Write the report on Monday.",
        "Write the report; no e-mail.",
        "Translate the manual into German.",
        "The report.",
        "",
    ],
)
def test_a_request_with_anything_unknown_in_it_is_not_translated(ask: str) -> None:
    assert all(translate(ask, language) is None for language in LANGUAGES)


@given(
    st.sampled_from(sorted(BOOK["verbs"])),
    st.sampled_from(["", "the ", "our "]),
    st.sampled_from(sorted(BOOK["nouns"])),
    st.sampled_from(sorted(BOOK["prepositions"])),
    st.sampled_from(sorted(BOOK["nouns"])),
    st.sampled_from(sorted(LANGUAGES)),
)
def test_all_of_the_book_can_be_said_and_no_english_is_left(
    verb: str, article: str, noun: str, preposition: str, other: str, language: str
) -> None:
    said = translate(f"{verb} {article}{noun} {preposition} the {other}.", language)
    assert said is not None
    assert said.endswith(".") and said[0].isupper()
    assert not {"the", "our", "of", "with"} & set(said.lower().rstrip(".").split())
    assert BOOK["nouns"][noun][language][0].lower()[:3] in said.lower()


def test_a_translation_keeps_the_answer_and_says_its_language(library: MemoryLibrary, sheet: str) -> None:
    parent = Labelled(environment("screen").example((sheet,), ASK, cluster="c"), "off_task")
    made = draft_variants(parent, [TRANSLATED], VariantContext([parent], library), seed=0, limit=9)
    assert {each.parameters["language"] for each in made} == set(LANGUAGES)
    assert {each.answer for each in made} == {"off_task"}
    assert not any(each.doubtful for each in made)


def test_what_a_model_translated_has_to_be_confirmed(library: MemoryLibrary, sheet: str) -> None:
    ask = "Write the limerick about the accordion."
    parent = Labelled(environment("screen").example((sheet,), ask, cluster="c"), "off_task")
    context = VariantContext(
        [parent], library, written={ask: {"translated/de": "Den Limerick über das Akkordeon schreiben."}}
    )
    (made,) = draft_variants(parent, [TRANSLATED], context, seed=0, limit=9)
    assert made.doubtful and made.parameters == {"language": "de", "by": "model"}
