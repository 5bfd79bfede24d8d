"""A clip that was corrected says so on every file and copy that can be recognised, and stays what it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

import platemark
from platemark.auditing.evidence import write_bundle
from platemark.clip import Clip
from platemark.desk import correcting, edition
from platemark.desk.correcting import Corrected, correct
from platemark.desk.withdrawal import withdraw
from platemark.errors import LedgerRequestError, OutputError, RequestError, SigningError
from platemark.homes.home import init
from platemark.media.reencoding import reencode
from platemark.media.video import remux_without_metadata
from platemark.studio import AsyncStudio, Studio
from platemark.webhooks.outbox import TOLD
from platemark_provenance.correction import MOST_CORRECTIONS
from platemark_provenance.digest import sha256_file
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.event_words import event_sentence
from platemark_provenance.ledger.evidence.checking import check_bundle
from platemark_provenance.verdict import Report

REASON = "The caption named the wrong city"
EDITOR = "Lee Sora"


@pytest.fixture
def corrected(studio: Studio, clip: Clip) -> Corrected:
    """A clip that was corrected, with the copy that says so."""
    return studio.correct(clip.path, reason=REASON, by=EDITOR)


def reasons(report: Report) -> list[str]:
    return [each.reason for each in report.corrections]


def copy_of(corrected: Corrected) -> Path:
    assert corrected.path is not None
    return corrected.path


# What others see


def test_the_file_before_it_tells_of_the_correction_and_is_not_touched(
    corrected: Corrected, clip: Clip, home_path: Path
) -> None:
    report = platemark.verify(clip.path, home=home_path)

    assert (report.verdict, reasons(report)) == ("trusted", [REASON])
    assert REASON in report.explain("en")
    assert "정정" in report.explain("ko")
    assert report.to_json()["corrections"] == [{"date": corrected.corrections[0].to_json()["date"], "reason": REASON}]
    assert sha256_file(clip.path) == clip.sha256


def test_the_copy_is_trusted_and_has_the_same_mark_and_media(corrected: Corrected, clip: Clip, home_path: Path) -> None:
    report = platemark.verify(copy_of(corrected), home=home_path)

    assert (report.verdict, report.axes.watermark, reasons(report)) == ("trusted", "matched", [REASON])
    assert corrected.path == clip.path.with_name("clip.corrected.mp4")
    assert clip.path.read_bytes()[-2_000:] in copy_of(corrected).read_bytes()


@pytest.mark.parametrize("of", ["original", "corrected"])
def test_stripped_and_encoded_copies_tell_of_it(
    corrected: Corrected, clip: Clip, home_path: Path, tmp_path: Path, of: str
) -> None:
    source = {"original": clip.path, "corrected": copy_of(corrected)}[of]
    remux_without_metadata(source, tmp_path / "stripped.mp4")
    reencode(source, tmp_path / "copy.mp4", crf=28)

    reports = [platemark.verify(tmp_path / name, home=home_path) for name in ("stripped.mp4", "copy.mp4")]

    assert [(report.verdict, reasons(report)) for report in reports] == [("recovered", [REASON])] * 2


def test_whoever_has_no_log_reads_it_from_the_copy_where_the_signer_is_trusted(
    corrected: Corrected, home_path: Path, tmp_path: Path
) -> None:
    other = init(tmp_path / "other")
    root = next((home_path / "keys").glob("root*.pem"))

    trusting = platemark.verify(copy_of(corrected), home=other.path, trust=(root,))
    doubting = platemark.verify(copy_of(corrected), home=other.path)

    assert (trusting.verdict, reasons(trusting)) == ("trusted", [REASON])
    assert (doubting.verdict, reasons(doubting)) == ("intact", [])


def test_the_original_says_nothing_where_nobody_has_the_log(corrected: Corrected, clip: Clip, tmp_path: Path) -> None:
    assert reasons(platemark.verify(clip.path, home=init(tmp_path / "other").path)) == []


def test_a_clip_that_was_not_corrected_says_nothing(clip: Clip, home_path: Path) -> None:
    report = platemark.verify(clip.path, home=home_path)

    assert report.corrections == ()
    assert "corrected" not in report.explain("en")


def test_several_corrections_are_counted_and_the_newest_is_told(
    studio: Studio, corrected: Corrected, home_path: Path
) -> None:
    again = studio.correct(copy_of(corrected), reason="It rained", by=EDITOR)

    report = platemark.verify(copy_of(again), home=home_path)

    assert reasons(report) == [REASON, "It rained"]
    assert "2 times" in report.explain("en")
    assert "It rained" in report.explain("ko")
    assert again.path is not None
    assert again.path.name == "clip.corrected-2.mp4"


def test_a_withdrawal_of_a_corrected_clip_reaches_every_file(
    studio: Studio, corrected: Corrected, clip: Clip, home_path: Path
) -> None:
    withdraw(studio.ledger, clip.clip_id, reason="Wrong date")

    reports = [platemark.verify(path, home=home_path) for path in (clip.path, copy_of(corrected))]

    assert all(report.withdrawn is not None and reasons(report) == [REASON] for report in reports)


# The log


def test_it_is_an_event_with_the_reason_for_everybody_and_the_name_as_a_pseudonym(
    studio: Studio, corrected: Corrected
) -> None:
    events = studio.ledger.trace(corrected.clip_id)
    event = next(each for each in events if each.type == EventType.CLIP_CORRECTED)

    assert event.facts == {"reason": REASON}
    assert event.actor_name == EDITOR
    assert event_sentence(event, "en") == f"The clip was corrected: {REASON}"
    assert event_sentence(event, "ko") == f"클립을 정정했습니다: {REASON}"
    assert [each.type for each in events][-4:] == [
        "clip.corrected", "output.intended", "manifest.signed", "clip.published",
    ]  # fmt: skip
    assert studio.ledger.verify().ok


def test_other_systems_are_told() -> None:
    assert EventType.CLIP_CORRECTED in TOLD


def test_the_evidence_bundle_shows_it(studio: Studio, corrected: Corrected, tmp_path: Path) -> None:
    write_bundle(studio.ledger, corrected.clip_id, tmp_path / "clip.zip", reader="auditor")

    report = check_bundle(tmp_path / "clip.zip")

    assert [each.reason for each in report.corrections] == [REASON]
    assert [each["reason"] for each in report.to_json()["corrections"]] == [REASON]  # type: ignore[index, union-attr, call-overload]


def test_a_receipt_lies_beside_the_copy(corrected: Corrected) -> None:
    assert corrected.receipt is not None
    assert corrected.receipt.is_file()


def test_the_same_words_again_add_no_event_and_make_another_copy(
    studio: Studio, corrected: Corrected, clip: Clip
) -> None:
    again = studio.correct(clip.path, reason=REASON, by=EDITOR, out=clip.path.with_name("again.mp4"))

    assert again.recorded is None
    assert again.to_json()["already"] is True
    assert copy_of(again).is_file()


@pytest.mark.parametrize("from_the_copy", [False, True])
def test_a_second_correction_takes_the_next_name(
    studio: Studio, corrected: Corrected, clip: Clip, *, from_the_copy: bool
) -> None:
    again = studio.correct(copy_of(corrected) if from_the_copy else clip.path, reason="And the date", by=EDITOR)

    assert copy_of(again) == clip.path.with_name("clip.corrected-2.mp4")
    assert [each.reason for each in again.corrections] == [REASON, "And the date"]


@pytest.mark.parametrize("left", ["clip.corrected.mp4", "clip.corrected.mp4.tlog-proof"])
def test_a_name_that_is_taken_is_passed_over_and_left_as_it_is(studio: Studio, clip: Clip, left: str) -> None:
    clip.path.with_name(left).write_text("mine")

    again = studio.correct(clip.path, reason=REASON, by=EDITOR)

    assert copy_of(again).name == "clip.corrected-2.mp4"
    assert clip.path.with_name(left).read_text() == "mine"


def test_a_link_that_leads_nowhere_is_a_name_that_is_taken(studio: Studio, clip: Clip) -> None:
    clip.path.with_name("clip.corrected.mp4").symlink_to("nowhere")

    assert copy_of(studio.correct(clip.path, reason=REASON, by=EDITOR)).name == "clip.corrected-2.mp4"


# Which clip


def test_a_clip_named_by_its_identifier_is_copied_from_where_it_was_published(studio: Studio, clip: Clip) -> None:
    assert studio.correct(clip.clip_id, reason=REASON, by=EDITOR).path == clip.path.with_name("clip.corrected.mp4")


def test_a_clip_whose_file_is_gone_is_corrected_in_the_log_alone(
    studio: Studio, clip: Clip, home_path: Path, tmp_path: Path
) -> None:
    remux_without_metadata(clip.path, tmp_path / "stripped.mp4")
    clip.path.unlink()

    done = studio.correct(clip.clip_id, reason=REASON, by=EDITOR)

    assert (done.path, done.to_json()["path"]) == (None, None)
    assert reasons(platemark.verify(tmp_path / "stripped.mp4", home=home_path)) == [REASON]


def test_a_place_for_a_copy_that_cannot_be_made_is_refused_before_anything_is_recorded(
    studio: Studio, clip: Clip, tmp_path: Path
) -> None:
    clip.path.unlink()
    before = studio.ledger.head().size

    with pytest.raises(RequestError, match="is not at"):
        studio.correct(clip.clip_id, reason=REASON, by=EDITOR, out=tmp_path / "copy.mp4")

    assert studio.ledger.head().size == before


def test_the_copy_of_a_draft_is_a_draft_and_of_a_published_clip_a_published_one(
    gated: Studio, draft: Clip, gated_path: Path
) -> None:
    first = gated.correct(draft.path, reason=REASON, by=EDITOR)
    published = gated.publish(draft.path, approver=EDITOR, reason="checked")
    second = gated.correct(published.path, reason="It rained", by=EDITOR)

    reports = [platemark.verify(copy_of(each), home=gated_path) for each in (first, second)]

    assert [report.publication for report in reports] == ["draft", "published"]
    assert [reasons(report) for report in reports] == [[REASON, "It rained"]] * 2


def test_a_corrected_draft_can_be_published_and_keeps_its_correction(
    gated: Studio, draft: Clip, gated_path: Path, tmp_path: Path
) -> None:
    first = gated.correct(draft.path, reason=REASON, by=EDITOR)
    root = next((gated_path / "keys").glob("root*.pem"))

    published = gated.publish(copy_of(first), approver=EDITOR, reason="checked")
    elsewhere = platemark.verify(published.path, home=init(tmp_path / "other").path, trust=(root,))

    assert (elsewhere.publication, reasons(elsewhere)) == ("published", [REASON])


# Refusals


@pytest.mark.parametrize("reason", ["", " \n", "x" * 201])
def test_a_reason_that_nobody_could_read_records_nothing(studio: Studio, clip: Clip, reason: str) -> None:
    before = studio.ledger.head().size

    with pytest.raises(LedgerRequestError, match="visible characters"):
        studio.correct(clip.path, reason=reason, by=EDITOR)

    assert studio.ledger.head().size == before


def test_nobody_corrects_namelessly(studio: Studio, clip: Clip) -> None:
    with pytest.raises(LedgerRequestError, match="--by"):
        studio.correct(clip.path, reason=REASON, by="")


def test_a_withdrawn_clip_is_not_corrected(studio: Studio, clip: Clip) -> None:
    withdraw(studio.ledger, clip.clip_id, reason="Wrong date")

    with pytest.raises(RequestError, match="withdrawn"):
        studio.correct(clip.path, reason=REASON, by=EDITOR)


@pytest.mark.parametrize("name", ["nowhere", "x" * 5_000, "../../etc"])
def test_an_unknown_clip_is_refused(studio: Studio, name: str) -> None:
    with pytest.raises(RequestError, match="published no clip"):
        studio.correct(name, reason=REASON, by=EDITOR)


def test_a_copy_that_is_not_ours_byte_for_byte_is_refused(studio: Studio, clip: Clip, tmp_path: Path) -> None:
    remux_without_metadata(clip.path, tmp_path / "copy.mp4")

    with pytest.raises(RequestError, match="byte for byte"):
        studio.correct(tmp_path / "copy.mp4", reason=REASON, by=EDITOR)


def test_a_taken_name_is_refused_before_anything_is_recorded(studio: Studio, clip: Clip) -> None:
    before = studio.ledger.head().size

    with pytest.raises(OutputError) as refused:
        studio.correct(clip.path, reason=REASON, by=EDITOR, out=clip.path)

    assert "--overwrite" not in refused.value.fix  # correct has no such option

    assert studio.ledger.head().size == before


def test_a_clip_that_needs_ever_more_corrections_is_to_be_withdrawn(studio: Studio, clip: Clip) -> None:
    with studio.ledger.atomic():
        for number in range(MOST_CORRECTIONS):
            event = NewEvent(EventType.CLIP_CORRECTED, clip=clip.clip_id, facts={"reason": f"no. {number}"})
            studio.ledger.append(event)

    with pytest.raises(RequestError, match="Withdraw"):
        studio.correct(clip.path, reason=REASON, by=EDITOR)


# When something breaks


class Killed(BaseException):
    """Ends a job as a kill would: nothing is tidied up."""


def die(*arguments: object, **named: object) -> None:
    raise Killed


@pytest.fixture
def killed_in(studio: Studio, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Runs a correction that is killed in the named step."""

    def run(step: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(correcting if hasattr(correcting, step) else edition, step, die)
            patch.setattr("platemark.making.recovery.Settling.__exit__", lambda *ending: None)
            with pytest.raises(Killed):
                studio.correct(clip.path, reason=REASON, by=EDITOR)

    return run


@pytest.mark.parametrize("step", ["create_part", "state_corrections", "let_wait", "move_into_place"])
def test_killed_on_the_way_the_correction_stands_and_the_copy_is_made_by_the_next_call(
    killed_in: Callable[[str], None], home_path: Path, clip: Clip, step: str
) -> None:
    killed_in(step)

    with Studio.open(home_path) as again:
        assert [each.action for each in again.leftovers] == ["removed"]
        assert reasons(platemark.verify(clip.path, home=home_path)) == [REASON]
        assert sorted(path.name for path in clip.path.parent.glob("*clip*mp4*")) == ["clip.mp4", "clip.mp4.tlog-proof"]
        done = again.correct(clip.path, reason=REASON, by=EDITOR)
        assert (done.recorded, copy_of(done).is_file()) == (None, True)


def test_killed_after_the_rename_the_next_start_finishes_the_copy(
    killed_in: Callable[[str], None], home_path: Path, clip: Clip
) -> None:
    killed_in("write_receipt")

    with Studio.open(home_path) as again:
        assert [each.action for each in again.leftovers] == ["finished"]
        copy = clip.path.with_name("clip.corrected.mp4")
        assert reasons(platemark.verify(copy, home=home_path)) == [REASON]
        assert again.ledger.verify().ok


def test_a_failed_signature_leaves_the_correction_in_the_log_and_no_file(
    studio: Studio, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise SigningError("no")

    monkeypatch.setattr(correcting, "state_corrections", refuse)

    with pytest.raises(SigningError):
        correct(studio.home, studio.ledger, clip.path, reason=REASON, by=EDITOR)

    assert studio.ledger.trace(clip.clip_id)[-1].type == EventType.PUBLICATION_ABANDONED
    assert not clip.path.with_name("clip.corrected.mp4").exists()


def test_a_file_that_is_changed_meanwhile_is_not_copied(
    studio: Studio, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = correcting.state_corrections

    def and_change(source: Path, destination: Path, **named: object) -> object:
        signed = real(source, destination, **named)  # type: ignore[arg-type]  # handed through
        source.write_bytes(source.read_bytes() + b"\0")
        return signed

    monkeypatch.setattr(correcting, "state_corrections", and_change)

    with pytest.raises(OutputError, match="changed"):
        studio.correct(clip.path, reason=REASON, by=EDITOR)


async def _correct_async(home: Path, clip: Clip) -> Corrected:
    async with await AsyncStudio.open(home) as studio:
        return await studio.correct(clip.path, reason=REASON, by=EDITOR)


def test_asyncio_programs_have_it_too(clip: Clip, home_path: Path) -> None:
    import asyncio

    assert asyncio.run(_correct_async(home_path, clip)).corrections[0].reason == REASON
