"""What a request leaves out comes from the given files first, then from the home; what cannot be is refused."""

from pathlib import Path
from typing import Any

import pytest
from odd_clips import picture, write_clip
from PIL import Image

from platemark.clip import Size
from platemark.config import CONFIG_NAME, Config, read_config
from platemark.errors import RequestError
from platemark.inputs import Task
from platemark.making.asking import GenerateOptions, ask

PROMPT = "a calm blue sea"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The configuration of a home that was told nothing."""
    folder = tmp_path_factory.mktemp("home")
    (folder / CONFIG_NAME).write_text("")
    return read_config(folder)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Clips of several forms, made once."""
    folder = tmp_path_factory.mktemp("clips")
    return {
        "plain": write_clip(folder / "plain.mp4", size=(320, 240), frames=24, fps=24),
        "odd": write_clip(folder / "odd.avi", size=(321, 241), frames=12, codec="ffv1", pixel_format="bgr0"),
        "upright": write_clip(folder / "upright.mp4", size=(320, 240), frames=12, rotation=90),
        "small": write_clip(folder / "small.mp4", size=(96, 64), frames=12),
        "short": write_clip(folder / "short.mp4", size=(320, 240), frames=2),
        "long": write_clip(folder / "long.mp4", size=(160, 128), frames=118, fps=2),
        "fast": write_clip(folder / "fast.mp4", size=(160, 128), frames=60, fps=120),
    }


def save(folder: Path, width: int, height: int) -> Path:
    Image.fromarray(picture(width, height)).save(folder / "photo.png")
    return folder / "photo.png"


@pytest.mark.parametrize(
    ("name", "size", "fps"),
    [("plain", "320x240", 24), ("odd", "320x240", 12), ("upright", "240x320", 12), ("fast", "160x128", 60)],
)
def test_size_and_rate_are_those_of_the_given_clip(
    config: Config, clips: dict[str, Path], name: str, size: str, fps: int
) -> None:
    request = ask(PROMPT, {"clips": [clips[name]], "seconds": 1}, config).request

    assert (str(request.size), request.fps, request.task) == (size, fps, Task.EXTEND)


def test_what_is_said_wins_over_the_given_clip(config: Config, clips: dict[str, Path]) -> None:
    request = ask(PROMPT, {"clips": [clips["plain"]], "size": "640x360", "fps": 10}, config).request

    assert (str(request.size), request.fps) == ("640x360", 10)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(480, 320, "768x512"), (1920, 1080, "910x512"), (1080, 1920, "512x910"), (300, 300, "512x512"), (640, 268, None)],
)
def test_a_given_picture_lends_its_shape_at_the_usual_short_side(
    config: Config, tmp_path: Path, width: int, height: int, size: str | None
) -> None:
    request = ask(PROMPT, {"images": [save(tmp_path, width, height)]}, config).request

    assert str(request.size) == (size or "1222x512")


def test_a_very_long_picture_needs_a_size(config: Config, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="at most 4 times as long as wide"):
        ask(PROMPT, {"images": [save(tmp_path, 1000, 100)]}, config)


def test_a_clip_too_small_for_a_label_needs_a_size(config: Config, clips: dict[str, Path]) -> None:
    with pytest.raises(RequestError, match="96x64; what is made from it has 128 to 2048") as refusal:
        ask(PROMPT, {"clips": [clips["small"]]}, config)

    assert "--size" in refusal.value.fix


@pytest.mark.parametrize("options", [{"fill": "2-3"}, {"strength": 0.5}])
def test_what_changes_a_clip_keeps_its_length(config: Config, clips: dict[str, Path], options: GenerateOptions) -> None:
    said: GenerateOptions = {"clips": [clips["plain"]], **options}

    assert ask(PROMPT, said, config).request.seconds == pytest.approx(1.0)
    with pytest.raises(RequestError, match="keeps the length"):
        ask(PROMPT, {**said, "seconds": 2}, config)


@pytest.mark.parametrize("options", [{"seconds": 1.0}, {"fps": 12}])
def test_a_picture_has_neither_length_nor_rate(config: Config, options: GenerateOptions) -> None:
    with pytest.raises(RequestError, match="no length and no frame rate"):
        ask(PROMPT, {"task": "image", **options}, config)


def test_a_clip_that_would_grow_too_long_is_refused_with_the_sum(config: Config, clips: dict[str, Path]) -> None:
    with pytest.raises(RequestError, match=r"would last 62\.0 s; at most 60 s"):
        ask(PROMPT, {"clips": [clips["long"]], "seconds": 3}, config)


def test_a_clip_that_is_too_short_to_change_is_refused(config: Config, clips: dict[str, Path]) -> None:
    with pytest.raises(RequestError, match=r"seconds must be from 0\.25"):
        ask(PROMPT, {"clips": [clips["short"]], "strength": 0.5}, config)


@pytest.mark.parametrize("aspect", ["512x512", "912x512", "512x912", "640x480", "1224x512", "2048x2048"])
def test_every_usual_aspect_ratio_can_be_asked_for(config: Config, aspect: str) -> None:
    assert str(ask(PROMPT, {"size": aspect}, config).request.size) == aspect


def test_no_home_setting_reaches_a_pictures_length(config: Config) -> None:
    request = ask(PROMPT, {"out": "x.png"}, config).request

    assert (request.task, request.seconds, request.fps, request.size) == (Task.IMAGE, 1.0, 1, Size(512, 512))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"steps": 0}, "steps"),
        ({"guidance": 21.0}, "guidance"),
        ({"sampler": "dpm"}, "euler or heun"),
        ({"images": ["gone.png"]}, "is not a file"),
        ({"task": "sing"}, "no task 'sing'"),
        ({"task": "image", "clips": ["x.mp4"]}, "image takes no clips"),
    ],
)
def test_an_impossible_wish_is_refused_before_any_file_is_read(config: Config, options: Any, named: str) -> None:
    with pytest.raises(RequestError, match=named):
        ask(PROMPT, options, config)
