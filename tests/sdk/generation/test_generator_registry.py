"""Generators are found by name; requests and cancellation are checked before any model is touched."""

import subprocess
import sys
import threading
from typing import Any

import pytest

from platemark.clip import MAX_SEED, Size
from platemark.errors import Cancelled, MissingExtra, RequestError
from platemark.generation.backend import (
    CancelToken,
    GenerationRequest,
    NativeSize,
    available_generators,
    check_weights,
    open_generator,
)
from platemark.generation.backends import embedded as embedded_backend


def run_python(code: str) -> str:
    """What a fresh interpreter prints for some code."""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return finished.stdout.strip()


def test_the_default_generator_comes_first() -> None:
    assert [info.name for info in available_generators()] == ["embedded", "testcard"]


@pytest.mark.parametrize("name", ["embedded", "testcard"])
def test_a_generator_is_opened_by_its_name(name: str) -> None:
    assert open_generator(name).info.name == name


@pytest.mark.parametrize("name", ["embedded", "testcard"])
def test_an_opened_generator_is_the_one_in_the_list(name: str) -> None:
    listed = {info.name: info for info in available_generators()}

    assert open_generator(name).info == listed[name]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("embeded", "embedded"), ("EMBEDDED", "embedded"), ("test-card", "testcard"), ("embed", "embedded")],
)
def test_a_misspelt_name_is_refused_with_the_nearest_one(typed: str, meant: str) -> None:
    with pytest.raises(RequestError) as refusal:
        open_generator(typed)

    assert f"Did you mean '{meant}'?" in refusal.value.fix


def test_a_name_like_no_other_is_refused_with_the_list() -> None:
    with pytest.raises(RequestError) as refusal:
        open_generator("sora")

    assert refusal.value.fix == "The models are: embedded, testcard."


def test_a_very_long_name_is_not_repeated_whole() -> None:
    with pytest.raises(RequestError) as refusal:
        open_generator("x" * 1000)

    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("name", ["embedded", "testcard"])
def test_the_weights_that_are_shipped_pass_their_check(name: str) -> None:
    assert check_weights(name) is True


def test_checking_the_weights_of_no_model_is_refused() -> None:
    with pytest.raises(RequestError, match="no model"):
        check_weights("nothing")


@pytest.mark.parametrize("name", ["torch", "safetensors", "einops"])
def test_the_embedded_model_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(embedded_backend, "find_spec", lambda wanted: None if wanted == name else object())

    with pytest.raises(MissingExtra) as refusal:
        open_generator("embedded")

    assert name in refusal.value.message
    assert "pip install 'platemark[generate]'" in refusal.value.fix


def test_the_list_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_backend, "find_spec", lambda wanted: None)

    assert len(available_generators()) == 2


def test_listing_checking_and_planning_load_no_torch() -> None:
    printed = run_python(
        "import sys\n"
        "from platemark.clip import Size\n"
        "from platemark.generation.backend import GenerationRequest, open_generator\n"
        "from platemark.generation.backend import available_generators, check_weights\n"
        "available_generators(); check_weights('embedded')\n"
        "request = GenerationRequest(prompt='rain', size=Size(128, 128), frames=2, fps=12, seed=1)\n"
        "for name in ('embedded', 'testcard'):\n"
        "    generator = open_generator(name)\n"
        "    generator.estimate(generator.resolve(request))\n"
        "list(open_generator('testcard').generate(open_generator('testcard').resolve(request)))\n"
        "print([name for name in ('torch', 'einops', 'safetensors', 'av', 'moviepy', 'c2pa') if name in sys.modules])\n"
    )

    assert printed == "[]"


def test_importing_the_networks_does_not_change_torch() -> None:
    printed = run_python(
        "import torch\n"
        "before = (torch.get_num_threads(), torch.initial_seed(), torch.is_grad_enabled())\n"
        "import platemark.generation.synthesis, platemark.generation.checkpoint\n"
        "print(before == (torch.get_num_threads(), torch.initial_seed(), torch.is_grad_enabled()))\n"
    )

    assert printed == "True"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fps", 0),
        ("fps", 61),
        ("frames", 0),
        ("frames", -1),
        ("frames", 721),
        ("seed", -1),
        ("seed", MAX_SEED + 1),
        ("steps", 0),
        ("steps", 251),
        ("guidance", 0.5),
        ("guidance", 21.0),
        ("guidance", float("nan")),
    ],
)
def test_a_request_out_of_bounds_is_refused(name: str, value: Any) -> None:
    values: dict[str, Any] = {"prompt": "sea", "size": Size(128, 128), "frames": 3, "fps": 12, "seed": 0}

    with pytest.raises(RequestError, match=name):
        GenerationRequest(**(values | {name: value}))


@pytest.mark.parametrize("prompt", ["", "  ", "x" * 4001, "sea\u202e", "sea\x00"])
def test_a_request_with_an_impossible_prompt_is_refused(prompt: str) -> None:
    with pytest.raises(RequestError, match="prompt"):
        GenerationRequest(prompt=prompt, size=Size(128, 128), frames=3, fps=12, seed=0)


def test_the_longest_clip_at_the_highest_rate_can_be_asked_for() -> None:
    request = GenerationRequest(prompt="sea", size=Size(2048, 2048), frames=3600, fps=60, seed=MAX_SEED)

    assert request.frames == 3600


def test_a_native_size_is_written_like_any_size() -> None:
    assert str(NativeSize(64, 48)) == "64x48"


def test_a_fresh_token_lets_work_go_on() -> None:
    token = CancelToken()

    token.raise_if_cancelled()

    assert token.cancelled is False


def test_a_thrown_token_ends_work() -> None:
    token = CancelToken()
    token.cancel()
    token.cancel()

    with pytest.raises(Cancelled):
        token.raise_if_cancelled()


def test_a_token_thrown_in_one_thread_is_seen_in_another() -> None:
    token = CancelToken()
    thread = threading.Thread(target=token.cancel)

    thread.start()
    thread.join()

    assert token.cancelled
