"""Sentences in the reader's language, and never anything else than a sentence."""

import re

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from platemark.cli.output import Output, printable
from platemark.i18n import LANGUAGES, LOCALE, translate

CATALOGUE = LOCALE / "ko" / "LC_MESSAGES" / "platemark.po"


def entries() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, locale="ko") if message.id}


@given(st.text(min_size=1), st.sampled_from(LANGUAGES))
def test_a_sentence_that_nobody_translated_comes_back_unchanged(text: str, language: str) -> None:
    sentence = f"{text} (not in any catalogue)"

    assert translate(language, sentence) == sentence


@given(st.text(max_size=20))
def test_a_language_that_we_do_not_speak_gives_the_english_sentence(language: str) -> None:
    sentence = "Made a home in {path}."

    assert translate(f"x-{language}", sentence) == sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_sentence_stays_empty(language: str) -> None:
    # In gettext the empty key holds the catalogue's own header.
    assert translate(language, "") == ""


@pytest.mark.parametrize("sentence", sorted(entries()))
def test_every_entry_is_given_in_korean_and_kept_in_english(sentence: str) -> None:
    assert translate("ko", sentence) == entries()[sentence]
    assert translate("en", sentence) == sentence


@pytest.mark.parametrize("sentence", sorted(entries()))
def test_every_entry_keeps_each_field_the_same_number_of_times(sentence: str) -> None:
    fields = re.compile(r"\{[^}]*\}")

    assert sorted(fields.findall(entries()[sentence])) == sorted(fields.findall(sentence))


@pytest.mark.parametrize("sentence", [each for each in sorted(entries()) if re.search(r"[A-Za-z]{3} [a-z]", each)])
def test_every_whole_sentence_has_hangul_in_its_translation(sentence: str) -> None:
    assert re.search("[가-힣]", entries()[sentence])


def test_the_catalogue_has_no_entry_without_a_translation() -> None:
    assert [sentence for sentence, korean in entries().items() if not korean.strip()] == []


@given(st.text())
def test_what_is_printed_holds_no_control_and_no_direction_character(text: str) -> None:
    shown = printable(text)

    assert all(character.isprintable() or character == "\n" for character in shown)
    assert len(shown) == len(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_text_of_every_script_is_printed_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(st.text())
def test_printing_twice_changes_nothing_more(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(st.text(), st.sampled_from(LANGUAGES))
def test_a_field_with_braces_in_it_is_not_filled_in_again(text: str, language: str) -> None:
    shown = Output(language=language).text("Made a home in {path}.", path=f"{{path}}{text}{{0}}")

    assert printable(f"{{path}}{text}{{0}}") in shown


@given(st.text())
def test_a_field_never_adds_a_line_to_a_sentence(text: str) -> None:
    # A file may be named so that its second line reads like a verdict.
    assert "\n" not in Output().text("{path}: {verdict}", path=text, verdict="NONE")
