"""Reports are whole or absent, take no clip's place, and carry no formula into a spreadsheet."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.clip import Clip
from platemark.errors import OutputError, RequestError, VerificationError
from platemark.verifying.reports import COLUMNS, MOST_SHEETS, VerdictPage, VerdictTable, report_file
from platemark_provenance.reading import ProvenanceReading
from platemark_provenance.spreadsheet import read_cell
from platemark_provenance.verdict import MarkFinding, Report, judge
from platemark_provenance.withdrawal import Withdrawal

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
READING = ProvenanceReading(
    path=Path("clip.mp4"), state="present", integrity="intact", signer="trusted", ai="fully",
    signer_name="Example News", generator="platemark 0.1.0", signed_at=NOON, codes=("a.b", "c.d"),
)  # fmt: skip


def rows_of(*reports: Report) -> list[dict[str, str]]:
    file = io.StringIO()
    table = VerdictTable(file)
    list(map(table.add, reports))
    return list(csv.DictReader(io.StringIO(file.getvalue())))


def test_a_row_holds_the_verdict_every_axis_and_who_signed() -> None:
    (row,) = rows_of(judge(READING, MarkFinding("matched", withdrawn=Withdrawal(NOON, "wrong date"))))

    assert tuple(row) == COLUMNS
    assert (row["path"], row["verdict"], row["exit_code"]) == ("clip.mp4", "trusted", "0")
    assert (row["axis_manifest"], row["axis_signer"], row["axis_watermark"]) == ("present", "trusted", "matched")
    assert (row["signer"], row["signed_at"], row["codes"]) == ("Example News", "2026-03-14T12:00:00+00:00", "a.b c.d")
    assert (row["withdrawn_date"], row["withdrawn_reason"]) == ("2026-03-14T12:00:00+00:00", "wrong date")


def test_a_file_that_could_not_be_examined_has_a_row_too() -> None:
    file = io.StringIO()
    VerdictTable(file).add_error(Path("gone.mp4"), VerificationError("It is gone."))

    (row,) = csv.DictReader(io.StringIO(file.getvalue()))
    assert (row["path"], row["verdict"], row["exit_code"], row["error"]) == ("gone.mp4", "", "5", "It is gone.")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("x")', "\t=1", "\r=1"])
def test_a_name_is_never_a_formula(name: str) -> None:
    (row,) = rows_of(judge(replace(READING, path=Path(name), signer_name=name)))

    assert row["signer"] == row["path"] == f"'{name}"


@given(st.text(st.characters(exclude_characters="\x00"), max_size=40))
def test_any_name_stays_in_its_cell(name: str) -> None:
    (row,) = rows_of(judge(replace(READING, signer_name=name)))

    assert read_cell(row["signer"]) == name
    assert row["codes"] == "a.b c.d"


# Files


def test_a_report_is_there_when_it_is_whole(tmp_path: Path) -> None:
    with report_file(tmp_path / "out.csv", examined=()) as file:
        file.write("half")
        assert not (tmp_path / "out.csv").exists()

    assert (tmp_path / "out.csv").read_text() == "half"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_an_interrupted_report_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old")

    with pytest.raises(KeyboardInterrupt), report_file(tmp_path / "out.csv", examined=()) as file:
        file.write("half")
        raise KeyboardInterrupt

    assert (tmp_path / "out.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_report_never_takes_the_place_of_what_is_examined(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"clip")
    (tmp_path / "link.html").symlink_to(tmp_path / "clip.mp4")

    with pytest.raises(RequestError, match="being examined"):
        report_file(tmp_path / "link.html", examined=(tmp_path / "clip.mp4",)).__enter__()

    assert (tmp_path / "clip.mp4").read_bytes() == b"clip"


@pytest.mark.parametrize("name", ["nowhere/out.csv", "folder"])
def test_a_report_that_cannot_be_written_is_one_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(OutputError, match="cannot be written"), report_file(tmp_path / name, examined=()):
        pass


# Pages


def test_a_page_shows_pictures_of_a_clip(clip: Clip) -> None:
    file = io.StringIO()
    page = VerdictPage(file, language="en", made_at=NOON)

    page.add(judge(READING), clip.path)
    page.finish()

    assert file.getvalue().count('src="data:image/png;base64,') == 1
    assert file.getvalue().endswith("</html>\n")


def test_what_has_no_pictures_has_a_page_without_them(tmp_path: Path) -> None:
    (tmp_path / "junk.mp4").write_bytes(b"junk")
    file = io.StringIO()
    page = VerdictPage(file, language="ko", made_at=NOON)

    page.add(judge(READING), tmp_path / "junk.mp4")

    assert "<article>" in file.getvalue()
    assert "<img" not in file.getvalue()


def test_a_long_page_stops_showing_pictures(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platemark.verifying.reports.draw_contact_sheet", lambda path: b"\x89PNG")
    file = io.StringIO()
    page = VerdictPage(file, language="en", made_at=NOON)

    list(map(lambda _: page.add(judge(READING), clip.path), range(MOST_SHEETS + 5)))

    assert file.getvalue().count("<article>") == MOST_SHEETS + 5
    assert file.getvalue().count("<img") == MOST_SHEETS
