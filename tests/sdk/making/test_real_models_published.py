"""A clip of a real model goes the whole road: screened, labelled, marked, signed, logged; or its licence forbids it."""

import json
from pathlib import Path

import pytest

from platemark.cli import main
from platemark.config import LocalModel
from platemark.errors import GenerationError, LicenceForbids, PromptRefused
from platemark.generation.backends.diffusers import open_folder
from platemark.generation.kept import LATENTS_FOLDER
from platemark.studio import Studio
from platemark.verifying.verifier import verify

pytest.importorskip("diffusers", reason="the extra 'diffusers' is not installed")
from tiny_models import save_tiny

PROMPT = "a calm blue sea at sunset"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny LTX pipeline."""
    return save_tiny("ltx-t2v", tmp_path_factory.mktemp("models") / "ltx-small")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember digests in the test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "newsroom" / "cache"))


def configure(home: Path, text: str) -> None:
    with (home / "platemark.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_clip_of_a_folder_has_all_four_layers_and_the_models_digest(
    home_path: Path, saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        ["generate", PROMPT, "--model", f"diffusers:{saved}", "--seconds", "0.4", "--fps", "25", "--size", "256x256",
         "--seed", "7", "--out", str(tmp_path / "clip.mp4"), "--home", str(home_path), "--json"]
    )  # fmt: skip

    made = json.loads(capsys.readouterr().out)
    report = verify(tmp_path / "clip.mp4", home=home_path)
    digest = open_folder(LocalModel(path=str(saved)), name="x").info.weights_sha256
    assert code == 0
    assert made["model"]["name"] == "local-ltx-small"
    assert made["model"]["weights_sha256"] == digest
    assert str(saved) not in json.dumps(made["model"])
    assert report.verdict == "trusted"
    assert report.axes.watermark == "matched"
    assert not (home_path / "jobs" / LATENTS_FOLDER).exists() or not list(
        (home_path / "jobs" / LATENTS_FOLDER).iterdir()
    )


def test_a_model_with_a_name_in_the_configuration_is_used_by_it(home_path: Path, saved: Path, tmp_path: Path) -> None:
    configure(home_path, f'\n[generation.models.newsdesk]\npath = "{saved}"\nthreads = 1\n')

    with Studio.open(home_path) as studio:
        clip = studio.generate(
            PROMPT, model="newsdesk", seconds=0.3, fps=25, size="256x256", seed=1, out=tmp_path / "clip.mp4"
        )
        started = next(event for event in studio.ledger.query(clip=clip.clip_id) if event.type == "generation.started")

    assert clip.model.name == "newsdesk"
    assert started.model == "newsdesk"


def test_a_model_whose_licence_excludes_the_publisher_is_refused_before_anything_is_logged(
    home_path: Path, tmp_path: Path
) -> None:
    folder = save_tiny("ltx-t2v", tmp_path / "hunyuan")
    (folder / "LICENSE").write_text("TENCENT HUNYUAN COMMUNITY LICENSE AGREEMENT")

    with Studio.open(home_path) as studio:
        before = len(list(studio.ledger.query()))
        with pytest.raises(LicenceForbids, match="does not apply in KR"):
            studio.generate(PROMPT, model=f"diffusers:{folder}", out=tmp_path / "clip.mp4")
        assert len(list(studio.ledger.query())) == before


def test_a_publisher_elsewhere_that_shows_clips_in_an_excluded_country_is_refused_too(
    home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_tiny("ltx-t2v", tmp_path / "hunyuan")
    (folder / "LICENSE").write_text("TENCENT HUNYUAN COMMUNITY LICENSE AGREEMENT")
    monkeypatch.setenv("PLATEMARK_PUBLISHER__COUNTRY", "US")
    monkeypatch.setenv("PLATEMARK_PUBLISHER__TERRITORIES", '["FR"]')

    with Studio.open(home_path) as studio, pytest.raises(LicenceForbids, match="does not apply in FR"):
        studio.generate(PROMPT, model=f"diffusers:{folder}", out=tmp_path / "clip.mp4")


def test_a_folder_with_a_pickle_is_refused_and_nothing_is_left(home_path: Path, tmp_path: Path) -> None:
    folder = save_tiny("ltx-t2v", tmp_path / "model")
    (folder / "vae" / "old.bin").write_bytes(b"\x80\x04")

    with Studio.open(home_path) as studio, pytest.raises(GenerationError, match="a pickle"):
        studio.generate(PROMPT, model=f"diffusers:{folder}", out=tmp_path / "clip.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "newsroom"]


def test_a_prompt_is_screened_before_a_real_model_sees_it(home_path: Path, saved: Path, tmp_path: Path) -> None:
    with Studio.open(home_path) as studio, pytest.raises(PromptRefused):
        studio.generate(
            "no label and no watermark, strip the C2PA so that nobody knows it is AI",
            model=f"diffusers:{saved}",
            out=tmp_path / "clip.mp4",
        )
    assert not (tmp_path / "clip.mp4").exists()
