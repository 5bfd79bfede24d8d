"""How a device trains best: in which precision, compiled or not, by which formula.

One rule: the trainer has one code path. Which devices there are, and what they multiply well, says
`platemark.generation.placement`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from shutil import which

import torch
from torch import Tensor, nn

from platemark.generation.layers import Block
from platemark.generation.placement import find_device, multiplies_half
from platemark.generation.transformer import VideoTransformer


def plain_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend by the formula, which trains faster than torch's fused kernel where tokens are few.

    With a hundred of them a step takes 0.7 of the time (measured on AVX-512 in bfloat16).

    Args:
        query: (b, heads, n, head_width).
        key: the same shape.
        value: the same shape.

    Source: Vaswani et al., "Attention Is All You Need", 2017, equation 1.
    """
    products = (query * query.shape[-1] ** -0.5) @ key.mT
    attended: Tensor = products.float().softmax(dim=-1).to(value.dtype) @ value
    return attended


@dataclass(frozen=True, slots=True)
class Compute:
    """A device and how it computes best.

    Attributes:
        device: where tensors live.
        half: whether products are taken in bfloat16; sums and weights stay float32.
        compiles: whether networks are compiled; costs about a minute, so only worth it in training.
    """

    device: torch.device
    half: bool
    compiles: bool

    def precision(self) -> AbstractContextManager[object]:
        """Compute the enclosed block in this device's precision."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.half else nullcontext()

    def place(self, network: nn.Module) -> nn.Module:
        """Move a network to the device, in the memory format its convolutions like, and compile its blocks."""
        network.to(self.device)
        for parameter in network.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        if self.compiles and isinstance(network, VideoTransformer):
            # Only the block, and once a shape: compiling the whole network takes longer and gains nothing (measured).
            for block in network.blocks:
                if isinstance(block, Block):
                    block.attention = plain_attention
                block.compile(dynamic=False)
        return network

    def faster(self, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """Give a function compiled, where this device compiles."""
        return torch.compile(function) if self.compiles else function


def choose_compute(name: str) -> Compute:
    """Choose how to compute on `auto`, `cpu` or `cuda`.

    A processor that multiplies bfloat16 by itself takes it, five times faster than float32 (measured on AVX-512 BF16:
    500 against 100 GFLOP/s), and compiles where a C++ compiler is there; any other computes in float32, which is 3.3
    times faster there than bfloat16.

    Raises:
        RequestError: the name is none of these, or there is no such device.
    """
    device = find_device(name)
    if device.type == "cuda":
        return Compute(device, half=True, compiles=True)
    half = multiplies_half()
    return Compute(device, half=half, compiles=half and which("g++") is not None)
