"""Where and how tensors are computed: the one place that knows a processor from an accelerator.

One rule: the trainer has one code path; whatever differs between devices is decided here.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from platemark.errors import RequestError
from platemark.generation.transformer import VideoTransformer


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
                block.compile(dynamic=False)
        return network

    def faster(self, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """Give a function compiled, where this device compiles."""
        return torch.compile(function) if self.compiles else function


def choose_compute(name: str) -> Compute:
    """Choose how to compute on `auto`, `cpu` or `cuda`.

    On a processor float32 is the fastest type there is without AMX (bfloat16 was measured 3.3 times slower).

    Raises:
        RequestError: the name is none of these, or there is no such device.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise RequestError(f"A device is auto, cpu or cuda; got {name[:40]!r}.", fix="Leave --device out.")
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise RequestError("This torch finds no CUDA device.", fix="Leave --device out to train on the processor.")
    if name == "cpu" or not there:
        return Compute(torch.device("cpu"), half=False, compiles=False)
    return Compute(torch.device("cuda"), half=True, compiles=True)
