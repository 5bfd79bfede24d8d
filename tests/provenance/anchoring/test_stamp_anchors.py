"""Time-stamps of tree heads: asked of a real responder, checked against a trusted root, refused otherwise."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_log import ORIGIN, SmallLog
from time_authority import Authority, open_time_authority, serve_answers
from trickling_server import trickling

from platemark_provenance.anchoring import stamp as stamp_module
from platemark_provenance.anchoring.place import AnchorUnavailable, Stamped
from platemark_provenance.anchoring.stamp import LARGEST_STAMP_BYTES, StampPlace, check_stamp
from platemark_provenance.errors import VerificationError

NOTE = SmallLog().note(5)


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """An authority on the loopback address."""
    with open_time_authority(datetime.now(UTC)) as running:
        yield running


@pytest.fixture(scope="module")
def stranger() -> Iterator[Authority]:
    """Another authority, which nobody trusts."""
    with open_time_authority(datetime.now(UTC)) as running:
        yield running


@pytest.fixture(scope="module")
def stamp(authority: Authority) -> bytes:
    """A stamp of the small log's head."""
    return StampPlace(authority.url, (authority.root_pem,)).keep(NOTE, origin=ORIGIN, size=5)


def test_a_stamp_tells_when_the_head_was_there(stamp: bytes, authority: Authority) -> None:
    told = check_stamp(stamp, NOTE, (authority.root_pem,))

    assert abs(datetime.now(UTC) - told) < timedelta(minutes=5)


def test_a_place_checks_what_it_gave(stamp: bytes, authority: Authority) -> None:
    place = StampPlace(authority.url, (authority.root_pem,))

    assert isinstance(place, Stamped)
    assert place.check(stamp, NOTE) == check_stamp(stamp, NOTE, (authority.root_pem,))
    assert place.newest(origin=ORIGIN) is None


def test_a_stamp_of_another_head_is_refused(stamp: bytes, authority: Authority) -> None:
    with pytest.raises(VerificationError, match="no time-stamp of this tree head"):
        check_stamp(stamp, SmallLog().note(6), (authority.root_pem,))


def test_a_stamp_of_an_authority_that_is_not_trusted_is_refused(stamp: bytes, stranger: Authority) -> None:
    with pytest.raises(VerificationError, match="trusted authority"):
        check_stamp(stamp, NOTE, (stranger.root_pem,))


def test_a_stamp_that_was_asked_for_by_somebody_else_is_refused(stamp: bytes, authority: Authority) -> None:
    with pytest.raises(VerificationError):
        check_stamp(stamp, NOTE, (authority.root_pem,), nonce=1)


def test_without_a_trusted_root_nobody_is_asked(authority: Authority) -> None:
    before = len(authority.requests)

    with pytest.raises(AnchorUnavailable, match="trusted here"):
        StampPlace(authority.url, ()).keep(NOTE, origin=ORIGIN, size=5)

    assert len(authority.requests) == before


def test_a_stamp_by_a_stranger_is_not_kept(authority: Authority, stranger: Authority) -> None:
    with pytest.raises(AnchorUnavailable, match="is not good"):
        StampPlace(stranger.url, (authority.root_pem,)).keep(NOTE, origin=ORIGIN, size=5)


def test_an_old_stamp_handed_out_again_is_not_kept(stamp: bytes, authority: Authority) -> None:
    with (
        serve_answers(lambda _: (200, stamp)) as url,
        pytest.raises(AnchorUnavailable, match="is not good"),
    ):
        StampPlace(url, (authority.root_pem,)).keep(NOTE, origin=ORIGIN, size=5)


@pytest.mark.parametrize("body", [b"", b"no", b"\x30\x03\x02\x01\x02", b"x" * (LARGEST_STAMP_BYTES + 1)])
def test_an_answer_that_is_no_stamp_is_not_kept(authority: Authority, body: bytes) -> None:
    with (
        serve_answers(lambda _: (200, body)) as url,
        pytest.raises(AnchorUnavailable, match="is not good"),
    ):
        StampPlace(url, (authority.root_pem,)).keep(NOTE, origin=ORIGIN, size=5)


def test_an_authority_that_is_away_or_refuses_is_said(authority: Authority) -> None:
    away = StampPlace("http://127.0.0.1:9/", (authority.root_pem,))

    with pytest.raises(AnchorUnavailable, match="could not be reached"):
        away.keep(NOTE, origin=ORIGIN, size=5)
    with serve_answers(lambda _: (503, b"")) as url, pytest.raises(AnchorUnavailable, match="HTTP status 503"):
        StampPlace(url, (authority.root_pem,)).keep(NOTE, origin=ORIGIN, size=5)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_byte_never_gives_another_time(stamp: bytes, authority: Authority, data: st.DataObject) -> None:
    told = check_stamp(stamp, NOTE, (authority.root_pem,))
    broken = bytearray(stamp)
    broken[data.draw(st.integers(0, len(stamp) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        again = check_stamp(bytes(broken), NOTE, (authority.root_pem,))
    except VerificationError:
        return

    assert again == told


def test_an_authority_that_trickles_is_given_up(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamp_module, "_WHOLE_S", 0.1)

    with trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n") as url:
        place = StampPlace(url, (authority.root_pem,))
        with pytest.raises(AnchorUnavailable, match="could not be reached"):
            place.keep(NOTE, origin=ORIGIN, size=5)
