"""The label read back from the pixels of a clip: on which frames it stands, where, how high, how well it contrasts.

One rule: what is reported was measured on the frames that came, never taken from what the manifest promises.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from platemark.errors import RequestError
from platemark.media.label import STANDARD_STILL_TEXTS, STANDARD_TEXTS, Place
from platemark.media.label_search import Match, best_match, score_at, template
from platemark.media.yuv import Luma

FOUND_SCORE = 0.68
"""Correlation from which a place counts as the label.

Measured on 2026-11-22 over made clips of 128 to 1280 pixels: labelled copies at half scale, cropped by 5 % and H.264
CRF 35 gave 0.77 and more, the best place of unlabelled clips 0.55 at most, other words on such a plate 0.67. A wording
that shares most of its letters ("AI 편집 영상" for "AI 생성 영상", 0.8) counts as the label.
"""
STANDARD_WORDINGS = tuple(dict.fromkeys((*STANDARD_TEXTS.values(), *STANDARD_STILL_TEXTS.values())))
"""What a label says where nobody chose its words, on clips and on stills."""
_MAX_WORDINGS = 16
_BLACK, _SPAN = 16.0, 219.0
"""Source: ITU-R BT.709-6, item 4.6, at 8 bits."""


@dataclass(frozen=True, slots=True)
class LabelSighting:
    """The label as it was seen best.

    `x`, `y`, `width` and `height` bound the letters, in pixels of the copy; `letter_height` is that of a capital A.
    `height_share` is the letter height over the frame's short side. `contrast` is the WCAG contrast ratio (1 to 21) of
    letters to plate; `score` the correlation with the wording, at most 1.
    """

    text: str
    place: Place
    x: int
    y: int
    width: int
    height: int
    letter_height: float
    height_share: float
    contrast: float
    score: float


@dataclass(frozen=True, slots=True)
class LabelPresence:
    """How a whole clip is labelled.

    `spans` are the runs of labelled frames, as (first, past the last); `sighting` is None when no frame is labelled.
    """

    frames: int
    labelled: int
    spans: tuple[tuple[int, int], ...]
    sighting: LabelSighting | None

    @property
    def whole(self) -> bool:
        """Say whether every frame carries the label."""
        return 0 < self.frames == self.labelled

    def covers(self, first: int, past: int) -> bool:
        """Say whether every frame from `first` up to `past` carries the label."""
        return any(start <= first and past <= end for start, end in self.spans)


class LabelReader:
    """Follows one clip frame by frame. Feed luma planes in order, then read `presence`.

    A frame is searched everywhere only until the label is found; from then on it is looked for where it stood.

    Args:
        wordings: the texts that count as the label; none means `STANDARD_WORDINGS`.

    Raises:
        RequestError: more than 16 wordings, or an empty one.
    """

    def __init__(self, wordings: Sequence[str] = ()) -> None:
        texts = tuple(dict.fromkeys(wordings or STANDARD_WORDINGS))
        if len(texts) > _MAX_WORDINGS or not all(texts):
            raise RequestError(f"A label is looked for by 1 to {_MAX_WORDINGS} wordings; got {len(texts)}.")
        self._texts = texts
        self._found: list[tuple[str, Match]] = []
        self._best: LabelSighting | None = None
        self._frames = 0
        self._spans: list[tuple[int, int]] = []
        self._next_search = 0
        self._wait = 1

    @property
    def wordings(self) -> tuple[str, ...]:
        """Give the texts that are looked for."""
        return self._texts

    def feed(self, frame: Luma) -> bool:
        """Look at the next frame.

        Args:
            frame: uint8 (h, w), brightness as decoded, limited range.

        Returns:
            Whether it carries the label.
        """
        here = self._where_it_stood(frame) or self._anywhere(frame)
        if here is not None:
            self._keep(frame, *here)
            self._count()
        self._frames += 1
        return here is not None

    @property
    def presence(self) -> LabelPresence:
        """Give what was seen so far."""
        labelled = sum(past - first for first, past in self._spans)
        return LabelPresence(self._frames, labelled, tuple(self._spans), self._best)

    def _where_it_stood(self, frame: Luma) -> tuple[str, Match] | None:
        for text, place in self._found:
            score = score_at(frame, text, place)
            if score >= FOUND_SCORE:
                return text, Match(place.x, place.y, place.letter_height, score)
        return None

    def _anywhere(self, frame: Luma) -> tuple[str, Match] | None:
        """Search the whole frame, at growing distances in time: an unlabelled hour is not searched 90,000 times."""
        if self._frames < self._next_search:
            return None
        found = [(text, match) for text in self._texts if (match := best_match(frame, text)) is not None]
        text, match = max(found, key=lambda each: each[1].score, default=("", Match(0, 0, 0, -1.0)))
        if match.score < FOUND_SCORE:
            self._wait *= 2
            self._next_search = self._frames + min(self._wait, 64)
            return None
        self._wait, self._next_search = 1, 0
        self._found.insert(0, (text, match))
        del self._found[4:]
        return text, match

    def _keep(self, frame: Luma, text: str, match: Match) -> None:
        if self._best is None or match.score > self._best.score:
            self._best = measure_label(frame, text, match)

    def _count(self) -> None:
        if self._spans and self._spans[-1][1] == self._frames:
            self._spans[-1] = (self._spans[-1][0], self._frames + 1)
        else:
            self._spans.append((self._frames, self._frames + 1))


def measure_label(frame: Luma, text: str, match: Match) -> LabelSighting:
    """Measure a label where it was found.

    Args:
        frame: uint8 (h, w), limited range.
        text: the wording.
        match: where it stands.
    """
    pattern = template(text, round(match.letter_height, 2))
    height, width = pattern.coverage.shape
    left, top = round(match.x) - pattern.left, round(match.y) - pattern.top
    window = frame[max(0, top) : top + height, max(0, left) : left + width].astype(np.float64)
    coverage = pattern.coverage[max(0, -top) :, max(0, -left) :][: window.shape[0], : window.shape[1]]
    return LabelSighting(
        text=text,
        place=_place(frame, match, width=width),
        x=left + pattern.left,
        y=top + pattern.top,
        width=width - 2 * pattern.left,
        height=height - 2 * pattern.top,
        letter_height=round(match.letter_height, 2),
        height_share=round(match.letter_height / min(frame.shape), 4),
        contrast=round(_contrast(window, coverage), 2),
        score=round(match.score, 4),
    )


def _place(frame: Luma, match: Match, *, width: int) -> Place:
    high = match.y + match.letter_height / 2 < frame.shape[0] / 2
    if match.x + width / 2 < frame.shape[1] / 2:
        return "top_left" if high else "bottom_left"
    return "top_right" if high else "bottom_right"


def _contrast(window: npt.NDArray[np.float64], coverage: npt.NDArray[np.float32]) -> float:
    """Fit brightness = plate + coverage × (letters − plate), then compare the two as WCAG 2.2 does (1.4.3)."""
    slope, plate = np.polyfit(coverage.ravel().astype(np.float64), window.ravel(), 1)
    dark, light = sorted((_luminance(float(plate)), _luminance(float(plate + slope))))
    return (light + 0.05) / (dark + 0.05)


def _luminance(luma: float) -> float:
    """Give WCAG's relative luminance (0 to 1) of a grey of a limited-range brightness."""
    share = min(1.0, max(0.0, (luma - _BLACK) / _SPAN))
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
