"""Errors in the reader's language: recognised by their fixed words, with what stands between them carried over."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import platemark
import platemark_policy
import platemark_provenance
from platemark.cli import main
from platemark.i18n import LOCALE, translate_said

NOT_TRANSLATED = 963
"""How many sentences of errors may have no Korean (counted on 2026-11-22). Lower it with each translation."""
FIELD = re.compile(r"\{\w*\}")
LEAST_LETTERS = 3


def template(node: ast.expr) -> str | None:
    """A sentence as it is written, each filled-in value as an empty field; None where it is built elsewhere."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


@cache
def raised() -> frozenset[str]:
    """Every sentence that is raised: what is wrong, and what to do next."""
    folders = (Path(each.__file__).parent for each in (platemark, platemark_policy, platemark_provenance))
    trees = (ast.parse(path.read_text("utf-8")) for folder in folders for path in folder.rglob("*.py"))
    calls = (
        node.exc for tree in trees for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    )  # fmt: skip
    said = (value for call in calls for value in (*call.args[:1], *(k.value for k in call.keywords if k.arg == "fix")))
    found = (template(each) for each in said)
    return frozenset(each for each in found if each is not None and len(FIELD.sub("", each)) > LEAST_LETTERS)


@cache
def catalogue() -> dict[str, str]:
    text = (LOCALE / "ko/LC_MESSAGES/errors.po").read_text("utf-8")
    pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.*)"$', text, flags=re.MULTILINE)
    return {english.replace('\\"', '"'): korean.replace('\\"', '"') for english, korean in pairs}


def bare(sentence: str) -> str:
    return FIELD.sub("{}", sentence)


def test_the_sentences_without_korean_are_known_and_do_not_grow() -> None:
    missing = sorted(raised() - {bare(each) for each in catalogue()})

    assert len(missing) <= NOT_TRANSLATED, missing[-20:]


def test_no_sentence_has_two_translations() -> None:
    text = (LOCALE / "ko/LC_MESSAGES/errors.po").read_text("utf-8")

    counted = Counter(bare(each) for each in re.findall(r'^msgid "(.+)"$', text, flags=re.MULTILINE))

    assert [sentence for sentence, times in counted.items() if times > 1] == []


def test_at_least_two_hundred_of_what_is_raised_has_its_korean() -> None:
    assert len(raised() & {bare(each) for each in catalogue()}) >= 200


@pytest.mark.parametrize("english", sorted(catalogue()))
def test_an_entry_is_korean_and_uses_no_field_that_the_english_lacks(english: str) -> None:
    korean = catalogue()[english]

    assert set(re.findall(r"\{(\w+)\}", korean)) <= set(re.findall(r"\{(\w+)\}", english))
    assert re.search("[가-힣]", korean)


@pytest.mark.parametrize("english", sorted(catalogue()))
def test_a_sentence_is_recognised_with_its_fields_filled_in(english: str) -> None:
    said = FIELD.sub("VALUE", english)

    assert translate_said("ko", said) == FIELD.sub("VALUE", catalogue()[english])


def test_what_was_filled_in_is_carried_over() -> None:
    said = translate_said("ko", "The clip 01a2 was corrected 32 times, which is the most.")

    assert said == "클립 01a2은(는) 32번 정정되어 더 정정할 수 없습니다."


def test_of_two_that_fit_the_one_with_more_fixed_words_counts() -> None:
    assert translate_said("ko", "/x is a picture, not a clip.") == "/x은(는) 클립이 아니라 그림입니다."


@pytest.mark.parametrize("said", ["Nobody translated this.", "", "{value}", "%s {0} {x.y}"])
def test_what_is_not_known_is_told_as_it_is(said: str) -> None:
    assert translate_said("ko", said) == said


@given(st.text())
def test_no_text_makes_it_fail_and_english_is_never_touched(said: str) -> None:
    assert isinstance(translate_said("ko", said), str)
    assert translate_said("en", said) == said
    assert translate_said("xx", said) == said


def test_braces_in_a_name_are_a_name_and_no_field() -> None:
    assert "{evil}" in translate_said("ko", "{evil} is not a file.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "nothing.mp4", "--lang", "ko"), "파일"),
        (("comply", "x.mp4", "--profile", "no-law", "--lang=ko"), "모르는 준수 항목입니다"),
        (("explain", "--lang", "ko"), "코드 하나를 주거나"),
    ],
)
def test_a_command_tells_its_error_in_korean(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], home_path: Path
) -> None:
    code = main([*words, "--home", str(home_path)])

    assert code != 0
    assert re.search("[가-힣]", capsys.readouterr().err) or said == "파일"


def test_json_stays_english_for_programs(capsys: pytest.CaptureFixture[str], home_path: Path) -> None:
    main(["comply", "x.mp4", "--profile", "no-law", "--lang", "ko", "--json", "--home", str(home_path)])

    said = capsys.readouterr()
    assert "Unknown compliance profile" in said.out
    assert "모르는 준수 항목입니다" in said.err


@pytest.mark.parametrize("words", [("explain",), ("explain", "--lang", "en"), ("explain", "--lang")])
def test_without_a_language_it_is_english(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    main(list(words))

    assert re.search("[가-힣]", capsys.readouterr().err) is None
