"""`keys rotate --ledger`: a new key for the log, whatever is interrupted, and old evidence that stays good."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from platemark.clip import Clip
from platemark.errors import PlatemarkError
from platemark.homes import key_folder, ledger_rotation
from platemark.homes.home import Home, open_home
from platemark.homes.key_folder import LEDGER_KEY, LEDGER_NEXT, LEDGER_PUBLIC, SUCCESSION, read_succession
from platemark.homes.key_status import key_status
from platemark.homes.ledger_rotation import LogKeyChanged, rotate_ledger_key
from platemark.studio import Studio
from platemark_provenance.errors import KeyUnavailable, VerificationError
from platemark_provenance.ledger.event import EventType
from platemark_provenance.ledger.evidence.building import BundleRequest, build_bundle
from platemark_provenance.ledger.evidence.checking import check_bundle, read_key
from platemark_provenance.ledger.receipt import verify_receipt
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.ledger.succession import Succession, follow


@pytest.fixture
def home(home_path: Path) -> Home:
    """A fresh home."""
    return open_home(home_path)


def public_key(home: Home) -> Ed25519PublicKey:
    return read_key((home.keys / LEDGER_PUBLIC).read_bytes())


def rotations(home: Home) -> list[dict[str, object]]:
    with home.open_ledger() as ledger:
        return [dict(event.facts) for event in ledger.query(type=EventType.KEY_ROTATED)]


def test_a_new_key_signs_the_log_and_all_of_it_still_verifies(home: Home) -> None:
    old = public_key(home)
    with home.open_ledger() as ledger:
        ledger.checkpoint()

    done = rotate_ledger_key(home, actor="chief")

    with home.open_ledger() as ledger:
        ledger.checkpoint()
        assert ledger.verify().ok
        assert ledger.verifier_key.text() == done.new
    assert public_key(home).public_bytes_raw() != old.public_bytes_raw()


def test_what_was_replaced_is_kept_and_the_public_parts_are_open(home: Home) -> None:
    done = rotate_ledger_key(home)

    assert (Path(done.retired) / LEDGER_KEY).exists()
    assert (Path(done.retired) / LEDGER_PUBLIC).exists()
    assert not (home.keys / LEDGER_NEXT).exists()
    assert (home.keys / LEDGER_KEY).stat().st_mode & 0o077 == 0
    assert len(read_succession(home.keys).links) == 1


def test_the_key_is_changed_again_and_again(home: Home) -> None:
    first = public_key(home)
    done = [rotate_ledger_key(home) for _ in range(3)]

    with home.open_ledger() as ledger:
        assert ledger.verify().ok
        assert len(ledger.log_keys.keys) == 4
    assert [each.old for each in done[1:]] == [each.new for each in done[:-1]]
    assert len(follow(first, read_succession(home.keys)).keys) == 4


@pytest.mark.parametrize("step", ["load_ledger_signing_key", "read_succession", "exchange", "public_pem"])
def test_a_change_that_was_interrupted_is_finished_by_the_next_one(
    home: Home, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(ledger_rotation, step, killed)
        with pytest.raises(KeyboardInterrupt):
            rotate_ledger_key(home)

    rotate_ledger_key(home)

    assert len(rotations(home)) == 1
    with home.open_ledger() as ledger:
        ledger.checkpoint()
        assert ledger.verify().ok


def test_a_change_that_was_interrupted_after_it_counted_is_finished_at_the_next_opening(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    finish = key_folder._finish
    calls: list[Path] = []

    def once(folder: Path) -> None:
        calls.append(folder)
        killed() if (folder / key_folder.INCOMING).is_dir() else finish(folder)

    with monkeypatch.context() as broken:
        broken.setattr(key_folder, "_finish", once)
        with pytest.raises(KeyboardInterrupt):
            rotate_ledger_key(home)

    again = open_home(home.path)
    with again.open_ledger() as ledger:
        ledger.checkpoint()
        assert ledger.verify().ok
    rotate_ledger_key(again)
    assert len(rotations(again)) == 2


def test_between_the_announcement_and_the_exchange_nothing_is_signed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(ledger_rotation, "exchange", lambda *_, **__: (_ for _ in ()).throw(KeyUnavailable("full")))
        with pytest.raises(KeyUnavailable):
            rotate_ledger_key(home)

    with home.open_ledger() as ledger, pytest.raises(PlatemarkError, match="keys rotate --ledger"):
        ledger.checkpoint()


def test_a_program_that_still_has_the_old_key_open_stops_signing(home: Home) -> None:
    with home.open_ledger() as open_before:
        rotate_ledger_key(home)

        with pytest.raises(PlatemarkError, match="Open the ledger again"):
            open_before.checkpoint()


def test_a_succession_that_was_damaged_stops_the_home(home: Home) -> None:
    rotate_ledger_key(home)
    (home.keys / SUCCESSION).write_bytes(b"{}")

    with pytest.raises(VerificationError):
        home.open_ledger()


def test_a_succession_that_is_lost_is_noticed_by_the_check(home: Home) -> None:
    with home.open_ledger() as ledger:
        ledger.checkpoint()
    rotate_ledger_key(home)
    (home.keys / SUCCESSION).unlink()

    with home.open_ledger() as ledger:
        assert not ledger.verify().ok


def test_old_keys_put_back_without_their_succession_are_refused(home: Home) -> None:
    done = rotate_ledger_key(home)
    shutil.copy2(Path(done.retired) / LEDGER_KEY, home.keys / LEDGER_KEY)

    with pytest.raises(VerificationError, match="was replaced"):
        home.open_ledger()


def test_the_status_of_keys_shows_the_new_one(home: Home) -> None:
    before = {each.sha256 for each in key_status(home) if each.name == "ledger"}

    rotate_ledger_key(home)

    after = {each.sha256 for each in key_status(home) if each.name == "ledger"}
    assert before.isdisjoint(after)
    assert all(each.ok for each in key_status(home))


def _bundle(ledger: Ledger, clip: Clip, path: Path) -> Path:
    path.write_bytes(build_bundle(ledger, BundleRequest(clip.clip_id)))
    return path


@pytest.fixture
def rotated(studio: Studio, clip: Clip, tmp_path: Path) -> LogKeyChanged:
    """A change of the key after a clip was published, with a bundle and the public key from before it."""
    _bundle(studio.ledger, clip, tmp_path / "before.zip")
    shutil.copy2(studio.home.keys / LEDGER_PUBLIC, tmp_path / "old.pem")
    return rotate_ledger_key(studio.home)


def test_the_receipt_beside_a_clip_stays_good_under_either_key(
    studio: Studio, clip: Clip, rotated: LogKeyChanged, tmp_path: Path
) -> None:
    receipt = Path(clip.receipt).read_bytes()
    new = follow(public_key(studio.home), read_succession(studio.home.keys))

    assert verify_receipt(receipt, None, read_key((tmp_path / "old.pem").read_bytes()))
    assert verify_receipt(receipt, None, new)


def test_a_bundle_made_later_is_trusted_by_whoever_has_the_old_key(
    studio: Studio, clip: Clip, rotated: LogKeyChanged, tmp_path: Path
) -> None:
    with studio.home.open_ledger() as ledger:
        later = _bundle(ledger, clip, tmp_path / "after.zip")

    report = check_bundle(later, read_key((tmp_path / "old.pem").read_bytes()))

    assert report.key_was_given


def test_a_bundle_made_before_is_trusted_by_whoever_has_the_new_key_and_the_succession(
    studio: Studio, rotated: LogKeyChanged, tmp_path: Path
) -> None:
    key, succession = public_key(studio.home), read_succession(studio.home.keys)

    assert check_bundle(tmp_path / "before.zip", key, succession=succession).key_was_given
    with pytest.raises(VerificationError, match="another key"):
        check_bundle(tmp_path / "before.zip", key)


def test_a_succession_of_another_log_leads_nowhere(
    studio: Studio, rotated: LogKeyChanged, tmp_path: Path, pristine_home: Path
) -> None:
    shutil.copytree(pristine_home, tmp_path / "second")
    second = open_home(tmp_path / "second")
    rotate_ledger_key(second)

    with pytest.raises(VerificationError):
        check_bundle(tmp_path / "before.zip", public_key(studio.home), succession=Succession.parse(b"{}"))
    with pytest.raises(VerificationError, match="none of them"):
        check_bundle(tmp_path / "before.zip", public_key(studio.home), succession=read_succession(second.keys))


def test_the_command_says_what_to_hand_out(home_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from platemark.cli import main

    code = main(["keys", "rotate", "--ledger", "--home", str(home_path), "--actor", "chief"])
    said = capsys.readouterr()

    assert code == 0
    assert "signed by another key from now on: platemark.local/daily-example+" in said.out
    assert SUCCESSION in said.err


@pytest.mark.parametrize("other", [["--authority"], ["--algorithm", "es384"], ["--watermark"]])
def test_the_log_s_key_has_one_kind(home_path: Path, other: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from platemark.cli import main

    assert main(["keys", "rotate", "--ledger", "--home", str(home_path), *other]) == 2


def test_a_key_is_never_replaced_more_often_than_a_succession_holds(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate_ledger_key(home)
    monkeypatch.setattr(ledger_rotation, "MOST_LINKS", 1)

    with pytest.raises(KeyUnavailable, match="1 times, which is the most"):
        rotate_ledger_key(home)

    assert len(rotations(home)) == 1
    assert not (home.keys / LEDGER_NEXT).exists()
    with home.open_ledger() as ledger:
        assert ledger.checkpoint()


def test_a_succession_that_is_damaged_stops_the_change_before_anything_is_written(home: Home) -> None:
    rotate_ledger_key(home)
    (home.keys / SUCCESSION).write_bytes(b"{}")

    with pytest.raises(VerificationError, match="succession"):
        rotate_ledger_key(home)

    assert not (home.keys / LEDGER_NEXT).exists()


def test_a_change_that_one_began_is_finished_by_another(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(ledger_rotation, "exchange", killed)
        with pytest.raises(KeyboardInterrupt):
            rotate_ledger_key(home, actor="jw.kim")

    rotate_ledger_key(open_home(home.path), actor="chief")

    again = open_home(home.path)
    with again.open_ledger() as ledger:
        assert ledger.checkpoint()
        assert len(list(ledger.query(type=EventType.KEY_ROTATED, actor="jw.kim"))) == 1
        assert not list(ledger.query(type=EventType.KEY_ROTATED, actor="chief"))
