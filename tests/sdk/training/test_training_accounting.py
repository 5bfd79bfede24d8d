"""What a run costs."""

from pathlib import Path

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.config import AutoencoderConfig, TransformerConfig
from platemark.generation.transformer import VideoTransformer
from platemark.training.accounting import Clocks, Cost, Meter, autoencoder_flops, transformer_flops
from platemark.training.config import NANO


class _Times:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.wall_seconds = 100.0
        self.cpu_seconds = 10.0

    def clocks(self) -> Clocks:
        """Give both clocks."""
        return Clocks(lambda: self.wall_seconds, lambda: self.cpu_seconds)

    def pass_by(self, *, wall: float, cpu: float) -> None:
        """Let time go by."""
        self.wall_seconds += wall
        self.cpu_seconds += cpu


@pytest.mark.parametrize(("frames", "height", "width"), [(5, 8, 8), (1, 8, 8), (3, 5, 7)])
def test_the_transformers_operations_are_those_that_torch_counts(frames: int, height: int, width: int) -> None:
    config = NANO.transformer
    network = VideoTransformer(config)
    latents = torch.zeros(1, frames, height, width, config.latent_channels)
    condition = network.encode_slots(torch.zeros(1, len(config.slot_sizes), dtype=torch.int64))

    # The fused attention of a processor is not counted, so attention is taken apart here.
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        network(latents, torch.ones(1, frames), condition, torch.arange(frames)[None])

    ours = transformer_flops(config, frames=frames, height=height, width=width)
    assert ours == pytest.approx(counter.get_total_flops(), rel=1e-6)


@pytest.mark.parametrize("config", [AutoencoderConfig(), AutoencoderConfig(latent_channels=8, fine_width=24)])
def test_the_autoencoders_operations_are_those_that_torch_counts(config: AutoencoderConfig) -> None:
    network = VideoAutoencoder(config)

    with FlopCounterMode(display=False) as encoding, torch.no_grad():
        latents = network.encode(torch.zeros(1, 5, 32, 48, 3))
    with FlopCounterMode(display=False) as decoding, torch.no_grad():
        network.decode(latents)

    encode, decode = autoencoder_flops(config, groups=2, height=4, width=6)
    assert encode == pytest.approx(encoding.get_total_flops(), rel=1e-6)
    assert decode == pytest.approx(decoding.get_total_flops(), rel=1e-6)


def test_a_wider_transformer_costs_more() -> None:
    narrow, wide = (TransformerConfig(width=width, heads=4) for width in (128, 256))

    costs = [transformer_flops(config, frames=5, height=8, width=8) for config in (narrow, wide)]

    assert 3 < costs[1] / costs[0] < 4


def test_without_a_counter_joules_are_an_estimate_that_says_so(tmp_path: Path) -> None:
    times = _Times()
    meter = Meter(times.clocks(), counter=tmp_path / "none")

    times.pass_by(wall=5, cpu=3)

    assert meter.read() == Cost(0.0, 3.0, 5.0, 30.0, "estimate: CPU seconds x 10 W a core")


def test_a_counter_that_can_be_read_is_read(tmp_path: Path) -> None:
    counter = tmp_path / "energy_uj"
    counter.write_text("1000000\n")
    meter = Meter(_Times().clocks(), counter=counter)

    counter.write_text("3500000\n")

    assert meter.read().joules == 2.5
    assert meter.read().method.startswith("measured: RAPL")


@pytest.mark.parametrize("content", ["999", "no number"])
def test_a_counter_that_went_back_or_broke_is_not_believed(tmp_path: Path, content: str) -> None:
    counter = tmp_path / "energy_uj"
    counter.write_text("1000000\n")
    meter = Meter(_Times().clocks(), counter=counter)

    counter.write_text(content)

    assert meter.read().method.startswith("estimate")


def test_an_accelerators_seconds_count_with_its_design_power(tmp_path: Path) -> None:
    times = _Times()
    meter = Meter(times.clocks(), accelerator=True, counter=tmp_path / "none")

    times.pass_by(wall=2, cpu=1)

    assert meter.read().joules == 1410.0
    assert "accelerator" in meter.read().method


def test_costs_add_up_and_keep_both_methods() -> None:
    first, second = Cost(1.0, 2.0, 3.0, 4.0, "a"), Cost(10.0, 20.0, 30.0, 40.0, "b")

    assert first.plus(second) == Cost(11.0, 22.0, 33.0, 44.0, "a and b")
    assert first.plus(first).method == "a"
    assert Cost().plus(Cost()).method == "none"


def test_operations_are_added_alone() -> None:
    assert Cost(1.0, 2.0).with_flops(5.0) == Cost(6.0, 2.0)
