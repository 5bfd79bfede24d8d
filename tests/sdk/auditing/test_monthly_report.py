"""The monthly report: a page, a table and a PDF with the same numbers, in both languages, whatever names hold."""

import csv
import io
import re
from datetime import UTC
from pathlib import Path
from xml.etree import ElementTree

import pypdfium2
import pytest

from platemark.auditing.month_words import MOST_BARS, ReportFrame, arranged, words_of_report
from platemark.auditing.monthly import MonthFiles, write_month
from platemark.errors import OutputError, RequestError
from platemark.media.label import is_drawable
from platemark.studio import Studio
from platemark_provenance.axes import Language
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.spreadsheet import read_cell

NASTY = '<script>alert("1")</script>'


def decided(desk: str, decision: str, rule: str) -> NewEvent:
    facts = {"decision": {"findings": [{"rule_id": rule}]}}
    return NewEvent(EventType.POLICY_DECIDED, desk=desk, decision=decision, facts=facts)


def this_month(studio: Studio) -> str:
    return studio.home.clock().strftime("%Y-%m")


@pytest.fixture(params=["en", "ko"])
def language(request: pytest.FixtureRequest) -> Language:
    """Either language."""
    chosen: Language = request.param
    return chosen


@pytest.fixture
def files(studio: Studio, tmp_path: Path, language: Language) -> MonthFiles:
    """A report on a month with desks of every kind of name."""
    desks = ["weather", "정치부", NASTY, "=1+1", "#let x = 1", "$x$ *bold*"]
    studio.ledger.append_all([decided(desk, "block", "R02.1") for desk in desks])
    studio.ledger.append_all([decided("정치부", "review", f"R{n}") for n in range(MOST_BARS + 5)])
    frame = ReportFrame(this_month(studio), "Daily Example", "UTC", language)
    return write_month(studio.ledger, tmp_path / "reports", frame, UTC)


def test_the_page_holds_the_numbers_and_runs_nothing(files: MonthFiles) -> None:
    page = files.page.read_text(encoding="utf-8")

    assert "정치부" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert re.findall(r"(?:src|href|url)\s*[=(]", page) == []


def test_the_page_is_well_formed(files: MonthFiles) -> None:
    page = files.page.read_text(encoding="utf-8").removeprefix("<!DOCTYPE html>\n")
    closed = re.sub(r"<meta ([^>]*)>", r"<meta \1/>", page)

    assert ElementTree.fromstring(closed).tag == "html"


def test_the_table_holds_every_number_and_no_formula(files: MonthFiles) -> None:
    text = files.table.read_text(encoding="utf-8-sig")

    rows = [[read_cell(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]

    assert rows[0] == ["section", "name", "outcome", "count"]
    assert ["desk", "=1+1", "block", "1"] in rows
    assert ",=1" not in text
    assert len([row for row in rows if row[0] == "reason"]) == MOST_BARS + 6


def test_the_pdf_says_the_same_in_its_language(files: MonthFiles, language: Language) -> None:
    document = pypdfium2.PdfDocument(files.document)
    text = "".join(page.get_textpage().get_text_bounded() for page in document)

    assert words_of_report(language)["desk"] in text
    assert "정치부" in text
    assert "$x$ *bold*" in text
    assert "script" in text


def test_a_pdf_of_the_same_numbers_is_the_same_bytes(
    studio: Studio, tmp_path: Path, files: MonthFiles, language: Language
) -> None:
    before = files.document.read_bytes()
    frame = ReportFrame(this_month(studio), "Daily Example", "UTC", language)

    again = write_month(studio.ledger, tmp_path / "reports", frame, UTC)

    assert again.document.read_bytes() == before


def test_what_does_not_fit_the_chart_is_said(files: MonthFiles, language: Language) -> None:
    frame = ReportFrame("2026-11", "Daily Example", "UTC", language)

    sections = arranged(files.counts, frame)["sections"]

    assert isinstance(sections, list)
    reasons = sections[2]
    assert len(reasons["rows"]) == MOST_BARS
    assert "6" in reasons["note"]


@pytest.mark.parametrize("word", sorted(words_of_report("ko").values()))
def test_the_font_that_comes_with_platemark_has_every_letter_of_the_report(word: str) -> None:
    assert [letter for letter in word if not is_drawable(letter) and not letter.isspace()] == []


def test_both_languages_have_the_same_words() -> None:
    assert words_of_report("ko").keys() == words_of_report("en").keys()


def test_a_month_that_is_none_is_refused_and_nothing_written(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        write_month(studio.ledger, tmp_path / "r", ReportFrame("13-2026", "x", "UTC", "en"), UTC)

    assert not (tmp_path / "r").exists()


def test_a_folder_that_cannot_be_made_is_refused(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(OutputError):
        write_month(studio.ledger, tmp_path / "file" / "r", ReportFrame("2026-11", "x", "UTC", "en"), UTC)
