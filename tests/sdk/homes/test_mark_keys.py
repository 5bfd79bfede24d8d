"""A home's watermark epochs: rotated with a trace, never lost, and an index that mends itself."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from platemark.cli import app
from platemark.errors import KeyUnavailable
from platemark.homes.doctor import examine
from platemark.homes.home import Home, open_home
from platemark.homes.mark_keys import MOST_EPOCHS, keys_of_all_epochs, newest_epoch, open_epochs, rotate_watermark
from platemark.marking import MarkOptions, detect_file, embed_file
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import EventType, NewEvent

MARK = "00112233445566aa"
LATER = "00112233445566bb"


@pytest.fixture
def home(home_path: Path) -> Home:
    return open_home(home_path)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    blocks = np.random.default_rng(3).integers(40, 210, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(blocks).resize((256, 192), Image.Resampling.BICUBIC).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def _rotations(home: Home) -> list[object]:
    with home.open_ledger() as ledger:
        return [event.facts["now"] for event in ledger.query(type="key.rotated")]


def test_a_new_home_is_in_its_first_epoch(home: Home) -> None:
    assert home.watermark_epoch() == 1
    assert [keys.epoch for keys in keys_of_all_epochs(home)] == [1]


def test_a_rotation_starts_the_next_epoch_and_is_logged(home: Home) -> None:
    done = rotate_watermark(home, actor="jw.kim")
    rotate_watermark(home)

    assert done.to_json() == {"watermark": {"before": 1, "now": 2}}
    assert home.watermark_keys().epoch == 3
    assert sorted(map(str, _rotations(home))) == ["2", "3"]


def test_the_keys_of_an_epoch_stay_what_they_were(home: Home) -> None:
    before = home.watermark_keys()

    rotate_watermark(home)

    assert keys_of_all_epochs(home)[-1] == before
    assert home.watermark_keys().carriers != before.carriers


def test_marks_from_before_and_after_a_rotation_are_found(home: Home, photo: Path, tmp_path: Path) -> None:
    embed_file(home, photo, tmp_path / "early.png", options=MarkOptions(MARK))
    rotate_watermark(home)
    embed_file(home, photo, tmp_path / "late.png", options=MarkOptions(LATER))

    found = [detect_file(home, tmp_path / name).id for name in ("early.png", "late.png")]

    assert [each.hex() for each in found if each] == [MARK, LATER]


@pytest.mark.parametrize("content", ["", "two", "0", "-1", "1000", "2 3", "٣\n", "\x00"])
def test_a_garbled_epoch_stops_everything_rather_than_guessing(home: Home, content: str) -> None:
    home.watermark_epoch_path.write_text(content, encoding="utf-8")

    with pytest.raises(KeyUnavailable, match="number of the watermark epoch"):
        home.watermark_keys()


def test_an_epoch_file_is_read_with_or_without_its_line_end(home: Home) -> None:
    home.watermark_epoch_path.write_text("4", encoding="ascii")

    assert home.watermark_epoch() == 4


def test_there_is_an_end_to_epochs(home: Home) -> None:
    home.watermark_epoch_path.write_text(f"{MOST_EPOCHS}\n", encoding="ascii")

    with pytest.raises(KeyUnavailable, match="at most"):
        rotate_watermark(home)

    assert _rotations(home) == []


def test_where_the_epoch_cannot_be_written_marks_are_made_as_before(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("platemark.homes.mark_keys.write_whole", full)

    with pytest.raises(KeyUnavailable, match="as before"):
        rotate_watermark(home)

    assert home.watermark_epoch() == 1


@pytest.mark.parametrize("said", ["0", "00", "1000", "0010000000", "-1", "two", "", "1\n2"])
def test_an_epoch_that_is_no_small_number_is_refused(home: Home, said: str) -> None:
    home.watermark_epoch_path.write_text(said, "ascii")

    with pytest.raises(KeyUnavailable, match=r"watermark\.epoch"):
        home.watermark_epoch()


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("1\n")], ids=["lost", "put-back"])
def test_a_mark_is_found_though_the_file_of_its_epoch_was_lost(
    home: Home, photo: Path, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    rotate_watermark(home)
    embed_file(home, photo, tmp_path / "late.png", options=MarkOptions(MARK))
    spoil(home.watermark_epoch_path)

    assert detect_file(home, tmp_path / "late.png").id == bytes.fromhex(MARK)


def test_a_rotation_after_a_loss_goes_on_from_the_ledger(home: Home) -> None:
    rotate_watermark(home)
    home.watermark_epoch_path.unlink()

    done = rotate_watermark(home)

    assert (done.before, done.now) == (1, 3)
    assert home.watermark_epoch() == 3


def test_the_doctor_sees_that_the_file_lies_behind_the_ledger(home: Home) -> None:
    rotate_watermark(home)
    well = next(each for each in examine(home.path) if each.check == "watermark secret")
    home.watermark_epoch_path.unlink()

    behind = next(each for each in examine(home.path) if each.check == "watermark secret")

    assert (well.ok, well.found, behind.ok) == (True, "epoch 2", False)
    assert behind.fix.startswith("Write 2 into")


@pytest.mark.parametrize("now", ["3", None, 65, 10**9, [3]])
def test_a_rotation_that_says_no_epoch_starts_none(home: Home, now: JsonValue) -> None:
    with home.open_ledger() as ledger:
        ledger.append(NewEvent(EventType.KEY_ROTATED, facts={"key": "watermark", "now": now}))

        assert newest_epoch(home, ledger) == 1


def test_a_change_of_another_key_starts_no_epoch(home: Home) -> None:
    with home.open_ledger() as ledger:
        ledger.append(NewEvent(EventType.KEY_ROTATED, facts={"key": "ledger", "now": 5}))

        assert newest_epoch(home, ledger) == 1


def test_each_epoch_has_an_index_of_its_own(home: Home, photo: Path, tmp_path: Path) -> None:
    embed_file(home, photo, tmp_path / "early.png", options=MarkOptions(MARK))
    rotate_watermark(home)

    with home.open_ledger() as ledger:
        epochs = open_epochs(home, ledger)

    assert [(epoch.keys.epoch, len(epoch.issued or ())) for epoch in epochs] == [(2, 1), (1, 1)]
    assert sorted(path.name for path in home.keys.glob("*.index")) == ["watermark-1.index", "watermark-2.index"]


def test_an_index_follows_the_ledger(home: Home, photo: Path, tmp_path: Path) -> None:
    embed_file(home, photo, tmp_path / "a.png", options=MarkOptions(MARK))
    detect_file(home, tmp_path / "a.png")
    embed_file(home, photo, tmp_path / "b.png", options=MarkOptions(LATER))

    with home.open_ledger() as ledger:
        (epoch,) = open_epochs(home, ledger)

    assert epoch.issued is not None
    assert bytes.fromhex(LATER) in epoch.issued


def test_a_damaged_index_is_mended_and_the_mark_still_found(
    home: Home, photo: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    embed_file(home, photo, tmp_path / "a.png", options=MarkOptions(MARK))
    detect_file(home, tmp_path / "a.png")
    (home.keys / "watermark-1.index").write_bytes(b"rubbish" * 20)

    found = detect_file(home, tmp_path / "a.png")

    assert found.id == bytes.fromhex(MARK)
    assert "was damaged" in caplog.text


def test_the_command_says_what_it_did(home: Home) -> None:
    said = CliRunner().invoke(app, ["keys", "rotate", "--watermark", "--home", str(home.path), "--json"])

    assert said.exit_code == 0
    assert '"now": 2' in said.stdout


def test_the_command_changes_one_thing_at_a_time(home: Home) -> None:
    said = CliRunner().invoke(app, ["keys", "rotate", "--watermark", "--authority", "--home", str(home.path)])

    assert said.exit_code != 0
    assert home.watermark_epoch() == 1
