"""Latents stay on disk while a clip may still need them, readable by their owner alone, and not a moment longer."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import torch

from platemark.clip import Size
from platemark.errors import GenerationError
from platemark.generation.backend import GenerationRequest, open_generator
from platemark.generation.given import Controls
from platemark.generation.kept import MAX_KEPT, KeptLatents, NothingKept, latents_key

LATENTS = {"latents": torch.arange(6.0).reshape(1, 2, 3)}


def asked(**changes: Any) -> str:
    facts = {"prompt": "a calm blue sea", "size": Size(256, 256), "frames": 12, "fps": 12, "seed": 7} | changes
    generator = open_generator("embedded")
    return latents_key(generator.info, generator.resolve(GenerationRequest(**facts)))


def test_what_was_kept_is_found_by_another_run_bit_for_bit(tmp_path: Path) -> None:
    KeptLatents(tmp_path / "latents", "key").keep("window-0", LATENTS)

    found = KeptLatents(tmp_path / "latents", "key").find("window-0")

    assert found is not None
    assert torch.equal(found["latents"], LATENTS["latents"])


@pytest.mark.parametrize(("key", "part"), [("key", "window-1"), ("other", "window-0")])
def test_nothing_of_another_clip_or_window_is_found(tmp_path: Path, key: str, part: str) -> None:
    KeptLatents(tmp_path, "key").keep("window-0", LATENTS)

    assert KeptLatents(tmp_path, key).find(part) is None


def test_a_file_that_is_not_whole_is_not_found(tmp_path: Path) -> None:
    kept = KeptLatents(tmp_path, "key")
    kept.keep("window-0", LATENTS)
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:-1])

    assert kept.find("window-0") is None


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    KeptLatents(tmp_path / "latents", "key").keep("window-0", LATENTS)

    assert stat.S_IMODE((tmp_path / "latents").stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "latents").iterdir()] == [0o600]


def test_removing_leaves_nothing_of_this_clip_and_all_of_others(tmp_path: Path) -> None:
    ours, others = KeptLatents(tmp_path, "key"), KeptLatents(tmp_path, "other")
    ours.keep("window-0", LATENTS)
    ours.keep("window-1", LATENTS)
    others.keep("window-0", LATENTS)

    ours.remove()

    assert [path.name for path in tmp_path.iterdir()] == ["other.window-0.safetensors"]


def test_removing_what_never_was_is_no_error(tmp_path: Path) -> None:
    KeptLatents(tmp_path / "none", "key").remove()

    assert not (tmp_path / "none").exists()


def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", full)

    with pytest.raises(GenerationError, match="No space left on device"):
        KeptLatents(tmp_path, "key").keep("window-0", LATENTS)
    assert list(tmp_path.iterdir()) == []


def test_what_failed_longest_ago_goes_first(tmp_path: Path) -> None:
    for index in range(MAX_KEPT + 3):
        KeptLatents(tmp_path, f"key{index}").keep("window-0", LATENTS)
        os.utime(tmp_path / f"key{index}.window-0.safetensors", (index, index))

    KeptLatents(tmp_path, "newest").keep("window-0", LATENTS)

    left = sorted(path.name.split(".")[0] for path in tmp_path.iterdir())
    assert len(left) == MAX_KEPT
    assert "key0" not in left
    assert "newest" in left


def test_a_keeper_that_keeps_nothing_finds_nothing() -> None:
    keeper = NothingKept()
    keeper.keep("window-0", LATENTS)

    assert keeper.find("window-0") is None


def test_the_same_request_has_the_same_key() -> None:
    assert asked() == asked()


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a calm grey sea"},
        {"seed": 8},
        {"size": Size(256, 512)},
        {"frames": 13},
        {"steps": 3},
        {"guidance": 1.5},
        {"controls": Controls(method="heun")},
    ],
)
def test_every_change_of_a_request_changes_its_key(change: dict[str, Any]) -> None:
    assert asked(**change) != asked()


def test_a_key_says_nothing_of_the_prompt() -> None:
    assert "sea" not in asked()
    assert len(asked()) == 32
