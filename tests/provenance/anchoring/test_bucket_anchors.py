"""Anchors in a bucket: first come, first kept, locked by the store itself, and read back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from object_store import Store, open_object_store
from small_log import ORIGIN, SmallLog

from platemark_provenance.anchoring.bucket import BucketPlace
from platemark_provenance.anchoring.place import AnchorUnavailable, folder_name
from platemark_provenance.errors import LedgerCorrupt
from platemark_provenance.ledger.note import SignatureLine, with_lines


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """A real S3 server on the loopback address."""
    with open_object_store() as running:
        yield running


@pytest.fixture
def place(store: Store) -> BucketPlace:
    """A prefix of its own in the bucket that locks."""
    return BucketPlace(f"s3://worm/{uuid4().hex}", now, endpoint=store.endpoint)


def test_a_copy_is_locked_from_the_first_moment(place: BucketPlace) -> None:
    evidence = json.loads(place.keep(SmallLog().note(5), origin=ORIGIN, size=5))

    assert evidence["mode"] == "COMPLIANCE"
    assert datetime.fromisoformat(evidence["until"].replace("Z", "+00:00")) - now() > timedelta(days=3640)
    assert evidence["version"]


def test_a_copy_cannot_be_deleted_by_whoever_put_it(place: BucketPlace, store: Store) -> None:
    evidence = json.loads(place.keep(SmallLog().note(5), origin=ORIGIN, size=5))
    key = f"{place.address.removeprefix('s3://worm/')}/{evidence['path']}"

    with pytest.raises(store.client.exceptions.ClientError, match="AccessDenied"):
        store.client.delete_object(Bucket="worm", Key=key, VersionId=evidence["version"])


def test_the_store_s_own_reader_finds_the_note_byte_for_byte(place: BucketPlace, store: Store) -> None:
    evidence = json.loads(place.keep(SmallLog().note(5), origin=ORIGIN, size=5))
    key = f"{place.address.removeprefix('s3://worm/')}/{evidence['path']}"

    assert store.client.get_object(Bucket="worm", Key=key)["Body"].read() == SmallLog().note(5)


def test_the_newest_copy_is_the_one_of_the_largest_tree(place: BucketPlace) -> None:
    for size in (5, 12, 7):
        place.keep(SmallLog().note(size), origin=ORIGIN, size=size)

    found = place.newest(origin=ORIGIN)

    assert found is not None
    assert found.note == SmallLog().note(12)
    assert found.name.endswith("0000000000000000012.checkpoint")


def test_a_place_without_copies_has_none(place: BucketPlace) -> None:
    assert place.newest(origin=ORIGIN) is None


def test_two_logs_at_one_place_do_not_meet(place: BucketPlace) -> None:
    place.keep(SmallLog().note(5), origin=ORIGIN, size=5)

    assert place.newest(origin="other.example/log") is None


def test_the_same_head_again_is_left_as_it_is(place: BucketPlace, store: Store) -> None:
    first = place.keep(SmallLog().note(5), origin=ORIGIN, size=5)
    more = with_lines(SmallLog().note(5), [SignatureLine("witness.example", b"wwww", b"s" * 72)])

    assert place.keep(more, origin=ORIGIN, size=5) == first


def test_another_head_of_the_same_size_is_refused(place: BucketPlace) -> None:
    place.keep(SmallLog().note(5), origin=ORIGIN, size=5)

    with pytest.raises(LedgerCorrupt, match="another tree head"):
        place.keep(SmallLog(word="other").note(5), origin=ORIGIN, size=5)


def test_an_object_that_is_no_tree_head_is_not_written_over(place: BucketPlace, store: Store) -> None:
    key = f"{place.address.removeprefix('s3://worm/')}/{folder_name(ORIGIN)}/0000000000000000005.checkpoint"
    store.client.put_object(Bucket="worm", Key=key, Body=b"dear editor", ChecksumAlgorithm="SHA256")

    with pytest.raises(LedgerCorrupt, match="another tree head"):
        place.keep(SmallLog().note(5), origin=ORIGIN, size=5)


def test_a_bucket_that_locks_nothing_is_no_anchor(store: Store) -> None:
    place = BucketPlace(f"s3://soft/{uuid4().hex}", now, endpoint=store.endpoint)

    with pytest.raises(AnchorUnavailable, match="does not lock") as refused:
        place.keep(SmallLog().note(5), origin=ORIGIN, size=5)

    assert "Object Lock" in refused.value.fix


def test_a_lock_that_ends_today_is_no_lock(store: Store) -> None:
    late = BucketPlace(
        f"s3://worm/{uuid4().hex}", lambda: now() + timedelta(days=3649, hours=12), endpoint=store.endpoint
    )

    with pytest.raises(AnchorUnavailable, match="does not lock"):
        late.keep(SmallLog().note(5), origin=ORIGIN, size=5)


def test_a_bucket_that_is_not_there_is_said(store: Store) -> None:
    place = BucketPlace("s3://nowhere/log", now, endpoint=store.endpoint)

    with pytest.raises(AnchorUnavailable, match="HTTP status 404"):
        place.keep(SmallLog().note(5), origin=ORIGIN, size=5)
    with pytest.raises(AnchorUnavailable):
        place.newest(origin=ORIGIN)


def test_a_store_that_is_away_is_said() -> None:
    place = BucketPlace("s3://worm/log", now, endpoint="http://127.0.0.1:9")

    with pytest.raises(AnchorUnavailable, match="could not be reached"):
        place.keep(SmallLog().note(5), origin=ORIGIN, size=5)


def test_no_key_stands_in_a_message(store: Store) -> None:
    place = BucketPlace("s3://nowhere/log", now, endpoint=store.endpoint)

    with pytest.raises(AnchorUnavailable) as refused:
        place.keep(SmallLog().note(5), origin=ORIGIN, size=5)

    assert "not a secret" not in str(refused.value)
    assert "newsroom" not in str(refused.value)
