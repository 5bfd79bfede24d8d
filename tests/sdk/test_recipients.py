"""Copies for recipients: each leads back to its own, to the owner of the ledger alone, and nobody innocent is named."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from platemark.cli import app
from platemark.errors import RequestError
from platemark.homes.home import Home, init, open_home
from platemark.marking import MarkOptions, detect_file, embed_file, trace_file
from platemark.studio import Studio
from platemark.verifying.verifier import verify
from platemark_provenance.digest import JsonValue

NAMES = ("Agency A", "방송사 나", "Broadcaster C")


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    blocks = np.random.default_rng(3).integers(40, 210, (16, 24, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(blocks).resize((480, 320), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture(scope="module")
def given(pristine_home: Path, photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home and a copy for each recipient, and some more that were never averaged."""
    folder = tmp_path_factory.mktemp("given")
    shutil.copytree(pristine_home, folder / "newsroom")
    home = open_home(folder / "newsroom")
    for name in (*NAMES, "Innocent 1", "Innocent 2"):
        embed_file(home, photo, folder / f"{name}.png", options=MarkOptions(recipient=name))
    return folder


@pytest.fixture
def home(given: Path) -> Home:
    return open_home(given / "newsroom")


@pytest.fixture
def average(given: Path, tmp_path: Path) -> Callable[[Sequence[str]], Path]:
    """Average some recipients' copies, as people do who hope to go unrecognised."""

    def mix(names: Sequence[str]) -> Path:
        pictures = [np.asarray(Image.open(given / f"{name}.png"), np.float64) for name in names]
        Image.fromarray(np.rint(np.mean(pictures, axis=0)).astype(np.uint8)).save(tmp_path / "averaged.png")
        return tmp_path / "averaged.png"

    return mix


def _marked_events(home: Home) -> list[Mapping[str, JsonValue]]:
    with home.open_ledger() as ledger:
        return [event.facts for event in ledger.query(type="watermark.embedded")]


def _names(path: Path, home: Home) -> set[str | None]:
    return {each.name for each in trace_file(home, path).recipients}


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_leads_back_to_whoever_it_was_made_for(given: Path, home: Home, name: str) -> None:
    traced = trace_file(home, given / f"{name}.png")

    assert [each.name for each in traced.recipients] == [name]
    assert traced.detection.id is not None
    assert traced.recipients[0].mark_id == traced.detection.id.hex()


def test_every_recipient_has_an_id_of_its_own(given: Path, home: Home) -> None:
    ids = {detect_file(home, given / f"{name}.png").id for name in NAMES}

    assert len(ids) == 3


def test_the_same_copy_for_the_same_person_has_the_same_id(
    home: Home, photo: Path, given: Path, tmp_path: Path
) -> None:
    again = embed_file(home, photo, tmp_path / "again.png", options=MarkOptions(recipient=NAMES[0]))

    found = detect_file(home, given / f"{NAMES[0]}.png")

    assert found.id is not None
    assert again.mark_id == found.id.hex()


@pytest.mark.parametrize("names", [NAMES[:2], NAMES])
def test_an_average_of_copies_names_all_of_them_and_no_other(
    home: Home, average: Callable[[Sequence[str]], Path], names: Sequence[str]
) -> None:
    assert _names(average(names), home) == set(names)


def test_the_log_holds_a_pseudonym_and_the_name_is_sealed(home: Home) -> None:
    written = json.dumps(_marked_events(home), ensure_ascii=False)

    assert "Agency A" not in written
    assert written.count('"recipient": "p-') >= 5


