"""More can be said about a signed clip, and personal statements taken back, and its history stays."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from small_media import rewrap, write_still
from time_authority import Authority, open_time_authority

from platemark_provenance.claim_writer import read_store
from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.manifest_metadata import PersonalFacts, with_personal_metadata
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.report_json import Store
from platemark_provenance.resigning import Resigner, add_time_stamp, find_personal, redact_personal
from platemark_provenance.signing import SignedAsset, SigningOptions, TimeStampPolicy, sign_file
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import read_provenance, read_stored_manifest

SECRETS = (b"a prompt nobody should read", b"Kim Ji-woo")
KINDS = ["mp4", "mov", "fragmented mp4", "png", "jpg", "webp"]
Manifest = dict[str, JsonValue]


@pytest.fixture(scope="module")
def authority(moment: datetime) -> Iterator[Authority]:
    with open_time_authority(moment) as running:
        yield running


@pytest.fixture
def resigner(pki: DevelopmentPki, signer: ClaimSigner, authority: Authority) -> Resigner:
    """We, trusting our own root and the authority's."""
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))
    return Resigner(signer, trust, "0.1.0")


@pytest.fixture
def policy(authority: Authority) -> TimeStampPolicy:
    return TimeStampPolicy("best-effort", authority.url)


@pytest.fixture
def make(plain_clip: Path, tmp_path: Path, resigner: Resigner) -> Callable[[str, Manifest], Path]:
    """Sign a file of one kind with a manifest."""

    def signed(kind: str, manifest: Manifest) -> Path:
        flags = "frag_keyframe+empty_moov+default_base_moof"
        source = {
            "mp4": lambda: plain_clip,
            "mov": lambda: rewrap(plain_clip, tmp_path / "clip.mov", container="mov"),
            "fragmented mp4": lambda: rewrap(plain_clip, tmp_path / "f.mp4", container="mp4", movflags=flags),
        }.get(kind, lambda: write_still(tmp_path / f"still.{kind}"))()
        out = tmp_path / f"signed{source.suffix}"
        return sign_file(source, out, manifest=manifest, signer=resigner.signer, trust=resigner.trust).path

    return signed


@pytest.fixture
def personal(manifest: Manifest) -> Manifest:
    return with_personal_metadata(manifest, PersonalFacts(SECRETS[0].decode(), creators=(SECRETS[1].decode(),)))


# Time-stamps afterwards


@pytest.mark.parametrize("kind", KINDS)
def test_a_time_stamp_can_be_added_later(
    make: Callable[[str, Manifest], Path], manifest: Manifest, resigner: Resigner, policy: TimeStampPolicy, kind: str
) -> None:
    source = make(kind, manifest)

    asset = add_time_stamp(source, source.with_stem("stamped"), resigner=resigner, policy=policy)

    reading = read_provenance(asset.path, resigner.trust)
    assert (reading.integrity, reading.signer, reading.timestamp) == ("intact", "trusted", "trusted")
    assert (reading.ingredients, reading.ai) == ("ok", "fully")


def test_the_earlier_claim_is_what_is_stamped(
    make: Callable[[str, Manifest], Path], manifest: Manifest, resigner: Resigner, policy: TimeStampPolicy
) -> None:
    source = make("mp4", manifest)
    earlier = read_provenance(source, resigner.trust).active_label

    asset = add_time_stamp(source, source.with_stem("stamped"), resigner=resigner, policy=policy)

    store = read_store(asset.path, resigner.trust.settings_for_signer())
    (stamps,) = (each["data"] for each in _assertions(store) if each["label"] == "c2pa.time-stamp")
    assert list(stamps) == [earlier]


def test_what_we_state_about_the_clip_is_found_on_top_again(
    make: Callable[[str, Manifest], Path], manifest: Manifest, resigner: Resigner, policy: TimeStampPolicy
) -> None:
    source = make("mp4", manifest)

    asset = add_time_stamp(source, source.with_stem("stamped"), resigner=resigner, policy=policy)

    before, after = (read_provenance(each, resigner.trust) for each in (source, asset.path))
    assert after.own == before.own
    assert after.soft_bindings == before.soft_bindings
    assert after.active_label != before.active_label


def test_the_media_of_a_stamped_copy_is_the_same(
    make: Callable[[str, Manifest], Path],
    manifest: Manifest,
    resigner: Resigner,
    policy: TimeStampPolicy,
    plain_clip_bytes: bytes,
) -> None:
    source = make("mp4", manifest)

    asset = add_time_stamp(source, source.with_stem("stamped"), resigner=resigner, policy=policy)

    media = plain_clip_bytes[plain_clip_bytes.index(b"mdat") :]
    assert media in asset.path.read_bytes()


