"""What a run costs: floating-point operations, processor seconds, and joules with the method that gave them.

One rule: an estimate is called an estimate, and says what it was computed from.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from platemark.generation.config import AutoencoderConfig, TransformerConfig

RAPL = Path("/sys/class/powercap/intel-rapl:0/energy_uj")
WATTS_PER_CORE = 10.0
"""A server core at work: the thermal design power of current server processors over their cores, 3 to 12 W, rounded up;
memory and cooling are not in it."""
WATTS_PER_ACCELERATOR = 700.0
"""The design power of an H100 SXM (NVIDIA H100 data sheet): an upper bound."""
BACKWARD = 3
"""A training step costs about three forward passes (Kaplan et al., "Scaling Laws for Neural Language Models", 2020,
section 2.1)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent, so far or on something.

    Attributes:
        flops: floating-point operations of matrix products and convolutions; a multiply-add is two.
        cpu_seconds: of this process, all threads.
        wall_seconds: by the clock.
        joules: see the method.
        method: how the joules were found.
    """

    flops: float = 0.0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    joules: float = 0.0
    method: str = "none"

    def plus(self, other: "Cost") -> "Cost":
        """Add two costs; if they were found in two ways, both are named."""
        methods = dict.fromkeys(part for part in (self.method, other.method) if part != "none")
        return Cost(
            self.flops + other.flops,
            self.cpu_seconds + other.cpu_seconds,
            self.wall_seconds + other.wall_seconds,
            self.joules + other.joules,
            " and ".join(methods) or "none",
        )

    def with_flops(self, flops: float) -> "Cost":
        """Give this cost with so many operations more."""
        return replace(self, flops=self.flops + flops)


NOTHING = Cost()


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks a meter reads: seconds of the wall, and of this process on all threads."""

    wall: Callable[[], float] = time.monotonic
    cpu: Callable[[], float] = time.process_time


class Meter:
    """Measures what is spent from its making on.

    Where the processor's own energy counter can be read, it is (it counts the whole package, other work included);
    else joules are processor seconds times a power per core, or seconds of an accelerator times its design power.
    """

    def __init__(self, clocks: Clocks, *, accelerator: bool = False, counter: Path = RAPL) -> None:
        self._clocks = clocks
        self._accelerator = accelerator
        self._counter = counter
        self._wall, self._cpu = clocks.wall(), clocks.cpu()
        self._microjoules = _read_counter(counter)

    def read(self) -> Cost:
        """Give what was spent since this meter was made; operations are not counted here."""
        wall, cpu = self._clocks.wall() - self._wall, self._clocks.cpu() - self._cpu
        now = _read_counter(self._counter)
        if self._accelerator:
            joules = wall * WATTS_PER_ACCELERATOR + cpu * WATTS_PER_CORE
            method = f"estimate: accelerator seconds x {WATTS_PER_ACCELERATOR:g} W + CPU seconds x {WATTS_PER_CORE:g} W"
        elif now is not None and self._microjoules is not None and now >= self._microjoules:
            joules, method = (now - self._microjoules) / 1e6, "measured: RAPL package counter, other work included"
        else:
            joules, method = cpu * WATTS_PER_CORE, f"estimate: CPU seconds x {WATTS_PER_CORE:g} W a core"
        return Cost(0.0, cpu, wall, joules, method)


def _read_counter(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no counter, or not ours to read
        return None


def transformer_flops(config: TransformerConfig, *, frames: int, height: int, width: int) -> float:
    """Count the operations of one forward pass over one clip of latents (h, w in latent positions).

    Source: Kaplan et al., 2020, table 1, with the modulation of section "adaLN-single" added.
    """
    per_frame = -(-height // config.patch) * -(-width // config.patch)
    tokens = config.prefix_tokens + frames * per_frame
    d = config.width
    block = 2 * tokens * d * d * (3 + 1 + 2 * config.mlp_ratio) + 4 * tokens * tokens * d
    ends = 2 * frames * per_frame * d * config.token_channels * 2
    time = 2 * frames * d * (2 * config.time_frequencies + d)
    modulation = 2 * (1 + frames) * d * 6 * d + 2 * frames * d * 2 * d
    return float(config.depth * block + ends + time + modulation)


def autoencoder_flops(config: AutoencoderConfig, *, groups: int, height: int, width: int) -> tuple[float, float]:
    """Count the operations of encoding and of decoding groups of frames (h, w in latent positions)."""
    fine, coarse, cells = config.fine_width, config.coarse_width, groups * height * width
    stem, z, patch = config.stem_channels, config.latent_channels, config.patch_channels
    fine_block, coarse_block = 4 * 2 * 9 * fine * fine * 2, 2 * 9 * coarse * coarse * 2
    encode = 4 * stem * fine * 2 + fine_block + 4 * fine * coarse * 2 + coarse * z * 2 + patch * z * 2
    encode += config.encoder_blocks * coarse_block
    decode = 9 * z * coarse * 2 + coarse * 4 * fine * 2 + 4 * 9 * fine * stem * 2 + patch * z * 2
    decode += config.coarse_decoder_blocks * coarse_block + config.fine_decoder_blocks * fine_block
    return float(cells * encode), float(cells * decode)
