"""Changing who witnesses a log: the list and its event go together, whoever else changes it, whatever fails."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark.errors import HomeError, LedgerError, RequestError
from platemark.homes import witness_keeping
from platemark.homes.home import Home, open_home
from platemark.homes.witness_keeping import add_witness, remove_witness
from platemark.homes.witness_roster import ROSTER, read_roster
from platemark_provenance.ledger.cosignature import Cosigner
from platemark_provenance.ledger.event import EventType
from platemark_provenance.ledger.store import Ledger

KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32).public_key()


@pytest.fixture
def home(home_path: Path) -> Home:
    """A fresh home."""
    return open_home(home_path)


def key_of(name: str) -> str:
    return Cosigner(name, KEY).verifier_key.text()


def names(home: Home) -> list[str]:
    return [each.name for each in read_roster(home.path)]


def changes(home: Home) -> list[tuple[object, object]]:
    with home.open_ledger() as ledger:
        found = list(ledger.query(type=EventType.WITNESS_CHANGED))
    return sorted((str(event.facts["how"]), str(event.facts["witness"])) for event in found)


def test_a_witness_is_added_with_an_event(home: Home) -> None:
    entry = add_witness(home, "https://a.example/", key_of("a/1"), actor="chief")

    assert (entry.name, entry.url) == ("a/1", "https://a.example")
    assert (names(home), changes(home)) == (["a/1"], [("add", "a/1")])


def test_witnesses_that_are_added_at_once_are_all_there(home: Home) -> None:
    wanted = [f"w{number}/1" for number in range(6)]

    def add(name: str) -> None:
        add_witness(open_home(home.path), "https://a.example", key_of(name))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, wanted))

    assert sorted(names(home)) == wanted
    assert changes(home) == [("add", name) for name in wanted]


def test_a_witness_that_is_removed_leaves_the_others(home: Home) -> None:
    add_witness(home, "https://a.example", key_of("a/1"))
    add_witness(home, "https://b.example", key_of("b/1"))

    removed = remove_witness(home, "a/1", actor="chief")

    assert removed.name == "a/1"
    assert (names(home), changes(home)[-1]) == (["b/1"], ("remove", "a/1"))


def test_a_second_witness_of_one_name_is_refused_and_no_event(home: Home) -> None:
    add_witness(home, "https://a.example", key_of("a/1"))

    with pytest.raises(RequestError, match="already"):
        add_witness(home, "https://b.example", key_of("a/1"))

    assert (names(home), changes(home)) == (["a/1"], [("add", "a/1")])


@pytest.mark.parametrize("name", ["a/1", "", "x" * 10_000])
def test_a_witness_that_is_not_there_is_not_removed(home: Home, name: str) -> None:
    with pytest.raises(RequestError, match="There is no witness") as caught:
        remove_witness(home, name)

    assert len(caught.value.message) < 200
    assert (names(home), changes(home)) == ([], [])


@pytest.mark.parametrize(
    ("url", "key"),
    [("https://a.example", "nonsense"), ("http://a..example", key_of("a/1")), ("mailto:a@b", key_of("a/1"))],
)
def test_what_is_no_witness_is_refused_before_the_log_is_opened(home: Home, url: str, key: str) -> None:
    with pytest.raises(RequestError):
        add_witness(home, url, key)

    assert changes(home) == []


@pytest.mark.parametrize("content", [b"{", b"[{}]", b"[1]", b'[{"name": "x"}]', b"\xff", b"7"])
def test_a_list_that_cannot_be_read_is_neither_empty_nor_replaced(home: Home, content: bytes) -> None:
    (home.path / ROSTER).write_bytes(content)

    with pytest.raises(HomeError, match="cannot be read"):
        add_witness(home, "https://a.example", key_of("a/1"))

    assert (home.path / ROSTER).read_bytes() == content


def test_a_list_that_cannot_be_written_leaves_no_event(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    write = witness_keeping.write_roster
    calls: list[Callable[..., None]] = []

    def full(folder: Path, entries: witness_keeping.Roster) -> None:
        calls.append(write)
        write(folder, entries) if len(calls) > 1 else _raise_full()

    monkeypatch.setattr(witness_keeping, "write_roster", full)

    with pytest.raises(HomeError, match="full"):
        add_witness(home, "https://a.example", key_of("a/1"))

    assert (names(home), changes(home)) == ([], [])


def test_an_event_that_cannot_be_written_leaves_the_list_as_it_was(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    add_witness(home, "https://a.example", key_of("a/1"))

    def refuse(*arguments: object, **options: object) -> None:
        raise LedgerError("The disk is gone.")

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "append", refuse)
        with pytest.raises(LedgerError, match="gone"):
            remove_witness(home, "a/1")

    assert names(home) == ["a/1"]


def _raise_full() -> None:
    raise HomeError("The disk is full.")
