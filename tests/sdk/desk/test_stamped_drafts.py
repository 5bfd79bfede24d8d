"""With the gate on, a clip made elsewhere is a draft as well, and only a second person publishes it."""

from pathlib import Path

import pytest
from odd_clips import write_clip

import platemark
from platemark.errors import PublicationRefused
from platemark.stamped import StampedClip
from platemark.studio import Studio


@pytest.fixture
def stamped(gated: Studio, tmp_path: Path) -> StampedClip:
    """A foreign clip stamped by jw.kim under a byline, waiting for approval."""
    source = write_clip(tmp_path / "veo.mp4", sound=True)
    who = {"actor": "jw.kim", "byline": "Kim Ji-woo", "desk": "weather"}
    return gated.stamp(source, generator="Veo 3", out=tmp_path / "draft.mp4", **who)  # type: ignore[arg-type]


def test_a_stamped_clip_is_a_draft_in_result_manifest_and_log(gated: Studio, stamped: StampedClip) -> None:
    report = platemark.verify(stamped.path, home=gated.home.path)

    types = [event.type for event in gated.ledger.trace(stamped.clip_id)]
    assert (stamped.publication, report.publication, types[-1]) == ("draft", "draft", "clip.drafted")
    assert "clip.published" not in types


def test_a_second_person_publishes_it_and_its_past_stays_inside(
    gated: Studio, stamped: StampedClip, tmp_path: Path
) -> None:
    gated.publish(stamped.path, approver="Lee Sora", reason="seen", out=tmp_path / "out.mp4")

    report = platemark.verify(tmp_path / "out.mp4", home=gated.home.path)
    assert (report.verdict, report.publication, report.axes.ingredients) == ("trusted", "published", "ok")


@pytest.mark.parametrize("approver", ["jw.kim", "JW.Kim", "Kim Ji-woo"])
def test_whoever_stamped_it_publishes_nothing(
    gated: Studio, stamped: StampedClip, tmp_path: Path, approver: str
) -> None:
    with pytest.raises(PublicationRefused):
        gated.publish(stamped.path, approver=approver, reason="mine", out=tmp_path / "out.mp4")

    assert not (tmp_path / "out.mp4").exists()
