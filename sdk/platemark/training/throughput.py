"""How fast a run computes, and what share of its device that uses.

One rule: a share is given only of a peak that the device's maker has published; of any other there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from platemark.training.tally import Tally

PEAK_FLOPS: Mapping[str, float] = {
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H200": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "A10": 125e12,
}
"""Products of bfloat16 a second, dense, by a part of the device's name, the longest first.

Source: the data sheets of NVIDIA for each of them (figures with sparsity halved).
"""


@dataclass(frozen=True, slots=True)
class Throughput:
    """What a run does in a second.

    Attributes:
        device: its name.
        clips_per_second: of the stage it is in; 0 before its first step and after the last stage.
        flops_per_second: operations of the whole run over its seconds by the clock.
        peak_flops: what the device could do; none where nobody published it.
    """

    device: str
    clips_per_second: float
    flops_per_second: float
    peak_flops: float | None

    @property
    def utilisation(self) -> float | None:
        """Give the model-FLOPs utilisation, 0 to 1; none where no peak is known.

        Source: Chowdhery et al., "PaLM: Scaling Language Modeling with Pathways", 2022, section 4.1.
        """
        return None if self.peak_flops is None else self.flops_per_second / self.peak_flops

    def in_words(self) -> str:
        """Say it in figures, one unit each."""
        parts = [f"{self.clips_per_second:.1f} clips"] if self.clips_per_second else []
        parts.append(f"{self.flops_per_second / 1e12:.3g} TFLOP")
        if self.utilisation is not None:
            parts.append(f"MFU {self.utilisation:.1%} ({self.device})")
        return ", ".join(parts)

    def to_json(self) -> dict[str, object]:
        """Give it as plain values."""
        return {
            "device": self.device,
            "clips_per_second": self.clips_per_second,
            "flops_per_second": self.flops_per_second,
            "peak_flops": self.peak_flops,
            "utilisation": self.utilisation,
        }


def throughput_of(tally: Tally, device: str) -> Throughput:
    """Measure what a run has done so far.

    Args:
        tally: of the run.
        device: its name, as `device_name` gives.
    """
    clips = tally.samples / tally.seconds if tally.seconds > 0 else 0.0
    flops = tally.cost.flops / tally.cost.wall_seconds if tally.cost.wall_seconds > 0 else 0.0
    known = sorted((name for name in PEAK_FLOPS if name in device), key=len)
    return Throughput(device, clips, flops, PEAK_FLOPS[known[-1]] if known else None)


def device_name(device: torch.device) -> str:
    """Name a device: an accelerator by its maker's name, a processor by its kind alone."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
