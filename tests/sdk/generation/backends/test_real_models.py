"""Pipelines of real architectures with tiny random weights, loaded from a folder and run to the last frame."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from platemark.clip import Size
from platemark.config import LocalModel
from platemark.errors import Cancelled, GenerationError, MissingExtra, RequestError
from platemark.generation.backend import CancelToken, GenerationRequest, Progress, available_generators, open_generator
from platemark.generation.backends import diffusers as door
from platemark.generation.given import Conditioning, Controls, Footage
from platemark.generation.kept import KeptLatents
from platemark.generation.resize import RGB

pytest.importorskip("diffusers", reason="the extra 'diffusers' is not installed")
from tiny_models import save_tiny

SIZE = Size(128, 128)
RED = np.full((1, 128, 128, 3), (200, 30, 30), np.uint8)
FPS = {"wan-t2v": 16, "wan-i2v": 16, "wan-ti2v": 16, "ltx-t2v": 25, "ltx-condition": 25, "cog-t2v": 8, "mochi-t2v": 30}
FIRST = Conditioning(given=(Footage(0, RED),))
NINTH = Conditioning(given=(Footage(8, RED),))
CASES = [
    ("wan-t2v", {}),
    ("wan-i2v", {"conditioning": FIRST}),
    ("wan-ti2v", {}),
    ("wan-ti2v", {"conditioning": FIRST}),
    ("ltx-t2v", {}),
    ("ltx-t2v", {"conditioning": FIRST}),
    ("ltx-condition", {}),
    ("ltx-condition", {"conditioning": NINTH}),
    ("cog-t2v", {}),
    ("mochi-t2v", {}),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Save each kind of pipeline once."""
    root, saved = tmp_path_factory.mktemp("models"), dict[str, Path]()

    def save(kind: str) -> Path:
        """Give its folder."""
        if kind not in saved:
            saved[kind] = save_tiny(kind, root / kind)
        return saved[kind]

    return save


@pytest.fixture(scope="module")
def opened(folders: Callable[[str], Path]) -> Callable[[str], door.DiffusersGenerator]:
    """Open each kind once, on one thread."""
    known: dict[str, door.DiffusersGenerator] = {}

    def open_(kind: str) -> door.DiffusersGenerator:
        """Give its generator."""
        if kind not in known:
            known[kind] = door.open_folder(LocalModel(path=str(folders(kind)), threads=1), name=kind)
        return known[kind]

    return open_


Opened = Callable[[str], door.DiffusersGenerator]


def asked(kind: str, **changes: Any) -> GenerationRequest:
    facts = {"prompt": "a red ball", "size": SIZE, "frames": 9, "fps": FPS[kind], "seed": 3, "steps": 2}
    return GenerationRequest(**(facts | changes))


def frames_of(generator: door.DiffusersGenerator, request: GenerationRequest, **more: Any) -> list[RGB]:
    return list(generator.generate(generator.resolve(request), **more))


@pytest.mark.parametrize(("kind", "changes"), CASES)
def test_every_kind_makes_what_was_planned_and_the_same_again(
    opened: Opened, kind: str, changes: dict[str, Any]
) -> None:
    request = asked(kind, **changes)

    once, again = frames_of(opened(kind), request), frames_of(opened(kind), request)

    assert [frame.shape for frame in once] == [(128, 128, 3)] * 9
    assert once[0].dtype == np.uint8
    assert np.array_equal(np.stack(once), np.stack(again))


@pytest.mark.parametrize(
    ("kind", "given", "place"), [("wan-i2v", FIRST, 0), ("ltx-t2v", FIRST, 0), ("ltx-condition", NINTH, 8)]
)
def test_a_given_frame_comes_out_as_it_is_and_changes_the_others(
    opened: Opened, kind: str, given: Conditioning, place: int
) -> None:
    blue = Conditioning(given=(Footage(place, RED[..., ::-1].copy()),))

    red_clip = frames_of(opened(kind), asked(kind, conditioning=given, steps=1))
    blue_clip = frames_of(opened(kind), asked(kind, conditioning=blue, steps=1))

    assert np.array_equal(red_clip[place], RED[0])
    assert not np.array_equal(red_clip[4], blue_clip[4])