def test_a_name_that_was_erased_leaves_the_pseudonym(pristine_home: Path, photo: Path, tmp_path: Path) -> None:
    shutil.copytree(pristine_home, tmp_path / "newsroom")
    home = open_home(tmp_path / "newsroom")
    embed_file(home, photo, tmp_path / "copy.png", options=MarkOptions(recipient="Agency A"))
    clip_id = trace_file(home, tmp_path / "copy.png").recipients[0].clip_id
    asked = ["audit", "erase", f"clip:{clip_id}", "--reason", "they asked", "--actor", "dpo"]
    erased = CliRunner().invoke(app, [*asked, "--home", str(home.path)])

    (left,) = trace_file(home, tmp_path / "copy.png").recipients

    assert erased.exit_code == 0
    assert left.name is None
    assert left.pseudonym.startswith("p-")


def test_another_home_is_told_nothing(given: Path, tmp_path: Path) -> None:
    init(tmp_path / "stranger", organisation="Somebody Else")
    stranger = open_home(tmp_path / "stranger")

    traced = trace_file(stranger, given / f"{NAMES[0]}.png")

    assert (traced.detection.state, traced.recipients) == ("absent", ())


def test_verifying_names_the_recipient_to_the_owner_only(given: Path, tmp_path: Path) -> None:
    init(tmp_path / "stranger", organisation="Somebody Else")

    owner = verify(given / f"{NAMES[1]}.png", home=given / "newsroom")
    stranger = verify(given / f"{NAMES[1]}.png", home=tmp_path / "stranger")

    assert [each.name for each in owner.recipients] == [NAMES[1]]
    assert stranger.recipients == ()
    assert NAMES[1] not in json.dumps({**stranger.to_json(), "path": ""}, ensure_ascii=False)


def test_a_copy_for_nobody_names_nobody(home: Home, photo: Path, tmp_path: Path) -> None:
    embed_file(home, photo, tmp_path / "plain.png", options=MarkOptions())

    assert trace_file(home, tmp_path / "plain.png").recipients == ()


@pytest.mark.parametrize("name", ["a\u202eb", "a\x07b", "x" * 201])
def test_a_name_that_hides_something_is_refused_before_anything_is_written(
    home: Home, photo: Path, tmp_path: Path, name: str
) -> None:
    before = len(_marked_events(home))

    with pytest.raises(RequestError):
        embed_file(home, photo, tmp_path / "out.png", options=MarkOptions(recipient=name))

    assert not (tmp_path / "out.png").exists()
    assert len(_marked_events(home)) == before


def test_a_generated_copy_leads_back_to_its_recipient(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate(
        "a calm blue sea at sunset",
        model="testcard",
        seconds=0.5,
        size="256x256",
        seed=7,
        recipient="Agency A",
        out=tmp_path / "for-agency.mp4",
    )
    plain = studio.generate(
        "a calm blue sea at sunset", model="testcard", seconds=0.5, size="256x256", seed=7, out=tmp_path / "plain.mp4"
    )

    report = verify(made.path, home=studio.home.path)

    assert made.watermark_id != plain.watermark_id
    assert report.verdict == "trusted"
    assert [(each.name, each.clip_id) for each in report.recipients] == [("Agency A", made.clip_id)]
    assert verify(plain.path, home=studio.home.path).recipients == ()


def test_the_manifest_says_nothing_of_the_recipient(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate(
        "a calm blue sea at sunset",
        model="testcard",
        seconds=0.5,
        size="128x128",
        seed=7,
        recipient="Agency Nobody Shall Know",
        out=tmp_path / "for-agency.mp4",
    )

    assert b"Nobody Shall Know" not in made.path.read_bytes()


def test_the_commands_name_the_recipient(given: Path) -> None:
    copy, home = str(given / f"{NAMES[0]}.png"), str(given / "newsroom")

    detected = CliRunner().invoke(app, ["watermark", "detect", copy, "--home", home, "--json"])
    told = CliRunner().invoke(app, ["watermark", "detect", copy, "--home", home])
    verified = CliRunner().invoke(app, ["verify", copy, "--home", home, "--lang", "ko"])

    assert json.loads(detected.stdout)["recipients"][0]["name"] == NAMES[0]
    assert "This copy was made for Agency A." in told.stdout
    assert "Agency A에게" in verified.stdout
