"""Looking at pictures for the policy: files that were handed over, and frames on their way.

One rule: where no network is installed nobody looks, and the decision says so; where one is, a look that fails is
never a pass. Frames on their way wait, small, until the encoder is closed: the network and the encoder are never in
memory together unless more is to be looked at than may wait.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from platemark.making.material import SourceFile
from platemark_policy.frames import RGB, FrameFacts, FrameScreen
from platemark_policy.kept_pictures import KeptPictures
from platemark_policy.nudity import Look, Looks, NudityWatch, can_look, look_for_nudity


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in all frames: what was measured, and the looks for nudity, None where nobody could look."""

    facts: FrameFacts
    looks: Looks | None = None


class FrameWatch:
    """Watches the frames of one clip as they pass. As a context it lets go of what nobody looked at.

    Args:
        fps: frames a second.
        look: gives a picture's score; the installed network where it is left out.
        folder: on whose disk pictures wait to be looked at, in a file without a name.
    """

    def __init__(self, *, fps: float, look: Look | None = None, folder: Path | None = None) -> None:
        self._screen = FrameScreen(fps=fps)
        self._eyes = _eyes(fps, look, folder)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the pictures that wait."""
        if self._eyes is not None:
            self._eyes.__exit__(kind, error, trace)

    def feed(self, frame: RGB) -> None:
        """Take the next frame: uint8 (h, w, 3) RGB, all of one size."""
        self._screen.feed(frame)
        if self._eyes is not None:
            self._eyes.feed(frame)

    def seen(self, before_each: Callable[[], None] = lambda: None) -> Seen:
        """Look at what waits, and give what was seen, the last frame included. Call it once the encoder is closed.

        Args:
            before_each: called before each look; what it raises ends the looking.

        Raises:
            PolicyError: no frame came by.
        """
        return Seen(self._screen.facts(), None if self._eyes is None else self._eyes.looks(before_each))


def look_at(file: SourceFile, look: Look | None = None) -> Looks | None:
    """Look at a given still, or at a given clip every half second, after each cut, and at its end.

    Args:
        file: what was handed over.
        look: gives a picture's score; the installed network where it is left out.

    Returns:
        None where no network is installed.

    Raises:
        MediaError: the file is damaged.
    """
    eyes = _eyes(float(file.fps), look)
    if eyes is None:
        return None
    with eyes:
        for picture in file.pictures():
            eyes.feed(picture)
        return eyes.looks()


def _eyes(fps: float, look: Look | None, folder: Path | None = None) -> NudityWatch | None:
    if look is None and not can_look():
        return None
    return NudityWatch(fps=fps, look=look or look_for_nudity, kept=KeptPictures(folder))
