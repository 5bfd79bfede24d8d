"""What is appended is kept, once, in order; what is signed is never contradicted; a receipt needs only the key."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.errors import (
    LedgerCorrupt,
    LedgerError,
    LedgerRequestError,
    LedgerUnavailable,
    PlatemarkError,
)
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.checkpoint import open_checkpoint
from platemark_provenance.ledger.event import EventType, NewEvent, SealedState
from platemark_provenance.ledger.merkle import leaf_hash, root_of_complete, tree_root
from platemark_provenance.ledger.receipt import verify_receipt
from platemark_provenance.ledger.store import Ledger, LedgerSettings, TreeHead

NOON_US = 1_773_489_600_000_000
CLIP = NewEvent(EventType.CLIP_PUBLISHED, clip="clip-a", facts={"path": "a.mp4"})
EVENT_ID = "019dd6c0-0000-7000-8000-000000000001"
OTHER_ID = "019dd6c0-0000-7000-8000-000000000002"


def test_events_are_numbered_from_zero_and_the_tree_grows_with_them(ledger: Ledger) -> None:
    first, second = ledger.append(CLIP), ledger.append(CLIP)

    assert (first.seq, first.size) == (0, 1)
    assert (second.seq, second.size) == (1, 2)
    assert first.root != second.root


def test_the_root_is_that_of_the_stored_bytes(ledger: Ledger) -> None:
    appended = [ledger.append(replace(CLIP, facts={"n": n})) for n in range(5)]

    hashes = [leaf_hash(event.body) for event in ledger.query(order="oldest")]

    root = tree_root(5, lambda level, index: root_of_complete(hashes[index << level : (index + 1) << level]))
    assert appended[-1].root == root.hex() == ledger.head().root


def test_an_appended_event_reads_back(ledger: Ledger) -> None:
    ledger.append(
        NewEvent(
            EventType.POLICY_DECIDED,
            clip="clip-a",
            actor="jw.kim",
            desk="weather",
            decision="review",
            model="embedded-1",
            facts={"rules": ["a"]},
            sealed={"prompt": "rain"},
        )
    )

    (event,) = ledger.query()

    assert (event.type, event.clip, event.desk) == ("policy.decided", "clip-a", "weather")
    assert (event.decision, event.model, event.facts) == ("review", "embedded-1", {"rules": ["a"]})
    assert (event.actor, event.actor_name) == (ledger.pseudonym("jw.kim"), "jw.kim")
    assert event.at == datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def test_an_event_gets_a_version_7_uuid(ledger: Ledger) -> None:
    assert UUID(ledger.append(CLIP).event_id).version == 7


def test_events_of_one_call_are_kept_together_in_order(ledger: Ledger) -> None:
    appended = ledger.append_all([replace(CLIP, facts={"n": n}) for n in range(3)])

    assert [item.seq for item in appended] == [0, 1, 2]
    assert {item.size for item in appended} == {3}
    assert {item.root for item in appended} == {ledger.head().root}


def test_one_bad_event_keeps_out_the_others_of_its_call(ledger: Ledger) -> None:
    too_large = replace(CLIP, facts={"text": "x" * 70_000})

    with pytest.raises(LedgerRequestError, match="at most 65535 bytes"):
        ledger.append_all([CLIP, CLIP, too_large])

    assert ledger.head().size == 0


def test_appending_nothing_changes_nothing(ledger: Ledger) -> None:
    assert ledger.append_all([]) == ()
    assert ledger.head().size == 0


@pytest.mark.parametrize("facts", [{"a": float("nan")}, {"seed": 2**63}, {"a": object()}])
def test_facts_that_are_no_canonical_json_are_refused(ledger: Ledger, facts: dict[str, Any]) -> None:
    with pytest.raises(PlatemarkError, match="one spelling"):
        ledger.append(replace(CLIP, facts=facts))

    assert ledger.head().size == 0


def test_a_retry_under_the_same_id_is_told_the_first_place(ledger: Ledger) -> None:
    event = replace(CLIP, event_id=EVENT_ID, sealed={"prompt": "rain"}, actor="jw.kim")
    first = ledger.append(event)
    ledger.append(CLIP)

    again = ledger.append(event)

    assert (again.seq, again.event_id) == (first.seq, EVENT_ID)
    assert (again.size, again.root) == (2, ledger.head().root)


def test_a_retry_later_is_still_the_same_event(ledger: Ledger, move_clock: Callable[[float], None]) -> None:
    ledger.append(replace(CLIP, event_id=EVENT_ID))
    move_clock(3_600)

    assert ledger.append(replace(CLIP, event_id=EVENT_ID)).size == 1


@pytest.mark.parametrize(
    "change",
    [
        {"type": EventType.CLIP_WITHDRAWN},
        {"clip": "clip-b"},
        {"actor": "jw.kim"},
        {"desk": "sport"},
        {"decision": "allow"},
        {"model": "another"},
        {"facts": {"path": "b.mp4"}},
        {"sealed": {"prompt": "rain"}},
    ],
)
def test_an_id_is_not_used_for_two_different_events(ledger: Ledger, change: dict[str, Any]) -> None:
    ledger.append(replace(CLIP, event_id=EVENT_ID))

    with pytest.raises(LedgerRequestError, match="belongs to a different event"):
        ledger.append(replace(CLIP, event_id=EVENT_ID, **change))

    assert ledger.head().size == 1


@pytest.mark.parametrize("sealed", [None, {"prompt": "snow"}, {}])
def test_an_id_is_not_used_for_another_sealed_part(ledger: Ledger, sealed: dict[str, str] | None) -> None:
    ledger.append(replace(CLIP, event_id=EVENT_ID, sealed={"prompt": "rain"}))

    with pytest.raises(LedgerRequestError, match="belongs to a different event"):
        ledger.append(replace(CLIP, event_id=EVENT_ID, sealed=sealed))


def test_a_retry_after_the_sealed_part_was_erased_is_still_the_same_event(
    ledger: Ledger, tamper: Callable[[str], None]
) -> None:
    event = replace(CLIP, event_id=EVENT_ID, sealed={"prompt": "rain"})
    ledger.append(event)
    tamper("DELETE FROM sealed_payload")

    assert ledger.append(event).size == 1


def test_a_retry_in_the_middle_of_a_call_keeps_its_old_place(ledger: Ledger) -> None:
    ledger.append(replace(CLIP, event_id=EVENT_ID))

    appended = ledger.append_all([CLIP, replace(CLIP, event_id=EVENT_ID), CLIP])

    assert [item.seq for item in appended] == [1, 0, 2]
    assert ledger.verify().ok


def test_the_same_id_twice_in_one_call_is_one_event(ledger: Ledger) -> None:
    event = replace(CLIP, event_id=EVENT_ID)

    appended = ledger.append_all([event, event])

    assert [item.seq for item in appended] == [0, 0]
    assert ledger.verify().size == 1


def test_a_clock_that_runs_back_leaves_an_event_about_it(ledger: Ledger, move_clock: Callable[[float], None]) -> None:
    ledger.append(CLIP)
    move_clock(-3_600)

    appended = ledger.append(CLIP)

    about, clip = list(ledger.query(order="oldest"))[1:]
    assert (appended.seq, clip.type) == (2, "clip.published")
    assert about.type == "clock.regressed"
    assert about.facts == {"last_us": NOON_US, "now_us": NOON_US - 3_600_000_000}


def test_a_clock_that_was_corrected_by_a_moment_is_no_event(
    ledger: Ledger, move_clock: Callable[[float], None]
) -> None:
    ledger.append(CLIP)
    move_clock(-0.5)

    assert ledger.append(CLIP).seq == 1


def test_a_clock_that_went_back_is_reported_once(ledger: Ledger, move_clock: Callable[[float], None]) -> None:
    ledger.append(CLIP)
    move_clock(-3_600)
    ledger.append(CLIP)

    assert ledger.append(CLIP).seq == 3


def test_the_order_of_events_is_that_of_the_log_whatever_the_clock_says(
    ledger: Ledger, move_clock: Callable[[float], None]
) -> None:
    ledger.append(replace(CLIP, facts={"n": 1}))
    move_clock(-7_200)
    ledger.append(replace(CLIP, facts={"n": 2}))

    published = [event.facts["n"] for event in ledger.query(type="clip.published", order="oldest")]

    assert published == [1, 2]
    assert ledger.verify().ok


def test_a_log_without_its_last_event_takes_no_more(story: Ledger, tamper: Callable[[str], None]) -> None:
    tamper("DELETE FROM event WHERE seq = 6")

    with pytest.raises(LedgerCorrupt, match="6 events and its tree 7"):
        story.append(CLIP)


def test_sealed_parts_are_opened_in_a_trace_only(story: Ledger) -> None:
    traced = story.trace("clip-a")[0]
    (listed,) = story.query(type="prompt.submitted")

    assert (traced.sealed_state, traced.sealed) == (
        SealedState.OPENED,
        {"prompt": "rain over the city", "byline": "Kim Ji-woo"},
    )
    assert (listed.sealed_state, listed.sealed) == (SealedState.KEPT, None)


def test_a_trace_is_the_life_of_the_clip_in_order(story: Ledger) -> None:
    assert [event.type for event in story.trace("clip-a")] == [
        "prompt.submitted",
        "policy.decided",
        "generation.finished",
        "manifest.signed",
        "clip.published",
        "clip.verified",
    ]


def test_a_clip_nobody_knows_has_no_life(story: Ledger) -> None:
    assert story.trace("clip-z") == ()


def test_an_erased_sealed_part_is_told_from_one_that_never_was(story: Ledger, tamper: Callable[[str], None]) -> None:
    tamper("DELETE FROM sealed_payload")

    states = [event.sealed_state for event in story.trace("clip-a")]

    assert states == [SealedState.ERASED, *[SealedState.NONE] * 5]


def test_a_person_whose_name_was_erased_stays_a_pseudonym(story: Ledger, tamper: Callable[[str], None]) -> None:
    tamper("DELETE FROM actor")

    event = story.trace("clip-a")[0]

    assert (event.actor, event.actor_name) == (story.pseudonym("jw.kim"), None)


def test_with_another_payload_key_the_rest_of_the_trace_is_still_there(
    story: Ledger, url: str, settings: LedgerSettings
) -> None:
    with Ledger.open(url, settings=replace(settings, payload_key=bytes(32))) as other:
        traced = other.trace("clip-a")

    assert len(traced) == 6
    assert (traced[0].sealed_state, traced[0].sealed) == (SealedState.UNREADABLE, None)


def test_neither_prompt_nor_byline_is_readable_in_the_file(
    url: str, settings: LedgerSettings, ledger_path: Path
) -> None:
    with Ledger.open(url, settings=settings) as ledger:
        ledger.append(
            NewEvent(EventType.PROMPT_SUBMITTED, sealed={"prompt": "umbrellas in the rain", "byline": "김지우"})
        )

    content = ledger_path.read_bytes()
    assert b"umbrellas" not in content
    assert "김지우".encode() not in content


def test_a_changed_event_is_not_read_as_if_nothing_were(story: Ledger, tamper: Callable[[str], None]) -> None:
    tamper("UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'allow', 'block') AS BLOB) WHERE seq = 2")

    with pytest.raises(LedgerCorrupt, match="Event 2 was changed after it was logged"):
        story.trace("clip-a")


def test_everything_in_an_atomic_block_is_kept_together(ledger: Ledger) -> None:
    with ledger.atomic():
        ledger.append(CLIP)
        ledger.registry.reserve_mark(b"8 bytes!", "clip-a", request_sha256="ab" * 32)

    assert ledger.head().size == 1
    assert ledger.registry.issued_marks() == (b"8 bytes!",)


def test_nothing_of_an_atomic_block_that_fails_is_kept(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), ledger.atomic():
        ledger.append(CLIP)
        ledger.registry.reserve_mark(b"8 bytes!", "clip-a", request_sha256="ab" * 32)
        raise RuntimeError("the disk with the clip is gone")

    assert ledger.head().size == 0
    assert ledger.registry.issued_marks() == ()
    assert ledger.append(CLIP).seq == 0


def test_an_error_caught_inside_an_atomic_block_still_keeps_all_of_it_out(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="none of it was kept"), ledger.atomic():
        ledger.append(CLIP)
        with pytest.raises(LedgerRequestError):
            ledger.append(replace(CLIP, facts={"text": "x" * 70_000}))

    assert ledger.head().size == 0


def test_a_thread_reads_its_own_writes_inside_an_atomic_block(ledger: Ledger) -> None:
    with ledger.atomic():
        ledger.append(CLIP)
        inside = len(ledger.trace("clip-a"))

    assert inside == 1


def test_atomic_blocks_may_be_nested(ledger: Ledger) -> None:
    with ledger.atomic(), ledger.atomic():
        ledger.append(CLIP)

    assert ledger.head().size == 1


def test_the_head_of_an_empty_ledger_is_the_empty_tree(ledger: Ledger) -> None:
    assert ledger.head() == TreeHead("news.example/provenance", 0, merkle.EMPTY_ROOT.hex())


def test_a_checkpoint_is_the_head_signed(story: Ledger) -> None:
    signed = open_checkpoint(story.checkpoint(), story.public_key, origin="news.example/provenance")

    assert (signed.size, signed.root.hex()) == (7, story.head().root)


def test_a_checkpoint_of_an_unchanged_ledger_is_the_same_note(story: Ledger) -> None:
    assert story.checkpoint() == story.checkpoint()


def test_a_checkpoint_is_kept_outside_the_database_too(story: Ledger, settings: LedgerSettings) -> None:
    note = story.checkpoint()

    assert settings.state_path.read_bytes() == note


def test_two_checkpoints_are_consistent(story: Ledger) -> None:
    old = open_checkpoint(story.checkpoint(), story.public_key)
    story.append(CLIP)
    new = open_checkpoint(story.checkpoint(), story.public_key)

    hashes = [leaf_hash(event.body) for event in story.query(order="oldest")]
    proof = merkle.consistency_proof(
        7, 8, lambda level, index: root_of_complete(hashes[index << level : (index + 1) << level])
    )
    merkle.check_consistency((old.size, old.root), (new.size, new.root), proof)


def test_a_tree_smaller_than_the_one_signed_is_not_signed(story: Ledger, tamper: Callable[[str], None]) -> None:
    tamper("DELETE FROM event WHERE seq = 6; UPDATE tile SET width = 6, hashes = substr(hashes, 1, 192)")

    with pytest.raises(LedgerCorrupt, match="7 events was signed; the ledger has only 6 now") as caught:
        story.checkpoint()

    assert "restored" in caught.value.fix


def test_a_smaller_tree_is_not_signed_even_when_the_database_forgot_the_larger(
    story: Ledger, tamper: Callable[[str], None], settings: LedgerSettings
) -> None:
    remembered = settings.state_path.read_bytes()
    tamper(
        "DELETE FROM event WHERE seq = 6; DELETE FROM checkpoint WHERE size = 7;"
        "UPDATE tile SET width = 6, hashes = substr(hashes, 1, 192)"
    )

    with pytest.raises(LedgerCorrupt, match="only 6 now"):
        story.checkpoint()

    assert settings.state_path.read_bytes() == remembered


def test_a_smaller_tree_is_not_signed_even_when_the_file_outside_is_gone(
    story: Ledger, tamper: Callable[[str], None], settings: LedgerSettings
) -> None:
    settings.state_path.unlink()
    tamper("DELETE FROM event WHERE seq = 6; UPDATE tile SET width = 6, hashes = substr(hashes, 1, 192)")

    with pytest.raises(LedgerCorrupt, match="only 6 now"):
        story.checkpoint()


FORGED = "UPDATE tile SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB)"


@pytest.mark.parametrize("forgotten", ["", "; DELETE FROM checkpoint"], ids=["database_remembers", "file_remembers"])
def test_another_tree_of_the_same_size_is_not_signed(
    story: Ledger, tamper: Callable[[str], None], forgotten: str
) -> None:
    tamper(FORGED + forgotten)

    with pytest.raises(LedgerCorrupt, match="The first 7 events are not those that were signed"):
        story.checkpoint()


def test_a_longer_tree_with_another_beginning_is_not_signed(story: Ledger, tamper: Callable[[str], None]) -> None:
    tamper(FORGED)
    story.append(CLIP)

    with pytest.raises(LedgerCorrupt, match="The first 7 events"):
        story.checkpoint()


def test_a_checkpoint_that_somebody_else_put_there_stops_the_signing(
    story: Ledger, tamper: Callable[[str], None]
) -> None:
    tamper("UPDATE checkpoint SET note = x'00' WHERE size = 7")

    with pytest.raises(LedgerCorrupt, match="not one that it signed"):
        story.checkpoint()


def test_a_garbled_file_outside_stops_the_signing(story: Ledger, settings: LedgerSettings) -> None:
    settings.state_path.write_bytes(b"garbage")

    with pytest.raises(LedgerCorrupt, match="signed head"):
        story.checkpoint()


def test_a_signature_that_cannot_be_remembered_is_not_given_out(
    url: str, settings: LedgerSettings, tmp_path: Path
) -> None:
    nowhere = replace(settings, state_path=tmp_path / "gone" / "head")

    with Ledger.open(url, settings=nowhere) as ledger:
        ledger.append(CLIP)
        with pytest.raises(LedgerUnavailable, match="cannot be written"):
            ledger.checkpoint()

        assert ledger.verify().checkpoint is None


def test_a_signature_remembered_by_the_file_alone_is_remembered_by_the_database_next_time(
    story: Ledger, tamper: Callable[[str], None]
) -> None:
    # As after a crash between writing the file and the commit.
    tamper("DELETE FROM checkpoint WHERE size = 7")

    story.checkpoint()

    assert story.verify().checkpoint == 7


def test_a_tree_is_not_signed_inside_an_atomic_block(story: Ledger) -> None:
    with pytest.raises(LedgerRequestError, match="leave `atomic` first"), story.atomic():
        story.append(CLIP)
        story.checkpoint()

    assert story.head().size == 7


def test_another_signing_key_finds_the_checkpoints_foreign(story: Ledger, url: str, settings: LedgerSettings) -> None:
    other = replace(settings, signing_key=Ed25519PrivateKey.generate())

    with Ledger.open(url, settings=other) as ledger, pytest.raises(LedgerCorrupt, match="signed head"):
        ledger.checkpoint()


def test_a_receipt_proves_the_publication_with_the_public_key_alone(
    story: Ledger, signing_key: Ed25519PrivateKey
) -> None:
    receipt = story.receipt("clip-a")

    proven = verify_receipt(receipt, None, signing_key.public_key(), origin="news.example/provenance")

    body = json.loads(proven.event)
    assert (proven.index, body["type"], body["clip"]) == (5, "clip.published", "clip-a")
    assert proven.checkpoint.size == 7


def test_a_receipt_stays_good_while_the_ledger_grows(long_story: Ledger) -> None:
    long_story.append(replace(CLIP, clip="clip-x"))
    receipt = long_story.receipt("clip-x")
    long_story.append_all([CLIP] * 300)

    proven = verify_receipt(receipt, None, long_story.public_key)

    assert (proven.index, proven.checkpoint.size) == (600, 601)


def test_a_clip_published_twice_gets_a_receipt_for_the_last_time(ledger: Ledger) -> None:
    ledger.append(CLIP)
    ledger.append(CLIP)

    assert verify_receipt(ledger.receipt("clip-a"), None, ledger.public_key).index == 1


def test_a_clip_that_was_not_published_has_no_receipt(story: Ledger) -> None:
    with pytest.raises(LedgerRequestError, match="was not published"):
        story.receipt("clip-z")


@pytest.mark.parametrize("origin", ["", "two words", "a+b"])
def test_a_ledger_needs_a_name_that_fits_in_a_note(settings: LedgerSettings, origin: str) -> None:
    with pytest.raises(LedgerRequestError, match="origin"):
        replace(settings, origin=origin)


def test_a_payload_key_of_the_wrong_length_is_refused_before_the_file_is_opened(
    url: str, settings: LedgerSettings
) -> None:
    with pytest.raises(LedgerRequestError, match="32 bytes"):
        Ledger.open(url, settings=replace(settings, payload_key=b"short"))


def test_a_source_of_ids_can_be_handed_in(url: str, settings: LedgerSettings) -> None:
    with Ledger.open(url, settings=replace(settings, new_event_id=lambda: OTHER_ID)) as ledger:
        assert ledger.append(CLIP).event_id == OTHER_ID


def test_an_id_that_came_up_twice_by_itself_is_not_written(url: str, settings: LedgerSettings) -> None:
    with Ledger.open(url, settings=replace(settings, new_event_id=lambda: OTHER_ID)) as ledger:
        ledger.append(CLIP)
        with pytest.raises(LedgerCorrupt, match="append-only"):
            ledger.append(CLIP)

        assert ledger.verify().size == 1


def test_a_receipt_under_a_tree_that_is_signed_already_writes_nothing(
    story: Ledger, settings: LedgerSettings, ledger_path: Path
) -> None:
    story.checkpoint()
    before = settings.state_path.stat().st_mtime_ns, ledger_path.stat().st_size

    first, second = story.receipt("clip-a"), story.receipt("clip-a")

    assert first == second
    assert (settings.state_path.stat().st_mtime_ns, ledger_path.stat().st_size) == before
    assert verify_receipt(first, None, story.public_key).checkpoint.size == 7


def test_a_receipt_after_more_events_is_under_a_new_tree(story: Ledger) -> None:
    story.receipt("clip-a")
    story.append(NewEvent(EventType.AUDIT_QUERIED))

    assert verify_receipt(story.receipt("clip-a"), None, story.public_key).checkpoint.size == 8


def test_a_receipt_is_refused_where_the_file_outside_knows_a_larger_tree(
    story: Ledger, settings: LedgerSettings, tamper: Callable[[str], None]
) -> None:
    story.append(NewEvent(EventType.AUDIT_QUERIED))
    story.checkpoint()
    tamper("DELETE FROM checkpoint WHERE size = 8; DELETE FROM event WHERE seq = 7")

    with pytest.raises(LedgerCorrupt):
        story.receipt("clip-a")
