"""Given pictures and clips are looked at before anything is made, and refused for exactly one flaw each."""

from pathlib import Path

import numpy as np
import pytest
from odd_clips import picture, write_animation, write_clip, write_png_header
from PIL import Image

from platemark.errors import MediaError, OutputError, RequestError
from platemark.inputs import GivenImage, Inputs
from platemark.making.material import SourceFile, inspect
from platemark.media.still import read_still_facts
from platemark_provenance.digest import sha256_file


def still(path: Path) -> SourceFile:
    (file,) = inspect(Inputs(images=(GivenImage(path),))).images
    return file


def clip(path: Path) -> SourceFile:
    (file,) = inspect(Inputs(clips=(path,))).clips
    return file


def test_a_picture_is_known_by_its_size_and_hash(tmp_path: Path) -> None:
    Image.fromarray(picture(201, 133)).save(tmp_path / "odd.png")

    file = still(tmp_path / "odd.png")

    assert (file.kind, file.width, file.height) == ("still", 201, 133)
    assert file.sha256 == sha256_file(tmp_path / "odd.png")


def test_a_picture_taken_upright_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(192, 128)).save(tmp_path / "turned.jpg", exif=exif)

    file = still(tmp_path / "turned.jpg")

    assert (file.width, file.height) == (128, 192)
    assert next(file.pictures()).shape == (192, 128, 3)


@pytest.mark.parametrize("name", ["transparent.png", "palette.png", "grey.png", "picture.webp"])
def test_ordinary_kinds_of_pictures_are_taken(tmp_path: Path, name: str) -> None:
    modes = {"transparent.png": "RGBA", "palette.png": "P", "grey.png": "L", "picture.webp": "RGB"}
    Image.fromarray(picture()).convert(modes[name]).save(tmp_path / name)

    assert next(still(tmp_path / name).pictures()).shape == (128, 192, 3)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("text.png", "not a readable PNG, JPEG or WebP"),
        ("empty.png", "not a readable PNG, JPEG or WebP"),
        ("huge.png", "too large; at most 64 million"),
        ("press.jpg", "printing press"),
        ("sixteen_colour.png", "16 bits a channel"),
        ("sixteen_grey.png", "16 bits a channel"),
        ("animated.webp", "an animation of 3 pictures"),
        ("animated.png", "an animation of 3 pictures"),
        ("cut.jpg", "not a readable PNG, JPEG or WebP"),
    ],
)
def test_a_picture_that_would_have_to_be_converted_or_guessed_is_refused(tmp_path: Path, name: str, named: str) -> None:
    path = tmp_path / name
    makers = {
        "text.png": lambda: path.write_text("not a picture"),
        "empty.png": path.touch,
        "huge.png": lambda: write_png_header(path, width=60_000, height=60_000),
        "press.jpg": lambda: Image.fromarray(picture()).convert("CMYK").save(path),
        "sixteen_colour.png": lambda: write_png_header(path, width=8, height=8, bits=16),
        "sixteen_grey.png": lambda: Image.fromarray(picture()[:, :, 0].astype(np.uint16) << 8).save(path),
        "animated.webp": lambda: write_animation(path),
        "animated.png": lambda: write_animation(path),
        "cut.jpg": lambda: path.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF"),
    }
    makers[name]()

    with pytest.raises(MediaError, match=named):
        still(path)


def test_what_a_picture_says_of_itself_is_read_without_its_pixels(tmp_path: Path) -> None:
    facts = read_still_facts(write_png_header(tmp_path / "large.png", width=7_000, height=9_000))

    assert (facts.kind, facts.width, facts.height, facts.bits, facts.frames) == ("PNG", 7_000, 9_000, 8, 1)


def test_a_clip_is_known_by_its_size_rate_and_length(tmp_path: Path) -> None:
    file = clip(write_clip(tmp_path / "clip.mp4", size=(200, 130), frames=9, fps=24))

    assert (file.width, file.height, file.fps, file.frames) == (200, 130, 24, 9)
    assert file.duration_s == pytest.approx(9 / 24)
    assert len(list(file.pictures())) == 9


