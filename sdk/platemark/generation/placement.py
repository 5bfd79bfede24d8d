"""Where a model computes and in which precision: the one place that knows a processor from an accelerator.

One rule: one code path; whatever differs between devices is decided here and nowhere else.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from platemark.errors import RequestError

DeviceName = Literal["auto", "cpu", "cuda"]
PrecisionName = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Placement:
    """A device and the type of the weights on it."""

    device: torch.device
    dtype: torch.dtype


def choose_placement(device: DeviceName = "auto", dtype: PrecisionName = "auto") -> Placement:
    """Choose where and how to compute.

    On an accelerator bfloat16 is the default. On a processor it is float32, the fastest type there is without AMX
    (bfloat16 was measured 3.3 times slower); half precision is refused there, since its sums overflow.

    Raises:
        RequestError: there is no such device, or it does not compute in this type.
    """
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise RequestError("This torch finds no CUDA device.", fix="Choose the device auto or cpu.")
    on_cuda = there and device != "cpu"
    if dtype == "float16" and not on_cuda:
        raise RequestError("A processor does not sample in float16.", fix="Choose float32 or bfloat16.")
    chosen = ("bfloat16" if on_cuda else "float32") if dtype == "auto" else dtype
    return Placement(torch.device("cuda" if on_cuda else "cpu"), getattr(torch, chosen))
