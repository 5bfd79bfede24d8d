"""A source that was changed, that nobody trusts, or that no model may see is refused before the model runs."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from odd_clips import write_clip
from PIL import Image

import platemark
from platemark.clip import Clip
from platemark.errors import (
    OutputError,
    PlatemarkError,
    RequestError,
    SourceRefused,
    SourceReserved,
    SourceUntrusted,
)
from platemark.homes.home import init
from platemark.making.sources import override_for
from platemark.progress import JobProgress
from platemark.studio import GenerateOptions, Studio
from platemark_provenance.digest import sha256_file
from platemark_provenance.verification import read_crjson

PROMPT = "a calm blue sea at sunset"
USUAL: GenerateOptions = {"model": "testcard", "seed": 7, "seconds": 0.5}
EDITOR: GenerateOptions = {**USUAL, "actor": "jw.kim"}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that another publisher made and signed, and that reserves use by models."""
    folder = tmp_path_factory.mktemp("foreign")
    home = init(folder / "newsroom", organisation="Evening Example")
    with Studio.open(home.path) as studio:
        made = studio.generate(PROMPT, model="testcard", size="256x256", task="image", out=folder / "theirs.png")
    return made.path


def tampered_copy(source: Path, target: Path) -> Path:
    content = bytearray(source.read_bytes())
    content[content.rindex(b"mdat") + 400] ^= 1
    target.write_bytes(content)
    return target


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def reasons(studio: Studio) -> list[object]:
    return [event.facts["reason"] for event in studio.ledger.query(type="generation.failed")]


def trust_their_root(studio: Studio, foreign: Path) -> None:
    roots = studio.home.path / "theirs.pem"
    shutil.copy(foreign.parent / "newsroom" / "keys" / "root.pem", roots)
    config = studio.home.path / "platemark.toml"
    config.write_text(config.read_text().replace("anchors = []", f'anchors = ["{roots}"]'))


def test_a_source_that_was_changed_is_refused_and_nothing_is_left(studio: Studio, clip: Clip, tmp_path: Path) -> None:
    bad = tampered_copy(clip.path, tmp_path / "bad.mp4")
    before = left_in(tmp_path)

    with pytest.raises(SourceRefused, match="changed after it was signed") as refusal:
        studio.generate(PROMPT, **USUAL, clips=[bad], out=tmp_path / "made.mp4")

    assert refusal.value.exit_code == 5
    assert "--allow-source tampered" in refusal.value.fix
    assert reasons(studio) == ["SourceRefused"]
    assert left_in(tmp_path) == before


def test_a_source_whose_signer_nobody_trusts_here_is_refused(studio: Studio, foreign: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceUntrusted) as refusal:
        studio.generate(PROMPT, **USUAL, images=[foreign], out=tmp_path / "made.mp4")

    assert refusal.value.exit_code == 6
    assert not (tmp_path / "made.mp4").exists()


def test_what_its_owner_reserves_is_refused_even_where_the_owner_is_trusted(
    studio: Studio, foreign: Path, tmp_path: Path
) -> None:
    trust_their_root(studio, foreign)

    with Studio.open(studio.home.path) as trusting, pytest.raises(SourceReserved, match="does not allow") as refusal:
        trusting.generate(PROMPT, **USUAL, images=[foreign], out=tmp_path / "made.mp4")

    assert refusal.value.exit_code == 3
    assert "--allow-source" not in refusal.value.fix


def test_an_editor_who_answers_for_the_signer_has_not_answered_for_what_the_owner_reserves(
    studio: Studio, foreign: Path, tmp_path: Path
) -> None:
    override = override_for(["untrusted", "tampered"], reason="a known agency")

    with pytest.raises(SourceReserved):
        studio.generate(PROMPT, **EDITOR, images=[foreign], override=override, out=tmp_path / "made.mp4")


def test_an_editors_word_lets_a_changed_source_in_and_stands_in_manifest_and_log(
    studio: Studio, clip: Clip, tmp_path: Path
) -> None:
    bad = tampered_copy(clip.path, tmp_path / "bad.mp4")
    override = override_for(["tampered"], reason="cut by the agency, checked by phone")

    made = studio.generate(PROMPT, **EDITOR, clips=[bad], override=override, out=tmp_path / "made.mp4")

    (started,) = (e for e in studio.ledger.trace(made.clip_id) if e.type == "generation.started")
    assert started.facts["overridden"] == [{"name": "clip-1", "finding": "tampered"}]
    assert started.actor_name == "jw.kim"
    assert "cut by the agency, checked by phone" in str(read_crjson(made.path, studio.home.trust_store()))


