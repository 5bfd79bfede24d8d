"""Fingerprints: the same content whatever was done to it, other content never; stored ones are not trusted."""

import struct
from collections.abc import Callable, Sequence

import made_clips as made
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_clips import Clip

from platemark_provenance.errors import VerificationError
from platemark_provenance.fingerprint import (
    MATCH_LIMIT,
    MOST_SAMPLES,
    SIDE,
    ContentSampler,
    Fingerprint,
    compare,
)
from platemark_provenance.watermark.detect import Detector, Geometry
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import derive_keys, derive_mark_id

MAKERS: dict[str, Callable[[], Clip]] = {
    "ball": lambda: made.make_ball(1, side=256),
    "windows": lambda: made.make_windows(1, side=256),
    "texture": lambda: made.make_texture(1, height=180, width=320),
    "grey": lambda: made.make_flat(126, side=256),
}


def _take(clip: Sequence[made.Luma], *, fps: float = 12.0) -> Fingerprint:
    sampler = ContentSampler(fps=fps)
    for frame in clip:
        sampler.feed(frame)
    return sampler.fingerprint()


@pytest.fixture(scope="module")
def clips() -> dict[str, Clip]:
    return {name: make() for name, make in MAKERS.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_h264_at_crf_40_leaves_the_content_the_same(clips: dict[str, Clip], name: str) -> None:
    match = compare(_take(clips[name]), _take(made.encode_h264(clips[name], crf=40)))

    assert match.matches
    assert match.distance < MATCH_LIMIT / 1.8
    assert match.overlap == 1.0


@pytest.mark.parametrize("name", MAKERS)
def test_scaling_leaves_the_content_the_same(clips: dict[str, Clip], name: str) -> None:
    assert compare(_take(clips[name]), _take(made.scale(clips[name], height=90, width=120))).distance < 0.1


@pytest.mark.parametrize("name", ["ball", "windows", "texture"])
@pytest.mark.parametrize(("gain", "offset"), [(1.0, 25.0), (0.6, 0.0), (1.3, -20.0)])
def test_lighting_leaves_the_content_the_same(clips: dict[str, Clip], name: str, gain: float, offset: float) -> None:
    relit = made.relight(clips[name], gain=gain, offset=offset)

    assert compare(_take(clips[name]), _take(relit)).matches


def test_a_flat_clip_made_brighter_is_doubted(clips: dict[str, Clip]) -> None:
    assert not compare(_take(clips["grey"]), _take(made.relight(clips["grey"], offset=30))).matches


@pytest.mark.parametrize("name", ["ball", "windows", "texture"])
def test_an_excerpt_at_another_frame_rate_is_the_same_content(clips: dict[str, Clip], name: str) -> None:
    assert compare(_take(clips[name]), _take(clips[name][5:14:2], fps=6.0)).matches


def test_a_single_frame_is_the_same_content(clips: dict[str, Clip]) -> None:
    assert compare(_take(clips["ball"]), _take(clips["ball"][12:13], fps=1.0)).matches


def test_a_clip_with_its_middle_cut_out_is_the_same_content(clips: dict[str, Clip]) -> None:
    assert compare(_take(clips["ball"]), _take(clips["ball"][:7] + clips["ball"][17:])).matches


def test_a_clip_continued_by_another_is_not_the_same_content(clips: dict[str, Clip]) -> None:
    spliced = clips["ball"][:12] + made.make_ball(7, side=256)[:12]

    match = compare(_take(clips["ball"]), _take(spliced))

    assert not match.matches
    assert 0.3 < match.overlap < 0.7


@pytest.mark.parametrize(
    ("change", "geometry"),
    [
        (made.mirror, Geometry(mirrored=True)),
        (lambda clip: made.rotate(clip, 5), Geometry(rotation_deg=5.0)),
        (made.letterbox, Geometry()),
        (lambda clip: made.scale(clip, height=256, width=192), Geometry(scale_x=1.0, scale_y=4 / 3)),
    ],
    ids=["mirror", "turn", "letterbox", "squeeze"],
)
@pytest.mark.parametrize("name", ["ball", "windows"])
def test_a_known_geometry_is_undone(
    clips: dict[str, Clip], name: str, change: Callable[[Clip], Clip], geometry: Geometry
) -> None:
    match = compare(_take(clips[name]), _take(change(clips[name])), geometry=geometry)

    assert match.matches
    assert match.distance < 0.12


def test_a_mirrored_copy_does_not_match_without_its_geometry(clips: dict[str, Clip]) -> None:
    assert not compare(_take(clips["ball"]), _take(made.mirror(clips["ball"]))).matches


@pytest.mark.parametrize("change", [made.mirror, lambda clip: made.crop(clip, 0.7)], ids=["mirror", "crop"])
def test_the_geometry_that_a_detection_names_makes_a_copy_match(
    clips: dict[str, Clip], change: Callable[[Clip], Clip]
) -> None:
    keys = derive_keys(b"f" * 32)
    marked = list(Embedder(keys, derive_mark_id(keys, b"clip")).mark(clips["texture"]))
    copy = change(marked)
    detector = Detector(keys)
    for frame in copy:
        detector.feed(frame)

    geometry = detector.detect().geometry

    assert geometry is not None
    assert compare(_take(marked), _take(copy), geometry=geometry).matches


@pytest.mark.parametrize("one", range(6))
@pytest.mark.parametrize("other", range(6, 12))
def test_two_clips_of_the_same_kind_are_different_content(one: int, other: int) -> None:
    distance = compare(
        _take(made.make_ball(one, side=128, frames=6)), _take(made.make_ball(other, side=128, frames=6))
    ).distance

    assert distance > 1.4 * MATCH_LIMIT


@pytest.mark.parametrize(("one", "other"), [(16, 60), (60, 90), (126, 160), (160, 200), (200, 235)])
def test_two_flat_clips_with_the_same_caption_are_different_content(one: int, other: int) -> None:
    pair = [_take(made.make_flat(level, side=256, frames=2)) for level in (one, other)]

    assert not compare(pair[0], pair[1]).matches
    assert not compare(pair[1], pair[0]).matches


def test_a_mark_moved_onto_other_content_is_unmasked_by_the_fingerprint() -> None:
    keys = derive_keys(b"f" * 32)
    mark_id = derive_mark_id(keys, b"clip")
    marked = list(Embedder(keys, mark_id).mark(made.make_ball(1, side=256)))
    victim = made.make_ball(8, side=256)
    forged = made.transplant(victim, 2.0 * made.estimate_mark(marked))
    detector = Detector(keys)
    for frame in forged:
        detector.feed(frame)

    found = detector.detect(IssuedIds.from_ids(keys, [mark_id]), effort="fast")

    assert found.id == mark_id  # the mark alone can be copied by someone without the key
    assert not compare(_take(marked), _take(forged), geometry=found.geometry).matches


def test_a_clip_shown_small_inside_another_does_not_vouch_for_all_of_it(clips: dict[str, Clip]) -> None:
    frame_story = made.make_texture(4, height=256, width=256, frames=24)
    small = made.scale(clips["ball"], height=128, width=128)
    for outer, inner in zip(frame_story, small, strict=True):
        outer[64:192, 64:192] = inner

    match = compare(_take(clips["ball"]), _take(frame_story), geometry=Geometry(scale_x=0.5, scale_y=0.5))

    assert match.distance < MATCH_LIMIT
    assert not match.matches
    assert match.overlap < 0.6


def test_a_copy_that_shows_next_to_nothing_of_the_clip_does_not_match(clips: dict[str, Clip]) -> None:
    taken = _take(clips["ball"])

    match = compare(taken, taken, geometry=Geometry(scale_x=9.0, scale_y=9.0))

    assert (match.distance, match.matches, match.overlap) == (1.0, False, 0.0)


@pytest.mark.parametrize("empty_first", [True, False])
def test_nothing_matches_an_empty_fingerprint(clips: dict[str, Clip], empty_first: bool) -> None:
    pair = [Fingerprint(64, 64, (), b""), _take(clips["ball"])]

    match = compare(pair[not empty_first], pair[empty_first])

    assert (match.distance, match.matches) == (1.0, False)


def test_eight_thumbnails_are_taken_a_second() -> None:
    taken = _take([np.zeros((36, 64), np.uint8)] * 48, fps=24.0)

    assert taken.times_ms[:3] == (0, 125, 250)
    assert len(taken) == 16
    assert (taken.width, taken.height) == (64, 36)


@pytest.mark.parametrize("frames", [2000, 5000])
def test_a_long_clip_is_sampled_more_thinly(frames: int) -> None:
    frame = np.zeros((32, 32), np.uint8)
    sampler = ContentSampler(fps=8.0)

    for _ in range(frames):
        sampler.feed(frame)

    taken = sampler.fingerprint()
    steps = np.diff(taken.times_ms)
    assert MOST_SAMPLES / 2 <= len(taken) <= MOST_SAMPLES
    assert steps.min() == steps.max()
    assert taken.times_ms[-1] > 1000 * frames / 8 * 0.98


@given(st.integers(0, 20), st.integers(1, 65535), st.integers(1, 65535), st.binary(min_size=1, max_size=40))
def test_a_fingerprint_survives_being_stored(count: int, width: int, height: int, seed: bytes) -> None:
    pixels = (seed * (count * SIDE * SIDE // len(seed) + 1))[: count * SIDE * SIDE]
    taken = Fingerprint(width, height, tuple(range(5, 5 + 125 * count, 125)), pixels)

    assert Fingerprint.from_bytes(taken.to_bytes()) == taken


@given(st.binary(max_size=3000))
def test_arbitrary_bytes_are_refused_and_never_crash(content: bytes) -> None:
    with pytest.raises(VerificationError):
        Fingerprint.from_bytes(content)


@given(st.integers(0, 30), st.integers(1, 255))
def test_a_stored_fingerprint_of_any_header_is_read_or_refused(place: int, change: int) -> None:
    stored = bytearray(Fingerprint(64, 36, (0, 125), bytes(2 * SIDE * SIDE)).to_bytes())
    stored[place % 19] ^= change

    try:
        read = Fingerprint.from_bytes(bytes(stored))
    except VerificationError:
        return

    assert read.to_bytes() == bytes(stored)


@pytest.mark.parametrize(
    ("flaw", "content"),
    [
        ("nothing", b""),
        ("of version 2", struct.pack(">4sBHHH", b"PMFP", 2, 4, 4, 0)),
        ("b'XMFP'", struct.pack(">4sBHHH", b"XMFP", 1, 4, 4, 0)),
        ("0x4", struct.pack(">4sBHHH", b"PMFP", 1, 0, 4, 0)),
        ("241 samples", struct.pack(">4sBHHH", b"PMFP", 1, 4, 4, 241)),
        ("1039 bytes, found 11", struct.pack(">4sBHHH", b"PMFP", 1, 4, 4, 1)),
        ("go back", struct.pack(">4sBHHHII", b"PMFP", 1, 4, 4, 2, 9, 9) + bytes(2048)),
    ],
)
def test_a_damaged_fingerprint_is_refused_by_name(flaw: str, content: bytes) -> None:
    with pytest.raises(VerificationError, match="stored fingerprint") as refusal:
        Fingerprint.from_bytes(content)

    assert flaw == "nothing" or flaw in refusal.value.message


@pytest.mark.parametrize("fps", [0.0, -25.0, float("nan"), float("inf")])
def test_an_impossible_frame_rate_is_refused(fps: float) -> None:
    with pytest.raises(VerificationError, match="frame rate"):
        ContentSampler(fps=fps)


@pytest.mark.parametrize("shape", [(8, 8, 3), (0, 8), (64,)])
def test_a_frame_that_is_no_plane_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(VerificationError, match="one 8-bit plane"):
        ContentSampler(fps=8.0).feed(np.zeros(shape, np.uint8))


def test_a_fingerprint_of_no_frames_is_refused() -> None:
    with pytest.raises(VerificationError, match="at least one frame"):
        ContentSampler(fps=8.0).fingerprint()


def test_watching_takes_the_same_fingerprint_and_passes_every_frame_on() -> None:
    frames = [(np.full((40, 60), level, np.uint8), level) for level in range(0, 240, 8)]
    fed, watching = ContentSampler(fps=12), ContentSampler(fps=12)
    for luma, _ in frames:
        fed.feed(luma)

    passed = list(watching.watch(frames, luma=lambda pair: pair[0]))

    assert [level for _, level in passed] == [level for _, level in frames]
    assert watching.fingerprint() == fed.fingerprint()