def test_a_changed_bit_of_a_stamped_copy_shows(
    make: Callable[[str, Manifest], Path],
    manifest: Manifest,
    resigner: Resigner,
    policy: TimeStampPolicy,
    write_copy: Callable[[bytes], Path],
) -> None:
    source = make("mp4", manifest)
    content = bytearray(
        add_time_stamp(source, source.with_stem("s"), resigner=resigner, policy=policy).path.read_bytes()
    )
    content[content.index(b"mdat") + 2000] ^= 1

    assert read_provenance(write_copy(bytes(content)), resigner.trust).integrity == "tampered"


def test_a_second_stamp_may_follow_the_first(
    make: Callable[[str, Manifest], Path], manifest: Manifest, resigner: Resigner, policy: TimeStampPolicy
) -> None:
    source = make("mp4", manifest)
    once = add_time_stamp(source, source.with_stem("once"), resigner=resigner, policy=policy)

    twice = add_time_stamp(once.path, source.with_stem("twice"), resigner=resigner, policy=policy)

    assert read_provenance(twice.path, resigner.trust).own is not None
    assert twice.timestamp == "trusted"


def test_the_returned_manifest_is_readable_by_itself(
    make: Callable[[str, Manifest], Path], manifest: Manifest, resigner: Resigner, policy: TimeStampPolicy
) -> None:
    source = make("mp4", manifest)

    asset = add_time_stamp(source, source.with_stem("stamped"), resigner=resigner, policy=policy)

    stored = read_stored_manifest(asset.manifest, resigner.trust)
    assert (stored.active_label, stored.signer) == (asset.label, "trusted")


def test_without_an_authority_there_is_no_stamp(
    make: Callable[[str, Manifest], Path], manifest: Manifest, resigner: Resigner
) -> None:
    source = make("mp4", manifest)

    with pytest.raises(SigningError, match="time-stamps are off"):
        add_time_stamp(source, source.with_stem("s"), resigner=resigner, policy=TimeStampPolicy())


def test_an_authority_that_is_down_leaves_the_clip_as_it_was(
    make: Callable[[str, Manifest], Path], manifest: Manifest, resigner: Resigner
) -> None:
    source = make("mp4", manifest)
    before = source.read_bytes()

    with pytest.raises(SigningError, match="could not be reached"):
        policy = TimeStampPolicy("best-effort", "http://127.0.0.1:9/")
        add_time_stamp(source, source.with_stem("s"), resigner=resigner, policy=policy)

    assert source.read_bytes() == before
    assert not source.with_stem("s").exists()


def test_a_clip_that_was_changed_gets_no_stamp(
    make: Callable[[str, Manifest], Path],
    manifest: Manifest,
    resigner: Resigner,
    policy: TimeStampPolicy,
    write_copy: Callable[[bytes], Path],
    tmp_path: Path,
) -> None:
    content = bytearray(make("mp4", manifest).read_bytes())
    content[-1000] ^= 1

    with pytest.raises(SigningError, match="changed after it was signed"):
        add_time_stamp(write_copy(bytes(content)), tmp_path / "s.mp4", resigner=resigner, policy=policy)


@pytest.mark.parametrize("again", [add_time_stamp, redact_personal])
def test_an_unsigned_clip_has_nothing_to_continue(
    plain_clip: Path, tmp_path: Path, resigner: Resigner, policy: TimeStampPolicy, again: Callable[..., SignedAsset]
) -> None:
    more = {"policy": policy} if again is add_time_stamp else {}

    with pytest.raises(SigningError, match="carries no manifest"):
        again(plain_clip, tmp_path / "s.mp4", resigner=resigner, **more)


def test_a_missing_clip_is_named(tmp_path: Path, resigner: Resigner, policy: TimeStampPolicy) -> None:
    with pytest.raises(SigningError, match=r"gone\.mp4"):
        add_time_stamp(tmp_path / "gone.mp4", tmp_path / "s.mp4", resigner=resigner, policy=policy)


# Redaction


@pytest.mark.parametrize("kind", KINDS)
def test_personal_statements_are_gone_from_the_copy(
    make: Callable[[str, Manifest], Path], personal: Manifest, resigner: Resigner, kind: str
) -> None:
    source = make(kind, personal)
    assert all(secret in source.read_bytes() for secret in SECRETS)

    asset = redact_personal(source, source.with_stem("redacted"), resigner=resigner)

    assert not any(secret in asset.path.read_bytes() for secret in SECRETS)
    assert not any(secret in asset.manifest for secret in SECRETS)
    reading = read_provenance(asset.path, resigner.trust)
    assert (reading.integrity, reading.signer, reading.ingredients) == ("intact", "trusted", "ok")


