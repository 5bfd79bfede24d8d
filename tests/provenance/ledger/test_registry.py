"""The registry gives back what it was given, says the same thing twice without harm, and refuses contradictions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from platemark_provenance.digest import Sha256Hex, sha256_bytes
from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.registry import (
    LARGEST_FINGERPRINT_BYTES,
    LARGEST_MANIFEST_BYTES,
    ClipRecord,
    OutputRecord,
    OutputState,
    Registry,
)
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.withdrawal import Withdrawal

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
MARK, OTHER_MARK = b"mark-id1", b"mark-id2"
REQUEST = "ab" * 32
FILE, OTHER_FILE = "cd" * 32, "ef" * 32
MANIFEST = b"a signed manifest"


@pytest.fixture
def registry(ledger: Ledger) -> Registry:
    """The registry of an empty ledger."""
    return ledger.registry


def intend(registry: Registry, job: str = "job-1", clip: str = "clip-a") -> None:
    registry.intend_output(
        job, clip_id=clip, final_path=Path(f"/out/{clip}.mp4"), part_path=Path(f"/out/.{clip}.part"), mark_id=MARK
    )


def publish(registry: Registry, clip: str, *, mark: bytes = MARK, file: str = FILE) -> None:
    """Take a clip all the way."""
    registry.reserve_mark(mark, clip, request_sha256=REQUEST)
    intend(registry, f"job of {clip}", clip)
    registry.bind_mark(clip, fingerprint=b"fingerprint of " + clip.encode())
    registry.store_manifest(
        clip, label=f"urn:c2pa:{clip}", manifest=MANIFEST + clip.encode(), sha256=sha256_bytes(MANIFEST + clip.encode())
    )
    registry.publish_output(f"job of {clip}", file)


def test_a_published_clip_can_be_found_by_everything_known_about_it(registry: Registry) -> None:
    publish(registry, "clip-a")

    expected = ClipRecord(
        clip_id="clip-a",
        mark_id=MARK,
        manifest_label="urn:c2pa:clip-a",
        manifest=b"a signed manifestclip-a",
        fingerprint=b"fingerprint of clip-a",
        file_sha256=Sha256Hex(FILE),
        final_path=Path("/out/clip-a.mp4"),
        state=OutputState.PUBLISHED,
        published_at=NOON,
        withdrawn=None,
    )
    assert registry.record("clip-a") == expected
    assert registry.record_for_label("urn:c2pa:clip-a") == expected
    assert registry.record_for_file(FILE) == expected
    assert registry.records_for_mark(MARK) == (expected,)


def test_what_is_not_known_is_not_found(registry: Registry) -> None:
    publish(registry, "clip-a")

    assert registry.record("clip-z") is None
    assert registry.record_for_label("urn:c2pa:clip-z") is None
    assert registry.record_for_file(OTHER_FILE) is None
    assert registry.records_for_mark(OTHER_MARK) == ()


def test_clips_of_one_request_share_a_mark_and_the_newest_comes_first(
    registry: Registry, move_clock: Callable[[float], None]
) -> None:
    publish(registry, "clip-b", file=FILE)
    move_clock(60)
    publish(registry, "clip-a", file=OTHER_FILE)

    assert [record.clip_id for record in registry.records_for_mark(MARK)] == ["clip-a", "clip-b"]


def test_a_clip_on_its_way_is_not_found_yet(registry: Registry) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)
    intend(registry)
    registry.bind_mark("clip-a", fingerprint=b"f")
    registry.store_manifest("clip-a", label="urn:c2pa:a", manifest=MANIFEST, sha256=sha256_bytes(MANIFEST))

    assert registry.record("clip-a") is None
    assert registry.records_for_mark(MARK) == ()


def test_the_registry_is_there_after_the_ledger_was_closed(
    ledger: Ledger, registry: Registry, url: str, settings: LedgerSettings
) -> None:
    publish(registry, "clip-a")
    ledger.close()

    with Ledger.open(url, settings=settings) as again:
        assert again.registry.record("clip-a") is not None


def test_a_changed_manifest_is_not_handed_out(
    ledger: Ledger, registry: Registry, tamper: Callable[[str], None]
) -> None:
    publish(registry, "clip-a")
    tamper("UPDATE manifest SET body = x'00'")

    with pytest.raises(LedgerCorrupt, match="stored manifest of clip clip-a was changed"):
        registry.record("clip-a")


# Marks


def test_reserving_the_same_mark_again_does_nothing(registry: Registry) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)

    assert registry.issued_marks() == (MARK,)


@pytest.mark.parametrize(("mark", "request_sha256"), [(OTHER_MARK, REQUEST), (MARK, "00" * 32)])
def test_a_clip_has_one_mark(registry: Registry, mark: bytes, request_sha256: str) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)

    with pytest.raises(LedgerRequestError, match="another watermark id already"):
        registry.reserve_mark(mark, "clip-a", request_sha256=request_sha256)


@pytest.mark.parametrize("mark", [b"", b"short", b"nine byte"])
def test_a_mark_of_another_length_is_refused(registry: Registry, mark: bytes) -> None:
    with pytest.raises(LedgerRequestError, match="8 bytes"):
        registry.reserve_mark(mark, "clip-a", request_sha256=REQUEST)


@pytest.mark.parametrize("digest", ["", "ab", "AB" * 32, "zz" * 32, "ab" * 32 + "\n", "ab" * 33])
def test_a_digest_that_is_none_is_refused(registry: Registry, digest: str) -> None:
    with pytest.raises(LedgerRequestError, match="64 lower-case"):
        registry.reserve_mark(MARK, "clip-a", request_sha256=digest)


@pytest.mark.parametrize("clip", ["", "x" * 201, "a\x00b"])
def test_an_impossible_clip_id_is_refused(registry: Registry, clip: str) -> None:
    with pytest.raises(LedgerRequestError, match="clip"):
        registry.reserve_mark(MARK, clip, request_sha256=REQUEST)


def test_issued_marks_are_given_once_each_in_order_of_issue(
    registry: Registry, move_clock: Callable[[float], None]
) -> None:
    registry.reserve_mark(OTHER_MARK, "clip-c", request_sha256=REQUEST)
    move_clock(1)
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)
    move_clock(1)
    registry.reserve_mark(OTHER_MARK, "clip-b", request_sha256=REQUEST)

    assert registry.issued_marks() == (OTHER_MARK, MARK)


def test_a_released_mark_is_no_longer_issued(registry: Registry) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)
    registry.release_mark("clip-a")

    assert registry.issued_marks() == ()


def test_a_mark_released_by_one_clip_is_kept_for_another(registry: Registry) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)
    registry.reserve_mark(MARK, "clip-b", request_sha256=REQUEST)
    registry.release_mark("clip-a")

    assert registry.issued_marks() == (MARK,)


def test_a_released_mark_is_not_taken_up_again_by_the_same_clip(registry: Registry) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)
    registry.release_mark("clip-a")

    with pytest.raises(LedgerRequestError, match="gave this one up"):
        registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)


def test_releasing_what_is_not_there_does_nothing(registry: Registry) -> None:
    registry.release_mark("clip-z")

    assert registry.issued_marks() == ()


def test_the_mark_of_a_published_clip_is_not_released(registry: Registry) -> None:
    publish(registry, "clip-a")

    with pytest.raises(LedgerRequestError, match="stays taken"):
        registry.release_mark("clip-a")

    assert registry.issued_marks() == (MARK,)


def test_binding_the_same_fingerprint_again_does_nothing(registry: Registry) -> None:
    publish(registry, "clip-a")

    registry.bind_mark("clip-a", fingerprint=b"fingerprint of clip-a")

    assert registry.record("clip-a") is not None


def test_a_bound_mark_keeps_its_fingerprint(registry: Registry) -> None:
    publish(registry, "clip-a")

    with pytest.raises(LedgerRequestError, match="another fingerprint"):
        registry.bind_mark("clip-a", fingerprint=b"of another clip")


def test_the_id_that_the_frames_carry_replaces_the_reserved_one(registry: Registry) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)

    registry.bind_mark("clip-a", fingerprint=b"f", mark_id=OTHER_MARK)

    assert registry.issued_marks() == (OTHER_MARK,)


def test_a_bound_mark_keeps_its_id(registry: Registry) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)
    registry.bind_mark("clip-a", fingerprint=b"f", mark_id=OTHER_MARK)

    with pytest.raises(LedgerRequestError, match="another watermark id"):
        registry.bind_mark("clip-a", fingerprint=b"f", mark_id=MARK)


def test_an_id_of_another_length_is_not_bound(registry: Registry) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)

    with pytest.raises(LedgerRequestError, match="another watermark id"):
        registry.bind_mark("clip-a", fingerprint=b"f", mark_id=b"short")


def test_a_mark_that_was_not_reserved_is_not_bound(registry: Registry) -> None:
    with pytest.raises(LedgerRequestError, match="no reserved watermark"):
        registry.bind_mark("clip-z", fingerprint=b"f")


def test_a_released_mark_is_not_bound(registry: Registry) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)
    registry.release_mark("clip-a")

    with pytest.raises(LedgerRequestError, match="no reserved watermark"):
        registry.bind_mark("clip-a", fingerprint=b"f")


@pytest.mark.parametrize("size", [0, LARGEST_FINGERPRINT_BYTES + 1])
def test_a_fingerprint_of_an_impossible_size_is_refused(registry: Registry, size: int) -> None:
    registry.reserve_mark(MARK, "clip-a", request_sha256=REQUEST)

    with pytest.raises(LedgerRequestError, match="fingerprint has 1 to"):
        registry.bind_mark("clip-a", fingerprint=bytes(size))


# Manifests


def test_storing_the_same_manifest_again_does_nothing(registry: Registry) -> None:
    publish(registry, "clip-a")

    content = MANIFEST + b"clip-a"
    registry.store_manifest("clip-a", label="urn:c2pa:clip-a", manifest=content, sha256=sha256_bytes(content))

    assert registry.record("clip-a") is not None


@pytest.mark.parametrize(
    ("clip", "label", "manifest"),
    [
        ("clip-a", "urn:c2pa:clip-a", b"another"),
        ("clip-a", "urn:c2pa:another", MANIFEST + b"clip-a"),
        ("clip-b", "urn:c2pa:clip-a", MANIFEST + b"clip-a"),
    ],
)
def test_a_clip_has_one_manifest_and_a_label_one_clip(
    registry: Registry, clip: str, label: str, manifest: bytes
) -> None:
    publish(registry, "clip-a")

    with pytest.raises(LedgerRequestError, match="another manifest already"):
        registry.store_manifest(clip, label=label, manifest=manifest, sha256=sha256_bytes(manifest))


def test_a_manifest_that_is_not_the_one_named_is_refused(registry: Registry) -> None:
    with pytest.raises(LedgerRequestError, match="not that of the manifest"):
        registry.store_manifest("clip-a", label="l", manifest=MANIFEST, sha256="00" * 32)


@pytest.mark.parametrize("size", [0, LARGEST_MANIFEST_BYTES + 1])
def test_a_manifest_of_an_impossible_size_is_refused(registry: Registry, size: int) -> None:
    content = bytes(size)

    with pytest.raises(LedgerRequestError, match="manifest has 1 to"):
        registry.store_manifest("clip-a", label="l", manifest=content, sha256=sha256_bytes(content))


# Outputs


def test_an_intended_output_is_open_until_it_is_published(registry: Registry) -> None:
    intend(registry)

    assert registry.open_outputs() == (
        OutputRecord(
            job_id="job-1",
            clip_id="clip-a",
            final_path=Path("/out/clip-a.mp4"),
            part_path=Path("/out/.clip-a.part"),
            state=OutputState.INTENDED,
            sha256=None,
            mark_id=MARK,
            created_at=NOON,
        ),
    )
    registry.publish_output("job-1", FILE)
    assert registry.open_outputs() == ()


def test_open_outputs_come_oldest_first(registry: Registry, move_clock: Callable[[float], None]) -> None:
    intend(registry, "job-2", "clip-b")
    move_clock(5)
    intend(registry, "job-1", "clip-a")

    found = registry.open_outputs()

    assert [output.job_id for output in found] == ["job-2", "job-1"]
    assert found[1].created_at - found[0].created_at == timedelta(seconds=5)


def test_an_output_may_have_no_mark_yet(registry: Registry) -> None:
    registry.intend_output("job-1", clip_id="clip-a", final_path=Path("/a"), part_path=Path("/b"))

    assert registry.open_outputs()[0].mark_id is None


def test_a_job_has_one_output(registry: Registry) -> None:
    intend(registry)

    with pytest.raises(LedgerRequestError, match="has an output already"):
        intend(registry)


def test_publishing_the_same_file_again_does_nothing(registry: Registry, move_clock: Callable[[float], None]) -> None:
    publish(registry, "clip-a")
    move_clock(60)

    registry.publish_output("job of clip-a", FILE)

    found = registry.record("clip-a")
    assert found is not None
    assert found.published_at == NOON


def test_a_published_output_keeps_its_file(registry: Registry) -> None:
    publish(registry, "clip-a")

    with pytest.raises(LedgerRequestError, match="is published already"):
        registry.publish_output("job of clip-a", OTHER_FILE)


def test_an_abandoned_output_is_not_open_and_not_published(registry: Registry) -> None:
    intend(registry)
    registry.abandon_output("job-1")
    registry.abandon_output("job-1")

    assert registry.open_outputs() == ()
    with pytest.raises(LedgerRequestError, match="is abandoned already"):
        registry.publish_output("job-1", FILE)


def test_a_published_output_is_not_abandoned(registry: Registry) -> None:
    publish(registry, "clip-a")

    with pytest.raises(LedgerRequestError, match="is published already"):
        registry.abandon_output("job of clip-a")


def test_an_unknown_job_is_neither_published_nor_abandoned(registry: Registry) -> None:
    with pytest.raises(LedgerRequestError, match="No output was intended"):
        registry.publish_output("job-z", FILE)
    with pytest.raises(LedgerRequestError, match="No output was intended"):
        registry.abandon_output("job-z")


def test_a_path_longer_than_any_system_takes_is_refused(registry: Registry) -> None:
    with pytest.raises(LedgerRequestError, match="4096 characters"):
        registry.intend_output("job-1", clip_id="clip-a", final_path=Path("/" + "x" * 5_000), part_path=Path("/b"))


def test_a_path_with_characters_of_any_language_comes_back(registry: Registry) -> None:
    registry.intend_output("job-1", clip_id="c", final_path=Path("/뉴스/it's 100%.mp4"), part_path=Path("/b"))

    assert registry.open_outputs()[0].final_path == Path("/뉴스/it's 100%.mp4")


def test_the_log_is_not_touched_by_the_registry(ledger: Ledger, registry: Registry) -> None:
    publish(registry, "clip-a")

    assert ledger.head().size == 0
    assert ledger.verify().ok


# Withdrawals


def withdraw(ledger: Ledger, clip: str, reason: str = "wrong date") -> None:
    ledger.append(NewEvent(EventType.CLIP_WITHDRAWN, clip=clip, facts={"reason": reason}))


def test_a_withdrawn_clip_says_so_however_it_is_found(ledger: Ledger) -> None:
    publish(ledger.registry, "clip-a")
    withdraw(ledger, "clip-a")

    found = [
        ledger.registry.record("clip-a"),
        ledger.registry.record_for_label("urn:c2pa:clip-a"),
        ledger.registry.record_for_file(FILE),
        *ledger.registry.records_for_mark(MARK),
    ]

    assert [each.withdrawn for each in found if each is not None] == [Withdrawal(NOON, "wrong date")] * 4


def test_withdrawing_one_clip_withdraws_no_other_with_the_same_mark(ledger: Ledger) -> None:
    publish(ledger.registry, "clip-a")
    publish(ledger.registry, "clip-b", file=OTHER_FILE)
    withdraw(ledger, "clip-a")

    withdrawn = {each.clip_id: each.withdrawn for each in ledger.registry.records_for_mark(MARK)}

    assert withdrawn == {"clip-a": Withdrawal(NOON, "wrong date"), "clip-b": None}


def test_the_first_withdrawal_stays(ledger: Ledger, move_clock: Callable[[float], None]) -> None:
    publish(ledger.registry, "clip-a")
    withdraw(ledger, "clip-a", "first")
    move_clock(3600)
    withdraw(ledger, "clip-a", "second")

    record = ledger.registry.record("clip-a")

    assert record is not None
    assert record.withdrawn == Withdrawal(NOON, "first")


def test_other_events_withdraw_nothing(ledger: Ledger) -> None:
    publish(ledger.registry, "clip-a")
    ledger.append(NewEvent(EventType.CLIP_VERIFIED, clip="clip-a", facts={"reason": "routine"}))

    record = ledger.registry.record("clip-a")

    assert record is not None
    assert record.withdrawn is None


def test_a_withdrawal_changed_in_the_database_is_not_believed(ledger: Ledger, tamper: Callable[[str], None]) -> None:
    publish(ledger.registry, "clip-a")
    withdraw(ledger, "clip-a")
    tamper("UPDATE event SET body = CAST(replace(body, 'wrong date', 'right date') AS BLOB)")

    with pytest.raises(LedgerCorrupt, match="changed after it was logged"):
        ledger.registry.record("clip-a")
