"""Folders that look like saved pipelines, written without any model library, each with at most one flaw."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

INDEX = {
    "_class_name": "WanPipeline",
    "_diffusers_version": "0.42.1",
    "expand_timesteps": False,
    "image_encoder": [None, None],
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "T5EncoderModel"],
    "transformer": ["diffusers", "WanTransformer3DModel"],
    "vae": ["diffusers", "AutoencoderKLWan"],
}


def tensors(table: Mapping[str, object] | None = None, *, content: bytes = bytes(8)) -> bytes:
    """Write a safetensors file by hand."""
    usual = {"weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    header = json.dumps(usual if table is None else table).encode()
    return struct.pack("<Q", len(header)) + header + content


def whole_folder(folder: Path, *, pipeline: str = "WanPipeline") -> Path:
    """Write a folder without a flaw."""
    folder.mkdir()
    (folder / "model_index.json").write_text(json.dumps(INDEX | {"_class_name": pipeline}))
    for part in ("transformer", "vae"):
        (folder / part).mkdir()
        (folder / part / "config.json").write_text(json.dumps({"_class_name": "x"}))
        (folder / part / "diffusion_pytorch_model.safetensors").write_bytes(tensors())
    return folder