def test_everything_else_that_was_said_is_still_there(
    make: Callable[[str, Manifest], Path], personal: Manifest, resigner: Resigner
) -> None:
    source = make("mp4", personal)

    asset = redact_personal(source, source.with_stem("redacted"), resigner=resigner)

    before, after = (read_provenance(each, resigner.trust) for each in (source, asset.path))
    assert (after.own, after.ai) == (before.own, "fully")
    assert b"AISystemUsed" in asset.path.read_bytes()


def test_the_copy_says_that_something_personal_was_redacted(
    make: Callable[[str, Manifest], Path], personal: Manifest, resigner: Resigner
) -> None:
    source = make("mp4", personal)

    asset = redact_personal(source, source.with_stem("redacted"), resigner=resigner)

    written = json.dumps(_assertions(read_store(asset.path, resigner.trust.settings_for_signer())))
    assert "c2pa.redacted" in written
    assert "c2pa.PII.present" in written


def test_personal_statements_below_an_update_are_found_and_gone(
    make: Callable[[str, Manifest], Path], personal: Manifest, resigner: Resigner, policy: TimeStampPolicy
) -> None:
    source = make("mp4", personal)
    stamped = add_time_stamp(source, source.with_stem("stamped"), resigner=resigner, policy=policy)

    asset = redact_personal(stamped.path, source.with_stem("redacted"), resigner=resigner)

    assert not any(secret in asset.path.read_bytes() for secret in SECRETS)
    assert read_provenance(asset.path, resigner.trust).integrity == "intact"


def test_a_redacted_copy_can_have_a_time_stamp_of_its_own(
    make: Callable[[str, Manifest], Path], personal: Manifest, resigner: Resigner, policy: TimeStampPolicy
) -> None:
    source = make("mp4", personal)

    asset = redact_personal(
        source, source.with_stem("redacted"), resigner=resigner, options=SigningOptions(time_stamp=policy)
    )

    assert asset.timestamp == "trusted"


def test_a_clip_without_personal_statements_is_not_signed_again(
    signed_clip: SignedAsset, tmp_path: Path, resigner: Resigner
) -> None:
    with pytest.raises(SigningError, match="no personal statements"):
        redact_personal(signed_clip.path, tmp_path / "r.mp4", resigner=resigner)


def test_a_copy_in_which_something_was_left_is_removed_again(
    make: Callable[[str, Manifest], Path], personal: Manifest, resigner: Resigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make("mp4", personal)
    found = find_personal(read_store(source, resigner.trust.settings_for_signer()))
    monkeypatch.setattr("platemark_provenance.resigning.find_personal", lambda _: found)

    with pytest.raises(SigningError, match="were left in the copy"):
        redact_personal(source, source.with_stem("redacted"), resigner=resigner)

    assert not source.with_stem("redacted").exists()


@pytest.mark.parametrize("odd", [{}, {"manifests": 3}, {"manifests": {"m": {"assertions": [None, {"label": 4}]}}}])
def test_odd_reports_hold_nothing_personal(odd: dict[str, object]) -> None:
    assert find_personal(Store(odd)) == ()


def test_one_of_several_assertions_is_addressed_by_its_number() -> None:
    entry = {"label": "cawg.metadata", "instance": 2, "data": {"dc:creator": ["x"]}}

    found = find_personal(Store({"manifests": {"urn:c2pa:1": {"assertions": [entry]}}}))

    assert found == ("self#jumbf=/c2pa/urn:c2pa:1/c2pa.assertions/cawg.metadata__2",)


def _assertions(store: Store) -> list[dict[str, Any]]:
    assertions = store.active["assertions"]
    assert isinstance(assertions, list)
    return assertions


def test_only_what_is_signed_and_trusted_here_is_continued(
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    stranger_pki: DevelopmentPki,
    policy: TimeStampPolicy,
) -> None:
    asset = sign_file(plain_clip, tmp_path / "a.mp4", manifest=manifest, signer=signer, trust=trust)
    elsewhere = Resigner(signer, TrustStore(manifest_anchors=(stranger_pki.root_pem,)), "0.1.0")

    with pytest.raises(SigningError, match="signer is untrusted"):
        add_time_stamp(asset.path, tmp_path / "b.mp4", resigner=elsewhere, policy=policy)


def test_a_parent_is_named_by_its_title_and_not_by_its_file(
    make: Callable[[str, Manifest], Path], manifest: Manifest, resigner: Resigner, policy: TimeStampPolicy
) -> None:
    source = make("mp4", manifest)

    asset = add_time_stamp(source, source.with_stem("stamped"), resigner=resigner, policy=policy)

    assert b"signed.mp4" not in asset.manifest
