"""A home is whole, private, and never half-made."""

import stat
from pathlib import Path

import pytest

from platemark.config import CONFIG_NAME
from platemark.errors import HomeError, KeyUnavailable, LedgerUnavailable, SchemaMismatch
from platemark.homes import home as homes
from platemark.homes.home import find_home, init, open_home

SECRETS = ("root.key", "intermediate.key", "signing.key", "ledger.key", "watermark.key", "payload.key")


def test_a_new_home_has_every_part_and_every_secret_is_the_owners_alone(tmp_path: Path) -> None:
    home = init(tmp_path / "newsroom", organisation="Daily Example")

    modes = {name: stat.S_IMODE((home.keys / name).stat().st_mode) for name in SECRETS}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700
    assert stat.S_IMODE((home.path / homes.LEDGER_FILE).stat().st_mode) == 0o600
    assert home.config.publisher.organisation == "Daily Example"


def test_making_a_home_again_changes_nothing(home_path: Path) -> None:
    before = {path: path.read_bytes() for path in sorted(home_path.rglob("*")) if path.is_file()}

    init(home_path, organisation="Somebody Else")

    assert {path: path.read_bytes() for path in sorted(home_path.rglob("*")) if path.is_file()} == before


def test_a_half_made_home_is_refused_and_the_same_command_finishes_it(home_path: Path) -> None:
    (home_path / CONFIG_NAME).unlink()
    key = (home_path / "keys" / "signing.key").read_bytes()

    with pytest.raises(HomeError, match="half-made") as caught:
        open_home(home_path)
    finished = init(home_path)

    assert "platemark init" in caught.value.fix
    assert (finished.keys / "signing.key").read_bytes() == key


def test_an_interrupted_making_of_keys_is_done_again_from_scratch(tmp_path: Path) -> None:
    partial = tmp_path / "newsroom" / "keys.partial"
    partial.mkdir(parents=True)
    (partial / "signing.key").write_text("half a key")

    home = init(tmp_path / "newsroom")

    assert not partial.exists()
    assert home.claim_signer().alg == "es256"


def test_a_directory_with_other_things_in_it_is_not_made_into_a_home(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")

    with pytest.raises(HomeError, match=r"holds other things \(holiday\.jpg\)"):
        init(tmp_path)


def test_a_file_cannot_be_a_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(HomeError, match="is a file"):
        init(tmp_path / "file")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"organisation": ""}, "1 to 64 printable"),
        ({"organisation": "x" * 65}, "1 to 64 printable"),
        ({"organisation": "News\x1b[31m"}, "1 to 64 printable"),
        ({"country": "Korea"}, "two capital letters"),
        ({"language": "fr"}, "auto, en or ko"),
    ],
)
def test_an_impossible_name_is_refused_before_anything_is_made(
    tmp_path: Path, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(HomeError, match=sentence):
        init(tmp_path / "newsroom", **options)

    assert not (tmp_path / "newsroom").exists()


def test_keys_open_to_others_are_refused_with_the_command_that_mends_it(home_path: Path) -> None:
    (home_path / "keys").chmod(0o755)

    with pytest.raises(HomeError, match="open to other users") as caught:
        open_home(home_path)

    assert caught.value.fix == f"Run: chmod 700 {home_path / 'keys'}"


def test_one_key_file_open_to_others_is_refused_with_the_command_that_mends_it(home_path: Path) -> None:
    (home_path / "keys" / "signing.key").chmod(0o644)

    with pytest.raises(KeyUnavailable) as caught:
        open_home(home_path).claim_signer()

    assert "chmod 600" in caught.value.fix


def test_a_home_without_its_keys_is_refused_rather_than_given_new_ones(home_path: Path) -> None:
    (home_path / "keys").rename(home_path.parent / "elsewhere")

    with pytest.raises(HomeError, match="has no keys") as caught:
        open_home(home_path)

    assert "backup" in caught.value.fix


@pytest.mark.parametrize("name", ["signing.key", "signing.chain.pem"])
def test_a_missing_signing_file_is_named(home_path: Path, name: str) -> None:
    (home_path / "keys" / name).unlink()

    with pytest.raises(KeyUnavailable, match=name.replace(".", r"\.")):
        open_home(home_path).claim_signer()


@pytest.mark.parametrize("name", ["watermark.key", "payload.key", "ledger.key", "signing.key"])
def test_a_garbled_key_is_refused_and_its_content_never_shown(home_path: Path, name: str) -> None:
    (home_path / "keys" / name).write_bytes(b"5ecret-but-not-a-key")
    home = open_home(home_path)
    readers = {
        "watermark.key": home.watermark_keys,
        "payload.key": home.open_ledger,
        "ledger.key": home.open_ledger,
        "signing.key": home.claim_signer,
    }

    with pytest.raises(KeyUnavailable) as caught:
        readers[name]()

    assert "5ecret" not in str(caught.value)


def test_a_key_of_another_home_does_not_match_this_homes_certificate(home_path: Path, tmp_path: Path) -> None:
    other = init(tmp_path / "other")
    (home_path / "keys" / "signing.key").write_bytes((other.keys / "signing.key").read_bytes())

    with pytest.raises(KeyUnavailable):
        open_home(home_path).claim_signer()


def test_a_missing_ledger_is_said_to_be_missing(home_path: Path) -> None:
    (home_path / homes.LEDGER_FILE).unlink()

    with pytest.raises((LedgerUnavailable, SchemaMismatch)):
        open_home(home_path).open_ledger()


def test_a_home_is_found_upward_from_the_working_directory(home_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLATEMARK_HOME", raising=False)
    deep = home_path / "clips" / "2026"
    deep.mkdir(parents=True)

    assert find_home(start=deep) == home_path


def test_the_environment_names_a_home_and_an_argument_wins_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATEMARK_HOME", str(tmp_path / "named"))

    assert find_home(start=tmp_path) == tmp_path / "named"
    assert find_home(tmp_path / "argument", start=tmp_path) == tmp_path / "argument"


def test_where_nothing_names_a_home_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLATEMARK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert find_home(start=tmp_path) is None


def test_further_roots_are_trusted_when_the_configuration_names_them(home_path: Path, tmp_path: Path) -> None:
    other = init(tmp_path / "other")
    text = (home_path / CONFIG_NAME).read_text().replace("anchors = []", f'anchors = ["{other.keys}/root.pem"]')
    (home_path / CONFIG_NAME).write_text(text)

    assert len(open_home(home_path).trust_store().manifest_anchors) == 2


def test_a_root_that_cannot_be_read_is_named(home_path: Path) -> None:
    with pytest.raises(HomeError, match=r"nowhere\.pem cannot be read"):
        open_home(home_path).trust_store((Path("nowhere.pem"),))


def test_a_home_that_was_cut_off_while_its_keys_were_written_down_is_finished(home_path: Path) -> None:
    (home_path / CONFIG_NAME).unlink()
    (home_path / homes.CHECKPOINT_STATE).touch()
    (home_path / f"{homes.LEDGER_FILE}-journal").touch()

    finished = init(home_path, organisation="Daily Example")

    with finished.open_ledger() as ledger:
        assert [event.type for event in ledger.query()] == ["key.created", "key.created"]
