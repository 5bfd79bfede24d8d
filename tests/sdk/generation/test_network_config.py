"""A configuration that cannot be built is refused when it is made."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from platemark.errors import GenerationError
from platemark.generation.config import AutoencoderConfig, SamplerConfig, TransformerConfig


def test_the_autoencoder_patch_is_two_cells_of_the_stem() -> None:
    config = AutoencoderConfig(stem_patch=4)

    assert config.patch == 8


def test_the_autoencoder_counts_the_numbers_of_its_patches() -> None:
    config = AutoencoderConfig(group_frames=4, stem_patch=4)

    assert config.stem_channels == 4 * 4 * 4 * 3
    assert config.patch_channels == 4 * 8 * 8 * 3


@pytest.mark.parametrize(
    ("frames", "latent_frames"),
    [(1, 1), (2, 2), (5, 2), (6, 3), (17, 5), (18, 6)],
)
def test_the_first_frame_has_a_latent_frame_of_its_own(frames: int, latent_frames: int) -> None:
    config = AutoencoderConfig(group_frames=4)

    assert config.latent_frames(frames) == latent_frames


@pytest.mark.parametrize(("latent_frames", "frames"), [(1, 1), (2, 5), (5, 17), (7, 25)])
def test_latent_frames_decode_to_one_frame_and_then_groups(latent_frames: int, frames: int) -> None:
    config = AutoencoderConfig(group_frames=4)

    assert config.frames(latent_frames) == frames


def test_a_clip_without_frames_has_no_latent_frames() -> None:
    with pytest.raises(GenerationError, match="at least one frame"):
        AutoencoderConfig().latent_frames(0)


@pytest.mark.parametrize(
    "name",
    [
        "latent_channels",
        "group_frames",
        "stem_patch",
        "fine_width",
        "coarse_width",
        "encoder_blocks",
        "coarse_decoder_blocks",
        "fine_decoder_blocks",
    ],
)
@pytest.mark.parametrize("value", [0, -1, 2.0])
def test_an_autoencoder_with_an_impossible_value_is_refused(name: str, value: Any) -> None:
    with pytest.raises(GenerationError, match=name):
        AutoencoderConfig(**{name: value})


@pytest.mark.parametrize(
    "name",
    ["latent_channels", "patch", "width", "depth", "heads", "registers", "mlp_ratio", "time_frequencies"],
)
@pytest.mark.parametrize("value", [0, -4, 1.5])
def test_a_transformer_with_an_impossible_value_is_refused(name: str, value: Any) -> None:
    with pytest.raises(GenerationError, match=name):
        TransformerConfig(**{name: value})


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(GenerationError, match="3 heads do not divide width 256"):
        TransformerConfig(width=256, heads=3)


def test_heads_too_narrow_for_three_axes_are_refused() -> None:
    with pytest.raises(GenerationError, match="too narrow"):
        TransformerConfig(width=32, heads=8)


@pytest.mark.parametrize("sizes", [(), (10, 1), (0,)])
def test_slots_without_a_choice_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(GenerationError, match="slot"):
        TransformerConfig(slot_sizes=sizes)


@pytest.mark.parametrize("value", [1.0, 0.5, float("nan"), float("inf")])
def test_a_rotary_base_that_does_not_slow_down_is_refused(value: float) -> None:
    with pytest.raises(GenerationError, match="rope_base"):
        TransformerConfig(rope_base=value)


@pytest.mark.parametrize("value", [0.0, -1.5, float("nan"), float("inf")])
def test_a_rotary_scale_that_does_not_turn_is_refused(value: float) -> None:
    with pytest.raises(GenerationError, match="rope_scale"):
        TransformerConfig(rope_scale=value)


def test_the_transformer_derives_its_other_sizes() -> None:
    config = TransformerConfig(latent_channels=16, patch=2, width=256, heads=4, slot_sizes=(10, 11), registers=3)

    assert config.head_width == 64
    assert config.prefix_tokens == 5
    assert config.token_channels == 64


@pytest.mark.parametrize(("steps", "accepted"), [(1, True), (250, True)])
def test_the_sampler_takes_every_step_count_in_its_range(steps: int, accepted: bool) -> None:
    config = SamplerConfig(steps=steps)

    assert (config.steps == steps) is accepted


@pytest.mark.parametrize("steps", [0, -1, 251])
def test_a_step_count_out_of_range_is_refused(steps: int) -> None:
    with pytest.raises(GenerationError, match="steps must be from 1 to 250"):
        SamplerConfig(steps=steps)


@pytest.mark.parametrize("guidance", [0.0, 0.99, 20.1, float("nan")])
def test_guidance_out_of_range_is_refused(guidance: float) -> None:
    with pytest.raises(GenerationError, match="guidance must be from 1 to 20"):
        SamplerConfig(guidance=guidance)


@pytest.mark.parametrize("shift", [0.0, -2.0, 21.0, float("inf")])
def test_a_shift_out_of_range_is_refused(shift: float) -> None:
    with pytest.raises(GenerationError, match="shift must be from"):
        SamplerConfig(shift=shift)


def test_a_preset_is_changed_by_making_another_one() -> None:
    preset = TransformerConfig()

    deeper = replace(preset, depth=8)

    assert (preset.depth, deeper.depth) == (6, 8)


def test_a_changed_preset_is_checked_again() -> None:
    with pytest.raises(GenerationError, match="depth"):
        replace(TransformerConfig(), depth=0)


def test_a_configuration_cannot_be_changed_in_place() -> None:
    config = SamplerConfig()

    with pytest.raises(FrozenInstanceError):
        config.steps = 3  # type: ignore[misc]  # what the test is about
