"""From a draft to a published clip: who may, what is checked, what is written, and what a crash leaves."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

import platemark
from platemark.clip import Clip
from platemark.desk import edition, publishing
from platemark.desk.publication import is_published, require_published
from platemark.desk.publishing import Published
from platemark.desk.withdrawal import withdraw
from platemark.errors import OutputError, ProfileFailed, PublicationRefused, RequestError, ReviewRefused
from platemark.homes.home import init
from platemark.media.video import remux_without_metadata
from platemark.studio import Studio
from platemark_provenance.digest import sha256_file
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.verification import read_crjson

EDITOR = "Lee Sora"
REASON = "Checked against the weather desk's notes"


@pytest.fixture
def published(gated: Studio, draft: Clip) -> Published:
    """The draft, approved by an editor."""
    return gated.publish(draft.path, approver=EDITOR, reason=REASON)


def kinds(studio: Studio, clip_id: str) -> list[str]:
    return [event.type for event in studio.ledger.trace(clip_id)]


def refused(studio: Studio, path: Path, **options: str) -> list[tuple[int, str]]:
    """Try to publish, and give the number and name of each check that failed."""
    wanted = {"approver": EDITOR, "reason": REASON, **options}
    with pytest.raises(PublicationRefused) as caught:
        studio.publish(path, **wanted)  # type: ignore[misc, arg-type]  # any of the options
    assert caught.value.exit_code == 3
    assert all(each.fix for each in caught.value.failed)
    return [(each.number, each.name) for each in caught.value.failed]


# Drafts


def test_with_the_gate_on_a_clip_is_a_draft_in_result_manifest_and_log(
    gated: Studio, draft: Clip, gated_path: Path
) -> None:
    report = platemark.verify(draft.path, home=gated_path)

    assert (draft.publication, draft.to_json()["publication"]) == ("draft", "draft")
    assert (report.verdict, report.exit_code, report.publication) == ("trusted", 0, "draft")
    assert report.to_json()["publication"] == "draft"
    assert "draft, not approved for publication" in report.explain("en")
    assert "초안" in report.explain("ko")
    assert kinds(gated, draft.clip_id)[-1] == EventType.CLIP_DRAFTED
    assert EventType.CLIP_PUBLISHED not in kinds(gated, draft.clip_id)


def test_with_the_gate_off_nothing_is_said_of_publication(clip: Clip, studio: Studio, home_path: Path) -> None:
    report = platemark.verify(clip.path, home=home_path)

    assert (clip.publication, report.publication) == (None, None)
    assert kinds(studio, clip.clip_id)[-1] == EventType.CLIP_PUBLISHED


def test_a_copy_of_a_draft_without_its_manifest_is_known_as_a_draft(
    draft: Clip, gated_path: Path, tmp_path: Path
) -> None:
    remux_without_metadata(draft.path, tmp_path / "stripped.mp4")

    report = platemark.verify(tmp_path / "stripped.mp4", home=gated_path)

    assert (report.verdict, report.publication) == ("recovered", "draft")


# Published


def test_a_published_clip_verifies_as_published_and_the_draft_stays_as_it_was(
    published: Published, draft: Clip, gated_path: Path
) -> None:
    report = platemark.verify(published.path, home=gated_path)

    assert (report.verdict, report.publication, report.axes.watermark) == ("trusted", "published", "matched")
    assert "초안" not in report.explain("ko")
    assert sha256_file(draft.path) == draft.sha256
    assert platemark.verify(draft.path, home=gated_path).publication == "draft"
    assert published.path == draft.path.with_name("draft.published.mp4")


def test_the_published_file_is_in_the_log_with_its_hash_and_a_receipt(
    gated: Studio, published: Published, draft: Clip
) -> None:
    events = gated.ledger.trace(draft.clip_id)
    approval = next(event for event in events if event.type == EventType.CLIP_APPROVED)

    assert kinds(gated, draft.clip_id)[-3:] == ["manifest.signed", "clip.approved", "clip.published"]
    assert approval.facts["sha256"] == published.sha256 == sha256_file(published.path)
    assert approval.facts["of_sha256"] == draft.sha256
    assert approval.actor == published.approver
    assert approval.sealed is not None
    assert approval.sealed["reason"] == REASON
    assert published.receipt.is_file()
    assert gated.ledger.verify().ok


def test_copies_of_a_published_clip_lead_to_the_published_record(
    published: Published, gated_path: Path, tmp_path: Path
) -> None:
    remux_without_metadata(published.path, tmp_path / "copy.mp4")

    report = platemark.verify(tmp_path / "copy.mp4", home=gated_path)

    assert (report.verdict, report.publication, report.recovered_from) == ("recovered", "published", published.clip_id)


@pytest.mark.parametrize("named", ["clip", "draft", "published"])
def test_withdrawing_by_any_name_reaches_the_draft_the_published_file_and_copies(
    gated: Studio, published: Published, draft: Clip, gated_path: Path, tmp_path: Path, named: str
) -> None:
    names = {"clip": draft.clip_id, "draft": str(draft.path), "published": str(published.path)}
    remux_without_metadata(published.path, tmp_path / "copy.mp4")

    withdraw(gated.ledger, names[named], reason="Wrong date")

    reports = [platemark.verify(path, home=gated_path) for path in (draft.path, published.path, tmp_path / "copy.mp4")]
    assert [report.withdrawn.reason for report in reports if report.withdrawn] == ["Wrong date"] * 3


def test_the_manifest_names_nobody_unless_asked_to(gated: Studio, draft: Clip, published: Published) -> None:
    told = read_crjson(published.path, gated.home.trust_store()) or ""

    assert published.approver in told
    assert EDITOR not in told
    assert "Kim Ji-woo" not in told


def test_the_approver_is_named_where_asked_for(gated: Studio, draft: Clip) -> None:
    published = gated.publish(draft.path, approver=EDITOR, reason=REASON, name_approver=True)

    assert EDITOR in (read_crjson(published.path, gated.home.trust_store()) or "")
    assert platemark.verify(published.path, home=gated.home.path).verdict == "trusted"


def test_profiles_that_pass_stand_in_the_result_and_the_log_with_their_version(gated: Studio, draft: Clip) -> None:
    published = gated.publish(draft.path, approver=EDITOR, reason=REASON, profiles=("kr-ai-basic",))

    told = next(event.facts for event in gated.ledger.trace(draft.clip_id) if event.type == EventType.CLIP_APPROVED)
    assert [name for name, _ in published.profiles] == ["kr-ai-basic"]
    assert told["profiles"] == published.to_json()["profiles"]


def test_another_newsroom_reads_the_status_from_the_manifest_alone(
    gated_path: Path, published: Published, tmp_path: Path
) -> None:
    root = next((gated_path / "keys").glob("root*.pem"))

    report = platemark.verify(published.path, home=init(tmp_path / "other").path, trust=(root,))

    assert (report.verdict, report.publication) == ("trusted", "published")


def test_whoever_does_not_trust_the_signer_is_told_nothing_of_an_approval(published: Published, tmp_path: Path) -> None:
    report = platemark.verify(published.path, home=init(tmp_path / "other").path)

    assert (report.verdict, report.publication) == ("intact", None)


def test_a_clip_made_before_the_gate_was_on_can_be_published(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate(
        "a calm blue sea at sunset", model="testcard", seconds=0.5, size="128x128", seed=7,
        out=tmp_path / "old.mp4", actor="jw.kim", byline="Kim",
    )  # fmt: skip

    published = studio.publish(made.path, approver=EDITOR, reason=REASON)

    assert platemark.verify(published.path, home=studio.home.path).publication == "published"


# Refusals


@pytest.mark.parametrize("approver", ["jw.kim", "JW.Kim", " jw.kim ", "ｊｗ.kim", "Kim Ji-woo", "kim ji-woo"])
def test_nobody_approves_their_own_clip_however_they_spell_their_name(
    gated: Studio, draft: Clip, approver: str
) -> None:
    assert refused(gated, draft.path, approver=approver) == [(6, "approver")]
    assert not draft.path.with_name("draft.published.mp4").exists()


def test_the_author_cannot_hide_behind_their_pseudonym(gated: Studio, draft: Clip) -> None:
    assert refused(gated, draft.path, approver=gated.ledger.pseudonym("jw.kim")) == [(6, "approver")]


def test_an_author_in_composed_and_decomposed_letters_is_one_person(gated: Studio, tmp_path: Path) -> None:
    made = gated.generate(
        "a calm blue sea at sunset", model="testcard", seconds=0.5, size="128x128", seed=8,
        out=tmp_path / "nfc.mp4", actor="김지우", byline="사회부",
    )  # fmt: skip

    assert refused(gated, made.path, approver=unicodedata.normalize("NFD", "김지우")) == [(6, "approver")]


def test_only_editors_approve_where_the_home_names_them(gated_path: Path, gated: Studio, draft: Clip) -> None:
    config = gated_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("editors = []", f'editors = ["{EDITOR}"]'), "utf-8")

    with Studio.open(gated_path) as studio:
        assert refused(studio, draft.path, approver="Somebody Else") == [(6, "approver")]
        assert studio.publish(draft.path, approver=EDITOR, reason=REASON).clip_id == draft.clip_id


def test_without_byline_and_author_both_are_named(gated: Studio, tmp_path: Path) -> None:
    made = gated.generate(
        "a calm blue sea at sunset", model="testcard", seconds=0.5, size="128x128", seed=9, out=tmp_path / "who.mp4"
    )

    assert refused(gated, made.path) == [(4, "byline"), (5, "author")]
    assert refused(gated, made.path, byline="Kim") == [(5, "author")]


def test_a_file_that_is_not_byte_for_byte_ours_is_refused(gated: Studio, draft: Clip, tmp_path: Path) -> None:
    remux_without_metadata(draft.path, tmp_path / "copy.mp4")

    assert refused(gated, tmp_path / "copy.mp4") == [(1, "file")]


def test_a_withdrawn_clip_is_refused(gated: Studio, draft: Clip) -> None:
    withdraw(gated.ledger, draft.clip_id, reason="Wrong date")

    assert refused(gated, draft.path) == [(2, "withdrawn")]


def test_a_published_clip_is_not_published_again(gated: Studio, draft: Clip, published: Published) -> None:
    assert refused(gated, draft.path, out=str(draft.path.with_name("again.mp4"))) == [(3, "published")]
    assert refused(gated, published.path) == [(3, "published")]


def test_a_failing_profile_has_its_own_exit_code_and_names_the_clause(gated: Studio, draft: Clip) -> None:
    with pytest.raises(ProfileFailed) as caught:
        gated.publish(draft.path, approver=EDITOR, reason=REASON, profiles=("cn-gb45438",))

    assert caught.value.exit_code == 7
    assert [(each.number, each.name) for each in caught.value.failed] == [(11, "profile")]
    assert "cn-gb45438" in caught.value.message
    assert not is_published(gated.ledger, draft.clip_id)


def test_profiles_of_the_home_count_without_being_asked_for(gated_path: Path, draft: Clip, gated: Studio) -> None:
    config = gated_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("profiles = []", 'profiles = ["cn-gb45438"]'), "utf-8")

    with Studio.open(gated_path) as studio, pytest.raises(ProfileFailed):
        studio.publish(draft.path, approver=EDITOR, reason=REASON)


def test_an_unknown_profile_an_empty_reason_and_a_taken_name_are_refused(gated: Studio, draft: Clip) -> None:
    with pytest.raises(RequestError):
        gated.publish(draft.path, approver=EDITOR, reason=REASON, profiles=("no-such-law",))
    with pytest.raises(ReviewRefused):
        gated.publish(draft.path, approver=EDITOR, reason=" ")
    with pytest.raises(OutputError):
        gated.publish(draft.path, approver=EDITOR, reason=REASON, out=draft.path)

    assert not is_published(gated.ledger, draft.clip_id)


# The home's rule for every way out


def test_a_home_with_the_gate_lets_out_only_what_was_published(gated: Studio, draft: Clip) -> None:
    with pytest.raises(PublicationRefused):
        require_published(gated.home, gated.ledger, draft.clip_id)
    gated.publish(draft.path, approver=EDITOR, reason=REASON)

    require_published(gated.home, gated.ledger, draft.clip_id)

    withdraw(gated.ledger, draft.clip_id, reason="Wrong date")
    with pytest.raises(PublicationRefused, match="withdrawn"):
        require_published(gated.home, gated.ledger, draft.clip_id)


def test_a_home_with_the_gate_lets_out_nothing_unknown(gated: Studio) -> None:
    with pytest.raises(PublicationRefused):
        require_published(gated.home, gated.ledger, "nothing")


def test_a_home_without_the_gate_asks_nothing(studio: Studio, clip: Clip) -> None:
    require_published(studio.home, studio.ledger, clip.clip_id)


def test_an_approval_that_the_author_wrote_into_the_log_is_none(gated: Studio, draft: Clip) -> None:
    for kind in (EventType.CLIP_APPROVED, EventType.CLIP_PUBLISHED):
        gated.ledger.append(NewEvent(kind, clip=draft.clip_id, actor="jw.kim", facts={"sha256": draft.sha256}))

    assert not is_published(gated.ledger, draft.clip_id)
    with pytest.raises(PublicationRefused):
        require_published(gated.home, gated.ledger, draft.clip_id)


# Crashes


class Killed(BaseException):
    """Ends a job as a kill would: nothing is tidied up."""


STEPS = ["create_part", "approve_publication", "let_wait", "move_into_place", "write_receipt"]


def die(*arguments: object, **named: object) -> None:
    raise Killed


@pytest.fixture
def killed_in(gated: Studio, draft: Clip, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Runs a publication that is killed in the named step."""

    def run(step: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(publishing if hasattr(publishing, step) else edition, step, die)
            patch.setattr("platemark.making.recovery.Settling.__exit__", lambda *ending: None)
            with pytest.raises(Killed):
                gated.publish(draft.path, approver=EDITOR, reason=REASON)

    return run


@pytest.mark.parametrize("step", STEPS[:4])
def test_killed_before_the_rename_the_next_start_removes_what_was_left_and_says_so(
    killed_in: Callable[[str], None], gated_path: Path, draft: Clip, step: str
) -> None:
    killed_in(step)

    with Studio.open(gated_path) as studio:
        told = [(each.action, each.clip_id) for each in studio.leftovers]
        assert told == [("removed", draft.clip_id)]
        assert kinds(studio, draft.clip_id)[-1] == EventType.PUBLICATION_ABANDONED
        assert not is_published(studio.ledger, draft.clip_id)
        assert studio.ledger.verify().ok
        assert platemark.verify(draft.path, home=gated_path).publication == "draft"
        assert sorted(path.name for path in draft.path.parent.glob("*draft*")) == [
            "draft.mp4",
            "draft.mp4.tlog-proof",
        ]
        again = studio.publish(draft.path, approver=EDITOR, reason=REASON)
        assert platemark.verify(again.path, home=gated_path).publication == "published"


def test_killed_after_the_rename_the_next_start_finishes_it(
    killed_in: Callable[[str], None], gated_path: Path, draft: Clip
) -> None:
    killed_in("write_receipt")

    with Studio.open(gated_path) as studio:
        assert [each.action for each in studio.leftovers] == ["finished"]
        assert is_published(studio.ledger, draft.clip_id)
        assert kinds(studio, draft.clip_id).count("clip.published") == 1

    report = platemark.verify(draft.path.with_name("draft.published.mp4"), home=gated_path)
    assert (report.verdict, report.publication) == ("trusted", "published")


def test_an_error_on_the_way_leaves_nothing_at_once(
    gated: Studio, draft: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise OutputError("The disk is full.")

    monkeypatch.setattr(edition, "move_into_place", full)

    with pytest.raises(OutputError):
        gated.publish(draft.path, approver=EDITOR, reason=REASON)

    assert kinds(gated, draft.clip_id)[-1] == EventType.PUBLICATION_ABANDONED
    assert not is_published(gated.ledger, draft.clip_id)
    assert sorted(path.name for path in draft.path.parent.glob("*draft*")) == ["draft.mp4", "draft.mp4.tlog-proof"]


def test_a_killed_draft_is_finished_as_a_draft(
    gated: Studio, gated_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platemark.making.pipeline.ClipJob._write_receipt", die)
    monkeypatch.setattr("platemark.making.recovery.Settling.__exit__", lambda *ending: None)
    with pytest.raises(Killed):
        gated.generate("a calm blue sea", model="testcard", seconds=0.5, size="128x128", out=tmp_path / "k.mp4")

    with Studio.open(gated_path) as studio:
        clip_id = studio.leftovers[0].clip_id
        assert [each.action for each in studio.leftovers] == ["finished"]
        assert kinds(studio, clip_id).count("clip.drafted") == 1
        assert "clip.published" not in kinds(studio, clip_id)
