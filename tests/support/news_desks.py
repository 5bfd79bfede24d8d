"""A newsroom with a published clip, and what a command said there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platemark.clip import Clip
from platemark.homes.home import init
from platemark.studio import Studio

Said = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a command said: its exit code, its objects, and what people read."""

    code: int
    rows: list[Said]
    out: str
    err: str

    @property
    def row(self) -> Said:
        """Give the first object."""
        return self.rows[0]


Tell = Callable[..., Answer]


@dataclass(frozen=True)
class Desk:
    """A home and a clip that was published in it."""

    home: Path
    clip: Clip


def make_desk(folder: Path, organisation: str) -> Desk:
    """Make a home, and in it two seconds of a moving picture."""
    init(folder / "newsroom", organisation=organisation)
    with Studio.open(folder / "newsroom") as studio:
        clip = studio.generate(
            "a calm blue sea at sunset",
            model="testcard",
            seconds=2,
            size="512x512",
            seed=7,
            actor="jw.kim",
            byline="Kim Ji-woo",
            desk="politics",
            out=folder / "clip.mp4",
        )
    return Desk(folder / "newsroom", clip)
