"""`[ledger] kek`: prompts of a home are sealed with keys that a key elsewhere wraps."""

from collections.abc import Callable
from pathlib import Path

import pytest

from platemark.config import read_config
from platemark.errors import HomeError
from platemark.homes.home import Home, open_home
from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.ledger.event import EventType, NewEvent, SealedState
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.new_keys import new_secret
from platemark_provenance.signers.wrapping import LazyWrapper


def name_kek(home: Path, line: str) -> None:
    config = home / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("[ledger]\n", f"[ledger]\n{line}\n"), "utf-8")


@pytest.fixture
def kek(tmp_path: Path) -> Path:
    """A key outside the home."""
    path = tmp_path / "kek.key"
    path.write_bytes(new_secret())
    path.chmod(0o600)
    return path


@pytest.fixture
def home(home_path: Path, kek: Path) -> Home:
    """A home that names the key."""
    name_kek(home_path, f'kek = "file:{kek}"')
    return open_home(home_path)


def submit(ledger: Ledger, clip: str, actor: str = "jw.kim") -> None:
    ledger.append(NewEvent(EventType.PROMPT_SUBMITTED, clip=clip, actor=actor, sealed={"prompt": "rain"}))


def states(home: Home, clip: str) -> list[SealedState]:
    with home.open_ledger() as ledger:
        return [event.sealed_state for event in ledger.trace(clip)]


def test_a_prompt_is_read_back_with_the_key(home: Home) -> None:
    with home.open_ledger() as ledger:
        submit(ledger, "clip-a")

    assert states(home, "clip-a") == [SealedState.OPENED]


def test_without_the_key_a_prompt_stays_closed_and_the_log_whole(home: Home, kek: Path) -> None:
    with home.open_ledger() as ledger:
        submit(ledger, "clip-a")
    kek.unlink()

    assert states(home, "clip-a") == [SealedState.UNREADABLE]
    with home.open_ledger() as ledger:
        assert ledger.verify().ok
        ledger.append(NewEvent(EventType.CLIP_VERIFIED, clip="clip-a"))
        with pytest.raises(KeyUnavailable):
            submit(ledger, "clip-a")


def test_another_key_opens_nothing(home: Home, kek: Path) -> None:
    with home.open_ledger() as ledger:
        submit(ledger, "clip-a")
    kek.write_bytes(new_secret())

    assert states(home, "clip-a") == [SealedState.UNREADABLE]


def test_what_was_sealed_before_the_key_was_named_still_opens(home_path: Path, kek: Path) -> None:
    with open_home(home_path).open_ledger() as ledger:
        submit(ledger, "clip-a")
    name_kek(home_path, f'kek = "file:{kek}"')

    assert states(open_home(home_path), "clip-a") == [SealedState.OPENED]


