"""The test card: colour bars, a moving box, and the seed written into every frame. No model, no weights, no torch.

One rule: every pixel is a function of (seed, frame number, size), so that tests can say what must come out.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from platemark._version import __version__
from platemark.clip import Size
from platemark.errors import GenerationError, RequestError
from platemark.generation.backend import (
    CancelToken,
    Cost,
    GenerationRequest,
    GeneratorInfo,
    Progress,
    ProgressListener,
    ResolvedRequest,
)
from platemark.generation.kept import LatentKeeper
from platemark.generation.resize import RGB, Picture

NAME = "testcard"
SEED_BITS = 64
"""Cells in the bottom strip, most significant bit first; white is 1."""
_BARS = (
    (191, 191, 191),
    (191, 191, 0),
    (0, 191, 191),
    (0, 191, 0),
    (191, 0, 191),
    (191, 0, 0),
    (0, 0, 191),
    (16, 16, 16),
)
"""Colour bars of 75 % and black, left to right. Source: SMPTE EG 1-1990, the pattern's upper part, in RGB."""
_CARD: Mapping[str, Any] = {
    "schema": "platemark-model-card-1",
    "name": "testcard",
    "version": __version__,
    "description": "Colour bars with a moving box and the seed in every frame, for tests. Nothing is learned.",
    "licence": {"code": "Apache-2.0"},
    "limits": ["It shows nothing of the prompt."],
}


def open_generator(*, threads: int | None = None) -> "TestCardGenerator":
    """Open the test card, which computes on one thread whatever is asked for."""
    del threads
    return TestCardGenerator()


def generator_info() -> GeneratorInfo:
    """Describe the test card."""
    return GeneratorInfo(
        name=NAME,
        version=__version__,
        weights_sha256=None,
        licence="Apache-2.0",
        native_size=None,
        native_fps=None,
        description=_CARD["description"],
        card=_CARD,
    )


def check_weights() -> bool:
    """There are none, so they are right."""
    return True


class TestCardGenerator:
    """Draw the test card at any size and rate. It takes every prompt and shows nothing of it."""

    __test__ = False  # not a test, whatever its name looks like to pytest

    @property
    def info(self) -> GeneratorInfo:
        """Who this generator is."""
        return generator_info()

    def resolve(self, request: GenerationRequest) -> ResolvedRequest:
        """Plan the card; every word of the prompt is ignored, and listed.

        Raises:
            RequestError: a loop, a world, or a clip to change: the card can only keep given frames.
        """
        kind = request.conditioning.kind
        if kind in ("source", "loop", "world"):
            raise RequestError(f"The test card cannot make a {kind}.", fix="Use the model 'embedded'.")
        words = dict.fromkeys(word[:40] for word in re.findall(r"\w+", request.prompt.lower()))
        return ResolvedRequest(
            request=request,
            model=NAME,
            native_width=request.size.width,
            native_height=request.size.height,
            native_frames=request.frames,
            native_fps=request.fps,
            steps=0,
            guidance=1.0,
            understood={"scene": "a test card"},
            ignored_words=tuple(words),
            resampling="none: drawn at the requested size and rate",
            conditions=tuple(f"frames {each.first} to {each.stop - 1} kept" for each in request.conditioning.given),
        )

    def estimate(self, resolved: ResolvedRequest) -> Cost:
        """Say what the card will cost."""
        pixels = resolved.request.size.width * resolved.request.size.height
        return Cost(round(resolved.request.frames * pixels * 2e-8, 3), pixels * 48, 0)

    def generate(
        self,
        resolved: ResolvedRequest,
        *,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
        keep: LatentKeeper | None = None,
    ) -> Iterator[RGB]:
        """Draw the frames; see `Generator.generate`.

        Raises:
            RequestError: the plan was made by another generator.
            Cancelled: the token was thrown.
        """
        if resolved.model != NAME:
            raise RequestError(
                f"This plan is for the model {resolved.model[:40]!r}, not {NAME!r}.", fix="Resolve it again."
            )
        request, token = resolved.request, cancel or CancelToken()
        still = _background(request.size, request.seed)
        for frame in range(request.frames):
            token.raise_if_cancelled()
            footage = next((each for each in request.conditioning.given if each.first <= frame < each.stop), None)
            if footage is None:
                yield _draw_frame(still, request.size, request.seed, frame)
            else:
                yield footage.pixels[frame - footage.first]
            if on_progress is not None:
                on_progress(Progress("decode", frame + 1, request.frames))


def read_seed(frame: RGB) -> int:
    """Read the seed out of a test card's frame, also after mild compression.

    Raises:
        GenerationError: the strip holds cells that are neither black nor white.
    """
    height, width = frame.shape[:2]
    edges = _cell_edges(width)
    row = height - _strip_height(height) // 2 - 1
    levels = [float(frame[row, (a + b) // 2].mean()) for a, b in itertools.pairwise(edges)]
    if any(64 < level < 192 for level in levels):
        raise GenerationError("The frame has no legible seed strip: cells must be black or white.")
    return int("".join("1" if level >= 192 else "0" for level in levels), 2)


def _background(size: Size, seed: int) -> Picture:
    """Draw what does not move: bars above, a textured slope below them, the seed at the bottom."""
    width, height = size.width, size.height
    card = np.empty((height, width, 3), np.float32)
    bars = np.array(_BARS, np.float32)[np.arange(width) * len(_BARS) // width]
    card[:] = bars
    slope_top, strip_top = height * 5 // 8, height - _strip_height(height)
    # The texture gives a watermark and a content fingerprint something to hold; its waves come from the seed.
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (4, 3))
    y, x = np.mgrid[0 : strip_top - slope_top, 0:width].astype(np.float32) / 64
    waves = sum(
        np.sin((k + 2) * (x[..., None] * np.sin(phases[k]) + y[..., None] * np.cos(phases[k]))) for k in range(4)
    )
    card[slope_top:strip_top] = 128 + 60 * (x[..., None] * 64 / width - 0.5) + 12 * waves
    cells = np.zeros(width, np.float32)
    for bit, (a, b) in enumerate(itertools.pairwise(_cell_edges(width))):
        cells[a:b] = 255 * (seed >> (SEED_BITS - 1 - bit) & 1)
    card[strip_top:] = cells[None, :, None]
    return card


def _draw_frame(still: Picture, size: Size, seed: int, frame: int) -> RGB:
    card = still.copy()
    side = max(16, min(size.width, size.height) // 8)
    reach = size.width - side
    travelled = (frame * max(1, size.width // 96) + seed) % (2 * reach)
    left = travelled if travelled < reach else 2 * reach - travelled
    top = size.height // 4
    card[top : top + side, left : left + side] = (235, 235, 235)
    card[top + side // 4 : top + side - side // 4, left + side // 4 : left + side - side // 4] = (40, 40, 40)
    drawn: RGB = np.rint(card.clip(0, 255)).astype(np.uint8)
    return drawn


def _strip_height(height: int) -> int:
    return max(8, height // 16)


def _cell_edges(width: int) -> list[int]:
    return [width * bit // SEED_BITS for bit in range(SEED_BITS + 1)]
