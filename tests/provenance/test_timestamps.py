"""An authority is asked with a time limit before anything is written, and what is wrong with it is said plainly."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from time_authority import Answer, Authority, open_time_authority, serve_answers

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.signing import SignedAsset, SigningOptions, sign_file
from platemark_provenance.timestamps import NO_TIME_STAMP, TimeStampMode, TimeStampPolicy, find_trouble
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import read_provenance

CLOSED = "http://127.0.0.1:9/"
REJECTED = bytes.fromhex("30053003020102")
Sign = Callable[..., SignedAsset]


@pytest.fixture(scope="module")
def authority(moment: datetime) -> Iterator[Authority]:
    with open_time_authority(moment) as running:
        yield running


@pytest.fixture
def both(pki: DevelopmentPki, authority: Authority) -> TrustStore:
    """Trust in our own root for claims and in the authority's for time."""
    return TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))


@pytest.fixture
def sign(plain_clip: Path, tmp_path: Path, manifest: dict[str, JsonValue], signer: ClaimSigner) -> Sign:
    def sign_with(trust: TrustStore, mode: TimeStampMode, url: str) -> SignedAsset:
        options = SigningOptions(time_stamp=TimeStampPolicy(mode, url, timeout_s=2.0))
        return sign_file(
            plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust, options=options
        )

    return sign_with


# What may be asked for


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://",
        "http://:80/",
        "http://user:secret@example.org/",
        "http://example.org/ x",
        "http://exämple.org/",
        "http://example.org:99999/",
        "http://example.org/\r\nHost: other",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SigningError, match="http or https"):
        TimeStampPolicy("require", url)


def test_an_address_with_a_password_is_not_repeated() -> None:
    with pytest.raises(SigningError) as refused:
        TimeStampPolicy("require", "http://user:secret@example.org/")

    assert "secret" not in str(refused.value)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(SigningError, match="off, best-effort or require"):
        TimeStampPolicy("maybe", "http://example.org/")  # type: ignore[arg-type]


def test_without_time_stamps_no_address_is_needed() -> None:
    assert TimeStampPolicy("off") == NO_TIME_STAMP


@pytest.mark.parametrize(
    ("url", "host"), [("http://a.example/tsr", "a.example"), ("https://a.example:8443/", "a.example:8443")]
)
def test_the_host_is_named_with_its_port(url: str, host: str) -> None:
    assert TimeStampPolicy("require", url).host == host


# What an authority can get wrong


def test_an_authority_that_works_is_no_trouble(authority: Authority) -> None:
    assert find_trouble(TimeStampPolicy("require", authority.url)) is None


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ((404, b""), "HTTP status 404"),
        ((302, b""), "HTTP status 302"),
        ((200, b""), "not a time-stamp response"),
        ((200, b"<html>busy</html>"), "not a time-stamp response"),
        ((200, REJECTED), "rejected the request"),
        ((200, bytes.fromhex("30053003020109")), "an unknown answer"),
        ((200, bytes.fromhex("3084ffffffff")), "not a time-stamp response"),
    ],
)
def test_what_is_wrong_with_an_authority_is_said(answer: Answer, trouble: str) -> None:
    with serve_answers(lambda _: answer) as url:
        found = find_trouble(TimeStampPolicy("require", url))

    assert found is not None
    assert trouble in found


def test_a_closed_port_is_said() -> None:
    found = find_trouble(TimeStampPolicy("require", CLOSED))

    assert found is not None
    assert "could not be reached" in found


def test_a_server_that_never_answers_costs_no_more_than_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        start = time.monotonic()

        found = find_trouble(TimeStampPolicy("require", url, timeout_s=0.2))

    assert found is not None
    assert "0.2 seconds" in found
    assert time.monotonic() - start < 2


def test_a_server_that_speaks_no_tls_is_said() -> None:
    with serve_answers(lambda _: (200, b"")) as url:
        found = find_trouble(TimeStampPolicy("require", url.replace("http:", "https:"), timeout_s=2.0))

    assert found == "no secure connection could be made to it"


