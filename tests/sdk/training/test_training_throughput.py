"""How fast a run computes is said in figures, and a share only of a peak that is known."""

from dataclasses import replace

import pytest
import torch

from platemark.training.accounting import Cost
from platemark.training.tally import Stage, Tally
from platemark.training.throughput import PEAK_FLOPS, Throughput, device_name, throughput_of

RUN = Tally(Stage.TRANSFORMER, step=10, seconds=4.0, samples=80, cost=Cost(flops=3e15, cpu_seconds=9, wall_seconds=6.0))


def test_clips_are_those_of_the_stage_and_operations_those_of_the_run() -> None:
    speed = throughput_of(RUN, "the processor")

    assert (speed.clips_per_second, speed.flops_per_second) == (20.0, 5e14)


@pytest.mark.parametrize(
    ("device", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H100 NVL", 835e12),
        ("NVIDIA H200", 989e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA A10", 125e12),
        ("NVIDIA L40S", 362e12),
        ("the processor", None),
        ("NVIDIA GeForce RTX 9090", None),
    ],
)
def test_the_peak_is_the_makers_or_there_is_none(device: str, peak: float | None) -> None:
    assert throughput_of(RUN, device).peak_flops == peak


def test_utilisation_is_what_was_done_over_what_could_be() -> None:
    speed = throughput_of(RUN, "NVIDIA H100 80GB HBM3")

    assert speed.utilisation == pytest.approx(5e14 / 989e12)
    assert "MFU 50.6% (NVIDIA H100 80GB HBM3)" in speed.in_words()


def test_without_a_peak_no_share_is_claimed() -> None:
    speed = throughput_of(RUN, "the processor")

    assert speed.utilisation is None
    assert speed.in_words() == "20.0 clips, 500 TFLOP"


def test_before_the_first_step_nothing_was_done() -> None:
    speed = throughput_of(Tally(), "the processor")

    assert (speed.clips_per_second, speed.flops_per_second) == (0.0, 0.0)


def test_after_the_last_stage_only_operations_are_told() -> None:
    done = replace(RUN, stage=Stage.DONE, samples=0, seconds=0.0)

    assert throughput_of(done, "the processor").in_words() == "500 TFLOP"


def test_a_record_holds_every_figure() -> None:
    record = Throughput("NVIDIA A10", 2.0, 1e12, 125e12).to_json()

    assert record == {
        "device": "NVIDIA A10",
        "clips_per_second": 2.0,
        "flops_per_second": 1e12,
        "peak_flops": 125e12,
        "utilisation": 1e12 / 125e12,
    }


def test_a_processor_has_no_makers_name_here() -> None:
    assert device_name(torch.device("cpu")) == "the processor"


def test_an_accelerator_is_named_by_its_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"NVIDIA {device.type}")

    assert device_name(torch.device("cuda")) == "NVIDIA cuda"


def test_no_peak_is_one_with_sparsity() -> None:
    assert max(PEAK_FLOPS.values()) < 1e15
