"""What is found in a folder is all media in it, nothing is left out in silence, and a stream has an end."""

import io
import os
import stat
from pathlib import Path
from typing import IO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platemark.errors import OutputError, RequestError
from platemark.verifying.targets import find_media, kept_stream

MP4 = b"\x00\x00\x00\x18ftypisom"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with clips, other things, and more below."""
    (tmp_path / "in" / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "in" / "b.mp4").write_bytes(MP4)
    (tmp_path / "in" / "A.JPG").write_bytes(b"")
    (tmp_path / "in" / "notes.txt").write_bytes(b"notes")
    (tmp_path / "in" / "deep" / "disguised.txt").write_bytes(MP4)
    (tmp_path / "in" / "deep" / "deeper" / "c.webp").write_bytes(b"RIFF\x00\x00\x00\x00WEBP")
    (tmp_path / "in" / ".hidden.mp4").write_bytes(MP4)
    return tmp_path / "in"


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_media_is_found_by_name_or_by_content_at_any_depth_in_order(folder: Path) -> None:
    found = find_media(folder)

    assert names(found.media) == ["A.JPG", "b.mp4", "c.webp", "disguised.txt"]
    assert (found.others, found.unreadable) == (2, ())


def test_an_empty_folder_has_nothing(tmp_path: Path) -> None:
    assert find_media(tmp_path).media == ()


def test_links_to_folders_are_not_followed_and_count_as_others(folder: Path) -> None:
    (folder / "deep" / "loop").symlink_to(folder, target_is_directory=True)

    found = find_media(folder)

    assert (len(found.media), found.others) == (4, 3)


def test_a_link_to_a_clip_is_examined_and_one_to_nothing_is_named(folder: Path) -> None:
    (folder / "link.mp4").symlink_to(folder / "b.mp4")
    (folder / "gone.mp4").symlink_to(folder / "nowhere.mp4")

    found = find_media(folder)

    assert "link.mp4" in names(found.media)
    assert names(found.unreadable) == ["gone.mp4"]


def test_a_pipe_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe.mp4")

    assert find_media(folder).others == 3


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert names(find_media(tmp_path / "nowhere").unreadable) == ["nowhere"]


@pytest.mark.parametrize("head", [MP4, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF1234AVI ", b"\x1a\x45\xdf\xa3"])
def test_files_that_begin_like_media_are_media_whatever_they_are_called(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "file.dat").write_bytes(head)

    assert names(find_media(tmp_path).media) == ["file.dat"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40))
def test_every_file_is_either_media_or_counted(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.dat").write_bytes(content)

    found = find_media(tmp_path)

    assert len(found.media) + found.others == 1


# Streams


@pytest.mark.parametrize("content", [b"", b"clip", bytes(3_000_000)])
def test_a_stream_is_kept_whole_and_gone_afterwards(content: bytes) -> None:
    with kept_stream(io.BytesIO(content)) as path:
        kept, mode = path.read_bytes(), stat.S_IMODE(path.parent.stat().st_mode)

    assert (kept, mode) == (content, 0o700)
    assert not path.parent.exists()


def test_a_stream_is_gone_when_examining_it_fails() -> None:
    with pytest.raises(KeyError), kept_stream(io.BytesIO(b"clip")) as path:
        raise KeyError

    assert not path.exists()


def test_a_stream_without_end_is_cut_off() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return bytes(size)

    endless: IO[bytes] = Endless()  # type: ignore[assignment]
    with pytest.raises(RequestError, match="longer than"), kept_stream(endless, limit=5_000_000):
        pass


def test_a_stream_of_exactly_the_limit_is_kept() -> None:
    with kept_stream(io.BytesIO(bytes(4096)), limit=4096) as path:
        assert path.stat().st_size == 4096


def test_a_keyboard_is_no_stream() -> None:
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(RequestError, match="keyboard"), kept_stream(Terminal()):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open
    monkeypatch.setattr(Path, "open", lambda path, mode="r": real(Path("/dev/full"), "wb", buffering=0))

    with pytest.raises(OutputError, match="No space left"), kept_stream(io.BytesIO(b"clip")):
        pass
