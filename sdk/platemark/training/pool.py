"""Latents of clips, ready for the transformer.

One rule: which clips are in the pool at a step follows from the step alone, and clips are always drawn and encoded in
the same chunks, so a run that was interrupted meets the same latents again to the last bit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

CHUNK = 16


@dataclass(frozen=True, slots=True)
class Encoded:
    """Some clips as the transformer meets them.

    Attributes:
        latents: (n, t, h, w, c) float32.
        slots: (n, s) int64.
        actions: (n, t, a) float32, the share of each action in each latent frame.
    """

    latents: Tensor
    slots: Tensor
    actions: Tensor


class LatentPool:
    """A window of chunks of `CHUNK` clips that moves on as training goes.

    Args:
        encode: gives chunk number i: the latents of clips `CHUNK * i` up to `CHUNK * (i + 1)`.
        chunks: held at once.
        refresh: steps after which the window moves by one chunk.
    """

    def __init__(self, encode: Callable[[int], Encoded], *, chunks: int, refresh: int) -> None:
        self._encode = encode
        self._chunks = chunks
        self._refresh = refresh
        self._held: dict[int, Encoded] = {}

    def window(self, step: int) -> range:
        """Tell which chunks are held at a step."""
        return range(step // self._refresh, step // self._refresh + self._chunks)

    def prepare(self, step: int, *, on_chunk: Callable[[int, int], None] | None = None) -> None:
        """Draw and encode what is missing for a step, and forget what has left the window.

        Args:
            step: of the training.
            on_chunk: called after each new chunk with the number held and the number wanted.
        """
        wanted = self.window(step)
        for chunk in [held for held in self._held if held not in wanted]:
            del self._held[chunk]
        for chunk in wanted:
            if chunk not in self._held:
                self._held[chunk] = self._encode(chunk)
                if on_chunk is not None:
                    on_chunk(len(self._held), self._chunks)

    def draw(self, step: int, size: int, *, generator: torch.Generator) -> Encoded:
        """Take clips at random from the window of a step; `prepare` must have been called for it."""
        window = self.window(step)
        places = torch.randint(0, len(window) * CHUNK, (size,), generator=generator).tolist()
        picked = [(self._held[window[place // CHUNK]], place % CHUNK) for place in places]
        return Encoded(
            torch.stack([chunk.latents[at] for chunk, at in picked]),
            torch.stack([chunk.slots[at] for chunk, at in picked]),
            torch.stack([chunk.actions[at] for chunk, at in picked]),
        )
