"""The values that describe files and encodings."""

from fractions import Fraction
from typing import Any

import pytest

from platemark.errors import RequestError
from platemark.media.formats import BT709_LIMITED, ColorTags, EncodeSettings, is_bt709_matrix, is_steady


def test_the_four_colour_numbers_of_hd_video_have_ffprobes_names() -> None:
    tags = ColorTags.from_codes(1, 1, matrix=1, color_range=1)

    assert tags == BT709_LIMITED == ColorTags("bt709", "bt709", "bt709", "tv")


def test_hdr_video_has_ffprobes_names() -> None:
    tags = ColorTags.from_codes(9, 16, matrix=9, color_range=1)

    assert tags == ColorTags("bt2020", "smpte2084", "bt2020nc", "tv")


@pytest.mark.parametrize("code", [2, 0, 3, 255, -1])
def test_a_number_without_a_name_is_unknown(code: int) -> None:
    assert ColorTags.from_codes(code, code, matrix=255, color_range=0) == ColorTags()


@pytest.mark.parametrize(
    ("matrix", "height", "expected"),
    [
        ("bt709", 288, True),
        ("smpte170m", 1080, False),
        ("bt470bg", 576, False),
        ("unknown", 719, False),
        ("unknown", 720, True),
    ],
)
def test_a_silent_file_is_judged_by_its_height(matrix: str, height: int, expected: bool) -> None:
    assert is_bt709_matrix(matrix, height=height) is expected


@pytest.mark.parametrize(
    "values",
    [
        {"fps": Fraction(0)},
        {"fps": Fraction(-24)},
        {"fps": Fraction(241)},
        {"crf": 0},
        {"crf": 52},
        {"preset": "placebo"},
        {"preset": "medium:threads=1"},
        {"keyframe_interval": 0},
        {"lookahead": 0},
        {"lookahead": 251},
    ],
    ids=str,
)
def test_settings_outside_their_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        EncodeSettings(**{"fps": Fraction(24), **values})


def test_sensible_settings_need_only_a_frame_rate() -> None:
    settings = EncodeSettings(Fraction(30_000, 1001))

    assert (settings.crf, settings.preset, settings.keyframe_interval) == (18, "medium", None)


@pytest.mark.parametrize(
    ("times", "steady"),
    [
        ((), True),
        ((5,), True),
        ((0, 7), True),
        ((0, 10, 20, 30), True),
        ((0, 10, 21, 29, 40), True),
        ((100, 110, 120), True),
        ((0, 1, 2, 3, 40), False),
        ((0, 40, 41, 42, 43), False),
        ((0, 0, 0, 0, 9), False),
    ],
)
def test_frames_are_steady_when_each_is_within_one_step_of_its_place(times: tuple[int, ...], steady: bool) -> None:
    assert is_steady(times) is steady


def test_a_clip_that_is_encoded_as_usual_leaves_lookahead_to_the_preset() -> None:
    assert EncodeSettings(Fraction(24)).x264_options == {"threads": "4", "x264-params": "cpu-independent=1"}


def test_a_lookahead_makes_everything_that_holds_frames_small() -> None:
    options = EncodeSettings(Fraction(24), lookahead=4).x264_options

    assert options["threads"] == "2"
    assert {"rc-lookahead=4", "bframes=2", "b-pyramid=none"} <= set(options["x264-params"].split(":"))
