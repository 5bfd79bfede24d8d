"""A signed file exists only after it was read back and trusted; every failure leaves nothing behind."""

import errno
import json
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
from c2pa import Context, Reader

from platemark_provenance.digest import JsonValue, sha256_bytes, sha256_file
from platemark_provenance.errors import KeyUnavailable, SigningError
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.signing import SignedAsset, sign_file
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import read_provenance

Leaf = tuple[bytes, bytes]
Manifest = dict[str, JsonValue]


@dataclass
class Disturbed:
    """A signer that works for the nonce and then does something else with the claim."""

    inner: ClaimSigner
    then: Callable[[bytes], bytes]
    calls: int = 0

    @property
    def alg(self) -> str:
        return self.inner.alg

    @property
    def chain_pem(self) -> bytes:
        return self.inner.chain_pem

    def sign(self, data: bytes) -> bytes:
        self.calls += 1
        return self.inner.sign(data) if self.calls == 1 else self.then(data)


def _raise(error: BaseException) -> bytes:
    raise error


def test_a_signed_copy_is_trusted_and_the_source_is_left_alone(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    before = plain_clip.read_bytes()

    asset = sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert plain_clip.read_bytes() == before
    assert read_provenance(asset.path, trust).signer == "trusted"


def test_what_is_returned_describes_the_written_file(signed_clip: SignedAsset) -> None:
    assert signed_clip.sha256 == sha256_file(signed_clip.path)
    assert signed_clip.size_bytes == signed_clip.path.stat().st_size
    assert signed_clip.manifest_sha256 == sha256_bytes(signed_clip.manifest)
    assert signed_clip.label.startswith("urn:c2pa:")


def test_the_manifest_returned_is_the_one_embedded(signed_clip: SignedAsset) -> None:
    assert signed_clip.manifest in signed_clip.path.read_bytes()


def test_the_frames_are_not_touched(plain_clip: Path, signed_clip: SignedAsset) -> None:
    with av.open(str(plain_clip)) as before, av.open(str(signed_clip.path)) as after:
        pairs = zip(before.decode(video=0), after.decode(video=0), strict=True)

        assert all((old.to_ndarray() == new.to_ndarray()).all() for old, new in pairs)


def test_every_assertion_is_one_the_signer_vouches_for(signed_clip: SignedAsset, trust: TrustStore) -> None:
    with (
        Context.from_dict(trust.settings_for_signer()) as context,
        Reader(str(signed_clip.path), context=context) as reader,
    ):
        claim = json.loads(reader.crjson())["manifests"][0]["claim.v2"]

    assert claim.get("gathered_assertions", []) == []
    assert len(claim["created_assertions"]) == 9


def test_two_signings_of_one_clip_have_labels_of_their_own(
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    signed_clip: SignedAsset,
) -> None:
    again = sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert again.label != signed_clip.label


def test_a_big_file_is_signed_piece_by_piece(
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platemark_provenance.trust.BIG_FILE_BYTES", 0)

    asset = sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)
    monkeypatch.undo()

    assert read_provenance(asset.path, trust).signer == "trusted"


# 1. Paths


def test_signing_in_place_is_refused_and_the_file_survives(
    plain_clip_bytes: bytes, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(plain_clip_bytes)

    with pytest.raises(SigningError, match="goes to a new file"):
        sign_file(path, path, manifest=manifest, signer=signer, trust=trust)

    assert path.read_bytes() == plain_clip_bytes


def test_an_existing_file_is_never_overwritten(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    destination = tmp_path / "out.mp4"
    destination.write_bytes(b"precious")

    with pytest.raises(SigningError, match="exists"):
        sign_file(plain_clip, destination, manifest=manifest, signer=signer, trust=trust)

    assert destination.read_bytes() == b"precious"


def test_a_dangling_link_at_the_destination_is_not_followed(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    (tmp_path / "out.mp4").symlink_to(tmp_path / "elsewhere.mp4")

    with pytest.raises(SigningError, match="exists"):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert not (tmp_path / "elsewhere.mp4").exists()


def test_a_missing_source_is_refused(
    tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    with pytest.raises(SigningError, match="should exist"):
        sign_file(tmp_path / "no.mp4", tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)


@pytest.mark.parametrize("name", ["clip.mkv", "clip.txt", "clip", "clip.MP4.exe"])
def test_a_kind_of_file_that_carries_no_manifest_is_refused(
    plain_clip_bytes: bytes, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore, name: str
) -> None:
    (tmp_path / name).write_bytes(plain_clip_bytes)

    with pytest.raises(SigningError, match="kinds can be signed"):
        sign_file(tmp_path / name, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)


def test_a_missing_folder_is_refused(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    with pytest.raises(SigningError, match="could not be written"):
        sign_file(plain_clip, tmp_path / "no" / "out.mp4", manifest=manifest, signer=signer, trust=trust)


# 2. History


def test_a_file_that_is_signed_already_is_refused_because_its_history_would_be_lost(
    signed_clip: SignedAsset, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    with pytest.raises(SigningError, match="carries a manifest already"):
        sign_file(signed_clip.path, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert list(tmp_path.iterdir()) == []


def test_a_damaged_history_counts_as_one(
    signed_clip: SignedAsset, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(signed_clip.path.read_bytes()[:6000])

    with pytest.raises(SigningError, match="carries a manifest already"):
        sign_file(damaged, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)


# 3. Keys


def test_a_wrong_key_is_noticed_before_anything_is_written(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    wrong = Disturbed(signer, lambda _: bytes(64), calls=1)

    with pytest.raises(KeyUnavailable, match="leaf certificate names"):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=wrong, trust=trust)

    assert list(tmp_path.iterdir()) == []


def test_a_key_service_that_is_down_is_named_before_anything_is_written(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    down = Disturbed(signer, lambda _: _raise(ConnectionError("10.1.2.3 token=abc")), calls=1)

    with pytest.raises(SigningError, match="ConnectionError") as refused:
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=down, trust=trust)

    assert isinstance(refused.value.__cause__, ConnectionError)
    assert "token" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


# 4. Signing


def test_a_key_service_that_fails_while_signing_is_named_and_nothing_is_left(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    failing = Disturbed(signer, lambda _: _raise(TimeoutError("slow")))

    with pytest.raises(SigningError, match="TimeoutError") as refused:
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=failing, trust=trust)

    assert isinstance(refused.value.__cause__, TimeoutError)
    assert list(tmp_path.iterdir()) == []


def test_our_own_errors_pass_through_the_library_unchanged(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    failing = Disturbed(signer, lambda _: _raise(KeyUnavailable("The token was pulled out.")))

    with pytest.raises(KeyUnavailable, match="pulled out"):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=failing, trust=trust)

    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_signing_stays_an_interrupt(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    interrupted = Disturbed(signer, lambda _: _raise(KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=interrupted, trust=trust)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "answer", [b"", bytes(64), b"\x01" * 64, bytes(5000)], ids=["nothing", "zeros", "ones", "long"]
)
def test_a_signature_that_does_not_fit_leaves_nothing(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore, answer: bytes
) -> None:
    lying = Disturbed(signer, lambda _: answer)

    with pytest.raises(SigningError):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=lying, trust=trust)

    assert list(tmp_path.iterdir()) == []


def test_a_source_that_is_not_what_its_name_says_is_refused(
    tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    (tmp_path / "text.mp4").write_bytes(b"no film at all\n" * 20)

    with pytest.raises(SigningError):
        sign_file(tmp_path / "text.mp4", tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert not (tmp_path / "out.mp4").exists()


def test_a_manifest_without_a_valid_first_action_is_refused(
    plain_clip: Path, tmp_path: Path, signer: ClaimSigner, trust: TrustStore
) -> None:
    two_beginnings: Manifest = {
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [{"action": "c2pa.edited"}, {"action": "c2pa.created"}]}}
        ]
    }

    with pytest.raises(SigningError):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=two_beginnings, signer=signer, trust=trust)

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported_and_nothing_is_left(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    resource_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource_limit[1]))

    try:
        with pytest.raises(SigningError):
            sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, resource_limit)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_flushed_is_reported_and_nothing_is_left(
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("os.fsync", fail)

    with pytest.raises(SigningError, match="Input/output error"):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert list(tmp_path.iterdir()) == []


# 5. Reading back


def test_a_signer_whose_root_is_not_trusted_here_leaves_nothing(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, stranger_pki: DevelopmentPki
) -> None:
    wrong = TrustStore(manifest_anchors=(stranger_pki.root_pem,))

    with pytest.raises(SigningError):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=wrong)

    assert list(tmp_path.iterdir()) == []


def test_without_any_anchors_nothing_can_be_signed(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner
) -> None:
    with pytest.raises(SigningError):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=TrustStore())

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changes_before_it_is_read_back_leaves_nothing(
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    destination, fsync = tmp_path / "out.mp4", os.fsync

    def fsync_and_spoil(descriptor: int) -> None:
        fsync(descriptor)
        at = os.fstat(descriptor).st_size - 1000
        os.pwrite(descriptor, bytes([os.pread(descriptor, 1, at)[0] ^ 1]), at)

    monkeypatch.setattr("os.fsync", fsync_and_spoil)

    with pytest.raises(SigningError, match="tampered"):
        sign_file(plain_clip, destination, manifest=manifest, signer=signer, trust=trust)

    assert list(tmp_path.iterdir()) == []
