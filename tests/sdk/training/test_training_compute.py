"""Where tensors are computed."""

import pytest
import torch

from platemark.errors import RequestError
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.training.compute import Compute, choose_compute, plain_attention
from platemark.training.config import TrainingConfig
from platemark.training.trainer import Trainer


@pytest.mark.parametrize(
    ("able", "compiler", "half", "compiles"),
    [
        ({}, "/usr/bin/g++", False, False),
        ({"avx512_bf16": False, "amx_bf16": False}, "/usr/bin/g++", False, False),
        ({"avx512_bf16": True}, "/usr/bin/g++", True, True),
        ({"amx_bf16": True}, None, True, False),
    ],
    ids=["an old processor", "one that says so", "a new one", "a new one without a compiler"],
)
def test_a_processor_computes_in_what_it_multiplies_fastest(
    monkeypatch: pytest.MonkeyPatch, able: dict[str, bool], compiler: str | None, half: bool, compiles: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    monkeypatch.setattr("platemark.training.compute.which", lambda _: compiler)

    compute = choose_compute("cpu")

    assert (compute.device.type, compute.half, compute.compiles) == ("cpu", half, compiles)


@pytest.mark.parametrize("width", [1, 7, 33])
def test_attention_by_its_formula_is_torchs_attention(width: int) -> None:
    torch.manual_seed(width)
    query, key, value = torch.randn(3, 2, 3, 11, width)

    assert torch.allclose(
        plain_attention(query, key, value),
        torch.nn.functional.scaled_dot_product_attention(query, key, value),
        atol=1e-5,
    )


def test_attention_by_its_formula_stays_finite_in_half_precision() -> None:
    torch.manual_seed(0)
    query = 40 * torch.randn(1, 1, 9, 8, dtype=torch.bfloat16)

    assert torch.isfinite(plain_attention(query, query, query)).all()


def test_auto_without_an_accelerator_is_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert choose_compute("auto") == choose_compute("cpu")


def test_auto_with_an_accelerator_takes_it_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    compute = choose_compute("auto")

    assert (compute.device.type, compute.half, compute.compiles) == ("cuda", True, True)


def test_an_accelerator_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(RequestError, match="no CUDA device"):
        choose_compute("cuda")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(RequestError, match="auto, cpu or cuda"):
        choose_compute("abacus")


def test_convolutions_are_placed_channels_last(tiny: TrainingConfig, cpu: Compute) -> None:
    network = VideoAutoencoder(tiny.autoencoder)

    cpu.place(network)

    assert network.decoder.stem.weight.is_contiguous(memory_format=torch.channels_last)


def test_nothing_is_compiled_on_a_processor(cpu: Compute) -> None:
    assert cpu.faster(torch.add) is torch.add


def test_half_precision_is_near_single_precision(tiny: TrainingConfig, cpu: Compute) -> None:
    """The code path of an accelerator, as far as a processor can walk it."""
    half = Compute(torch.device("cpu"), half=True, compiles=False)

    exact, rough = Trainer(tiny, compute=cpu), Trainer(tiny, compute=half)
    exact.begin_stage()
    rough.begin_stage()

    assert rough.step(0.0) == pytest.approx(exact.step(0.0), rel=2e-2)
