"""Detection: the id comes back from what platforms do, and from nothing that was not marked."""

import json
from collections.abc import Callable, Mapping

import made_clips as made
import numpy as np
import pytest
from made_clips import Clip

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.detect import ACCEPT_LOG10_FPR, Detection, Detector, Geometry
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import WatermarkKeys, derive_keys
from platemark_provenance.watermark.payload import WatermarkId

Find = Callable[..., Detection]


@pytest.mark.parametrize("name", ["ball", "windows", "black", "white", "grey", "texture"])
def test_the_id_is_read_blind_from_an_untouched_clip(
    find: Find, marked: Mapping[str, Clip], mark_id: WatermarkId, name: str
) -> None:
    found = find(marked[name])

    assert (found.state, found.id, found.method) == ("detected", mark_id, "blind")
    assert found.log10_fpr <= ACCEPT_LOG10_FPR
    assert found.geometry == Geometry()
    assert 6 <= found.frames <= len(marked[name])


@pytest.mark.parametrize("name", ["ball", "windows", "black", "white", "grey", "texture"])
def test_the_id_survives_h264_at_crf_28(
    find: Find, marked: Mapping[str, Clip], mark_id: WatermarkId, name: str
) -> None:
    found = find(made.encode_h264(marked[name], crf=28))

    assert (found.id, found.method) == (mark_id, "blind")


