"""A model is asked only for sizes and lengths on its own grid, and what comes out is told from what was asked."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_folders import INDEX, whole_folder

from platemark.clip import Size
from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest
from platemark.generation.families import COG, LTX, WAN, Grid, KnownModel, know_model, native_clip, way_of
from platemark.generation.given import UNCONDITIONED, Conditioning, Footage
from platemark.generation.model_folder import read_model_folder


def known(tmp_path: Path, pipeline: str, *, index: dict[str, Any] | None = None, **configs: Any) -> KnownModel:
    folder = whole_folder(tmp_path / "model", pipeline=pipeline)
    (folder / "model_index.json").write_text(json.dumps(INDEX | {"_class_name": pipeline} | (index or {})))
    for part, config in configs.items():
        (folder / part / "config.json").write_text(json.dumps(config))
    return know_model(read_model_folder(folder))


SIZE = Size(830, 478)


def asked(frames: int = 17, *, fps: int = 16, size: Size = SIZE, **more: Any) -> GenerationRequest:
    return GenerationRequest(prompt="a calm sea", size=size, frames=frames, fps=fps, seed=1, **more)


def still(first: int = 0) -> Conditioning:
    return Conditioning(given=(Footage(first, np.zeros((1, 478, 830, 3), np.uint8)),))


CHANGED = Conditioning(source=Footage(0, np.zeros((17, 478, 830, 3), np.uint8)))


@pytest.mark.parametrize(
    ("pipeline", "configs", "grid"),
    [
        ("WanPipeline", {}, Grid(16, 4)),
        ("WanPipeline", {"vae": {"scale_factor_spatial": 16, "scale_factor_temporal": 4}}, Grid(32, 4)),
        ("LTXPipeline", {}, Grid(32, 8)),
        ("LTXPipeline", {"vae": {"spatio_temporal_scaling": [True, True, False, False]}}, Grid(32, 4)),
        (
            "LTXConditionPipeline",
            {"vae": {"spatial_compression_ratio": 32, "temporal_compression_ratio": 8}},
            Grid(32, 8),
        ),
        ("CogVideoXPipeline", {}, Grid(16, 4)),
        ("CogVideoXPipeline", {"vae": {"temporal_compression_ratio": 4.0}}, Grid(16, 4)),
        ("MochiPipeline", {}, Grid(16, 6)),
        ("MochiPipeline", {"transformer": {"patch_size": 1}}, Grid(8, 6)),
    ],
)
def test_the_grid_is_read_from_the_models_own_configuration(
    tmp_path: Path, pipeline: str, configs: dict[str, Any], grid: Grid
) -> None:
    assert known(tmp_path, pipeline, **configs).grid == grid


@pytest.mark.parametrize("scale", [0, -1, "8", True, 1e9, 8.5, None, []])
def test_an_impossible_scale_is_refused(tmp_path: Path, scale: object) -> None:
    with pytest.raises(RequestError, match="impossible scale"):
        known(tmp_path, "WanPipeline", vae={"scale_factor_spatial": scale})


def test_a_class_that_is_not_known_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="'StableDiffusionPipeline'") as refusal:
        known(tmp_path, "StableDiffusionPipeline")

    assert "WanPipeline" in refusal.value.fix


def test_a_clip_off_the_grid_is_made_larger_and_longer_never_smaller() -> None:
    native = native_clip(KnownModel(WAN, {"words": "WanPipeline"}, Grid(16, 4)), asked(10))

    assert (native.width, native.height, native.frames) == (832, 480, 13)


@given(
    frames=st.integers(1, 48),
    fps=st.integers(8, 60),
    width=st.integers(64, 1024).map(lambda half: 2 * half),
    family=st.sampled_from([(WAN, Grid(16, 4)), (LTX, Grid(32, 8)), (COG, Grid(16, 4))]),
)
def test_every_native_clip_is_on_the_grid_and_covers_what_comes_out(
    frames: int, fps: int, width: int, family: tuple[Any, Grid]
) -> None:
    chosen, grid = family
    request = asked(frames, fps=fps, size=Size(width, 512))

    native = native_clip(KnownModel(chosen, {}, grid), request)

    assert (native.width % grid.side, native.height % grid.side, native.frames % grid.time) == (0, 0, 1 % grid.time)
    assert native.width - grid.side < width <= native.width
    assert (native.frames - 1) / chosen.fps >= (frames - 1) / fps - 1e-6
    places = [native.frame_at(frame, fps=fps, native_fps=chosen.fps) for frame in range(frames)]
    assert places == sorted(places)
    assert all(0 <= place < native.frames for place in places)


def test_a_clip_longer_than_the_model_learned_is_refused_with_the_length() -> None:
    with pytest.raises(RequestError, match=r"at most 7\.6 s"):
        native_clip(KnownModel(WAN, {}, Grid(16, 4)), asked(130))


@pytest.mark.parametrize(
    ("pipeline", "index", "conditioning", "way"),
    [
        ("WanPipeline", {}, UNCONDITIONED, "words"),
        ("WanPipeline", {}, Conditioning(shape="still"), "words"),
        ("WanPipeline", {"expand_timesteps": True}, still(), "first frame"),
        ("WanImageToVideoPipeline", {}, still(), "first frame"),
        ("LTXPipeline", {}, still(), "first frame"),
        ("LTXConditionPipeline", {}, still(), "any frame"),
        ("LTXConditionPipeline", {}, still(8), "any frame"),
    ],
)
def test_a_request_starts_from_what_the_model_can_start_from(
    tmp_path: Path, pipeline: str, index: dict[str, Any], conditioning: Conditioning, way: str
) -> None:
    frames = 1 if conditioning.kind == "still" else 17

    assert way_of(known(tmp_path, pipeline, index=index), asked(frames, conditioning=conditioning)) == way


@pytest.mark.parametrize(
    ("pipeline", "conditioning", "why"),
    [
        ("WanPipeline", still(), "starts from words, not from the given frames"),
        ("WanImageToVideoPipeline", UNCONDITIONED, "starts from first frame, not from words alone"),
        ("WanImageToVideoPipeline", still(8), "not from the given frames"),
        ("LTXPipeline", still(8), "not from the given frames"),
        ("LTXConditionPipeline", Conditioning(shape="loop"), "cannot close a clip into a loop"),
        ("MochiPipeline", CHANGED, "cannot change a given clip"),
        ("MochiPipeline", still(), "starts from words, not from the given frames"),
    ],
)
def test_a_request_that_the_model_cannot_start_from_is_refused(
    tmp_path: Path, pipeline: str, conditioning: Conditioning, why: str
) -> None:
    with pytest.raises(RequestError, match=why):
        way_of(known(tmp_path, pipeline), asked(conditioning=conditioning))


@pytest.mark.parametrize("what", [Conditioning(shape="loop"), CHANGED])
@pytest.mark.parametrize("pipeline", ["WanPipeline", "LTXConditionPipeline", "CogVideoXPipeline", "MochiPipeline"])
def test_what_no_real_model_does_here_is_refused_with_the_model_that_can(
    tmp_path: Path, pipeline: str, what: Conditioning
) -> None:
    with pytest.raises(RequestError) as refusal:
        way_of(known(tmp_path, pipeline), asked(conditioning=what))

    assert "'embedded', which can" in (refusal.value.fix or "")


@pytest.mark.parametrize(
    ("pipeline", "why"),
    [
        ("HunyuanVideoPipeline", "South Korea"),
        ("HunyuanVideo15ImageToVideoPipeline", "two encoders"),
        ("HunyuanSkyreelsImageToVideoPipeline", "two encoders"),
        ("LTX2Pipeline", "sound"),
        ("LTX2ImageToVideoPipeline", "sound"),
    ],
)
def test_a_well_known_model_that_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, pipeline: str, why: str
) -> None:
    with pytest.raises(RequestError, match=why) as refusal:
        known(tmp_path, pipeline)

    assert "WanPipeline" in (refusal.value.fix or "")


@pytest.mark.parametrize(
    "scales",
    [
        {"spatial_expansions": [2, 2]},
        {"temporal_expansions": [1, 2, 2]},
        {"spatial_expansions": "2"},
        {"temporal_expansions": [1, 2, 0]},
    ],
)
def test_a_mochi_of_another_scale_is_refused(tmp_path: Path, scales: dict[str, object]) -> None:
    with pytest.raises(RequestError, match="scale"):
        known(tmp_path, "MochiPipeline", vae=scales)