def test_another_seed_gives_another_clip(opened: Opened) -> None:
    generator = opened("ltx-t2v")

    one, other = (frames_of(generator, asked("ltx-t2v", seed=seed)) for seed in (3, 4))

    assert not np.array_equal(np.stack(one), np.stack(other))


def test_the_same_prompt_is_embedded_once(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = opened("ltx-t2v")
    first = frames_of(generator, asked("ltx-t2v"))
    pipeline = type(generator._pipelines["LTXPipeline"])
    monkeypatch.setattr(pipeline, "_get_t5_prompt_embeds", lambda *_, **__: pytest.fail("it was embedded again"))

    assert np.array_equal(np.stack(frames_of(generator, asked("ltx-t2v"))), np.stack(first))


def test_another_prompt_gives_another_clip(opened: Opened) -> None:
    generator = opened("ltx-t2v")

    one, other = (frames_of(generator, asked("ltx-t2v", prompt=prompt)) for prompt in ("a red ball", "a green cube"))

    assert not np.array_equal(np.stack(one), np.stack(other))


def test_a_size_and_length_off_the_grid_are_made_larger_cut_and_told(opened: Opened) -> None:
    generator = opened("wan-t2v")

    plan = generator.resolve(asked("wan-t2v", size=Size(142, 130), frames=6, fps=12))
    made = list(generator.generate(plan))

    assert (plan.native_width, plan.native_height, plan.native_frames) == (144, 144, 9)
    assert (
        plan.resampling
        == "space: the middle 142x130 of 144x144; time: 16 to 12 frames a second, nearest; 9 frames made"
    )
    assert [frame.shape for frame in made] == [(130, 142, 3)] * 6


def test_progress_counts_text_steps_and_frames(opened: Opened) -> None:
    seen: list[Progress] = []

    frames_of(opened("ltx-t2v"), asked("ltx-t2v"), on_progress=seen.append)

    assert [(each.stage, each.step) for each in seen[:3]] == [("text", 1), ("denoise", 1), ("denoise", 2)]
    assert seen[-1] == Progress("decode", 9, 9)


def test_cancelling_between_steps_raises_and_decodes_nothing(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    generator, token, seen = opened("ltx-t2v"), CancelToken(), list[Progress]()
    monkeypatch.setattr(generator, "_decoded", lambda *_: pytest.fail("it decoded"))

    def watch(progress: Progress) -> None:
        seen.append(progress)
        token.cancel()

    with pytest.raises(Cancelled):
        frames_of(generator, asked("ltx-t2v", steps=4), on_progress=watch, cancel=token)
    assert [each.stage for each in seen] == ["text"]


def test_after_a_cancelled_clip_the_next_one_is_whole(opened: Opened) -> None:
    generator, token = opened("ltx-t2v"), CancelToken()
    whole = frames_of(generator, asked("ltx-t2v"))

    with pytest.raises(Cancelled):
        frames_of(generator, asked("ltx-t2v"), cancel=token, on_progress=lambda each: each.step == 2 and token.cancel())

    assert np.array_equal(np.stack(frames_of(generator, asked("ltx-t2v"))), np.stack(whole))


def test_a_decode_that_runs_out_of_memory_goes_on_without_sampling(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, keep, stages = opened("wan-t2v"), KeptLatents(tmp_path, "key"), list[str]()
    whole = frames_of(generator, asked("wan-t2v"))

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(type(generator._pipelines["WanPipeline"].vae), "decode", fail)
        with pytest.raises(GenerationError, match=r"not enough memory for decoding\. Its latents are kept"):
            frames_of(generator, asked("wan-t2v"), keep=keep)
    again = frames_of(generator, asked("wan-t2v"), keep=keep, on_progress=lambda each: stages.append(each.stage))

    assert set(stages) == {"decode"}
    assert np.array_equal(np.stack(again), np.stack(whole))


def test_a_decoder_that_makes_another_length_is_refused(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = opened("wan-t2v")
    frames_of(generator, asked("wan-t2v"))
    vae = type(generator._pipelines["WanPipeline"].vae)
    decode = vae.decode
    monkeypatch.setattr(vae, "decode", lambda *given, **more: (decode(*given, **more)[0][:, :, :-1],))

    with pytest.raises(GenerationError, match="asked for 9 frames of 128x128 and made 8"):
        frames_of(generator, asked("wan-t2v"))


def test_what_is_no_colour_is_refused(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = opened("wan-t2v")
    frames_of(generator, asked("wan-t2v"))
    vae = type(generator._pipelines["WanPipeline"].vae)
    decode = vae.decode
    monkeypatch.setattr(vae, "decode", lambda *given, **more: (decode(*given, **more)[0] * float("nan"),))

    with pytest.raises(GenerationError, match="no colours in frame 0"):
        frames_of(generator, asked("wan-t2v"))


def test_bfloat16_stays_within_two_hundredths_of_float32(folders: Callable[[str], Path]) -> None:
    clips = [
        frames_of(
            door.open_folder(LocalModel(path=str(folders("ltx-t2v")), threads=1, dtype=dtype), name="ltx-t2v"),
            asked("ltx-t2v"),
        )
        for dtype in ("float32", "bfloat16")
    ]

    single, half = (np.stack(clip).astype(np.float64) for clip in clips)
    assert np.abs(single - half).mean() <= 0.02 * np.abs(single).mean()


def test_frames_in_tiles_are_near_those_in_one_piece(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = opened("ltx-t2v")
    whole = frames_of(generator, asked("ltx-t2v"))
    monkeypatch.setattr(door, "TILED_FROM_PIXELS", 0)

    tiled = frames_of(generator, asked("ltx-t2v"))

    assert np.abs(np.stack(tiled).astype(int) - np.stack(whole).astype(int)).mean() < 8


@pytest.mark.parametrize("controls", [Controls(method="heun"), Controls(shift=2.0)])
def test_a_way_of_sampling_that_is_not_the_models_own_is_refused(opened: Opened, controls: Controls) -> None:
    with pytest.raises(RequestError, match="its own schedule"):
        opened("ltx-t2v").resolve(asked("ltx-t2v", controls=controls))


def test_a_plan_of_another_generator_is_refused(opened: Opened) -> None:
    plan = opened("ltx-t2v").resolve(asked("ltx-t2v"))

    with pytest.raises(RequestError, match="This plan is for the model 'ltx-t2v'"):
        next(iter(opened("wan-t2v").generate(plan)))


def test_planning_says_what_is_known_of_the_cost(opened: Opened) -> None:
    generator = opened("ltx-t2v")

    cost = generator.estimate(generator.resolve(asked("ltx-t2v")))

    assert cost.forwards == 4
    assert cost.peak_bytes > 0


def test_a_card_says_who_made_it_its_digest_and_its_licence(opened: Opened) -> None:
    info = opened("wan-t2v").info

    assert info.version.startswith("WanPipeline, diffusers 0.")
    assert info.weights_sha256 == info.card["weights_sha256"]
    assert info.licence == "LicenseRef-unknown"
    assert json.loads(json.dumps(info.card))["licence"]["known"] is False


def test_a_pinned_digest_that_holds_lets_the_model_in(opened: Opened, folders: Callable[[str], Path]) -> None:
    digest = opened("wan-t2v").info.weights_sha256 or ""

    again = door.open_folder(LocalModel(path=str(folders("wan-t2v")), sha256=digest), name="pinned")

    assert again.info.weights_sha256 == digest


def test_a_digest_that_is_not_the_pinned_one_is_refused(folders: Callable[[str], Path]) -> None:
    with pytest.raises(GenerationError, match="should have SHA-256 0000"):
        door.open_folder(LocalModel(path=str(folders("wan-t2v")), sha256="0" * 64), name="pinned")


def test_a_part_of_another_architecture_is_refused_in_one_sentence(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    save_tiny("wan-t2v", tmp_path / "mixed")
    weights = "diffusion_pytorch_model.safetensors"
    (tmp_path / "mixed" / "vae" / weights).write_bytes((folders("ltx-t2v") / "vae" / weights).read_bytes())
    generator = door.open_folder(LocalModel(path=str(tmp_path / "mixed"), threads=1), name="mixed")

    with pytest.raises(GenerationError, match=r"^The model failed in loading \(\w+\)\.") as refusal:
        frames_of(generator, asked("wan-t2v"))
    assert "red ball" not in str(refusal.value)


def test_a_pipeline_that_fails_is_reported_without_its_words(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = opened("ltx-t2v")
    frames_of(generator, asked("ltx-t2v"))

    def fail(*_: object, **__: object) -> None:
        raise ValueError("cannot do 'a red ball'")

    monkeypatch.setattr(type(generator._pipelines["LTXPipeline"]), "prepare_latents", fail)

    with pytest.raises(GenerationError, match=r"failed in sampling \(ValueError\)") as refusal:
        frames_of(generator, asked("ltx-t2v"))
    assert "red ball" not in str(refusal.value)


def test_too_little_memory_for_sampling_is_said(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = opened("ltx-t2v")
    frames_of(generator, asked("ltx-t2v"))

    def fail(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(type(generator._pipelines["LTXPipeline"]), "prepare_latents", fail)

    with pytest.raises(GenerationError, match=r"not enough memory for sampling\.") as refusal:
        frames_of(generator, asked("ltx-t2v"))
    assert "offload" in refusal.value.fix


def test_nothing_is_printed(
    opened: Opened, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        frames_of(opened("ltx-t2v"), asked("ltx-t2v"))

    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_missing_extra_is_named(folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "NEEDED", ("torch", "no_such_part"))

    with pytest.raises(MissingExtra, match="no_such_part") as refusal:
        door.open_folder(LocalModel(path=str(folders("wan-t2v"))), name="wan")
    assert "platemark[diffusers]" in refusal.value.fix


def test_a_folder_is_opened_by_its_path_and_called_by_its_last_part(folders: Callable[[str], Path]) -> None:
    assert open_generator(f"diffusers:{folders('wan-t2v')}").resolve(asked("wan-t2v")).model == "local-wan-t2v"


def test_a_folder_is_opened_by_its_name_in_the_configuration(folders: Callable[[str], Path]) -> None:
    models = {"newsdesk": LocalModel(path=str(folders("wan-t2v")))}

    assert open_generator("newsdesk", models=models).resolve(asked("wan-t2v")).model == "newsdesk"


def test_a_misspelt_name_of_the_configuration_is_guessed() -> None:
    with pytest.raises(RequestError) as refusal:
        open_generator("newsdek", models={"newsdesk": LocalModel(path="none")})

    assert "Did you mean 'newsdesk'?" in refusal.value.fix


@pytest.mark.parametrize("name", ["diffusers:", "diffusers:Wan-AI/Wan2.1-T2V-1.3B-Diffusers"])
def test_a_name_that_is_no_folder_is_refused_and_never_looked_up(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises((RequestError, GenerationError)):
        open_generator(name)


@pytest.mark.parametrize(
    ("path", "name"), [("/models/Wan2.1 T2V/", "Wan2.1-T2V"), ("/", "model"), ("/x/..", "model"), ("모델", "model")]
)
def test_a_folders_name_holds_nothing_unusual(path: str, name: str) -> None:
    assert door.model_name(path) == name


def test_the_models_that_come_with_platemark_exclude_no_country() -> None:
    assert [info.excluded_territories for info in available_generators()] == [(), ()]
