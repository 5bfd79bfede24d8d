"""Looking at pictures for the policy: files that were handed over, and frames on their way.

One rule: where no network is installed nobody looks, and the decision says so; where one is, a look that fails is
never a pass.
"""

from dataclasses import dataclass

from platemark.making.material import SourceFile
from platemark_policy.frames import RGB, FrameFacts, FrameScreen
from platemark_policy.nudity import Look, Looks, NudityWatch, can_look, look_for_nudity


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in all frames: what was measured, and the looks for nudity, None where nobody could look."""

    facts: FrameFacts
    looks: Looks | None = None


class FrameWatch:
    """Watches the frames of one clip as they pass.

    Args:
        fps: frames a second.
        look: gives a picture's score; the installed network where it is left out.
    """

    def __init__(self, *, fps: float, look: Look | None = None) -> None:
        self._screen = FrameScreen(fps=fps)
        self._eyes = _eyes(fps, look)

    def feed(self, frame: RGB) -> None:
        """Take the next frame: uint8 (h, w, 3) RGB, all of one size."""
        self._screen.feed(frame)
        if self._eyes is not None:
            self._eyes.feed(frame)

    def seen(self) -> Seen:
        """Give what was seen so far, the last frame included.

        Raises:
            PolicyError: no frame came by.
        """
        return Seen(self._screen.facts(), None if self._eyes is None else self._eyes.looks())


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
    for picture in file.pictures():
        eyes.feed(picture)
    return eyes.looks()


def _eyes(fps: float, look: Look | None) -> NudityWatch | None:
    if look is None and not can_look():
        return None
    return NudityWatch(fps=fps, look=look or look_for_nudity)
