"""The mark alone, on stills and clips that are already there: whole copies, registered marks, or nothing."""

import hashlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from platemark.clip import Clip
from platemark.errors import LedgerUnavailable, MediaError, OutputError, PlatemarkError, RequestError, WatermarkError
from platemark.homes.home import Home, open_home
from platemark.marking import MarkOptions, detect_file, embed_file
from platemark.media.still import read_still
from platemark.media.video import EncodeSettings, read_video_facts, to_yuv420, write_video

RGB = npt.NDArray[np.uint8]
MARK = "00112233445566aa"


@pytest.fixture
def home(home_path: Path) -> Home:
    """A fresh home, opened."""
    return open_home(home_path)


def scene(width: int, height: int, *, seed: int = 3) -> RGB:
    """Soft blocks of every colour: something for a mark to hold on to."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(40, 210, (height // 16 + 2, width // 16 + 2, 3), dtype=np.uint8)
    picture = Image.fromarray(blocks).resize((width + 32, height + 32), Image.Resampling.BICUBIC)
    return np.array(picture)[16 : 16 + height, 16 : 16 + width]


def still(path: Path, width: int, height: int) -> Path:
    Image.fromarray(scene(width, height)).save(path)
    return path


def film(path: Path, *, frames: int = 12, width: int = 256, height: int = 256) -> Path:
    wide = scene(width + 2 * frames, height)
    pictures = (to_yuv420(np.ascontiguousarray(wide[:, 2 * n : 2 * n + width])) for n in range(frames))
    write_video(pictures, path, settings=EncodeSettings(fps=Fraction(24)))
    return path


def everything_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "newsroom")


def issued(home: Home) -> list[str]:
    with home.open_ledger() as ledger:
        return [mark.hex() for mark in ledger.registry.issued_marks()]


def events(home: Home) -> list[str]:
    with home.open_ledger() as ledger:
        return [event.type for event in ledger.query(type="watermark.embedded")]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".PNG"])
def test_a_still_of_each_format_keeps_its_size_and_its_mark_is_registered(
    home: Home, tmp_path: Path, suffix: str
) -> None:
    source = still(tmp_path / f"photo{suffix}", 384, 256)

    made = embed_file(home, source, tmp_path / f"marked{suffix}", options=MarkOptions(MARK))

    assert made.mark_id == MARK
    assert read_still(made.path).shape == (256, 384, 3)
    assert issued(home) == [MARK]


@pytest.mark.parametrize(("width", "height"), [(385, 257), (384, 257), (385, 256), (129, 128), (128, 511)])
def test_a_still_of_odd_size_is_marked_without_losing_a_row_or_a_column(
    home: Home, tmp_path: Path, width: int, height: int
) -> None:
    source = still(tmp_path / "photo.png", width, height)

    made = embed_file(home, source, tmp_path / "marked.png", options=MarkOptions(MARK))

    assert read_still(made.path).shape == (height, width, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_the_mark_of_a_still_is_found_again(home: Home, tmp_path: Path, suffix: str) -> None:
    source = still(tmp_path / f"photo{suffix}", 512, 384)
    embed_file(home, source, tmp_path / f"marked{suffix}", options=MarkOptions(MARK))

    found = detect_file(home, tmp_path / f"marked{suffix}")

    assert found.id is not None
    assert (found.id.hex(), found.frames) == (MARK, 1)


@pytest.mark.parametrize(("width", "height"), [(511, 384), (512, 383), (511, 383)])
def test_the_mark_of_a_still_of_odd_size_is_found_again(home: Home, tmp_path: Path, width: int, height: int) -> None:
    source = still(tmp_path / "photo.png", width, height)
    embed_file(home, source, tmp_path / "marked.png", options=MarkOptions(MARK))

    found = detect_file(home, tmp_path / "marked.png")

    assert found.id is not None
    assert found.id.hex() == MARK


def test_a_marked_still_looks_like_the_original(home: Home, tmp_path: Path) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    embed_file(home, source, tmp_path / "marked.png", options=MarkOptions())

    difference = read_still(source).astype(int) - read_still(tmp_path / "marked.png")
    assert np.abs(difference).mean() < 4
    # Brightness moves, colours do not: every channel of a pixel moves by the same amount.
    assert np.abs(difference - difference.mean(axis=2, keepdims=True)).max() < 1


def test_a_still_may_be_marked_into_another_still_format(home: Home, tmp_path: Path) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    made = embed_file(home, source, tmp_path / "marked.jpg", options=MarkOptions(MARK))

    with Image.open(made.path) as picture:
        assert picture.format == "JPEG"


@pytest.mark.parametrize("out", ["marked.png", "marked.jpg", "marked.mkv", "marked.mov", "marked"])
def test_a_clip_is_never_written_under_a_name_of_another_format(home: Home, tmp_path: Path, out: str) -> None:
    source = film(tmp_path / "in.mp4")

    with pytest.raises(PlatemarkError) as caught:
        embed_file(home, source, tmp_path / out, options=MarkOptions(MARK))

    assert caught.value.exit_code == 2
    assert everything_in(tmp_path) == ["in.mp4"]
    assert issued(home) == []


def test_a_still_is_never_written_under_the_name_of_a_clip(home: Home, tmp_path: Path) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    with pytest.raises(OutputError, match=r"must be named \.png"):
        embed_file(home, source, tmp_path / "marked.mp4", options=MarkOptions())

    assert everything_in(tmp_path) == ["photo.png"]
    assert issued(home) == []


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (127, 400), (400, 127), (128, 513), (2000, 1)])
def test_a_picture_too_small_or_too_thin_for_a_mark_is_refused_and_no_mark_is_issued(
    home: Home, tmp_path: Path, width: int, height: int
) -> None:
    source = still(tmp_path / "photo.png", width, height)

    with pytest.raises(WatermarkError, match=f"got {width}x{height}"):
        embed_file(home, source, tmp_path / "marked.png", options=MarkOptions())

    assert everything_in(tmp_path) == ["photo.png"]
    assert (issued(home), events(home)) == ([], [])


def test_a_clip_too_small_for_a_mark_is_refused_and_nothing_is_left(home: Home, tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", width=96, height=96)

    with pytest.raises(WatermarkError, match="got 96x96"):
        embed_file(home, source, tmp_path / "out.mp4", options=MarkOptions())

    assert everything_in(tmp_path) == ["in.mp4"]
    assert (issued(home), events(home)) == ([], [])


def test_a_marked_clip_keeps_its_size_rate_and_count_and_its_mark_is_found(home: Home, tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4")
    embed_file(home, source, tmp_path / "out.mp4", options=MarkOptions(MARK))

    facts, found = read_video_facts(tmp_path / "out.mp4"), detect_file(home, tmp_path / "out.mp4")

    assert (facts.width, facts.height, facts.fps, facts.frames) == (256, 256, 24, 12)
    assert found.id is not None
    assert found.id.hex() == MARK


def test_a_mark_that_nobody_chose_is_random_and_registered(home: Home, tmp_path: Path) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    first = embed_file(home, source, tmp_path / "a.png", options=MarkOptions())
    second = embed_file(home, source, tmp_path / "b.png", options=MarkOptions())

    assert first.mark_id != second.mark_id
    assert issued(home) == [first.mark_id, second.mark_id]


def test_the_same_mark_may_go_on_several_files(home: Home, tmp_path: Path) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    embed_file(home, source, tmp_path / "a.png", options=MarkOptions(MARK))
    embed_file(home, source, tmp_path / "b.png", options=MarkOptions(MARK))

    assert issued(home) == [MARK]


def test_a_mark_put_on_alone_stands_in_the_ledger_without_the_files_name(home: Home, tmp_path: Path) -> None:
    embed_file(home, still(tmp_path / "a-secret.png", 384, 256), tmp_path / "b.png", options=MarkOptions(MARK))

    with home.open_ledger() as ledger:
        (event,) = ledger.query(type="watermark.embedded")
        assert event.facts == {"alg": "org.platemark.watermark.1", "id": MARK, "alone": True}
        assert b"a-secret" not in event.body


@pytest.mark.parametrize("mark", ["", "xyz", "0011", "0" * 17, "0x11223344556677", "００１１２２３３４４５５６６ＡＡ"])
def test_an_id_that_is_not_16_hexadecimal_digits_is_refused(home: Home, tmp_path: Path, mark: str) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    with pytest.raises(WatermarkError):
        embed_file(home, source, tmp_path / "marked.png", options=MarkOptions(mark))

    assert everything_in(tmp_path) == ["photo.png"]


def test_an_existing_output_is_refused_before_the_input_is_read(home: Home, tmp_path: Path) -> None:
    (tmp_path / "marked.png").write_bytes(b"precious")

    with pytest.raises(OutputError, match="exists already"):
        embed_file(home, tmp_path / "nowhere.png", tmp_path / "marked.png", options=MarkOptions())

    assert (tmp_path / "marked.png").read_bytes() == b"precious"


def test_an_existing_output_is_replaced_where_that_was_asked_for(home: Home, tmp_path: Path) -> None:
    source = still(tmp_path / "photo.png", 384, 256)
    (tmp_path / "marked.png").write_bytes(b"old")

    embed_file(home, source, tmp_path / "marked.png", options=MarkOptions(overwrite=True))

    assert read_still(tmp_path / "marked.png").shape == (256, 384, 3)


def test_an_old_output_survives_a_failed_replacement(home: Home, tmp_path: Path) -> None:
    source = still(tmp_path / "photo.png", 64, 64)
    (tmp_path / "marked.png").write_bytes(b"precious")

    with pytest.raises(WatermarkError):
        embed_file(home, source, tmp_path / "marked.png", options=MarkOptions(overwrite=True))

    assert (tmp_path / "marked.png").read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["twin.png", "alias.png"])
def test_the_input_under_another_name_is_never_written_over(home: Home, tmp_path: Path, name: str) -> None:
    source = still(tmp_path / "photo.png", 384, 256)
    before = source.read_bytes()
    (tmp_path / "twin.png").hardlink_to(source)
    (tmp_path / "alias.png").symlink_to(source)

    with pytest.raises(RequestError, match="is the input itself"):
        embed_file(home, source, tmp_path / name, options=MarkOptions(overwrite=True))

    assert source.read_bytes() == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_directory_as_output_is_refused_and_no_mark_is_issued(home: Home, tmp_path: Path, overwrite: bool) -> None:
    source = still(tmp_path / "photo.png", 384, 256)
    (tmp_path / "folder.png").mkdir()

    with pytest.raises(OutputError):
        embed_file(home, source, tmp_path / "folder.png", options=MarkOptions(overwrite=overwrite))

    assert everything_in(tmp_path) == ["folder.png", "photo.png"]
    assert issued(home) == []


def test_the_root_directory_as_output_is_refused(home: Home, tmp_path: Path) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    with pytest.raises(OutputError):
        embed_file(home, source, Path("/"), options=MarkOptions(overwrite=True))


def test_an_output_in_a_missing_directory_is_refused(home: Home, tmp_path: Path) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    with pytest.raises(OutputError, match="does not exist"):
        embed_file(home, source, tmp_path / "no" / "marked.png", options=MarkOptions())

    assert issued(home) == []


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff\xe0junk"])
def test_an_input_that_cannot_be_read_leaves_nothing_and_issues_no_mark(
    home: Home, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "photo.png").write_bytes(content)

    with pytest.raises(MediaError):
        embed_file(home, tmp_path / "photo.png", tmp_path / "marked.png", options=MarkOptions())

    assert everything_in(tmp_path) == ["photo.png"]
    assert (issued(home), events(home)) == ([], [])


def test_a_missing_input_leaves_nothing_and_issues_no_mark(home: Home, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"nowhere\.png cannot be read"):
        embed_file(home, tmp_path / "nowhere.png", tmp_path / "marked.png", options=MarkOptions())

    assert everything_in(tmp_path) == []
    assert issued(home) == []


def test_a_clip_that_breaks_off_in_the_middle_leaves_nothing_and_issues_no_mark(home: Home, tmp_path: Path) -> None:
    content = film(tmp_path / "whole.mp4", frames=24).read_bytes()
    (tmp_path / "broken.mp4").write_bytes(content[: len(content) * 2 // 3])

    with pytest.raises(MediaError):
        embed_file(home, tmp_path / "broken.mp4", tmp_path / "out.mp4", options=MarkOptions())

    assert everything_in(tmp_path) == ["broken.mp4", "whole.mp4"]
    assert (issued(home), events(home)) == ([], [])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("injected")], ids=["ctrl_c", "a_bug"])
def test_an_interruption_between_frames_leaves_nothing_and_issues_no_mark(
    home: Home, tmp_path: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = film(tmp_path / "in.mp4")

    def two_frames_then_stop(path: Path) -> Iterator[object]:
        yield to_yuv420(scene(256, 256))
        yield to_yuv420(scene(256, 256))
        raise error

    monkeypatch.setattr("platemark.marking.read_frames_yuv420", two_frames_then_stop)

    with pytest.raises(type(error)):
        embed_file(home, source, tmp_path / "out.mp4", options=MarkOptions())

    assert everything_in(tmp_path) == ["in.mp4"]
    assert issued(home) == []


def test_a_mark_that_cannot_be_registered_is_never_handed_out(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    def locked(*_: object, **__: object) -> None:
        raise LedgerUnavailable("The ledger is locked by another program.")

    monkeypatch.setattr("platemark_provenance.ledger.registry.Registry.bind_mark", locked)

    with pytest.raises(LedgerUnavailable):
        embed_file(home, source, tmp_path / "marked.png", options=MarkOptions())

    assert everything_in(tmp_path) == ["photo.png"]
    assert (issued(home), events(home)) == ([], [])


def test_an_output_that_appears_meanwhile_is_not_replaced(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = still(tmp_path / "photo.png", 384, 256)

    def read_while_somebody_writes(path: Path) -> RGB:
        (tmp_path / "marked.png").write_bytes(b"theirs")
        return read_still(path)

    monkeypatch.setattr("platemark.marking.read_still", read_while_somebody_writes)

    with pytest.raises(OutputError, match="made by somebody else"):
        embed_file(home, source, tmp_path / "marked.png", options=MarkOptions())

    assert (tmp_path / "marked.png").read_bytes() == b"theirs"
    assert everything_in(tmp_path) == ["marked.png", "photo.png"]


def test_marking_works_on_a_clip_that_is_signed_and_the_copy_is_not_signed(
    clip: Clip, home_path: Path, tmp_path: Path, verdict_of: Callable[[Path], str]
) -> None:
    embed_file(open_home(home_path), clip.path, tmp_path / "copy.mp4", options=MarkOptions(MARK))

    assert verdict_of(tmp_path / "copy.mp4") in {"recovered", "none"}
    assert verdict_of(clip.path) == "trusted"


@pytest.fixture
def verdict_of(home_path: Path) -> Callable[[Path], str]:
    """Say what `verify` says."""
    from platemark.verifying.verifier import verify

    return lambda path: verify(path, home=home_path).verdict.value


def test_the_original_is_never_touched(home: Home, tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4")
    before = hashlib.sha256(source.read_bytes()).hexdigest()

    embed_file(home, source, tmp_path / "out.mp4", options=MarkOptions())

    assert hashlib.sha256(source.read_bytes()).hexdigest() == before


def test_a_clip_that_a_player_turns_is_still_turned_after_marking(home: Home, tmp_path: Path) -> None:
    source = tmp_path / "phone.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        stream.set_display_rotation(90)
        for index in range(6):
            frame = av.VideoFrame.from_ndarray(scene(256, 192, seed=index // 6), format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    embed_file(home, source, tmp_path / "out.mp4", options=MarkOptions())

    # Either the picture is turned, or the instruction to turn it is kept.
    before, after = read_video_facts(source), read_video_facts(tmp_path / "out.mp4")
    turned = (after.height, after.width) == (before.height, before.width)
    assert (after.rotation_deg == before.rotation_deg) == turned
