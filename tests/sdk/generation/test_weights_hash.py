"""One digest stands for a whole model, and is remembered only while nothing changes."""

import hashlib
import os
from pathlib import Path

import pytest

from platemark.errors import GenerationError
from platemark.generation.weights_hash import CACHE_FILE, hash_model

FILES = ("b.json", "a/model.safetensors")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model" / "a").mkdir(parents=True)
    (tmp_path / "model" / "b.json").write_text("{}")
    (tmp_path / "model" / "a" / "model.safetensors").write_bytes(b"weights")
    return tmp_path / "model"


class Counter:
    """Counts the files that are read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, path: Path) -> str:
        self.read.append(path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_digest_is_what_sha256sum_of_sha256sum_prints(model: Path) -> None:
    lines = (
        f"{hashlib.sha256(b'weights').hexdigest()}  a/model.safetensors\n{hashlib.sha256(b'{}').hexdigest()}  b.json\n"
    )

    assert hash_model(model, FILES, cache=None) == hashlib.sha256(lines.encode()).hexdigest()


def test_a_second_call_reads_nothing(model: Path, tmp_path: Path) -> None:
    counter = Counter()
    first = hash_model(model, FILES, cache=tmp_path / "cache", hash_file=counter)

    second = hash_model(model, FILES, cache=tmp_path / "cache", hash_file=counter)

    assert first == second
    assert sorted(counter.read) == ["b.json", "model.safetensors"]


def test_without_a_cache_every_byte_is_read_again(model: Path) -> None:
    counter = Counter()
    hash_model(model, FILES, cache=None, hash_file=counter)
    hash_model(model, FILES, cache=None, hash_file=counter)

    assert len(counter.read) == 4


def test_a_changed_file_of_the_same_length_is_read_again(model: Path, tmp_path: Path) -> None:
    before = hash_model(model, FILES, cache=tmp_path / "cache")
    weights = model / "a" / "model.safetensors"
    weights.write_bytes(b"WEIGHTS")
    os.utime(weights, ns=(1, 1))

    assert hash_model(model, FILES, cache=tmp_path / "cache") != before


@pytest.mark.parametrize("garbage", [b"", b"[]", b"{", b"[" * 10_000, b"\xff", b'{"x": 3}'])
def test_a_garbled_cache_is_forgotten(model: Path, tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / CACHE_FILE).write_bytes(garbage)

    assert hash_model(model, FILES, cache=tmp_path / "cache") == hash_model(model, FILES, cache=None)


def test_a_cache_that_cannot_be_written_costs_only_time(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert hash_model(model, FILES, cache=tmp_path / "file" / "cache") == hash_model(model, FILES, cache=None)


def test_a_missing_file_is_refused(model: Path) -> None:
    with pytest.raises(GenerationError, match="cannot be read"):
        hash_model(model, (*FILES, "none.json"), cache=None)