def test_an_override_of_another_kind_lets_nothing_in(studio: Studio, clip: Clip, tmp_path: Path) -> None:
    bad = tampered_copy(clip.path, tmp_path / "bad.mp4")
    override = override_for(["untrusted"], reason="a known agency")

    with pytest.raises(SourceRefused):
        studio.generate(PROMPT, **EDITOR, clips=[bad], override=override, out=tmp_path / "made.mp4")


def test_an_override_without_a_name_is_refused_before_anything_is_logged(
    studio: Studio, clip: Clip, tmp_path: Path
) -> None:
    before = studio.ledger.head()

    with pytest.raises(RequestError, match="who decides"):
        studio.generate(
            PROMPT,
            **USUAL,
            clips=[clip.path],
            override=override_for(["tampered"], reason="checked"),
            out=tmp_path / "made.mp4",
        )

    assert studio.ledger.head() == before


@pytest.mark.parametrize("kinds", [["reserved"], ["unreadable"], ["tampered", "everything"]])
def test_nobody_can_speak_for_what_an_owner_reserves_or_nobody_can_read(kinds: list[str]) -> None:
    with pytest.raises(RequestError, match="tampered or untrusted"):
        override_for(kinds, reason="we want it")


def test_a_reason_is_not_a_novel() -> None:
    with pytest.raises(RequestError, match="301 characters; the limit is 300"):
        override_for(["tampered"], reason="x" * 301)


def test_our_own_clips_are_ours_to_show_to_the_model(studio: Studio, clip: Clip, tmp_path: Path) -> None:
    made = studio.generate(PROMPT, **USUAL, clips=[clip.path], out=tmp_path / "made.mp4")

    assert platemark.verify(made.path, home=studio.home.path).axes.ingredients == "ok"


def test_a_file_without_a_manifest_claims_nothing_and_is_welcome(studio: Studio, tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mp4", size=(256, 192))

    made = studio.generate(PROMPT, **USUAL, clips=[plain], out=tmp_path / "made.mp4")

    report = platemark.verify(made.path, home=studio.home.path)
    assert (report.verdict, report.axes.ingredients, report.axes.ai) == ("trusted", "ok", "partly")


@pytest.mark.parametrize("name", ["clip.avi", "clip.mov"])
def test_clips_in_other_containers_are_welcome(studio: Studio, tmp_path: Path, name: str) -> None:
    plain = write_clip(tmp_path / name, size=(256, 192))

    made = studio.generate(PROMPT, **USUAL, clips=[plain], out=tmp_path / "made.mp4")

    assert platemark.verify(made.path, home=studio.home.path).verdict == "trusted"


def test_a_source_that_changes_while_the_clip_is_made_ends_the_job(studio: Studio, clip: Clip, tmp_path: Path) -> None:
    source = Path(shutil.copy(clip.path, tmp_path / "source.mp4"))

    def swap(progress: JobProgress) -> None:
        if progress.stage == "sign":
            source.write_bytes(source.read_bytes() + b"\0")

    with pytest.raises(OutputError, match="was changed while"):
        studio.generate(PROMPT, **USUAL, clips=[source], out=tmp_path / "made.mp4", on_progress=swap)

    assert not (tmp_path / "made.mp4").exists()
    assert studio.ledger.registry.open_outputs() == ()


def test_the_name_of_a_source_is_neither_in_the_log_nor_in_the_manifest(studio: Studio, tmp_path: Path) -> None:
    Image.fromarray(np.full((256, 256, 3), 90, np.uint8)).save(tmp_path / "portrait-of-kim.png")

    made = studio.generate(PROMPT, **USUAL, images=[tmp_path / "portrait-of-kim.png"], out=tmp_path / "made.mp4")

    logged = b"".join(event.body for event in studio.ledger.trace(made.clip_id))
    assert b"portrait" not in logged + made.path.read_bytes()
    assert sha256_file(tmp_path / "portrait-of-kim.png").encode() in logged


@pytest.mark.parametrize("task", ["extend", "infill"])
def test_a_damaged_clip_is_refused_before_any_output_exists(studio: Studio, tmp_path: Path, task: str) -> None:
    whole = write_clip(tmp_path / "cut.mp4", size=(256, 192), frames=24).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    fill: GenerateOptions = {"fill": "2-3"} if task == "infill" else {"seconds": 0.5}

    with pytest.raises(PlatemarkError):
        studio.generate(
            PROMPT, model="testcard", task=task, clips=[tmp_path / "cut.mp4"], out=tmp_path / "x.mp4", **fill
        )

    assert left_in(tmp_path) == {"cut.mp4", "newsroom"}
