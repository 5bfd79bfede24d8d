"""Handing our own weights over: a folder that diffusers loads, with the model card beside the weights.

One rule: the folder appears whole or not at all, and only from weights that have the digests their card names.
"""

import json
import shutil
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

from platemark.errors import MissingExtra, OutputError, RequestError
from platemark.generation.backends.embedded import CARD, NAME, WEIGHTS
from platemark.generation.card import card_as_json, read_card

CARD_NAME = "model_card.json"
NEEDED = ("torch", "safetensors", "einops", "diffusers", "accelerate")


def export_model(name: str, directory: Path) -> Path:
    """Write a model as a folder that `PlatemarkPipeline.from_pretrained` loads.

    Args:
        name: of a generator with weights of its own.
        directory: where the folder shall be; nothing may lie there yet.

    Returns:
        The folder: `model_index.json`, `transformer`, `vae` and `scheduler` as diffusers writes them, and the card.

    Raises:
        RequestError: the generator has no weights of its own.
        MissingExtra: diffusers is not installed.
        GenerationError: the weights are not the ones in the card.
        OutputError: something lies there already, or the folder cannot be written.
    """
    if name != NAME:
        raise RequestError(
            f"The model {name[:40]!r} has no weights of ours to export.",
            fix=f"Export {NAME!r}; it is the one that has.",
        )
    missing = [part for part in NEEDED if find_spec(part) is None]
    if missing:
        raise MissingExtra(
            f"Exporting needs {', '.join(missing)}, which this installation does not have.",
            fix="Run: pip install 'platemark[generate,diffusers]'",
        )
    target = directory.expanduser().absolute()
    if target.exists():
        raise OutputError(f"{directory} exists already.", fix="Name a folder that does not exist yet.")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".platemark-export-") as name_of_part:
            part = Path(name_of_part) / "model"
            _write(part)
            shutil.move(part, target)
    except OSError as error:
        raise OutputError(
            f"The folder {directory} could not be written ({error.strerror}).", fix="Name another place."
        ) from error
    return target


def _write(part: Path) -> None:
    with warnings.catch_warnings():
        # They are about code of diffusers, and would end up among a command's output.
        warnings.simplefilter("ignore")
        from platemark.generation.backends.diffusers_pipeline import as_pipeline
        from platemark.generation.checkpoint import load_networks

        card = read_card(CARD)
        as_pipeline(card, load_networks(card, WEIGHTS)).save_pretrained(str(part), safe_serialization=True)
    (part / CARD_NAME).write_text(json.dumps(card_as_json(CARD), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
