"""Which devices there are and what each computes well: the one place that knows a processor from an accelerator.

One rule: one code path; whatever differs between devices is decided here. Training adds how gradients are taken
(`platemark.training.compute`).
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


def find_device(name: str) -> torch.device:
    """Give the device of a name: `auto` is an accelerator where there is one.

    Raises:
        RequestError: the name is none of `DeviceName`, or there is no such device.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise RequestError(f"A device is auto, cpu or cuda; got {name[:40]!r}.", fix="Leave it out.")
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise RequestError("This torch finds no CUDA device.", fix="Choose the device auto or cpu.")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def multiplies_half() -> bool:
    """Tell whether this processor has instructions for products of bfloat16.

    With them such a product takes a fifth of the time of one in float32, without them three times as long (measured).
    """
    able = torch.cpu.get_capabilities()
    return any(bool(able.get(name)) for name in ("avx512_bf16", "amx_bf16"))


def choose_placement(device: DeviceName = "auto", dtype: PrecisionName = "auto") -> Placement:
    """Choose where and how to sample.

    On an accelerator bfloat16 is the default, on a processor float32: a clip shall not depend on which processor made
    it more than it must. Half precision is refused on a processor, since its sums overflow there.

    Raises:
        RequestError: there is no such device, or it does not compute in this type.
    """
    found = find_device(device)
    if dtype == "float16" and found.type == "cpu":
        raise RequestError("A processor does not sample in float16.", fix="Choose float32 or bfloat16.")
    chosen = ("bfloat16" if found.type == "cuda" else "float32") if dtype == "auto" else dtype
    return Placement(found, getattr(torch, chosen))
