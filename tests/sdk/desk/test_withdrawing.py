"""A clip that was taken back says so on the original and on every copy that can be recognised."""

from pathlib import Path

import pytest

import platemark
from platemark.clip import Clip
from platemark.desk.withdrawal import withdraw
from platemark.errors import LedgerRequestError, RequestError
from platemark.homes.home import init
from platemark.media.reencoding import reencode
from platemark.media.video import remux_without_metadata
from platemark.studio import Studio
from platemark.verifying.verifier import Verifier
from platemark_provenance.trust_lists import TrustFiles
from platemark_provenance.verdict import Report

REASON = "Wrong date in the caption"


@pytest.fixture
def withdrawn(studio: Studio, clip: Clip) -> Clip:
    """A clip that was published and taken back."""
    withdraw(studio.ledger, clip.clip_id, reason=REASON, actor="jw.kim")
    return clip


def reason_of(report: Report) -> str | None:
    return report.withdrawn.reason if report.withdrawn is not None else None


def test_the_original_stays_what_it_is_and_says_that_it_is_withdrawn(withdrawn: Clip, home_path: Path) -> None:
    report = platemark.verify(withdrawn.path, home=home_path)

    assert (report.verdict, report.exit_code, reason_of(report)) == ("trusted", 0, REASON)
    assert REASON in report.explain("en")
    assert REASON in report.explain("ko")


def test_a_copy_without_its_manifest_says_so(withdrawn: Clip, home_path: Path, tmp_path: Path) -> None:
    remux_without_metadata(withdrawn.path, tmp_path / "stripped.mp4")

    report = platemark.verify(tmp_path / "stripped.mp4", home=home_path)

    assert (report.verdict, reason_of(report)) == ("recovered", REASON)


def test_a_copy_encoded_again_says_so(withdrawn: Clip, home_path: Path, tmp_path: Path) -> None:
    reencode(withdrawn.path, tmp_path / "copy.mp4", crf=28)

    assert reason_of(platemark.verify(tmp_path / "copy.mp4", home=home_path)) == REASON


def test_the_manifest_alone_is_enough_to_know_the_original(withdrawn: Clip, home_path: Path) -> None:
    with Verifier.open(home_path) as verifier:
        report = verifier.examine_manifest(withdrawn.path)

    assert (report.axes.watermark, reason_of(report)) == ("not_checked", REASON)


def test_a_clip_that_was_not_withdrawn_says_nothing(clip: Clip, home_path: Path) -> None:
    assert platemark.verify(clip.path, home=home_path).withdrawn is None


def test_the_same_request_made_again_is_another_clip_and_not_withdrawn(
    withdrawn: Clip, studio: Studio, home_path: Path, tmp_path: Path
) -> None:
    again = studio.generate(
        withdrawn.request.prompt, model="testcard", seconds=0.5, size="256x256", seed=7, out=tmp_path / "again.mp4"
    )

    assert again.watermark_id == withdrawn.watermark_id
    assert platemark.verify(again.path, home=home_path).withdrawn is None
    assert reason_of(platemark.verify(withdrawn.path, home=home_path)) == REASON


def test_a_copy_that_could_be_either_clip_is_taken_for_the_withdrawn_one(
    withdrawn: Clip, studio: Studio, home_path: Path, tmp_path: Path
) -> None:
    again = studio.generate(
        withdrawn.request.prompt, model="testcard", seconds=0.5, size="256x256", seed=7, out=tmp_path / "again.mp4"
    )
    remux_without_metadata(again.path, tmp_path / "stripped.mp4")

    report = platemark.verify(tmp_path / "stripped.mp4", home=home_path)

    assert (reason_of(report), report.recovered_from) == (REASON, withdrawn.clip_id)


def test_another_home_knows_nothing_of_it(withdrawn: Clip, tmp_path: Path) -> None:
    other = init(tmp_path / "other")

    assert platemark.verify(withdrawn.path, home=other.path).withdrawn is None


# Taking back


def test_a_clip_can_be_named_by_its_file(studio: Studio, clip: Clip) -> None:
    done = withdraw(studio.ledger, str(clip.path), reason=REASON)

    assert (done.clip_id, done.withdrawal.reason) == (clip.clip_id, REASON)


def test_a_withdrawal_is_an_event_that_stays_in_the_log(studio: Studio, clip: Clip) -> None:
    done = withdraw(studio.ledger, clip.clip_id, reason=REASON, actor="jw.kim")

    event = studio.ledger.trace(clip.clip_id)[-1]
    assert done.recorded is not None
    assert (event.type, event.seq, event.actor_name) == ("clip.withdrawn", done.recorded.seq, "jw.kim")
    assert event.facts == {"reason": REASON}
    assert studio.ledger.verify().ok


def test_taking_back_twice_records_once_and_keeps_the_first_reason(studio: Studio, withdrawn: Clip) -> None:
    before = studio.ledger.head().size

    again = withdraw(studio.ledger, withdrawn.clip_id, reason="another")

    assert (again.recorded, again.withdrawal.reason) == (None, REASON)
    assert studio.ledger.head().size == before
    assert again.to_json()["already"] is True


@pytest.mark.parametrize("clip_name", ["nowhere", "", "01890a5d-ac96-774b-bcce-b302099a8057", "../../etc"])
def test_what_was_never_published_cannot_be_taken_back(studio: Studio, clip_name: str) -> None:
    with pytest.raises(RequestError, match="published no clip"):
        withdraw(studio.ledger, clip_name, reason=REASON)


def test_a_file_that_is_not_the_published_one_is_refused_with_how_to_find_the_clip(
    studio: Studio, clip: Clip, tmp_path: Path
) -> None:
    (tmp_path / "other.mp4").write_bytes(b"other")

    with pytest.raises(RequestError, match="platemark verify"):
        withdraw(studio.ledger, str(tmp_path / "other.mp4"), reason=REASON)


@pytest.mark.parametrize("reason", ["", " \n", "x" * 201])
def test_a_reason_that_nobody_could_read_records_nothing(studio: Studio, clip: Clip, reason: str) -> None:
    before = studio.ledger.head().size

    with pytest.raises(LedgerRequestError, match="visible characters"):
        withdraw(studio.ledger, clip.clip_id, reason=reason)

    assert studio.ledger.head().size == before


# Lists named for one occasion


def test_a_root_named_as_legacy_makes_a_signer_legacy_trusted_here(clip: Clip, home_path: Path, tmp_path: Path) -> None:
    other = init(tmp_path / "other")
    lists = TrustFiles(legacy=(home_path / "keys" / "root.pem",))

    with Verifier.open(other.path, lists=lists) as verifier:
        report = verifier.examine(clip.path)

    assert (report.axes.signer, report.verdict) == ("legacy_trusted", "intact")


@pytest.mark.parametrize("kind", ["tsa", "cawg"])
def test_a_root_named_for_something_else_makes_no_signer_trusted(
    clip: Clip, home_path: Path, tmp_path: Path, kind: str
) -> None:
    other = init(tmp_path / "other")
    lists = TrustFiles(**{kind: (home_path / "keys" / "root.pem",)})

    with Verifier.open(other.path, lists=lists) as verifier:
        assert verifier.examine(clip.path).axes.signer == "untrusted"
