"""Every kind of file that can carry a manifest does, embedded or beside it, and every change to it shows."""

from collections.abc import Callable
from pathlib import Path

import av
import pytest
from small_media import boxes, rewrap, still_bytes, write_still

from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.errors import SigningError
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.signing import (
    MAX_THUMBNAIL_BYTES,
    SignedAsset,
    SigningOptions,
    Thumbnail,
    sign_file,
    sign_sidecar,
)
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import read_provenance

Manifest = dict[str, JsonValue]
FRAGMENTED = "frag_keyframe+empty_moov+default_base_moof"


@pytest.fixture
def make(plain_clip: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Make a file of one kind."""
    makers: dict[str, Callable[[], Path]] = {
        "mp4": lambda: plain_clip,
        "mov": lambda: rewrap(plain_clip, tmp_path / "clip.mov", container="mov"),
        "fragmented mp4": lambda: rewrap(plain_clip, tmp_path / "frag.mp4", container="mp4", movflags=FRAGMENTED),
        "jpg": lambda: write_still(tmp_path / "still.jpg"),
        "png": lambda: write_still(tmp_path / "still.png"),
        "webp": lambda: write_still(tmp_path / "still.webp"),
    }
    return lambda kind: makers[kind]()


KINDS = ["mp4", "mov", "fragmented mp4", "jpg", "png", "webp"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_signed_and_trusted(
    make: Callable[[str], Path], tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore, kind: str
) -> None:
    source = make(kind)

    asset = sign_file(source, tmp_path / f"out{source.suffix}", manifest=manifest, signer=signer, trust=trust)

    reading = read_provenance(asset.path, trust)
    assert (reading.integrity, reading.signer, reading.ai) == ("intact", "trusted", "fully")
    assert reading.own is not None


@pytest.mark.parametrize("kind", KINDS)
def test_one_changed_bit_of_any_kind_shows(
    make: Callable[[str], Path],
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    write_copy: Callable[[bytes], Path],
    kind: str,
) -> None:
    source = make(kind)
    asset = sign_file(source, tmp_path / f"out{source.suffix}", manifest=manifest, signer=signer, trust=trust)
    content, original = bytearray(asset.path.read_bytes()), source.read_bytes()
    middle = original[len(original) // 2 :][:64]
    content[bytes(content).index(middle)] ^= 1

    assert read_provenance(write_copy(bytes(content)), trust).integrity == "tampered"


def test_a_fragmented_clip_stays_fragmented_and_plays(
    make: Callable[[str], Path], tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    source = make("fragmented mp4")

    asset = sign_file(source, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert b"moof" in boxes(asset.path.read_bytes())
    with av.open(str(asset.path)) as clip:
        assert len(list(clip.decode(video=0))) == 12


def test_a_dropped_fragment_shows(
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    write_copy: Callable[[bytes], Path],
) -> None:
    source = rewrap(plain_clip, tmp_path / "frag.mp4", container="mp4", movflags=FRAGMENTED + "+frag_every_frame")
    asset = sign_file(source, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)
    content = asset.path.read_bytes()
    last = content.rindex(b"moof") - 4
    end = content.rindex(b"mfra") - 4

    dropped = write_copy(content[:last] + content[end:])

    assert read_provenance(dropped, trust).integrity == "tampered"


# Sidecars


def test_a_sidecar_leaves_its_file_alone_and_vouches_for_it(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    before = sha256_file(plain_clip)

    asset = sign_sidecar(plain_clip, tmp_path / "clip.c2pa", manifest=manifest, signer=signer, trust=trust)

    assert sha256_file(plain_clip) == before == asset.sha256
    assert (tmp_path / "clip.c2pa").read_bytes() == asset.manifest
    reading = read_provenance(plain_clip, trust, sidecar=asset.manifest)
    assert (reading.integrity, reading.signer) == ("intact", "trusted")


def test_a_sidecar_of_a_big_file_vouches_for_it_too(
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platemark_provenance.trust.BIG_FILE_BYTES", 0)

    asset = sign_sidecar(plain_clip, tmp_path / "clip.c2pa", manifest=manifest, signer=signer, trust=trust)

    assert read_provenance(plain_clip, trust, sidecar=asset.manifest).integrity == "intact"


def test_a_sidecar_of_one_file_does_not_vouch_for_another(
    plain_clip: Path, other_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    asset = sign_sidecar(plain_clip, tmp_path / "clip.c2pa", manifest=manifest, signer=signer, trust=trust)

    assert read_provenance(other_clip, trust, sidecar=asset.manifest).integrity == "tampered"


def test_a_sidecar_is_the_only_thing_left_behind(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    sign_sidecar(plain_clip, tmp_path / "clip.c2pa", manifest=manifest, signer=signer, trust=trust)

    assert [each.name for each in tmp_path.iterdir()] == ["clip.c2pa"]


def test_an_older_sidecar_is_never_overwritten(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    (tmp_path / "clip.c2pa").write_bytes(b"precious")

    with pytest.raises(SigningError, match="exists"):
        sign_sidecar(plain_clip, tmp_path / "clip.c2pa", manifest=manifest, signer=signer, trust=trust)

    assert (tmp_path / "clip.c2pa").read_bytes() == b"precious"


def test_a_signed_file_gets_no_sidecar_that_drops_its_history(
    signed_clip: SignedAsset, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    with pytest.raises(SigningError, match="carries a manifest already"):
        sign_sidecar(signed_clip.path, tmp_path / "clip.c2pa", manifest=manifest, signer=signer, trust=trust)


def test_a_sidecar_in_a_missing_folder_is_refused(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore
) -> None:
    with pytest.raises(SigningError, match="could not be written"):
        sign_sidecar(plain_clip, tmp_path / "no" / "clip.c2pa", manifest=manifest, signer=signer, trust=trust)


# Thumbnails


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_thumbnail_travels_in_the_manifest(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore, suffix: str
) -> None:
    media_type = {".jpg": "image/jpeg"}.get(suffix, f"image/{suffix[1:]}")
    options = SigningOptions(thumbnail=Thumbnail(media_type, still_bytes(suffix)))

    asset = sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust, options=options)

    assert still_bytes(suffix) in asset.manifest
    assert read_provenance(asset.path, trust).signer == "trusted"


@pytest.mark.parametrize(
    "thumbnail",
    [
        Thumbnail("image/png", still_bytes(".jpg")),
        Thumbnail("image/svg+xml", b"<svg onload='alert(1)'/>"),
        Thumbnail("image/jpeg", b""),
        Thumbnail("image/jpeg", b"\xff\xd8\xff" + bytes(MAX_THUMBNAIL_BYTES)),
    ],
    ids=["another kind than named", "a kind that runs code", "empty", "too big"],
)
def test_a_thumbnail_that_is_no_small_picture_is_refused(
    plain_clip: Path, tmp_path: Path, manifest: Manifest, signer: ClaimSigner, trust: TrustStore, thumbnail: Thumbnail
) -> None:
    options = SigningOptions(thumbnail=thumbnail)

    with pytest.raises(SigningError, match="thumbnail"):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust, options=options)

    assert list(tmp_path.iterdir()) == []
