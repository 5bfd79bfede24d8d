"""A clip whose decode fails is sampled once: the same request goes on from its latents, and then none are kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from platemark.clip import Size
from platemark.errors import Cancelled, GenerationError, OutputError
from platemark.generation import making, synthesis
from platemark.generation.backend import CancelToken, GenerationRequest, open_generator
from platemark.generation.given import Conditioning, Footage
from platemark.generation.kept import LATENTS_FOLDER, KeptLatents
from platemark.making import rendering
from platemark.progress import JobProgress
from platemark.studio import Studio

REQUEST: dict[str, Any] = {"seconds": 0.5, "size": "128x128", "seed": 7, "model": "embedded"}
PROMPT = "a calm blue sea"
LOADED_BEFORE_ANYTHING_IS_BROKEN = making.make_frames


def kept_in(studio: Studio) -> list[str]:
    folder = studio.home.jobs / LATENTS_FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def fail(*_: object, **__: object) -> None:
    raise MemoryError


def fill_the_disk(frames: Iterator[object], *_: object, **__: object) -> None:
    next(iter(frames))
    raise OutputError("The disk is full.")


@pytest.fixture
def stages() -> list[str]:
    """The stages that a run reported."""
    return []


@pytest.mark.parametrize(
    ("where", "what", "how", "raised"),
    [(synthesis, "decode", fail, GenerationError), (rendering, "write_video", fill_the_disk, OutputError)],
)
def test_the_same_request_goes_on_without_sampling_and_then_nothing_is_kept(
    studio: Studio, tmp_path: Path, stages: list[str], monkeypatch: pytest.MonkeyPatch, where: Any, what: str,
    how: Any, raised: type[Exception],
) -> None:  # fmt: skip
    def note(progress: JobProgress) -> None:
        stages.append(progress.stage)

    with monkeypatch.context() as broken:
        broken.setattr(where, what, how)
        with pytest.raises(raised):
            studio.generate(PROMPT, out=tmp_path / "clip.mp4", **REQUEST)
    kept = kept_in(studio)
    studio.generate(PROMPT, out=tmp_path / "clip.mp4", on_progress=note, **REQUEST)

    assert len(kept) == 1
    assert "render:decode" in stages
    assert "render:denoise" not in stages
    assert kept_in(studio) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "clip.mp4.tlog-proof", "newsroom"]


def test_a_cancelled_clip_leaves_no_latents(studio: Studio, tmp_path: Path) -> None:
    token = CancelToken()

    def stop(progress: JobProgress) -> None:
        if progress.stage == "render:decode":
            token.cancel()

    with pytest.raises(Cancelled):
        studio.generate(PROMPT, out=tmp_path / "clip.mp4", on_progress=stop, cancel=token, **REQUEST)

    assert kept_in(studio) == []
    assert not (tmp_path / "clip.mp4").exists()


def test_a_clip_that_an_interrupt_ends_leaves_no_latents(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(synthesis, "decode", interrupt)

    with pytest.raises(KeyboardInterrupt):
        studio.generate(PROMPT, out=tmp_path / "clip.mp4", **REQUEST)
    assert kept_in(studio) == []


def still() -> Conditioning:
    return Conditioning(given=(Footage(0, np.full((1, 128, 128, 3), 90, np.uint8)),))


@pytest.mark.parametrize("conditioning", [Conditioning(), Conditioning(shape="loop"), still()])
def test_a_clip_from_kept_latents_is_the_same_to_the_last_bit(tmp_path: Path, conditioning: Conditioning) -> None:
    generator, keep = open_generator("embedded"), KeptLatents(tmp_path, "key")
    plan = generator.resolve(
        GenerationRequest(
            prompt=PROMPT, size=Size(128, 128), frames=30, fps=12, seed=5, steps=2, conditioning=conditioning
        )
    )
    stages: list[str] = []
    sampled = list(generator.generate(plan, keep=keep))

    resumed = list(generator.generate(plan, keep=keep, on_progress=lambda each: stages.append(each.stage)))

    assert np.array_equal(np.stack(resumed), np.stack(sampled))
    assert "denoise" not in stages


def test_a_long_clip_that_fails_late_keeps_each_window_that_was_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, keep = open_generator("embedded"), KeptLatents(tmp_path, "key")
    plan = generator.resolve(GenerationRequest(prompt=PROMPT, size=Size(128, 128), frames=40, fps=12, seed=5, steps=1))
    stages: list[str] = []
    decode, calls = synthesis.decode, iter(range(100))
    monkeypatch.setattr(synthesis, "decode", lambda *given: decode(*given) if next(calls) < 7 else fail())

    with pytest.raises(GenerationError, match="What was sampled is kept"):
        list(generator.generate(plan, keep=keep))
    monkeypatch.setattr(synthesis, "decode", decode)
    list(generator.generate(plan, keep=keep, on_progress=lambda each: stages.append(each.stage)))

    assert stages.count("denoise") == 1