def test_rewrapping_moves_every_key_and_is_an_event(
    home_path: Path, kek: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from platemark.cli import main

    with open_home(home_path).open_ledger() as ledger:
        submit(ledger, "clip-a")
        submit(ledger, "clip-b", actor="sh.lee")
    name_kek(home_path, f'kek = "file:{kek}"')

    first = main(["keys", "rewrap", "--home", str(home_path), "--actor", "chief"])
    second = main(["keys", "rewrap", "--home", str(home_path)])
    said = capsys.readouterr().out.splitlines()

    assert (first, second) == (0, 0)
    assert [line.split(" keys")[0] for line in said] == ["Wrapped 2", "Wrapped 0"]
    home = open_home(home_path)
    with home.open_ledger() as ledger:
        (event,) = ledger.query(type=EventType.KEY_ROTATED)
    assert event.facts["keys"] == 2
    assert states(home, "clip-b") == [SealedState.OPENED]
    kek.unlink()
    assert states(home, "clip-b") == [SealedState.UNREADABLE]


def test_rewrapping_without_the_new_key_changes_nothing(home_path: Path, kek: Path) -> None:
    with open_home(home_path).open_ledger() as ledger:
        submit(ledger, "clip-a")
    name_kek(home_path, f'kek = "file:{kek}.gone"')
    home = open_home(home_path)

    with home.open_ledger() as ledger, pytest.raises(KeyUnavailable):
        ledger.keys.rewrap()

    assert states(home, "clip-a") == [SealedState.OPENED]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.chmod(0o644),
        lambda path: path.write_bytes(b"nothing"),
        lambda path: path.write_bytes(b"0" * 1_000_000),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["gone", "open to others", "garbled", "huge", "a folder"],
)
def test_a_key_that_cannot_be_used_is_found_by_rewrapping_nothing(
    home: Home, kek: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(kek)

    with home.open_ledger() as ledger, pytest.raises(KeyUnavailable) as caught:
        ledger.keys.rewrap()

    assert str(kek) in caught.value.message
    assert "0000" not in str(caught.value)


@pytest.mark.parametrize("named", ["kms:nobody-installed-this", "exec:/bin/cat", "exec:/bin/false", "file:///"])
def test_a_home_whose_key_is_with_nobody_refuses_what_is_sealed_and_keeps_the_rest(home_path: Path, named: str) -> None:
    name_kek(home_path, f'kek = "{named}"')

    with open_home(home_path).open_ledger() as ledger:
        with pytest.raises(KeyUnavailable):
            submit(ledger, "clip-a")
        with pytest.raises(KeyUnavailable):
            ledger.keys.rewrap()
        ledger.append(NewEvent(EventType.PROMPT_SUBMITTED, clip="clip-b"))

        assert [event.clip for event in ledger.query(type=EventType.PROMPT_SUBMITTED)] == ["clip-b"]
        assert ledger.verify().ok


def test_rewrapping_that_was_interrupted_is_finished_by_the_next(
    home_path: Path, kek: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_home(home_path).open_ledger() as ledger:
        submit(ledger, "clip-a")
        submit(ledger, "clip-b", actor="s.park")
    name_kek(home_path, f'kek = "file:{kek}"')
    home = open_home(home_path)
    # The probe and one key, and then the end.
    steps = iter([LazyWrapper.wrap, LazyWrapper.wrap, _kill])

    def wrap(self: LazyWrapper, key: bytes, subject: str) -> bytes:
        return next(steps)(self, key, subject)

    with monkeypatch.context() as broken, home.open_ledger() as ledger:
        broken.setattr(LazyWrapper, "wrap", wrap)
        with pytest.raises(KeyboardInterrupt):
            ledger.keys.rewrap()
    between = states(home, "clip-a") + states(home, "clip-b")
    with home.open_ledger() as ledger:
        left = ledger.keys.rewrap()

    assert between == [SealedState.OPENED] * 2
    assert left == 1
    assert states(home, "clip-a") + states(home, "clip-b") == [SealedState.OPENED] * 2


def _kill(*_: object) -> bytes:
    raise KeyboardInterrupt


def test_erasing_needs_no_key(home: Home, kek: Path) -> None:
    with home.open_ledger() as ledger:
        submit(ledger, "clip-a")
    kek.unlink()

    with home.open_ledger() as ledger:
        assert ledger.subjects.erase("jw.kim", reason="asked", actor="dpo").payloads == 1

    assert states(home, "clip-a")[0] is SealedState.ERASED


def test_open_facts_are_read_without_asking_for_the_key(home_path: Path) -> None:
    name_kek(home_path, 'kek = "pkcs11:object=kek?module-path=/nowhere.so"\nkek_secret = "prompt"')

    with open_home(home_path).open_ledger() as ledger:
        assert ledger.verify().ok
        assert list(ledger.query(type=EventType.KEY_CREATED))


@pytest.mark.parametrize(
    "line",
    [
        'kek = "kek.key"',
        'kek = "pkcs11:object=kek;pin-value=1234?module-path=/x.so"',
        'kek = "pkcs11:object=kek?pin-source=/x&module-path=/x.so"',
        'kek_secret = "1234"',
    ],
)
def test_a_name_that_cannot_be_or_holds_a_pin_is_refused(home_path: Path, line: str) -> None:
    name_kek(home_path, line)

    with pytest.raises(HomeError) as refused:
        read_config(home_path)

    assert "1234" not in str(refused.value).replace(str(home_path), "")
