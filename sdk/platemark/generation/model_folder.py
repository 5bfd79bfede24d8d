"""What lies in a folder with a saved diffusers pipeline, and whether it may be loaded.

One rule: everything is looked at before anything is loaded, and what could run code is refused: pickles, Python files,
remote-code entries, links that lead out. Only kinds of files that are known to be plain data are let through.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platemark.errors import GenerationError, RequestError
from platemark.generation.tensor_file import check_tensor_file

INDEX = "model_index.json"
MAX_FILES = 2_000
MAX_SMALL_JSON_BYTES = 4 * 2**20
MAX_TOKENIZER_BYTES = 128 * 2**20
"""Vocabularies of a quarter of a million pieces take 35 MB."""
LIBRARIES = ("diffusers", "transformers")
_PLAIN_DATA = frozenset({".json", ".safetensors", ".txt", ".model", ".md", ".jinja", ".jsonl"})
_SHOWN_ONLY = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".mp4", ".svg", ".pdf"})
_RUNS_CODE = {
    ".bin": "a pickle",
    ".pt": "a pickle",
    ".pth": "a pickle",
    ".ckpt": "a pickle",
    ".pkl": "a pickle",
    ".pickle": "a pickle",
    ".py": "code of its own",
    ".pyc": "code of its own",
    ".so": "code of its own",
}
_LICENCE_NAMES = ("LICENSE", "LICENCE", "NOTICE", "COPYING")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that may be loaded.

    Attributes:
        path: where it lies, links resolved.
        pipeline: the class that saved it, as it says itself.
        settings: the other plain values of its index.
        components: its parts that have a class, and the class of each.
        configs: the configuration of each part that has one.
        files: all files that loading may read, relative, sorted.
    """

    path: Path
    pipeline: str
    settings: Mapping[str, Any]
    components: Mapping[str, str]
    configs: Mapping[str, Mapping[str, Any]]
    files: tuple[str, ...]


def read_model_folder(path: Path) -> ModelFolder:
    """Look through a folder and refuse it, or say what it holds.

    The checks, in this order:
    1. it is a folder on this machine, never a name to be looked up;
    2. no file in it can run code, every kind of file is known, no link leads out, no special file;
    3. its index and configurations are bounded JSON and ask for no remote code;
    4. every part's class comes from diffusers or transformers;
    5. every safetensors file is whole, and none that an index of shards names is missing.

    Raises:
        RequestError: there is no such folder.
        GenerationError: something in it is refused; the message names the file and the reason.
    """
    folder = _existing(path)  # 1
    files = tuple(sorted(_checked_files(folder)))  # 2
    if INDEX not in files:
        raise GenerationError(
            f"{path} holds no {INDEX}, so it is not a saved diffusers pipeline.",
            fix="Name the folder that holds it; a single file of weights is not enough.",
        )
    jsons = {name: _read_json(folder, name) for name in files if _is_configuration(name)}  # 3
    index = jsons[INDEX]
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str) or not pipeline.isidentifier():
        raise GenerationError(f"{INDEX} names no pipeline class of diffusers.", fix="Save the pipeline again.")
    components = dict(_components(index))  # 4
    _check_weights(folder, files)  # 5
    configs = {name: jsons.get(f"{name}/config.json", {}) for name in components}
    settings = {key: value for key, value in index.items() if not isinstance(value, list) and key[:1] != "_"}
    return ModelFolder(folder, pipeline, settings, components, configs, files)


def _existing(path: Path) -> Path:
    try:
        folder = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise RequestError(
            f"There is no folder {str(path)[:200]!r}.",
            fix="Name a folder on this machine that holds a saved pipeline; models are never downloaded.",
        ) from error
    if not folder.is_dir():
        raise RequestError(f"{path} is not a folder.", fix="Name the folder that holds model_index.json.")
    return folder


def _checked_files(folder: Path) -> Iterator[str]:
    count = 0
    for parent, folders, names in os.walk(folder, followlinks=False):
        # What a download tool keeps for itself is never loaded, nor hashed.
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in [*folders, *names]:
            _refuse_link_out(folder, Path(parent, name))
        for name in names:
            count += 1
            if count > MAX_FILES:
                raise GenerationError(f"The model's folder holds more than {MAX_FILES:,} files.", fix="Name another.")
            relative = Path(parent, name).relative_to(folder).as_posix()
            if not name.startswith(".") and _is_loaded(Path(parent, name), relative):
                yield relative


