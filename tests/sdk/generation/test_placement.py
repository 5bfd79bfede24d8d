"""Devices are found in one place, refused with a reason, and chosen the same way for sampling and for training."""

from typing import Any

import pytest
import torch

from platemark.errors import RequestError
from platemark.generation.placement import choose_placement, find_device, multiplies_half
from platemark.training.compute import choose_compute


@pytest.fixture
def _no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def _accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.mark.usefixtures("_no_accelerator")
@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_without_an_accelerator_there_is_the_processor(name: str) -> None:
    assert find_device(name).type == "cpu"


@pytest.mark.usefixtures("_accelerator")
@pytest.mark.parametrize(("name", "found"), [("auto", "cuda"), ("cuda", "cuda"), ("cpu", "cpu")])
def test_an_accelerator_is_taken_unless_the_processor_is_asked_for(name: str, found: str) -> None:
    assert find_device(name).type == found


@pytest.mark.usefixtures("_no_accelerator")
@pytest.mark.parametrize("choose", [find_device, choose_placement, choose_compute])
def test_an_accelerator_that_is_not_there_is_refused_by_everyone_alike(choose: Any) -> None:
    with pytest.raises(RequestError, match="no CUDA device") as refusal:
        choose("cuda")

    assert "auto or cpu" in (refusal.value.fix or "")


@pytest.mark.parametrize("choose", [find_device, choose_placement, choose_compute])
def test_a_device_of_no_known_kind_is_refused_by_everyone_alike(choose: Any) -> None:
    with pytest.raises(RequestError, match="auto, cpu or cuda; got 'abacus'"):
        choose("abacus")


@pytest.mark.usefixtures("_no_accelerator")
def test_a_processor_does_not_sample_in_float16() -> None:
    with pytest.raises(RequestError, match="does not sample in float16"):
        choose_placement("cpu", "float16")


@pytest.mark.usefixtures("_accelerator")
@pytest.mark.parametrize(
    ("device", "dtype", "chosen"),
    [
        ("auto", "auto", torch.bfloat16),
        ("auto", "float16", torch.float16),
        ("cpu", "auto", torch.float32),
        ("cpu", "bfloat16", torch.bfloat16),
        ("cuda", "float32", torch.float32),
    ],
)
def test_the_precision_follows_the_device_unless_it_is_named(device: Any, dtype: Any, chosen: torch.dtype) -> None:
    assert choose_placement(device, dtype).dtype == chosen


@pytest.mark.parametrize(
    ("able", "half"),
    [({}, False), ({"avx512_bf16": False}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)],
)
def test_a_processor_is_asked_what_it_multiplies(
    monkeypatch: pytest.MonkeyPatch, able: dict[str, bool], half: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)

    assert multiplies_half() is half
