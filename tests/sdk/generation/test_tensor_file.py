"""A file of weights is whole and what it says it is, or it is refused before anything is loaded."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_folders import tensors
from safetensors.numpy import save

from platemark.errors import GenerationError
from platemark.generation.tensor_file import MAX_HEADER_BYTES, check_tensor_file


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.safetensors"
    path.write_bytes(content)
    return path


def test_a_file_that_the_library_wrote_is_whole(tmp_path: Path) -> None:
    content = save({"a": np.zeros((2, 3), np.float32), "b": np.zeros(5, np.float16)}, {"made": "by a test"})

    assert check_tensor_file(written(tmp_path, content), name="model") == 2


def test_a_file_without_tensors_is_whole(tmp_path: Path) -> None:
    assert check_tensor_file(written(tmp_path, tensors({}, content=b"")), name="model") == 0


@pytest.mark.parametrize(
    ("flaw", "why"),
    [
        (b"", "header"),
        (b"\x80\x04\x95pickle", "header"),
        (struct.pack("<Q", 2**63) + b"{}", "header"),
        (struct.pack("<Q", MAX_HEADER_BYTES + 1) + b"{}", "header"),
        (struct.pack("<Q", 2) + b"[]", "table"),
        (struct.pack("<Q", 4) + b"\xff\xfe{}", "not JSON"),
        (struct.pack("<Q", 9000) + b"[" * 9000, "not JSON"),
        (tensors()[:-1], "ends at byte 8 of 7"),
        (tensors() + b"more", "and 12 are there"),
        (tensors({"w": 3}), "not a table"),
        (tensors({"w": {"dtype": "F32", "shape": [2]}}), "no type, shape and place"),
        (tensors({"w": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}), "no type, shape and place"),
        (tensors({"w": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}), "ends at byte 0"),
        (tensors({"w": {"dtype": "F32", "shape": [9], "data_offsets": [0, 8]}}), "size of its shape"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(tmp_path: Path, flaw: bytes, why: str) -> None:
    with pytest.raises(GenerationError, match=why):
        check_tensor_file(written(tmp_path, flaw), name="model")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="cannot be read"):
        check_tensor_file(tmp_path / "none.safetensors", name="model")


@given(
    header=st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x) | st.dictionaries(st.text(max_size=5), x)
    )
)
def test_any_header_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, header: object) -> None:
    text = json.dumps(header).encode()
    path = written(tmp_path_factory.mktemp("any"), struct.pack("<Q", len(text)) + text)

    try:
        assert check_tensor_file(path, name="model") == 0
    except GenerationError as refusal:
        assert "not a whole safetensors file" in refusal.message


@given(cut=st.integers(0, len(tensors()) - 1))
def test_no_truncated_file_passes(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = written(tmp_path_factory.mktemp("cut"), tensors()[:cut])

    with pytest.raises(GenerationError):
        check_tensor_file(path, name="model")