def _refuse_link_out(folder: Path, path: Path) -> None:
    if not path.is_symlink():
        return
    target = path.resolve()
    if not target.is_relative_to(folder) or not target.exists():
        raise GenerationError(
            f"{path.relative_to(folder)} in the model's folder is a link that leads out of it.",
            fix="Copy the files themselves into one folder (hf download --local-dir does).",
        )
    if target.is_dir():
        raise GenerationError(
            f"{path.relative_to(folder)} in the model's folder is a link to a folder.", fix="Copy the folder itself."
        )


def _is_loaded(path: Path, name: str) -> bool:
    """Say whether a file is one that loading may read; refuse what could run code and what is not known."""
    suffix = path.suffix.lower()
    if suffix in _RUNS_CODE:
        raise GenerationError(
            f"{name} in the model's folder is {_RUNS_CODE[suffix]}, which could run anything when it is loaded.",
            fix="Use the safetensors edition of the model, and remove this file.",
        )
    if not path.is_file():
        raise GenerationError(f"{name} in the model's folder is not a plain file.", fix="Remove it.")
    if suffix in _SHOWN_ONLY or path.name.upper().startswith(_LICENCE_NAMES):
        return False
    if suffix not in _PLAIN_DATA:
        raise GenerationError(
            f"{name} in the model's folder is of a kind that is not known to be plain data.",
            fix="Remove it if the model does not need it.",
        )
    return suffix != ".md"


def _is_configuration(name: str) -> bool:
    return name.endswith(".json") and Path(name).name not in ("tokenizer.json", "vocab.json", "added_tokens.json")


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    """Read one table of a folder, bounded; refuse one that asks for remote code."""
    limit = MAX_TOKENIZER_BYTES if name.endswith(".index.json") else MAX_SMALL_JSON_BYTES
    try:
        with (folder / name).open("rb") as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise GenerationError(f"{name} is longer than {limit:,} bytes.", fix="Copy the model again.")
        table = json.loads(content)
    except OSError as error:
        raise GenerationError(f"{name} cannot be read ({error.strerror}).", fix="Copy the model again.") from error
    except (ValueError, RecursionError) as error:
        raise GenerationError(f"{name} is not JSON.", fix="Copy the model again.") from error
    if not isinstance(table, dict):
        raise GenerationError(f"{name} is not a table of settings.", fix="Copy the model again.")
    if "auto_map" in table or "custom_pipelines" in table:
        raise GenerationError(
            f"{name} asks for code that comes with the model, which is never run.",
            fix="Use an edition of the model that diffusers knows by itself.",
        )
    return table


def _components(index: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in index.items():
        if not isinstance(value, list):
            continue
        library, class_name = value if len(value) == 2 else (None, None)
        if library is None and class_name is None and len(value) == 2:
            continue  # an optional part that this pipeline does without
        if library not in LIBRARIES or not isinstance(class_name, str) or not class_name.isidentifier():
            raise GenerationError(
                f"The part {name[:40]!r} of the model comes from {str(library)[:40]!r}; "
                f"only {' and '.join(LIBRARIES)} are loaded.",
                fix="Use an edition of the model that diffusers knows by itself.",
            )
        if not name.isidentifier():
            raise GenerationError(f"{INDEX} names the impossible part {name[:40]!r}.", fix="Copy the model again.")
        yield name, class_name


def _check_weights(folder: Path, files: tuple[str, ...]) -> None:
    for name in files:
        size = (folder / name).stat().st_size
        if name.endswith(".safetensors"):
            check_tensor_file(folder / name, name=name)
        elif size > MAX_TOKENIZER_BYTES:
            raise GenerationError(f"{name} has {size:,} bytes; {MAX_TOKENIZER_BYTES:,} are allowed.", fix="Remove it.")
        if name.endswith(".safetensors.index.json"):
            _check_shards(folder, name, files)


def _check_shards(folder: Path, name: str, files: tuple[str, ...]) -> None:
    shards = _read_json(folder, name).get("weight_map")
    if not isinstance(shards, dict) or not all(isinstance(shard, str) for shard in shards.values()):
        raise GenerationError(f"{name} lists no shards.", fix="Copy the model again.")
    missing = sorted(shard for shard in set(shards.values()) if f"{Path(name).parent.as_posix()}/{shard}" not in files)
    if missing:
        raise GenerationError(f"{name} names {missing[0][:80]!r}, which is not there.", fix="Copy the model again.")