@pytest.mark.parametrize(("rotation", "size"), [(90, (128, 192)), (-90, (128, 192)), (180, (192, 128))])
def test_a_clip_that_a_player_would_turn_is_turned(tmp_path: Path, rotation: int, size: tuple[int, int]) -> None:
    plain, turned = clip(write_clip(tmp_path / "a.mp4")), clip(write_clip(tmp_path / "b.mp4", rotation=rotation))

    before, after = next(plain.pictures()), next(turned.pictures())
    assert (turned.width, turned.height) == size
    np.testing.assert_array_equal(after, np.rot90(before, rotation // 90 % 4))


def test_a_clip_of_odd_size_is_read_whole(tmp_path: Path) -> None:
    file = clip(write_clip(tmp_path / "odd.avi", size=(191, 127), codec="ffv1", pixel_format="bgr0"))

    assert (file.width, file.height) == (191, 127)
    assert next(file.pictures()).shape == (127, 191, 3)


def test_a_small_wobble_in_the_times_is_no_variable_rate(tmp_path: Path) -> None:
    times = (0, 10, 21, 30, 41, 50, 60, 71)

    assert clip(write_clip(tmp_path / "wobble.mp4", fps=120, times=times)).frames == 8


@pytest.mark.parametrize("container", ["mp4", "mov", "avi"])
def test_a_variable_frame_rate_is_refused_with_the_command_that_mends_it(tmp_path: Path, container: str) -> None:
    path = write_clip(tmp_path / f"clip.{container}", fps=30, times=(0, 1, 2, 3, 4, 20, 40, 60, 61, 62))

    with pytest.raises(MediaError, match="variable frame rate") as refusal:
        clip(path)

    assert "ffmpeg -i IN -vf fps=" in refusal.value.fix


def test_a_clip_of_one_frame_is_a_picture(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="single frame") as refusal:
        clip(write_clip(tmp_path / "one.mp4", frames=1))

    assert "--image" in refusal.value.fix


def test_a_picture_given_as_a_clip_is_named_as_one(tmp_path: Path) -> None:
    Image.fromarray(picture()).save(tmp_path / "clip.mp4", "PNG")

    with pytest.raises(RequestError, match="is a picture, not a clip"):
        clip(tmp_path / "clip.mp4")


def test_a_clip_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "long.mp4", fps=1, frames=62)

    with pytest.raises(RequestError, match=r"lasts 62\.0 s; a clip has at most 60 s"):
        clip(path)


def test_a_file_without_a_video_stream_is_refused(tmp_path: Path) -> None:
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        block = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        block.sample_rate, block.pts = 48_000, 0
        container.mux(stream.encode(block))
        container.mux(stream.encode(None))

    with pytest.raises(MediaError, match="holds no video"):
        clip(path)


@pytest.mark.parametrize("content", [b"", b"not a clip", b"\0\0\0\x18ftypmp42"])
def test_a_file_that_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)

    with pytest.raises(MediaError):
        clip(tmp_path / "clip.mp4")


@pytest.mark.parametrize("name", ["clip.mkv", "clip.webm", "clip.ts", "clip"])
def test_a_kind_of_clip_whose_provenance_nobody_can_check_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"whatever")

    with pytest.raises(RequestError, match="cannot be checked") as refusal:
        clip(tmp_path / name)

    assert "ffmpeg -i IN -c copy" in refusal.value.fix


@pytest.mark.parametrize("name", ["photo.tiff", "photo.gif", "photo.heic"])
def test_a_kind_of_picture_that_is_not_taken_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"whatever")

    with pytest.raises(RequestError, match=r"taken are \.png"):
        still(tmp_path / name)


def test_a_missing_file_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"gone\.mp4 is not a file"):
        clip(tmp_path / "gone.mp4")


def test_a_file_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    file = clip(write_clip(tmp_path / "clip.mp4"))
    file.check_unchanged()

    file.path.write_bytes(file.path.read_bytes() + b"\0")

    with pytest.raises(OutputError, match="was changed while"):
        file.check_unchanged()


def test_what_is_written_down_of_a_file_does_not_hold_its_name(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "kim-ji-woo.mp4", sound=True)

    written = clip(path).to_json()

    assert (written["sound"], written["fps"], written["size"]) == ("left out", "12", "192x128")
    assert "kim" not in str(written)
