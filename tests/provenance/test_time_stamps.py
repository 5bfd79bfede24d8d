"""An expired certificate is believed only when a trusted authority confirms that it was used in time."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from time_authority import MESSAGE_DIGEST, Authority, open_time_authority

from platemark_provenance.digest import JsonValue
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.trust import TrustStore
from platemark_provenance.verdict import Verdict, judge
from platemark_provenance.verification import read_provenance

Leaf = tuple[bytes, bytes]
WriteCopy = Callable[[bytes], Path]


@pytest.fixture(scope="module")
def authority(moment: datetime) -> Iterator[Authority]:
    with open_time_authority(moment) as running:
        yield running


@pytest.fixture(scope="module")
def expired(
    make_leaf: Callable[..., Leaf],
    sign_foreign: Callable[..., bytes],
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    authority: Authority,
) -> dict[str, bytes]:
    """Two clips signed in time with a certificate that has expired since: one time-stamped, one not."""
    start = datetime.now(UTC)
    lifetime = timedelta(seconds=3)
    leaf = make_leaf(ends=lifetime + (start - _moment_of(make_leaf)))
    bare = sign_foreign(plain_clip_bytes, leaf, manifest)
    stamped = sign_foreign(plain_clip_bytes, leaf, manifest, time_authority=authority.url)
    remaining = lifetime + timedelta(seconds=1.2) - (datetime.now(UTC) - start)
    time.sleep(max(0.0, remaining.total_seconds()))
    return {"bare": bare, "stamped": stamped}


def _moment_of(make_leaf: Callable[..., Leaf]) -> datetime:
    """The moment that leaf certificates count from, read back from one that ends on it."""
    leaf = x509.load_pem_x509_certificate(make_leaf(ends=timedelta(0))[0])
    return leaf.not_valid_after_utc


@pytest.fixture(scope="module")
def stamped(
    make_leaf: Callable[..., Leaf],
    sign_foreign: Callable[..., bytes],
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    authority: Authority,
) -> bytes:
    """A clip signed with a good certificate and time-stamped."""
    return sign_foreign(plain_clip_bytes, make_leaf(), manifest, time_authority=authority.url)


def test_a_time_stamp_of_a_trusted_authority_is_trusted(
    stamped: bytes, pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))

    reading = read_provenance(write_copy(stamped), trust)

    assert (reading.signer, reading.timestamp) == ("trusted", "trusted")
    assert reading.signed_at is not None
    assert abs(reading.signed_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_time_stamp_of_an_unknown_authority_is_untrusted_and_the_signer_stays_trusted(
    stamped: bytes, trust: TrustStore, write_copy: WriteCopy
) -> None:
    reading = read_provenance(write_copy(stamped), trust)

    assert (reading.signer, reading.timestamp) == ("trusted", "untrusted")
    assert judge(reading).verdict is Verdict.TRUSTED


def test_a_time_root_never_makes_a_claim_signer_trusted(
    stamped: bytes, pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(tsa_anchors=(pki.root_pem, authority.root_pem))

    reading = read_provenance(write_copy(stamped), trust)

    assert (reading.signer, reading.timestamp) == ("untrusted", "trusted")


def test_an_expired_certificate_without_a_time_stamp_is_expired(
    expired: dict[str, bytes], trust: TrustStore, write_copy: WriteCopy
) -> None:
    reading = read_provenance(write_copy(expired["bare"]), trust)

    assert (reading.integrity, reading.signer, reading.timestamp) == ("intact", "expired", "none")
    assert judge(reading).verdict is Verdict.INTACT
    assert judge(reading).exit_code == 6


def test_an_expired_certificate_with_a_trusted_time_stamp_is_trusted(
    expired: dict[str, bytes], pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))

    reading = read_provenance(write_copy(expired["stamped"]), trust)

    assert (reading.signer, reading.timestamp) == ("trusted", "trusted")
    assert "confirms that it was signed by" in judge(reading).explain("en")


def test_an_expired_certificate_with_an_untrusted_time_stamp_is_expired(
    expired: dict[str, bytes], trust: TrustStore, write_copy: WriteCopy
) -> None:
    reading = read_provenance(write_copy(expired["stamped"]), trust)

    assert (reading.integrity, reading.signer, reading.timestamp) == ("intact", "expired", "untrusted")


def test_an_expired_certificate_is_expired_from_its_end_on_and_not_before(
    stamped: bytes, trust: TrustStore, write_copy: WriteCopy, moment: datetime
) -> None:
    path = write_copy(stamped)

    before = read_provenance(path, trust, now=moment + timedelta(days=89))
    after = read_provenance(path, trust, now=moment + timedelta(days=91))

    assert (before.signer, after.signer) == ("trusted", "expired")


def test_a_damaged_time_stamp_is_not_trusted(
    stamped: bytes, pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))
    damaged = bytearray(stamped)
    damaged[stamped.index(MESSAGE_DIGEST) + len(MESSAGE_DIGEST) + 10] ^= 1

    reading = read_provenance(write_copy(bytes(damaged)), trust)

    assert reading.timestamp != "trusted"


def test_changed_content_is_tampered_whatever_the_time_stamp_says(
    stamped: bytes, pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))
    changed = bytearray(stamped)
    changed[stamped.rindex(b"mdat") + 500] ^= 1

    reading = read_provenance(write_copy(bytes(changed)), trust)

    assert reading.integrity == "tampered"
    assert judge(reading).verdict is Verdict.TAMPERED
