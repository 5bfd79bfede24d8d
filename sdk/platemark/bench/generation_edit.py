"""Whether a changed clip keeps the layout of the one it was made from while it follows its new words.

One rule: the same words without the clip stand beside it, since words alone could give the same picture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from platemark.bench.claims import Claim, Options
from platemark.clip import Size
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.backends.embedded import EmbeddedGenerator
from platemark.generation.given import UNCONDITIONED, Conditioning, Footage

STRENGTH = 0.6
BEFORE, AFTER = "many clouds drifting right in a sky by day", "many clouds drifting right in a sky at sunset"
Frames = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of a clip.

    Attributes:
        kept: correlation of the changed clip's pattern of light with the source's, -1 to 1.
        kept_by_words: that of a clip of the same words and noise without the source.
        followed: how far its colour went from the source's (0) to that of the words alone (1).
    """

    kept: float
    kept_by_words: float
    followed: float


def measure_edit(options: Options) -> list[Claim]:
    """Turn day into evening, and say what stayed."""
    del options  # three clips, seconds each
    found = edited(EmbeddedGenerator(), strength=STRENGTH)
    words = f"the same words without the clip, {found.kept_by_words:.2f}"
    return [
        Claim(f"an edit of strength {STRENGTH}, layout kept", found.kept, "", 0.5, peer=words, least=True),
        Claim(f"an edit of strength {STRENGTH}, new words followed", found.followed, "", 0.5, "1: in full", least=True),
    ]


def edited(generator: Generator, *, strength: float) -> Edited:
    """Make a clip, change it by other words, and make another by these words alone."""
    source = _made(generator, BEFORE, 5)
    changed = _made(generator, AFTER, 9, Conditioning(source=Footage(0, source), strength=strength))
    words = _made(generator, AFTER, 9)
    began, came, whole = (warmth(frames) for frames in (source, changed, words))
    return Edited(likeness(changed, source), likeness(words, source), (came - began) / (whole - began))


def likeness(one: Frames, other: Frames) -> float:
    """Correlate the patterns of light of two clips (t, h, w, 3).

    Each row's own mean is taken away first: the gradient of a sky is in every clip of one.
    """
    a, b = (frames.mean(axis=3) for frames in (one, other))
    a, b = (light - light.mean(axis=2, keepdims=True) for light in (a, b))
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-9))


def warmth(frames: Frames) -> float:
    """Measure how much redder than blue a clip is, in levels."""
    return float(frames[..., 0].astype(np.float64).mean() - frames[..., 2].astype(np.float64).mean())


def _made(generator: Generator, prompt: str, seed: int, conditioning: Conditioning = UNCONDITIONED) -> Frames:
    request = GenerationRequest(
        prompt=prompt, size=Size(128, 128), frames=17, fps=12, seed=seed, conditioning=conditioning
    )
    return np.stack(list(generator.generate(generator.resolve(request))))
