"""Checkpoints of a run, and the two files of weights it ends in.

One rule: a file is whole or it is not there: it is written beside its place, forced to disk, and renamed. Only
safetensors and JSON; nothing that is read is ever executed.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from platemark.errors import OutputError, RequestError
from platemark.training.compute import Compute
from platemark.training.config import config_from_json
from platemark.training.tally import Stage, tally_from_json
from platemark.training.trainer import Trainer

FORMAT = "platemark-training-1"
CHECKPOINT = "checkpoint.safetensors"
RECORD = "training.json"
SOURCES = Path(__file__).parent


def save_checkpoint(trainer: Trainer, directory: Path) -> Path:
    """Write all of a run's state.

    Raises:
        OutputError: the directory cannot be written to.
    """
    tensors = {
        **{f"autoencoder/{name}": tensor for name, tensor in trainer.autoencoder.state_dict().items()},
        **{f"transformer/{name}": tensor for name, tensor in trainer.transformer.state_dict().items()},
        **{f"average/{name}": tensor for name, tensor in trainer.average.weights.items()},
        **{f"adam/{name}": tensor for name, tensor in trainer.adam.tensors()},
    }
    words = {"format": FORMAT, "config": trainer.config.to_json(), "tally": trainer.tally.to_json()}
    path = directory / CHECKPOINT
    _write(path, save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, words))
    return path


def load_checkpoint(directory: Path, *, compute: Compute) -> Trainer:
    """Take up a run where its last checkpoint left it.

    Raises:
        RequestError: there is no checkpoint, it is cut short, or it is of another form.
    """
    path = directory / CHECKPOINT
    if not path.is_file():
        raise RequestError(f"There is no {CHECKPOINT} to resume from.", fix="Leave --resume out to begin a new run.")
    try:
        with safe_open(path, framework="pt") as file:
            words = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (SafetensorError, OSError) as error:
        raise RequestError(f"The {CHECKPOINT} cannot be read.", fix="Begin a new run in another directory.") from error
    if words.get("format") != FORMAT:
        raise RequestError(
            f"The {CHECKPOINT} should have the form {FORMAT}; it has {words.get('format', 'none')[:40]!r}.",
            fix="Resume with the version of platemark that began the run.",
        )
    trainer = Trainer(config_from_json(words["config"]), compute=compute)
    trainer.tally = tally_from_json(words["tally"])
    if trainer.tally.stage is not Stage.AUTOENCODER:
        trainer.enter_transformer_stage()
    try:
        trainer.autoencoder.load_state_dict(_under(tensors, "autoencoder/"))
        trainer.transformer.load_state_dict(_under(tensors, "transformer/"))
        trainer.average.load(_under(tensors, "average/"))
    except (RuntimeError, KeyError) as error:
        raise RequestError(f"The weights in {CHECKPOINT} do not fit its own configuration.") from error
    trainer.adam.load(_under(tensors, "adam/"))
    return trainer


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def export(trainer: Trainer, directory: Path) -> Path:
    """Write the two networks in half precision, as model cards name them, and the record of the run.

    Returns:
        The record: `training.json`.

    Raises:
        OutputError: the directory cannot be written to.
    """
    name = trainer.config.name
    files = {
        f"{name}-autoencoder.safetensors": trainer.autoencoder.state_dict(),
        f"{name}-transformer.safetensors": trainer.averaged_transformer().state_dict(),
    }
    weights = {}
    for file, state in files.items():
        content = save({key: tensor.detach().cpu().to(torch.float16).contiguous() for key, tensor in state.items()})
        _write(directory / file, content)
        weights[file] = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    record = {
        "config": json.loads(trainer.config.to_json()),
        "weights": weights,
        "steps": trainer.tally.steps_before + trainer.tally.step,
        "cost": asdict(trainer.tally.cost),
        "curve": [asdict(point) for point in trainer.tally.curve],
        "sources_sha256": source_digest(),
        "torch": torch.__version__,
    }
    path = directory / RECORD
    _write(path, (json.dumps(record, indent=1) + "\n").encode())
    return path


def source_digest() -> str:
    """Give one SHA-256 over the sources of the training and of the networks: what the data and the method are."""
    digest = hashlib.sha256()
    for folder in (SOURCES, SOURCES.parent / "generation"):
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"{path.relative_to(SOURCES.parent).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise OutputError(f"{path.name} cannot be written.", fix="Choose another directory, or make room.") from error
