"""Big clips are signed in one pass, with the same result as any other, or in the library's own way."""

import errno
import logging
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from c2pa import c2pa as binding
from small_media import boxes, rewrap

from platemark_provenance import c_abi, claim_in_place, signing
from platemark_provenance import trust as trust_settings
from platemark_provenance.c_abi import can_reserve
from platemark_provenance.claim_in_place import store_in, why_not_in_place, write_claim_in_place
from platemark_provenance.claim_writer import ClaimOrder
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.errors import SigningError
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.manifest_facts import Ingredient
from platemark_provenance.mp4_layout import OddLayout
from platemark_provenance.signing import SignedAsset, SigningOptions, sign_file, sign_sidecar
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import read_provenance

Sign = Callable[..., SignedAsset]


@pytest.fixture
def in_place(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Treat every clip as big, and note which were signed in place."""
    done: list[str] = []

    def noted(order: ClaimOrder, *files: Any, **others: Any) -> bytes:
        store = write_claim_in_place(order, *files, **others)
        done.append(order.media_type)
        return store

    monkeypatch.setattr(claim_in_place, "BIG_FILE_BYTES", 0)
    monkeypatch.setattr(signing, "write_claim_in_place", noted)
    return done


@pytest.fixture
def sign(tmp_path: Path, manifest: dict[str, JsonValue], signer: ClaimSigner, trust: TrustStore) -> Sign:
    def sign_one(source: Path, **options: Any) -> SignedAsset:
        target = tmp_path / f"signed{source.suffix}"
        chosen = SigningOptions(**options)
        return sign_file(source, target, manifest=manifest, signer=signer, trust=trust, options=chosen)

    return sign_one


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(each) for each in container.demux(video=0)]


def flipped(path: Path, at: int) -> Path:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    copy = path.with_name(f"flipped{path.suffix}")
    copy.write_bytes(content)
    return copy


def test_a_clip_signed_in_place_is_intact_trusted_and_plays(
    in_place: list[str], sign: Sign, plain_clip: Path, trust: TrustStore
) -> None:
    asset = sign(plain_clip)

    reading = read_provenance(asset.path, trust)
    assert (in_place, reading.integrity, reading.signer) == (["video/mp4"], "intact", "trusted")
    assert packets(asset.path) == packets(plain_clip)
    assert asset.sha256 == sha256_file(asset.path)
    assert asset.manifest in asset.path.read_bytes()


def test_both_ways_say_the_same(in_place: list[str], sign: Sign, plain_clip: Path, signed_clip: SignedAsset) -> None:
    asset = sign(plain_clip)

    ours, theirs = (each.path.read_bytes() for each in (asset, signed_clip))
    assert in_place
    assert boxes(ours) == [*boxes(theirs)[:2], b"free", *boxes(theirs)[2:]]


@pytest.mark.parametrize(
    ("suffix", "container", "movflags"),
    [(".mp4", "mp4", "faststart"), (".mov", "mov", ""), (".mov", "mov", "faststart"), (".m4v", "ipod", "")],
)
def test_clips_of_other_makers_are_signed_in_place_too(
    in_place: list[str], sign: Sign, plain_clip: Path, tmp_path: Path, suffix: str, container: str, movflags: str
) -> None:
    source = rewrap(plain_clip, tmp_path / f"other{suffix}", container=container, movflags=movflags)

    asset = sign(source)

    assert len(in_place) == 1
    assert packets(asset.path) == packets(source)


def test_every_byte_of_the_media_is_covered(
    in_place: list[str], sign: Sign, plain_clip: Path, trust: TrustStore
) -> None:
    asset = sign(plain_clip)
    start = asset.path.read_bytes().rindex(b"mdat") + 4
    verdicts = {read_provenance(flipped(asset.path, start + at), trust).integrity for at in (0, 7, 8, 9, 15, 16, 500)}

    assert in_place
    assert verdicts == {"tampered"}


def test_an_index_that_is_changed_later_is_noticed(
    in_place: list[str], sign: Sign, plain_clip: Path, trust: TrustStore
) -> None:
    asset = sign(plain_clip)

    spoilt = flipped(asset.path, asset.path.read_bytes().index(b"stsz") + 12)

    assert read_provenance(spoilt, trust).integrity == "tampered"


def test_a_parent_keeps_its_history_and_its_old_box_goes(
    in_place: list[str],
    signed_clip: SignedAsset,
    tmp_path: Path,
    manifest: dict[str, JsonValue],
    signer: ClaimSigner,
    trust: TrustStore,
) -> None:
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}
    actions = {"label": "c2pa.actions.v2", "data": {"actions": [opened], "allActionsIncluded": True}, "kind": "Cbor"}
    edited = {**manifest, "assertions": [{**actions, "created": True}]}
    parent = Ingredient(signed_clip.path, "before", "parentOf", "parent")

    asset = sign_file(
        signed_clip.path,
        tmp_path / "edited.mp4",
        manifest=edited,
        signer=signer,
        trust=trust,
        options=SigningOptions(ingredients=(parent,)),
    )

    reading = read_provenance(asset.path, trust)
    assert (in_place, reading.signer, reading.ingredients) == (["video/mp4"], "trusted", "ok")
    assert asset.path.read_bytes().count(b"jumdc2pa") == signed_clip.path.read_bytes().count(b"jumdc2pa")
    assert packets(asset.path) == packets(signed_clip.path)


def test_a_fragmented_clip_goes_the_other_way_and_the_log_says_so(
    in_place: list[str], sign: Sign, plain_clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = rewrap(plain_clip, tmp_path / "parts.mp4", container="mp4", movflags="frag_keyframe+empty_moov")

    with caplog.at_level(logging.INFO):
        asset = sign(source)

    assert (in_place, asset.path.exists()) == ([], True)
    assert "signed the slow way" in caplog.text


@pytest.mark.parametrize("second", ["fragments", "two boxes of media"])
def test_a_layout_that_the_merkle_form_does_not_fit_is_signed_in_one_piece(
    sign: Sign, plain_clip: Path, trust: TrustStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    monkeypatch.setattr(claim_in_place, "BIG_FILE_BYTES", 0)
    monkeypatch.setattr(trust_settings, "BIG_FILE_BYTES", 0)
    fragments = rewrap(plain_clip, tmp_path / "parts.mp4", container="mp4", movflags="frag_keyframe+empty_moov")
    twice = tmp_path / "twice.mp4"
    media = random.Random(3).randbytes(3_000_000)
    twice.write_bytes(plain_clip.read_bytes() + (8 + len(media)).to_bytes(4, "big") + b"mdat" + media)

    asset = sign({"fragments": fragments, "two boxes of media": twice}[second])

    assert read_provenance(asset.path, trust).integrity == "intact"
    assert read_provenance(flipped(asset.path, asset.size_bytes - 200), trust).integrity == "tampered"


@pytest.mark.parametrize("symbol", c_abi.RESERVING)
def test_a_library_without_the_functions_signs_in_its_own_way(
    in_place: list[str], sign: Sign, plain_clip: Path, monkeypatch: pytest.MonkeyPatch, symbol: str
) -> None:
    renamed = tuple(f"{each}_gone" if each == symbol else each for each in c_abi.RESERVING)
    monkeypatch.setattr(c_abi, "RESERVING", renamed)

    asset = sign(plain_clip)

    assert (can_reserve(), in_place, asset.path.exists()) == (False, [], True)


def test_a_binding_that_was_rebuilt_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(binding, "_lib")

    assert not can_reserve()


def test_a_copy_that_does_not_read_back_is_made_again_in_the_other_way(
    in_place: list[str], sign: Sign, plain_clip: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(claim_in_place, "moved_index", lambda layout, places: layout.index[:-1] + b"?")
    hash_rest = c_abi.ReservedClaim.hash_rest

    def hash_and_spoil(self: c_abi.ReservedClaim, file: Any) -> None:
        hash_rest(self, file)
        os.pwrite(file.fileno(), b"!", os.fstat(file.fileno()).st_size - 1)

    monkeypatch.setattr(c_abi.ReservedClaim, "hash_rest", hash_and_spoil)
    with caplog.at_level(logging.INFO):
        asset = sign(plain_clip)

    assert (len(in_place), packets(asset.path)) == (1, packets(plain_clip))
    assert "should be intact and trusted" in caplog.text


def test_a_signer_that_fails_is_heard_and_asked_no_second_time(
    in_place: list[str],
    plain_clip: Path,
    tmp_path: Path,
    manifest: dict[str, JsonValue],
    signer: ClaimSigner,
    trust: TrustStore,
) -> None:
    class Failing:
        alg, chain_pem, calls = signer.alg, signer.chain_pem, 0

        def sign(self, data: bytes) -> bytes:
            self.calls += 1
            if self.calls > 1:
                raise TimeoutError
            return signer.sign(data)

    failing = Failing()
    with pytest.raises(SigningError, match="TimeoutError"):
        sign_file(plain_clip, tmp_path / "o.mp4", manifest=manifest, signer=failing, trust=trust)

    assert (failing.calls, list(tmp_path.iterdir())) == (2, [])


@pytest.mark.parametrize("function", ["posix_fallocate", "pwrite", "preadv", "fsync"])
def test_a_full_disk_leaves_nothing_behind(
    in_place: list[str], sign: Sign, plain_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = plain_clip.read_bytes()
    monkeypatch.setattr(os, function, full)
    with pytest.raises(SigningError, match="No space left"):
        sign(plain_clip)

    monkeypatch.undo()
    assert (list(tmp_path.iterdir()), plain_clip.read_bytes()) == ([], before)


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_that_cannot_set_blocks_aside_will_do(
    in_place: list[str], sign: Sign, plain_clip: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", refuse)

    assert sign(plain_clip).path.exists()
    assert len(in_place) == 1


def test_a_source_that_shrinks_while_it_is_copied_is_an_error(
    in_place: list[str], sign: Sign, plain_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "preadv", lambda *_: 0)

    with pytest.raises(SigningError, match="shorter"):
        sign(plain_clip)

    assert list(tmp_path.iterdir()) == []


def test_short_writes_and_reads_are_gone_on_with(
    in_place: list[str], sign: Sign, plain_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite, preadv = os.pwrite, os.preadv
    monkeypatch.setattr(os, "pwrite", lambda fd, content, at: pwrite(fd, memoryview(content)[:3000], at))
    monkeypatch.setattr(os, "preadv", lambda fd, buffers, at: preadv(fd, [buffers[0][:4000]], at))

    asset = sign(plain_clip)

    assert (len(in_place), packets(asset.path)) == (1, packets(plain_clip))


def test_a_sidecar_is_never_made_in_place(
    in_place: list[str],
    plain_clip: Path,
    tmp_path: Path,
    manifest: dict[str, JsonValue],
    signer: ClaimSigner,
    trust: TrustStore,
) -> None:
    sign_sidecar(plain_clip, tmp_path / "clip.c2pa", manifest=manifest, signer=signer, trust=trust)

    assert in_place == []


@pytest.mark.parametrize(
    ("change", "size", "why"),
    [
        ({}, 1000, "small"),
        ({"media_type": "image/png"}, 10**9, "only whole claims"),
        ({"embed": False}, 10**9, "only whole claims"),
        ({"intent": "update"}, 10**9, "only whole claims"),
    ],
)
def test_what_is_not_meant_for_it_says_why(signer: ClaimSigner, change: dict[str, Any], size: int, why: str) -> None:
    order = ClaimOrder(manifest={}, media_type="video/mp4", settings={}, signer=signer)

    assert why_not_in_place(order, 10**9) is None
    assert why in str(why_not_in_place(replace(order, **change), size))


@pytest.mark.parametrize(
    "content", [b"", bytes(60), b"\0" * 28 + b"manifest\0" + bytes(8) + b"\0\0\xff\xff" + bytes(9)]
)
def test_a_box_of_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(OddLayout, match="another form"):
        store_in(content)


def test_many_signings_in_place_keep_no_stream(in_place: list[str], sign: Sign, plain_clip: Path) -> None:
    opened = list(Path("/proc/self/fd").iterdir())

    def again() -> None:
        sign(plain_clip).path.unlink()

    [again() for _ in range(10)]
    assert (len(in_place), len(list(Path("/proc/self/fd").iterdir()))) == (10, len(opened))
