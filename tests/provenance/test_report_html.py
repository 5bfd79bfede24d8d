"""A page says what a report says, in both languages, and nothing that a file holds can run, load or leave its place."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance import axes as axis_types
from platemark_provenance.axes import Axes, Language, Verdict
from platemark_provenance.axis_words import TITLES, VALUES, axis_lines
from platemark_provenance.history import History, Node, NodeState, Step
from platemark_provenance.reading import ProvenanceReading
from platemark_provenance.report_html import Page, page_article, page_foot, page_head
from platemark_provenance.report_words import ACTIONS, REPORT_WORDS, SOURCES
from platemark_provenance.trust import ListFacts
from platemark_provenance.verdict import MarkFinding, Report, judge
from platemark_provenance.withdrawal import Withdrawal

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
LANGUAGES: tuple[Language, ...] = ("en", "ko")
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</style><script>alert(1)</script>",
    "<!-- ",
    "]]>",
    "javascript:alert(1)",
    "https://tracker.example/pixel.png",
    "&lt;script&gt;",
    "a\x00b\x1b[2J\x07",
    "\u202egpj.exe\u2066",
    "{0}{__class__} %s {signer}",
    "'; DROP TABLE clip; --",
    "\ud800",
    "<bdi></bdi></article></main>",
    "x" * 200_000,
    "<" * 200_000,
]
KNOWN_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "article", "footer", "h1", "h2", "h3", "p"),
    *("div", "table", "tr", "th", "td", "bdi", "ul", "li", "br", "small", "details", "summary", "figure", "img"),
}


class _Reader(HTMLParser):
    """Takes a page apart as a browser would."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)

    def handle_data(self, data: str) -> None:
        self.words += data


def _render(report: Report, language: Language = "en", sheet: bytes | None = None) -> str:
    return page_head(language, made_at=NOON) + page_article(Page(report, sheet), language) + page_foot(language)


