"""Chance that can be asked for in any order: every number is a pure function of (seed, clip, lane).

One rule: integer hashing only, so that a processor and an accelerator throw the same dice, and a clip is the same in
whatever batch it is drawn.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_MASK = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9


def scramble(key: Tensor) -> Tensor:
    """Hash 32-bit numbers held in int64 to 32-bit numbers.

    Source: Wellons, "Prospecting for Hash Functions", 2018, function `lowbias32`.
    """
    key = key & _MASK
    key = ((key ^ (key >> 16)) * 0x7FEB352D) & _MASK
    key = ((key ^ (key >> 15)) * 0x846CA68B) & _MASK
    return key ^ (key >> 16)


@dataclass(frozen=True, slots=True)
class Dice:
    """The dice of a batch of clips.

    Attributes:
        first: (b,) int64, one half of each clip's key.
        second: (b,) int64, the other half; two clips share both with a chance of about one in 2**64.
    """

    first: Tensor
    second: Tensor

    @classmethod
    def of(cls, seed: int, index: Tensor) -> "Dice":
        """Make the dice of some clips.

        Args:
            seed: of the whole world.
            index: (b,) int64, the clips' numbers.
        """
        base = scramble(torch.tensor([seed, seed ^ _GOLDEN], device=index.device))
        high = scramble((index >> 32) + _GOLDEN)
        return cls(scramble(index ^ base[0] ^ high), scramble(index * _GOLDEN + base[1] + high))

    @property
    def size(self) -> int:
        """The number of clips."""
        return len(self.first)

    def bits(self, lane: int, count: int = 1) -> Tensor:
        """Throw (b, count) int64 numbers of 32 bits; other lanes give others."""
        place = torch.arange(count, device=self.first.device) + ((lane + 1) << 16)
        inner = scramble(self.first[:, None] + place * _GOLDEN)
        return scramble(inner ^ self.second[:, None])

    def uniform(self, lane: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Throw one number a clip: (b, 1, 1, 1) float32 in [low, high)."""
        return low + (high - low) * self.table(lane, 1)[:, :, None, None]

    def table(self, lane: int, count: int) -> Tensor:
        """Throw `count` numbers a clip: (b, count) float32 in [0, 1)."""
        return (self.bits(lane, count) >> 8).float() / (1 << 24)

    def pick(self, lane: int, count: int) -> Tensor:
        """Choose one of `count` for each clip: (b,) int64."""
        return self.bits(lane)[:, 0] % count
