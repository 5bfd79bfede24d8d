"""Our own weights in a diffusers folder give the same frames as without diffusers."""

import json
from dataclasses import replace
from pathlib import Path

import diffusers
import pytest
import torch
from torch import Tensor

from platemark.errors import MissingExtra, OutputError, RequestError
from platemark.generation import exporting
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.backends.diffusers_pipeline import (
    PlatemarkPipeline,
    as_pipeline,
    load_pipeline,
    make_known,
)
from platemark.generation.backends.embedded import CARD, WEIGHTS
from platemark.generation.card import Architecture, ModelCard, read_card
from platemark.generation.checkpoint import Networks, load_networks
from platemark.generation.config import AutoencoderConfig, SamplerConfig, TransformerConfig
from platemark.generation.exporting import export_model
from platemark.generation.sampler import Guidance, Walk, draw_noise, sample
from platemark.generation.transformer import VideoTransformer

TINY = Architecture(
    AutoencoderConfig(latent_channels=3, group_frames=2, fine_width=4, coarse_width=8),
    TransformerConfig(latent_channels=3, width=48, depth=2, heads=2, slot_sizes=(3, 4), time_frequencies=4),
)
SLOTS = (torch.tensor([[1, 2]]), torch.tensor([[0, 0]]))


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return replace(read_card(CARD), architecture=TINY)


@pytest.fixture(scope="module")
def networks() -> Networks:
    """Random everywhere (networks as they are built give nought), and small enough that frames stay about [-1, 1]."""
    torch.manual_seed(7)
    made = Networks(VideoAutoencoder(TINY.autoencoder), VideoTransformer(TINY.transformer))
    for tensor in (*made.autoencoder.state_dict().values(), *made.transformer.state_dict().values()):
        tensor.copy_(torch.randn(tensor.shape) * 0.2 + 0.05)
    made.autoencoder.requires_grad_(False)
    made.transformer.requires_grad_(False)
    return made


@pytest.fixture(scope="module")
def folder(card: ModelCard, networks: Networks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported")
    as_pipeline(card, networks).save_pretrained(str(path))
    return path


@pytest.fixture(scope="module")
def loaded(folder: Path) -> PlatemarkPipeline:
    return load_pipeline(str(folder))


def ours(networks: Networks, noise: Tensor, *, guidance: float, shift: float) -> Tensor:
    conditions = (networks.transformer.encode_slots(each) for each in SLOTS)
    walk = Walk(SamplerConfig(4, guidance, shift), Guidance(*conditions))
    index = torch.arange(noise.shape[1])[None]
    with torch.inference_mode():
        return networks.autoencoder.decode(sample(networks.transformer, noise, index, walk))


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("size", [(4, 4), (3, 5)])
def test_a_reloaded_folder_gives_the_same_frames(
    loaded: PlatemarkPipeline, networks: Networks, card: ModelCard, guidance: float, size: tuple[int, int]
) -> None:
    noise = draw_noise(5, range(3), height=size[0], width=size[1], channels=3)[None]

    theirs = loaded(SLOTS, num_inference_steps=4, guidance_scale=guidance, latents=noise)

    expected = ours(networks, noise, guidance=guidance, shift=card.sampler.shift)
    assert expected.std() > 0.01
    assert (theirs - expected).abs().max() <= 1e-5


def test_diffusers_finds_the_pipeline_by_its_name_once_it_is_made_known(
    folder: Path, loaded: PlatemarkPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diffusers, "PlatemarkPipeline", None, raising=False)

    make_known()
    found = diffusers.DiffusionPipeline.from_pretrained(str(folder), local_files_only=True)

    assert type(found) is PlatemarkPipeline
    again, before = (each(SLOTS, num_inference_steps=1, seed=3) for each in (found, loaded))
    assert torch.equal(again, before)


def test_the_folder_holds_safetensors_and_plain_configurations_alone(folder: Path) -> None:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    assert names == {
        "model_index.json",
        "scheduler/scheduler_config.json",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    }
    assert json.loads((folder / "model_index.json").read_text())["_class_name"] == "PlatemarkPipeline"


def test_it_draws_clips_of_the_native_size_unless_told_otherwise(loaded: PlatemarkPipeline, card: ModelCard) -> None:
    frames = loaded(SLOTS, num_inference_steps=1, seed=3)

    native = card.native
    assert frames.shape == (1, native.frames, native.height, native.width, 3)


def test_no_step_is_refused(loaded: PlatemarkPipeline) -> None:
    with pytest.raises(RequestError, match="At least one step"):
        loaded(SLOTS, num_inference_steps=0)


def test_the_shipped_weights_are_exported_with_their_card_and_read_a_prompt(tmp_path: Path) -> None:
    folder = export_model("embedded", tmp_path / "ours")
    card = read_card(CARD)
    shipped = load_networks(card, WEIGHTS)

    pipeline = load_pipeline(str(folder))
    theirs = pipeline("a calm blue sea", num_inference_steps=1, guidance_scale=1.0, seed=7)

    slots, empty = (shipped.transformer.encode_slots(each) for each in pipeline.encode_prompt("a calm blue sea"))
    walk = Walk(SamplerConfig(1, 1.0, card.sampler.shift), Guidance(slots, empty))
    noise = pipeline.prepare_latents(7)
    with torch.inference_mode():
        index = torch.arange(noise.shape[1])[None]
        expected = shipped.autoencoder.decode(sample(shipped.transformer, noise, index, walk))
    assert (theirs - expected).abs().max() <= 1e-5
    assert json.loads((folder / "model_card.json").read_text())["name"] == "embedded"


def test_a_model_without_weights_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no weights of ours"):
        export_model("testcard", tmp_path / "x")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"):
        export_model("embedded", tmp_path)


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="could not be written"):
        export_model("embedded", tmp_path / "missing" / "x")


def test_without_diffusers_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "NEEDED", ("torch", "no_such_library"))

    with pytest.raises(MissingExtra, match="no_such_library"):
        export_model("embedded", tmp_path / "x")