def _taken_apart(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader


def _node(name: str, *below: Node) -> Node:
    return Node(name, name, "failed", name, name, name, NOON, (name,), below)


def _report(name: str) -> Report:
    """A report in which everything that can have a name has this one."""
    history = History(_node(name, _node(name), _node(name)), (Step(name, NOON, name, name, name, name),), left_out=3)
    reading = ProvenanceReading(
        path=Path("clip.mp4"), state="present", integrity="intact", signer="trusted", timestamp="trusted", ai="fully",
        signer_name=name, generator=name, signed_at=NOON, codes=(name,), failed_manifest=name, history=history,
    )  # fmt: skip
    report = judge(reading, MarkFinding("matched", clip_id=name, withdrawn=Withdrawal(NOON, name)))
    return replace(report, trust_lists=(ListFacts(name, "manifest", NOON.date(), name, 1),))


def _axes(**changes: str) -> Axes:
    good = {"manifest": "present", "integrity": "intact", "signer": "trusted", "timestamp": "none"}
    rest = {"identity": "none", "ingredients": "none", "ai": "fully", "watermark": "absent"}
    return Axes(**{**good, **rest, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("attack", "language"), list(product(ATTACKS, LANGUAGES)))
def test_no_name_becomes_a_part_of_the_page(attack: str, language: Language) -> None:
    page = _taken_apart(_render(_report(attack), language))

    assert page.tags <= KNOWN_TAGS
    assert page.attributes == _taken_apart(_render(_report("name"), language)).attributes


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_file_may_be_called_anything(attack: str) -> None:
    report = replace(_report("name"), path=Path(attack.replace("\x00", "")[:250]))

    assert _taken_apart(_render(report)).tags <= KNOWN_TAGS


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_page_can_be_written_and_stays_small_and_holds_nothing_that_cannot_be_seen(attack: str) -> None:
    page = _render(_report(attack))

    assert len(page.encode("utf-8")) < 80_000
    assert re.search("[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", page) is None


@given(st.text(max_size=60))
def test_whatever_a_name_is_it_is_shown_as_text(name: str) -> None:
    page = _taken_apart(_render(_report(name)))

    assert page.tags <= KNOWN_TAGS


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_may_load_and_run_nothing(language: Language) -> None:
    page = _render(_report("name"), language, sheet=b"\x89PNG")

    assert "default-src 'none'; img-src data:" in page
    assert "<script" not in page
    assert re.search(r"""(?:src|href|action)\s*=\s*["'](?!data:image/png;base64,)""", page) is None
    assert re.search(r"url\(|@import|https?:", page) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_all_that_the_explanation_says(language: Language) -> None:
    report = _report("Example News")

    words = _taken_apart(_render(report, language)).words

    missing = [line for line in report.explain(language).splitlines() if line not in words]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_axis_stands_on_the_page_with_its_answer(language: Language) -> None:
    report = _report("name")

    words = _taken_apart(_render(report, language)).words

    assert [line for line in axis_lines(report.axes, language) if line[0] not in words or line[1] not in words] == []


def test_the_order_is_verdict_people_questions_material_and_details_last() -> None:
    words = _taken_apart(_render(_report("name"))).words
    parts = ["Trusted:", "Who, with what, when", "What was checked", "What it was made from", "What was done"]

    places = [words.index(part) for part in (*parts, "Technical details")]

    assert places == sorted(places)


def test_a_withdrawn_clip_says_so_before_its_verdict() -> None:
    words = _taken_apart(_render(_report("name"))).words

    assert words.index("The publisher has withdrawn this clip.") < words.index("Trusted:")


def test_a_recovered_file_says_that_it_says_none_of_it_itself() -> None:
    reading = ProvenanceReading(path=Path("clip.mp4"), state="absent")
    record = ProvenanceReading(path=Path("stored"), state="present", signer="trusted", signer_name="Example News")
    report = judge(reading, MarkFinding("matched", clip_id="clip-1", record=record))

    assert report.verdict is Verdict.RECOVERED
    assert "the file itself says none of it" in _taken_apart(_render(report)).words


@pytest.mark.parametrize("state", ["absent", "malformed", "remote_only"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_of_which_nothing_is_known_has_a_page_too(state: str, language: Language) -> None:
    report = judge(ProvenanceReading(path=Path("clip.mp4"), state=state))  # type: ignore[arg-type]

    assert report.explain(language).splitlines()[0] in _taken_apart(_render(report, language)).words


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_neutral(verdict: Verdict, language: Language) -> None:
    page = _render(replace(_report("name"), verdict=verdict), language).lower()

    assert re.search("green|authentic|genuine video|[✓✔✅☑❌✗🟢🔴]|#0[0-9a-f]0[^0-9a-f]", page) is None


def test_pictures_are_part_of_the_page() -> None:
    assert 'src="data:image/png;base64,iVBORw=="' in _render(_report("name"), sheet=b"\x89PNG")


def test_a_file_without_pictures_has_none() -> None:
    assert "<img" not in _render(_report("name"))


def test_the_language_is_that_of_the_page() -> None:
    page = _render(_report("name"), "ko")

    assert '<html lang="ko">' in page
    assert "출처 확인 보고서" in page


# The words


@pytest.mark.parametrize("state", get_args(NodeState))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_material_has_its_words(state: str, language: Language) -> None:
    assert f"state_{state}" in REPORT_WORDS[language]


@pytest.mark.parametrize("words", [REPORT_WORDS, TITLES, ACTIONS, SOURCES])
def test_both_languages_have_the_same_words(words: dict[Language, dict[str, str]]) -> None:
    assert words["en"].keys() == words["ko"].keys()


def test_both_languages_fill_in_the_same_values() -> None:
    def fields(language: Language) -> dict[str, set[str]]:
        return {key: {f for _, f, _, _ in Formatter().parse(s) if f} for key, s in REPORT_WORDS[language].items()}

    assert fields("en") == fields("ko")


@pytest.mark.parametrize(
    ("axis", "kind"),
    [
        ("manifest", "ManifestState"),
        ("integrity", "Integrity"),
        ("signer", "SignerTrust"),
        ("timestamp", "TimestampTrust"),
        ("identity", "IdentityTrust"),
        ("ingredients", "Ingredients"),
        ("ai", "AiUse"),
        ("watermark", "WatermarkState"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_of_every_axis_has_its_words(axis: str, kind: str, language: Language) -> None:
    assert VALUES[language][axis].keys() == set(get_args(getattr(axis_types, kind)))


def test_an_axis_is_told_by_its_name_and_value() -> None:
    assert ("Signer", "certificate expired") in axis_lines(_axes(signer="expired"), "en")
    assert ("서명자", "인증서 만료") in axis_lines(_axes(signer="expired"), "ko")
