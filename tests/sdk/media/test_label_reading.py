"""The label found again in pixels: in every frame of copies, never where there is none, and measured as it stands."""

import made_clips
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from platemark.clip import Size
from platemark.errors import RequestError
from platemark.media.label import STANDARD_STILL_TEXTS, STANDARD_TEXTS, LabelSpec, Place, RenderedLabel, render_label
from platemark.media.label_reading import LabelPresence, LabelReader

Luma = npt.NDArray[np.uint8]

KINDS = [("ball", 128), ("ball", 256), ("windows", 128), ("windows", 256), ("texture", 256), ("texture", 320)]
CLIPS = [(kind, side, seed) for seed in range(9) for kind, side in KINDS]
clips = pytest.mark.parametrize(("kind", "side", "seed"), CLIPS)


def made(kind: str, side: int, seed: int, *, frames: int = 2) -> list[Luma]:
    makers = {
        "ball": lambda: made_clips.make_ball(seed, side=side, frames=frames),
        "windows": lambda: made_clips.make_windows(seed, side=side, frames=frames),
        "texture": lambda: made_clips.make_texture(seed, height=side * 9 // 16 // 2 * 2, width=side, frames=frames),
    }
    return makers[kind]()


def label_for(clip: list[Luma], language: str, *, place: Place = "top_right") -> RenderedLabel:
    height, width = clip[0].shape
    standard = LabelSpec.standard(language)
    return render_label(LabelSpec(standard.text, language, place), Size(width, height))


def labelled(clip: list[Luma], label: RenderedLabel) -> list[Luma]:
    return [label.draw(np.repeat(frame[..., None], 3, axis=-1))[..., 0] for frame in clip]


def halved(clip: list[Luma]) -> list[Luma]:
    return [
        np.array(Image.fromarray(frame).resize((frame.shape[1] // 2, frame.shape[0] // 2), Image.Resampling.BICUBIC))
        for frame in clip
    ]


def cropped(clip: list[Luma]) -> list[Luma]:
    height, width = clip[0].shape
    dy, dx = (int(side * 0.025) // 2 * 2 + 2 for side in (height, width))
    return [frame[dy : height - dy, dx : width - dx] for frame in clip]


def read(clip: list[Luma], *wordings: str) -> LabelPresence:
    reader = LabelReader(wordings)
    for frame in clip:
        reader.feed(frame)
    return reader.presence


@clips
def test_the_label_is_found_in_every_frame_of_a_halved_and_cropped_copy_at_crf_35(
    kind: str, side: int, seed: int
) -> None:
    clip = made(kind, side, seed)
    marked = labelled(clip, label_for(clip, ["en", "ko", "zh"][seed % 3]))

    copies = [
        made_clips.encode_h264(marked, crf=35),
        made_clips.encode_h264(halved(cropped(marked)), crf=35),
    ]

    assert [read(copy).whole for copy in copies] == [True, True]


@clips
def test_no_label_is_found_on_a_clip_that_has_none(kind: str, side: int, seed: int) -> None:
    clip = made(kind, side, seed)

    found = [read(each) for each in (clip, made_clips.encode_h264(halved(clip), crf=35))]

    assert [(each.labelled, each.spans, each.sighting) for each in found] == [(0, (), None)] * 2


@pytest.mark.parametrize("size", [Size(128, 128), Size(512, 288), Size(1280, 720), Size(2048, 2048)], ids=str)
@pytest.mark.parametrize("language", ["en", "ko", "zh"])
def test_height_contrast_and_place_are_measured_as_they_were_drawn(size: Size, language: str) -> None:
    ground = made_clips.make_texture(3, height=size.height, width=size.width, frames=1)
    label = label_for(ground, language)

    sighting = read(labelled(ground, label)).sighting

    assert sighting is not None
    assert sighting.text == label.spec.text
    assert sighting.place == "top_right"
    assert sighting.letter_height == pytest.approx(label.letter_height, rel=0.06)
    assert (sighting.x, sighting.y) == pytest.approx((label.letters.x, label.letters.y), abs=2)
    assert sighting.contrast >= 4.5


@pytest.mark.parametrize("place", ["top_right", "top_left", "bottom_right", "bottom_left"])
def test_every_corner_is_recognised(place: Place) -> None:
    ground = made_clips.make_texture(5, frames=1)

    sighting = read(labelled(ground, label_for(ground, "ko", place=place))).sighting

    assert sighting is not None
    assert sighting.place == place


def test_a_label_without_contrast_is_reported_with_its_contrast() -> None:
    ground = [np.full((360, 640), 120, np.uint8)]
    faint = [
        (120 + (frame.astype(np.float64) - 120) * 0.2).astype(np.uint8)
        for frame in labelled(ground, label_for(ground, "en"))
    ]

    sighting = read(faint).sighting

    assert sighting is not None
    assert sighting.contrast < 4.5


def test_a_label_too_small_for_the_rules_is_reported_with_its_height() -> None:
    ground = [np.full((360, 640), 120, np.uint8)]
    small = render_label(LabelSpec.standard("en"), Size(400, 288))
    ground[0][10 : 10 + small.box.height, 20 : 20 + small.box.width] = small.draw(
        np.full((288, 400, 3), 120, np.uint8)
    )[small.box.y : small.box.y + small.box.height, small.box.x : small.box.x + small.box.width, 0]

    sighting = read(ground).sighting

    assert sighting is not None
    assert 0.036 < sighting.height_share < 0.048


def test_frames_with_and_without_the_label_are_told_apart() -> None:
    ground = made_clips.make_ball(2, side=256, frames=8)
    marked = labelled(ground, label_for(ground, "en"))

    presence = read([*marked[:3], *ground[3:6], *marked[6:]])

    assert presence.spans == ((0, 3), (6, 8))
    assert (presence.frames, presence.labelled, presence.whole) == (8, 5, False)
    assert presence.covers(0, 3)
    assert not presence.covers(2, 7)


def test_an_own_wording_is_found_when_it_is_named() -> None:
    ground = made_clips.make_texture(1, frames=1)
    own = render_label(LabelSpec("재현 화면 · AI", "ko"), Size(480, 270))

    named, unnamed = read(labelled(ground, own), "재현 화면 · AI"), read(labelled(ground, own))

    assert named.whole
    assert unnamed.labelled == 0


@pytest.mark.parametrize("shape", [(2, 2), (16, 16), (8, 400), (400, 8)])
def test_a_frame_too_small_for_any_label_has_none(shape: tuple[int, int]) -> None:
    presence = read([np.full(shape, 90, np.uint8)])

    assert presence == LabelPresence(frames=1, labelled=0, spans=(), sighting=None)


def test_a_clip_without_frames_is_not_whole() -> None:
    assert not read([]).whole


@pytest.mark.parametrize("wordings", [["a"] + [f"AI {n}" for n in range(16)], ["AI", ""]])
def test_too_many_or_empty_wordings_are_refused(wordings: list[str]) -> None:
    with pytest.raises(RequestError, match="1 to 16 wordings"):
        LabelReader(wordings)


@pytest.mark.parametrize("text", [*STANDARD_TEXTS.values(), *STANDARD_STILL_TEXTS.values()])
def test_every_standard_wording_is_found_without_being_named(text: str) -> None:
    frame = np.full((256, 256), 90, np.uint8)
    label = render_label(LabelSpec(text, "ko", "top_right"), Size(256, 256))

    sighting = read(labelled([frame], label)).sighting

    assert sighting is not None
    assert sighting.text == text
