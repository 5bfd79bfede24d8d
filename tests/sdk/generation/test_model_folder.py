"""A folder is loaded only if nothing in it could run code, and everything in it is whole."""

import json
import os
from pathlib import Path

import pytest
from model_folders import INDEX, tensors, whole_folder

from platemark.errors import GenerationError, RequestError
from platemark.generation.model_folder import MAX_FILES, MAX_SMALL_JSON_BYTES, read_model_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return whole_folder(tmp_path / "wan")


def test_a_whole_folder_says_what_it_is(folder: Path) -> None:
    found = read_model_folder(folder)

    assert found.pipeline == "WanPipeline"
    assert found.components["vae"] == "AutoencoderKLWan"
    assert "image_encoder" not in found.components
    assert found.settings == {"expand_timesteps": False}
    assert len(found.files) == 5


def test_what_is_only_shown_is_neither_loaded_nor_hashed(folder: Path) -> None:
    before = read_model_folder(folder).files
    (folder / "README.md").write_text("a card")
    (folder / "LICENSE").write_text("a licence")
    (folder / "assets").mkdir()
    (folder / "assets" / "sample.mp4").write_bytes(b"film")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "download.lock").write_bytes(b"")

    assert read_model_folder(folder).files == before


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("vae/diffusion_pytorch_model.bin", "a pickle"),
        ("unused.pt", "a pickle"),
        ("deep/down/model.CKPT", "a pickle"),
        ("pipeline.py", "code of its own"),
        ("vae/native.so", "code of its own"),
        ("weights.npz", "not known to be plain data"),
        ("run.sh", "not known to be plain data"),
    ],
)
def test_what_could_run_code_is_refused_wherever_it_lies(folder: Path, name: str, why: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x")

    with pytest.raises(GenerationError, match=why):
        read_model_folder(folder)


def test_a_link_that_leads_out_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text("{}")
    (folder / "vae" / "more.json").symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(GenerationError, match="leads out"):
        read_model_folder(folder)


def test_a_link_to_nothing_is_refused(folder: Path) -> None:
    (folder / "more.json").symlink_to(folder / "none.json")

    with pytest.raises(GenerationError, match="leads out"):
        read_model_folder(folder)


def test_a_link_to_a_folder_is_refused(folder: Path) -> None:
    (folder / "again").symlink_to(folder / "vae")

    with pytest.raises(GenerationError, match="link to a folder"):
        read_model_folder(folder)


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "copy.json").symlink_to(folder / "vae" / "config.json")

    assert "copy.json" in read_model_folder(folder).files


def test_a_pipe_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "vae" / "more.json")

    with pytest.raises(GenerationError, match="not a plain file"):
        read_model_folder(folder)


def test_too_many_files_are_refused(folder: Path) -> None:
    for index in range(MAX_FILES):
        (folder / f"{index}.txt").touch()

    with pytest.raises(GenerationError, match="more than 2,000 files"):
        read_model_folder(folder)


@pytest.mark.parametrize("missing", ["no such folder", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "a\0b"])
def test_a_name_that_is_no_folder_here_is_never_looked_up(tmp_path: Path, missing: str) -> None:
    with pytest.raises(RequestError, match="no folder") as refusal:
        read_model_folder(tmp_path / missing)

    assert "never downloaded" in refusal.value.fix


def test_a_file_is_no_folder(folder: Path) -> None:
    with pytest.raises(RequestError, match="not a folder"):
        read_model_folder(folder / "model_index.json")


def test_a_folder_without_an_index_is_refused(folder: Path) -> None:
    (folder / "model_index.json").unlink()

    with pytest.raises(GenerationError, match=r"holds no model_index\.json"):
        read_model_folder(folder)


@pytest.mark.parametrize(
    ("index", "why"),
    [
        (b"not json", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a table"),
        (b" " * (MAX_SMALL_JSON_BYTES + 1), "longer than"),
        (b"{}", "names no pipeline class"),
        (json.dumps(INDEX | {"_class_name": ["pipeline", "Mine"]}).encode(), "names no pipeline class"),
        (json.dumps(INDEX | {"_class_name": "os.system"}).encode(), "names no pipeline class"),
        (json.dumps(INDEX | {"vae": ["my_code", "Vae"]}).encode(), "only diffusers and transformers"),
        (json.dumps(INDEX | {"vae": ["diffusers", "a.b"]}).encode(), "only diffusers and transformers"),
        (json.dumps(INDEX | {"vae": ["diffusers"]}).encode(), "only diffusers and transformers"),
        (json.dumps(INDEX | {"../vae": ["diffusers", "Vae"]}).encode(), "impossible part"),
        (json.dumps(INDEX | {"auto_map": {}}).encode(), "never run"),
    ],
)
def test_an_index_with_a_flaw_is_refused(folder: Path, index: bytes, why: str) -> None:
    (folder / "model_index.json").write_bytes(index)

    with pytest.raises(GenerationError, match=why):
        read_model_folder(folder)


def test_a_part_that_asks_for_remote_code_is_refused(folder: Path) -> None:
    (folder / "vae" / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "modeling.Mine"}}))

    with pytest.raises(GenerationError, match="never run"):
        read_model_folder(folder)


def test_truncated_weights_are_refused_by_name(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(tensors()[:-1])

    with pytest.raises(GenerationError, match=r"vae/diffusion_pytorch_model\.safetensors is not a whole"):
        read_model_folder(folder)


def test_a_pickle_under_another_name_is_refused(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"\x80\x04\x95\x10" + bytes(60))

    with pytest.raises(GenerationError, match="not a whole safetensors"):
        read_model_folder(folder)


@pytest.mark.parametrize(
    ("index", "why"),
    [
        ({"weight_map": {"w": "model-2.safetensors"}}, "which is not there"),
        ({"weight_map": {"w": "../../other.safetensors"}}, "which is not there"),
        ({"weight_map": {"w": 3}}, "lists no shards"),
        ({}, "lists no shards"),
    ],
)
def test_an_index_of_shards_that_does_not_hold_is_refused(folder: Path, index: object, why: str) -> None:
    (folder / "vae" / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(GenerationError, match=why):
        read_model_folder(folder)


def test_shards_that_are_there_are_let_through(folder: Path) -> None:
    shards = {"weight_map": {"w": "diffusion_pytorch_model.safetensors"}}
    (folder / "vae" / "model.safetensors.index.json").write_text(json.dumps(shards))

    assert "vae/model.safetensors.index.json" in read_model_folder(folder).files
