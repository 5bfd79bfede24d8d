"""Small pictures that wait to be looked at, so that the network need not be in memory beside an encoder.

One rule: they are in a file that has no name, so that nothing of a picture is left behind by a crash; what cannot be
kept or read back is an error, never a picture less.
"""

import tempfile
from contextlib import ExitStack
from io import FileIO
from pathlib import Path

import numpy as np
from PIL import Image

from platemark_policy.errors import PolicyError
from platemark_policy.frames import RGB

SIDE = 256
"""Pixels on each side of a kept picture; open_nsfw shrinks every picture to this before it cuts its border off."""

MOST_KEPT = 2048
"""How many pictures wait at most, 384 MiB: 17 minutes at two a second."""

_BYTES = SIDE * SIDE * 3


def shrink(picture: RGB) -> RGB:
    """Give a picture as small as the network sees it, by the filter that the network's own package uses.

    Args:
        picture: uint8 (h, w, 3) RGB, of any size.

    Returns:
        uint8 (256, 256, 3) RGB.

    Raises:
        PolicyError: it is no picture.
    """
    check_picture(picture)
    small = Image.fromarray(picture).resize((SIDE, SIDE), resample=Image.Resampling.BILINEAR)
    return np.asarray(small, dtype=np.uint8)


def check_picture(picture: RGB) -> None:
    """Make sure of a picture's form.

    Raises:
        PolicyError: it is not uint8 (h, w, 3), or has no pixels.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise PolicyError(f"Expected a uint8 (h, w, 3) picture, got {picture.dtype} {picture.shape}.")


class KeptPictures:
    """Pictures in the order in which they came, each with its place in the clip.

    Args:
        folder: on whose disk they wait; the system's folder for temporary files where it is left out.
        most: how many wait at most.
    """

    def __init__(self, folder: Path | None = None, *, most: int = MOST_KEPT) -> None:
        self._folder, self._most = folder, most
        self._places: list[int] = []
        self._file: FileIO | None = None
        self._open = ExitStack()

    @property
    def places(self) -> tuple[int, ...]:
        """Give the places of what waits, in order."""
        return tuple(self._places)

    @property
    def is_full(self) -> bool:
        """Tell whether there is no room for another one."""
        return len(self._places) >= self._most

    def add(self, place: int, picture: RGB) -> None:
        """Keep one more.

        Args:
            place: the number of its frame.
            picture: as `shrink` gives it.

        Raises:
            PolicyError: there is no room for it, here or on the disk; those before it are still kept.
        """
        if self.is_full or picture.shape != (SIDE, SIDE, 3):
            raise PolicyError(f"A picture could not be kept to be looked at ({len(self._places)} wait).")
        try:
            file = self._opened()
            file.seek(len(self._places) * _BYTES)
            written = file.write(picture.tobytes())
        except OSError as error:
            raise PolicyError(f"A picture could not be kept to be looked at ({type(error).__name__}).") from error
        if written != _BYTES:
            raise PolicyError("A picture could not be kept to be looked at (the disk is full).")
        self._places.append(place)

    def read(self, index: int) -> RGB:
        """Give the picture that belongs to `places[index]`: uint8 (256, 256, 3) RGB.

        Raises:
            PolicyError: it cannot be read back whole.
        """
        try:
            file = self._opened()
            file.seek(index * _BYTES)
            content = file.read(_BYTES)
        except OSError as error:
            raise PolicyError(f"A kept picture could not be read ({type(error).__name__}).") from error
        if len(content) != _BYTES:
            raise PolicyError("A kept picture could not be read (it is cut short).")
        return np.frombuffer(content, dtype=np.uint8).reshape(SIDE, SIDE, 3)

    def clear(self) -> None:
        """Let go of all of them, and of the file."""
        self._places.clear()
        self._file = None
        self._open.close()

    def _opened(self) -> FileIO:
        if self._file is None:
            # Unbuffered: a full disk shows when a picture is written, not when the file is closed.
            with ExitStack() as opening:
                self._file = opening.enter_context(tempfile.TemporaryFile(buffering=0, dir=self._folder))
                self._open = opening.pop_all()
        return self._file