@pytest.mark.parametrize("name", ["ball", "black", "white", "grey"])
def test_the_id_survives_half_scale_and_h264(
    find: Find, marked: Mapping[str, Clip], mark_id: WatermarkId, name: str
) -> None:
    height, width = (side // 4 * 2 for side in marked[name][0].shape)

    found = find(made.encode_h264(made.scale(marked[name], height=height, width=width), crf=28))

    assert (found.id, found.method) == (mark_id, "blind")


def test_a_mark_too_weak_to_be_read_blind_is_matched_with_the_index(
    find: Find, marked: Mapping[str, Clip], issued: IssuedIds, mark_id: WatermarkId
) -> None:
    later = marked["windows"][8:16]
    faint = [np.uint8(126) + ((y.astype(np.int16) - 126) // 2).astype(np.uint8) for y in later]
    noisy = np.random.default_rng(5).normal(0, 13, (len(faint), *faint[0].shape))
    clip = [np.clip(np.rint(y + noise), 16, 235).astype(np.uint8) for y, noise in zip(faint, noisy, strict=True)]

    found = find(clip, issued)

    assert find(clip).state == "absent"
    assert (found.id, found.method) == (mark_id, "indexed")
    assert found.log10_fpr <= ACCEPT_LOG10_FPR


def test_a_mirrored_copy_is_found_and_said_to_be_mirrored(
    find: Find, marked: Mapping[str, Clip], mark_id: WatermarkId
) -> None:
    found = find(made.encode_h264(made.mirror(marked["ball"]), crf=28))

    assert found.id == mark_id
    assert found.geometry is not None
    assert found.geometry.mirrored


def test_one_jpeg_frame_is_enough(find: Find, marked: Mapping[str, Clip], mark_id: WatermarkId) -> None:
    found = find(made.compress_jpeg(marked["ball"][7], quality=50))

    assert found.id == mark_id
    assert found.frames == 1


def test_brightness_contrast_and_frame_rate_do_not_matter(
    find: Find, marked: Mapping[str, Clip], mark_id: WatermarkId
) -> None:
    copy = made.encode_h264(made.relight(marked["ball"][5::2], gain=0.6, offset=25), crf=28)

    assert find(copy).id == mark_id


def test_the_smallest_frames_are_read_after_light_compression(
    find: Find, keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    small = list(Embedder(keys, mark_id).mark(made.make_ball(3, side=128)))

    assert find(made.encode_h264(small, crf=20)).id == mark_id


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("crop", Geometry(scale_x=1 / 0.7, scale_y=1 / 0.7)),
        ("turn", Geometry(rotation_deg=4.0)),
        ("squeeze", Geometry(scale_x=1.0, scale_y=4 / 3)),
        ("letterbox", Geometry()),
    ],
)
def test_the_full_search_undoes_a_change_of_frame_and_names_it(
    find: Find, marked: Mapping[str, Clip], mark_id: WatermarkId, name: str, expected: Geometry
) -> None:
    changes: dict[str, Callable[[Clip], Clip]] = {
        "crop": lambda clip: made.crop(clip, 0.7),
        "turn": lambda clip: made.rotate(clip, 4.0),
        "squeeze": lambda clip: made.scale(clip, height=512, width=384),
        "letterbox": made.letterbox,
    }

    found = find(made.encode_h264(changes[name](marked["ball"][:12]), crf=28), effort="full")

    assert found.id == mark_id
    assert found.geometry is not None
    assert found.geometry.scale_x == pytest.approx(expected.scale_x, rel=0.015)
    assert found.geometry.scale_y == pytest.approx(expected.scale_y, rel=0.015)
    assert found.geometry.rotation_deg == pytest.approx(expected.rotation_deg, abs=0.4)
    assert not found.geometry.mirrored


def test_a_cropped_and_mirrored_copy_is_found(find: Find, marked: Mapping[str, Clip], mark_id: WatermarkId) -> None:
    found = find(made.mirror(made.crop(marked["texture"], 0.7)), effort="full")

    assert found.id == mark_id
    assert found.geometry is not None
    assert found.geometry.mirrored


def test_the_fast_effort_does_not_look_for_crops(find: Find, marked: Mapping[str, Clip]) -> None:
    assert find(made.crop(marked["ball"][:4], 0.7), effort="fast").state == "absent"


@pytest.mark.parametrize("name", ["ball", "windows", "black", "white", "grey", "texture"])
def test_an_unmarked_clip_has_no_mark(find: Find, originals: Mapping[str, Clip], issued: IssuedIds, name: str) -> None:
    found = find(originals[name], issued)

    assert (found.state, found.id, found.method, found.geometry) == ("absent", None, None, None)
    assert found.log10_fpr > ACCEPT_LOG10_FPR


@pytest.mark.parametrize(
    "clip", [made.make_windows(5, frames=4), made.make_texture(5, width=270, frames=4)], ids=["windows", "texture"]
)
def test_the_full_search_finds_nothing_in_an_unmarked_clip(find: Find, issued: IssuedIds, clip: Clip) -> None:
    found = find(clip, issued, effort="full")

    assert found.state == "absent"
    assert found.log10_fpr > -4


def test_another_publisher_finds_nothing(
    find: Find, marked: Mapping[str, Clip], other_keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    index = IssuedIds.from_ids(other_keys, [mark_id])

    assert find(marked["ball"], index, under=other_keys).state == "absent"


def test_another_epoch_finds_nothing(find: Find, marked: Mapping[str, Clip]) -> None:
    later = derive_keys(b"a watermark master for tests onl", epoch=2)

    assert find(marked["ball"], under=later).state == "absent"


def test_twenty_wrong_keys_never_read_an_id(find: Find, marked: Mapping[str, Clip]) -> None:
    still = marked["ball"][:1]

    states = {find(still, under=derive_keys(bytes([number]) * 32)).state for number in range(20)}

    assert states == {"absent"}


def test_an_id_that_was_not_issued_is_read_as_itself_and_not_as_its_neighbour(
    find: Find, marked: Mapping[str, Clip], keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    neighbours = [WatermarkId(mark_id[:7] + bytes([number])) for number in range(256) if number != mark_id[7]]

    found = find(marked["ball"], IssuedIds.from_ids(keys, neighbours))

    assert (found.id, found.method) == (mark_id, "blind")


def test_two_publishers_marks_live_in_one_clip(
    find: Find, marked: Mapping[str, Clip], other_keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    both = list(Embedder(other_keys, WatermarkId(b"the 2nd.")).mark(marked["ball"]))

    assert find(both).id == mark_id
    assert find(both, under=other_keys).id == b"the 2nd."


def test_a_clip_without_frames_is_absent(keys: WatermarkKeys, issued: IssuedIds) -> None:
    found = Detector(keys).detect(issued)

    assert (found.state, found.frames, found.log10_fpr) == ("absent", 0, 0.0)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (1, 1), (40, 400)])
def test_a_picture_too_small_or_too_long_to_hold_a_mark_is_absent(
    find: Find, issued: IssuedIds, height: int, width: int
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (height, width), np.uint8)

    assert find([noise], issued).state == "absent"


def test_a_long_clip_is_thinned_out(keys: WatermarkKeys) -> None:
    detector = Detector(keys)
    frame = np.full((16, 16), 90, np.uint8)

    for _ in range(1000):
        detector.feed(frame)

    assert 40 < detector.detect(effort="fast").frames < 60


def test_asking_twice_gives_the_same_answer(keys: WatermarkKeys, marked: Mapping[str, Clip], issued: IssuedIds) -> None:
    detector = Detector(keys)
    detector.feed(marked["grey"][0])

    assert detector.detect(issued, effort="fast") == detector.detect(issued, effort="fast")


def test_a_change_of_size_is_refused(keys: WatermarkKeys) -> None:
    detector = Detector(keys)
    detector.feed(np.zeros((128, 128), np.uint8))

    with pytest.raises(WatermarkError, match="128x128, got 64x128"):
        detector.feed(np.zeros((128, 64), np.uint8))


def test_a_colour_frame_is_refused(keys: WatermarkKeys) -> None:
    with pytest.raises(WatermarkError, match="one 8-bit plane"):
        Detector(keys).feed(np.zeros((128, 128, 3), np.uint8))


def test_a_detection_is_printed_with_its_id_in_hexadecimal() -> None:
    geometry = Geometry(scale_x=1.25, rotation_deg=-2.00004, mirrored=True, shift_y=0.1)
    found = Detection("detected", WatermarkId(bytes(range(8))), "indexed", -9.876, geometry, 24)

    printed = json.loads(json.dumps(found.to_json()))

    assert printed == {
        "state": "detected",
        "id": "0001020304050607",
        "method": "indexed",
        "log10_fpr": -9.88,
        "geometry": {
            "scale_x": 1.25,
            "scale_y": 1.0,
            "rotation_deg": -2.0,
            "mirrored": True,
            "shift_x": 0.0,
            "shift_y": 0.1,
        },
        "frames": 24,
        "others": [],
    }


def test_an_absence_is_printed_with_nulls() -> None:
    printed = Detection("absent", None, None, 0.0, None, 3).to_json()

    assert printed == {
        "state": "absent", "id": None, "method": None, "log10_fpr": 0.0, "geometry": None, "frames": 3,
        "others": [],
    }  # fmt: skip
