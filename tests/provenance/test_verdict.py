"""All answers about a file come to one verdict, and each numbered check has its say in turn."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.axes import EXIT_CODES
from platemark_provenance.own_assertions import OwnAssertions
from platemark_provenance.reading import ProvenanceReading
from platemark_provenance.recipient import Recipient
from platemark_provenance.verdict import MarkFinding, Verdict, judge
from platemark_provenance.withdrawal import Withdrawal

CLIP = "01890a5d-ac96-774b-bcce-b302099a8057"
MARK = "00112233445566ff"
PATH = Path("clip.mp4")
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)

TRUSTED = ProvenanceReading(
    path=PATH,
    state="present",
    integrity="intact",
    signer="trusted",
    ai="fully",
    signer_name="Example News",
    generator="platemark 0.1.0",
    signed_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    codes=("signingCredential.ocsp.skipped",),
    active_label="urn:c2pa:x",
    own=OwnAssertions(clip_id=CLIP, watermark_id=MARK),
)
ABSENT = ProvenanceReading(path=PATH, state="absent", codes=("platemark.manifest.not-found",))
MALFORMED = ProvenanceReading(path=PATH, state="malformed", codes=("platemark.manifest.unreadable.Verify",))
REMOTE = ProvenanceReading(path=PATH, state="remote_only")
NOT_MEDIA = replace(ABSENT, media_recognised=False)
RECORD = replace(TRUSTED, path=Path("stored"), integrity="unknown")

MATCHED = MarkFinding("matched", watermark_id=MARK, clip_id=CLIP, record=RECORD)
MISMATCH = MarkFinding("mismatch", watermark_id=MARK, clip_id=CLIP)
NO_MARK = MarkFinding("absent")

READINGS = st.builds(
    ProvenanceReading,
    path=st.just(PATH),
    state=st.sampled_from(["absent", "malformed", "present", "remote_only"]),
    integrity=st.sampled_from(["intact", "tampered", "unknown"]),
    signer=st.sampled_from(
        ["trusted", "legacy_trusted", "untrusted", "expired", "revoked", "revocation_unknown", "not_checked"]
    ),
    timestamp=st.sampled_from(["trusted", "untrusted", "none"]),
    identity=st.sampled_from(["trusted", "untrusted", "invalid", "none"]),
    ingredients=st.sampled_from(["ok", "failed", "none"]),
    ai=st.sampled_from(["fully", "partly", "none_declared", "unknown"]),
    signer_name=st.none() | st.sampled_from(["News", "{0} {signer} {x!r}", "%s"]),
    signed_at=st.none() | st.just(datetime(2026, 1, 2, tzinfo=UTC)),
    ingredient_fault=st.none() | st.sampled_from(["tampered", "recorded", "untrusted"]),
    own=st.none() | st.just(OwnAssertions(watermark_id=MARK)),
    media_recognised=st.booleans(),
)
MARKS = st.none() | st.builds(
    MarkFinding,
    state=st.sampled_from(["matched", "mismatch", "absent", "not_checked"]),
    watermark_id=st.none() | st.sampled_from([MARK, "ff" * 8]),
    clip_id=st.none() | st.just(CLIP),
    withdrawn=st.none() | st.just(Withdrawal(NOON, "wrong picture {x}")),
)


@pytest.mark.parametrize(
    ("reading", "mark", "verdict", "exit_code"),
    [
        (TRUSTED, None, Verdict.TRUSTED, 0),
        (TRUSTED, MATCHED, Verdict.TRUSTED, 0),
        (TRUSTED, NO_MARK, Verdict.TRUSTED, 0),
        (ABSENT, MATCHED, Verdict.RECOVERED, 0),
        (REMOTE, MATCHED, Verdict.RECOVERED, 0),
        (NOT_MEDIA, MATCHED, Verdict.RECOVERED, 0),
        (ABSENT, None, Verdict.NONE, 4),
        (ABSENT, NO_MARK, Verdict.NONE, 4),
        (REMOTE, None, Verdict.NONE, 4),
        (NOT_MEDIA, NO_MARK, Verdict.NONE, 4),
        (NOT_MEDIA, None, Verdict.UNREADABLE, 5),
        (MALFORMED, None, Verdict.UNREADABLE, 5),
        (MALFORMED, MATCHED, Verdict.UNREADABLE, 5),
        (replace(TRUSTED, integrity="tampered"), None, Verdict.TAMPERED, 5),
        (replace(TRUSTED, integrity="tampered"), MATCHED, Verdict.TAMPERED, 5),
        (replace(TRUSTED, integrity="unknown"), None, Verdict.UNREADABLE, 5),
        (replace(TRUSTED, ingredients="failed", ingredient_fault="tampered"), None, Verdict.TAMPERED, 5),
        (TRUSTED, MISMATCH, Verdict.MISMATCH, 5),
        (ABSENT, MISMATCH, Verdict.MISMATCH, 5),
        (replace(TRUSTED, ingredients="failed", ingredient_fault="recorded"), None, Verdict.INTACT, 6),
        (replace(TRUSTED, ingredients="failed", ingredient_fault="untrusted"), None, Verdict.INTACT, 6),
        (replace(TRUSTED, signer="untrusted"), None, Verdict.INTACT, 6),
        (replace(TRUSTED, signer="untrusted"), MATCHED, Verdict.INTACT, 6),
        (replace(TRUSTED, signer="expired"), None, Verdict.INTACT, 6),
        (replace(TRUSTED, signer="revoked"), None, Verdict.INTACT, 6),
        (replace(TRUSTED, signer="revocation_unknown"), None, Verdict.INTACT, 6),
        (replace(TRUSTED, signer="legacy_trusted"), None, Verdict.INTACT, 6),
        (replace(TRUSTED, identity="invalid"), None, Verdict.TRUSTED, 0),
        (replace(TRUSTED, timestamp="untrusted"), None, Verdict.TRUSTED, 0),
    ],
)
def test_every_case_has_its_verdict_and_exit_code(
    reading: ProvenanceReading, mark: MarkFinding | None, verdict: Verdict, exit_code: int
) -> None:
    report = judge(reading, mark)

    assert (report.verdict, report.exit_code) == (verdict, exit_code)


def test_a_mark_other_than_the_declared_one_is_a_mismatch() -> None:
    report = judge(TRUSTED, replace(MATCHED, watermark_id="ff" * 8))

    assert (report.verdict, report.axes.watermark) == (Verdict.MISMATCH, "mismatch")


def test_the_same_mark_on_another_clip_of_the_same_request_is_no_mismatch() -> None:
    report = judge(TRUSTED, replace(MATCHED, clip_id=CLIP.replace("8057", "8058")))

    assert (report.verdict, report.axes.watermark) == (Verdict.TRUSTED, "matched")


def test_a_record_whose_own_manifest_does_not_hold_recovers_nothing() -> None:
    report = judge(ABSENT, replace(MATCHED, record=replace(RECORD, integrity="tampered")))

    assert (report.verdict, report.recovered_from) == (Verdict.MISMATCH, None)


def test_a_recovered_file_is_told_by_its_record() -> None:
    report = judge(ABSENT, MATCHED)

    assert (report.recovered_from, report.signer, report.generator) == (CLIP, "Example News", "platemark 0.1.0")
    assert (report.signed_at, report.ai, report.axes.ai) == (TRUSTED.signed_at, "fully", "fully")


def test_the_axes_of_a_recovered_file_stay_those_of_the_file() -> None:
    axes = judge(ABSENT, MATCHED).axes

    assert (axes.manifest, axes.integrity, axes.signer, axes.watermark) == (
        "absent",
        "unknown",
        "not_checked",
        "matched",
    )


def test_a_file_that_is_not_recovered_has_no_record() -> None:
    assert judge(TRUSTED, MATCHED).recovered_from is None


@pytest.mark.parametrize("reading", [TRUSTED, ABSENT, MALFORMED, REMOTE, replace(TRUSTED, integrity="tampered")])
def test_a_withdrawn_clip_says_so_with_day_and_reason_whatever_its_verdict(reading: ProvenanceReading) -> None:
    report = judge(reading, replace(MATCHED, withdrawn=Withdrawal(NOON, "wrong picture")))

    assert report.to_json()["withdrawn"] == {"date": "2026-03-14T12:00:00+00:00", "reason": "wrong picture"}
    assert "withdrew this clip on 2026-03-14. Reason given: wrong picture" in report.explain("en")
    assert "2026-03-14에 이 클립을 철회했습니다. 밝힌 이유: wrong picture" in report.explain("ko")


def test_a_withdrawal_changes_neither_verdict_nor_exit_code() -> None:
    withdrawn = judge(ABSENT, replace(MATCHED, withdrawn=Withdrawal(NOON, "wrong picture")))

    assert (withdrawn.verdict, withdrawn.exit_code) == (Verdict.RECOVERED, 0)


def test_a_signer_that_only_an_old_list_vouches_for_is_told_apart_from_an_old_time_stamp() -> None:
    by_list = judge(replace(TRUSTED, signer="legacy_trusted", on_legacy_list=True))
    by_stamp = judge(replace(TRUSTED, signer="legacy_trusted"))

    assert "no longer kept up" in by_list.explain("en")
    assert "old kind of time-stamp" in by_stamp.explain("en")
    assert by_list.exit_code == by_stamp.exit_code == 6


def test_a_file_name_that_is_no_text_can_be_written_as_json() -> None:
    report = judge(replace(ABSENT, path=Path("clip\udcff.mp4")))

    assert json.dumps(report.to_json(), ensure_ascii=False).encode("utf-8")
    assert report.to_json()["path"] == "clip\ufffd.mp4"


def test_a_report_becomes_the_json_of_the_verify_command() -> None:
    shown = judge(TRUSTED, MATCHED).to_json()

    assert list(shown) == [
        "path",
        "verdict",
        "axes",
        "signer",
        "generator",
        "signed_at",
        "ai",
        "recovered_from",
        "withdrawn",
        "publication",
        "corrections",
        "for_tests_only",
        "codes",
        "failed_manifest",
        "explanation",
        "history",
        "trust_lists",
        "watermark_by",
        "unsigned_bytes",
        "manifest_from",
        "recipients",
    ]
    assert shown["axes"] == {
        "manifest": "present",
        "integrity": "intact",
        "signer": "trusted",
        "timestamp": "none",
        "identity": "none",
        "ingredients": "none",
        "ai": "fully",
        "watermark": "matched",
    }
    assert json.loads(json.dumps(shown))["signed_at"] == "2026-01-02T03:04:00+00:00"


@given(READINGS, MARKS)
def test_every_combination_gets_a_verdict_an_exit_code_and_an_explanation(
    reading: ProvenanceReading, mark: MarkFinding | None
) -> None:
    report = judge(reading, mark)

    assert report.exit_code == EXIT_CODES[report.verdict]
    assert report.explain("en").count("\n") >= 1
    assert report.explain("ko").count("\n") >= 1
    assert json.dumps(report.to_json())


@given(READINGS, MARKS)
def test_exit_code_zero_needs_positive_proof(reading: ProvenanceReading, mark: MarkFinding | None) -> None:
    report = judge(reading, mark)
    signed_well = (reading.state, reading.integrity, reading.signer) == ("present", "intact", "trusted")
    marked_well = reading.state in {"absent", "remote_only"} and mark is not None and mark.state == "matched"

    assert report.exit_code != 0 or signed_well or marked_well


@given(READINGS, MARKS)
def test_a_mismatch_or_a_failed_ingredient_is_never_exit_code_zero(
    reading: ProvenanceReading, mark: MarkFinding | None
) -> None:
    report = judge(reading, mark)
    present = reading.state == "present"

    assert not (report.exit_code == 0 and report.axes.watermark == "mismatch")
    assert not (report.exit_code == 0 and present and reading.ingredients == "failed")


def test_every_verdict_has_an_exit_code() -> None:
    assert set(EXIT_CODES) == set(Verdict)


@pytest.mark.parametrize(("finding", "by"), [(MATCHED, "pixels"), (MISMATCH, "pixels"), (NO_MARK, None), (None, None)])
def test_a_report_says_what_the_watermark_axis_rests_on(finding: MarkFinding | None, by: str | None) -> None:
    assert judge(TRUSTED, finding).watermark_by == by


def test_a_mark_that_follows_from_the_record_is_never_said_to_have_been_looked_for() -> None:
    report = judge(TRUSTED, MarkFinding("matched", watermark_id=MARK, clip_id=CLIP, by_record=True))

    assert (report.axes.watermark, report.watermark_by) == ("matched", "record")
    assert "byte for byte" in report.explain("en")
    assert "the watermark" not in report.explain("en").split("Checked: ")[1].split("Not checked")[0]
    assert "다시 찾지는 않았습니다" in report.explain("ko")


def test_recipients_are_named_with_their_pseudonyms_and_copies() -> None:
    given = Recipient("p-abcdefgh", "Agency A", "a-clip", "00112233445566aa")

    report = judge(ABSENT, replace(MATCHED, recipients=(given,)))

    assert report.recipients == (given,)
    assert report.to_json()["recipients"] == [
        {"pseudonym": "p-abcdefgh", "name": "Agency A", "clip_id": "a-clip", "mark_id": "00112233445566aa"}
    ]


def test_a_recipient_changes_neither_verdict_nor_exit_code() -> None:
    given = Recipient("p-abcdefgh", None, "a-clip", "00112233445566aa")

    with_one, without = judge(ABSENT, replace(MATCHED, recipients=(given,))), judge(ABSENT, MATCHED)

    assert (with_one.verdict, with_one.exit_code) == (without.verdict, without.exit_code)


def test_a_verdict_gives_no_score_that_somebody_who_removes_marks_could_watch_fall() -> None:
    shown = json.dumps(judge(ABSENT, MATCHED).to_json())

    assert "score" not in shown
    assert "fpr" not in shown
