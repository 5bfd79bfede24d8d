"""Checkpoints and exports."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from platemark.errors import OutputError, RequestError
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.transformer import VideoTransformer
from platemark.training.compute import Compute
from platemark.training.config import TrainingConfig
from platemark.training.run import Hooks, run
from platemark.training.saving import (
    CHECKPOINT,
    FORMAT,
    RECORD,
    export,
    load_checkpoint,
    save_checkpoint,
    source_digest,
)
from platemark.training.tally import Budget
from platemark.training.trainer import Trainer

BUDGET = Budget.of_steps(6, 8)


def _stop_at(trainer: Trainer, steps: int) -> Hooks:
    return Hooks(should_stop=lambda: trainer.tally.steps_before + trainer.tally.step >= steps)


@pytest.mark.parametrize("stop", [0, 1, 3, 6, 7, 10, 13])
def test_a_run_that_was_interrupted_ends_in_the_same_bits(
    tiny: TrainingConfig, cpu: Compute, tmp_path: Path, stop: int
) -> None:
    whole = Trainer(tiny, compute=cpu)
    run(whole, BUDGET, tmp_path / "whole")

    first = Trainer(tiny, compute=cpu)
    run(first, BUDGET, tmp_path / "parts", hooks=_stop_at(first, stop))
    run(load_checkpoint(tmp_path / "parts", compute=cpu), BUDGET, tmp_path / "parts")

    expected, found = (load_file(tmp_path / name / CHECKPOINT) for name in ("whole", "parts"))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_checkpoint_keeps_the_tally_and_the_configuration(trainer: Trainer, cpu: Compute, tmp_path: Path) -> None:
    run(trainer, BUDGET, tmp_path, hooks=_stop_at(trainer, 3))

    again = load_checkpoint(tmp_path, compute=cpu)

    assert again.tally == trainer.tally
    assert again.config == trainer.config


def test_nothing_but_the_checkpoint_is_left(trainer: Trainer, tmp_path: Path) -> None:
    save_checkpoint(trainer, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_a_missing_checkpoint_is_refused(cpu: Compute, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="to resume from"):
        load_checkpoint(tmp_path, compute=cpu)


@pytest.mark.parametrize("kept", [0, 7, 1000])
def test_a_checkpoint_cut_short_is_refused(trainer: Trainer, cpu: Compute, tmp_path: Path, kept: int) -> None:
    path = save_checkpoint(trainer, tmp_path)
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(RequestError, match="cannot be read"):
        load_checkpoint(tmp_path, compute=cpu)


def test_weights_of_somebody_else_are_refused(cpu: Compute, tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / CHECKPOINT)

    with pytest.raises(RequestError, match="platemark-training-1"):
        load_checkpoint(tmp_path, compute=cpu)


def test_a_checkpoint_that_misses_a_weight_is_refused(trainer: Trainer, cpu: Compute, tmp_path: Path) -> None:
    path = save_checkpoint(trainer, tmp_path)
    tensors = load_file(path)
    del tensors["transformer/patch_out.weight"]
    words = {"format": FORMAT, "config": trainer.config.to_json(), "tally": trainer.tally.to_json()}
    save_file(tensors, path, words)

    with pytest.raises(RequestError, match="do not fit"):
        load_checkpoint(tmp_path, compute=cpu)


def test_a_directory_that_cannot_be_made_is_refused(trainer: Trainer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(OutputError, match="cannot be written"):
        save_checkpoint(trainer, tmp_path / "file")


def test_a_failed_save_keeps_the_checkpoint_before_it(
    trainer: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = save_checkpoint(trainer, tmp_path).read_bytes()

    def fail(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OutputError):
        save_checkpoint(trainer, tmp_path)

    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_an_export_fills_the_networks_exactly(trainer: Trainer, tmp_path: Path) -> None:
    export(trainer, tmp_path)

    transformer, autoencoder = (
        {name: tensor.float() for name, tensor in load_file(tmp_path / f"tiny-{part}.safetensors").items()}
        for part in ("transformer", "autoencoder")
    )
    VideoTransformer(trainer.config.transformer).load_state_dict(transformer, strict=True)
    VideoAutoencoder(trainer.config.autoencoder).load_state_dict(autoencoder, strict=True)


def test_the_record_says_what_was_done(trainer: Trainer, tmp_path: Path) -> None:
    run(trainer, BUDGET, tmp_path)

    record = json.loads((tmp_path / RECORD).read_text())
    assert record["steps"] == 14
    assert record["cost"]["flops"] > 0
    assert record["cost"]["method"] != "none"
    assert set(record["weights"]) == {"tiny-autoencoder.safetensors", "tiny-transformer.safetensors"}
    assert record["sources_sha256"] == source_digest()
    assert record["config"]["seed"] == 1