def test_an_answer_without_end_is_cut_off() -> None:
    with serve_answers(lambda _: (200, bytes(4_000_000))) as url:
        assert find_trouble(TimeStampPolicy("require", url)) == "its answer is not a time-stamp response"


# Signing with them


def test_a_required_time_stamp_is_in_the_file_and_trusted(sign: Sign, both: TrustStore, authority: Authority) -> None:
    asset = sign(both, "require", authority.url)

    assert asset.timestamp == "trusted"
    assert read_provenance(asset.path, both).timestamp == "trusted"


def test_the_authority_learns_nothing_but_a_digest(
    sign: Sign, both: TrustStore, authority: Authority, plain_clip: Path
) -> None:
    sign(both, "require", authority.url)

    assert all(len(request) < 100 for request in authority.requests)


@pytest.mark.parametrize("url", [CLOSED], ids=["closed port"])
def test_without_a_required_time_stamp_nothing_is_signed(
    sign: Sign, both: TrustStore, url: str, tmp_path: Path
) -> None:
    with pytest.raises(SigningError, match=r"time-stamp is required.*could not be reached"):
        sign(both, "require", url)

    assert list(tmp_path.iterdir()) == []


def test_a_required_time_stamp_must_be_one_we_trust(
    sign: Sign, trust: TrustStore, authority: Authority, tmp_path: Path
) -> None:
    with pytest.raises(SigningError, match=r"not trusted here.*platemark trust add --kind tsa"):
        sign(trust, "require", authority.url)

    assert list(tmp_path.iterdir()) == []


def test_where_it_is_only_wanted_a_clip_is_signed_without_it(sign: Sign, both: TrustStore) -> None:
    asset = sign(both, "best-effort", CLOSED)

    assert asset.timestamp == "none"
    assert read_provenance(asset.path, both).signer == "trusted"


def test_where_it_is_wanted_and_can_be_had_it_is_there(sign: Sign, both: TrustStore, authority: Authority) -> None:
    assert sign(both, "best-effort", authority.url).timestamp == "trusted"


def test_a_wanted_time_stamp_we_do_not_trust_is_kept_and_called_that(
    sign: Sign, trust: TrustStore, authority: Authority
) -> None:
    assert sign(trust, "best-effort", authority.url).timestamp == "untrusted"


@pytest.fixture
def fickle(authority: Authority, moment: datetime) -> Iterator[str]:
    """An authority that grants the first request and answers the next with nothing of use."""
    granted = threading.Event()

    def answer(_: bytes) -> Answer:
        first = not granted.is_set()
        granted.set()
        return (200, bytes.fromhex("30053003020100")) if first else (200, b"broken")

    with serve_answers(answer) as url:
        yield url


def test_an_authority_that_fails_halfway_does_not_stop_best_effort(sign: Sign, both: TrustStore, fickle: str) -> None:
    asset = sign(both, "best-effort", fickle)

    assert asset.timestamp == "none"
    assert read_provenance(asset.path, both).signer == "trusted"


def test_an_authority_that_fails_halfway_stops_what_requires_it(
    sign: Sign, both: TrustStore, fickle: str, tmp_path: Path
) -> None:
    with pytest.raises(SigningError):
        sign(both, "require", fickle)

    assert list(tmp_path.iterdir()) == []


def test_with_time_stamps_off_nobody_is_asked(
    plain_clip: Path,
    tmp_path: Path,
    manifest: dict[str, JsonValue],
    signer: ClaimSigner,
    both: TrustStore,
    authority: Authority,
) -> None:
    before = len(authority.requests)

    sign_file(
        plain_clip,
        tmp_path / "out.mp4",
        manifest=manifest,
        signer=signer,
        trust=both,
        options=SigningOptions(time_stamp=TimeStampPolicy("off", authority.url)),
    )

    assert len(authority.requests) == before
