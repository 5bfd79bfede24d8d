"""Whom a home trusts never changes without a word in its ledger."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from platemark.errors import LedgerError, PlatemarkError, VerificationError
from platemark.homes import trust_keeping
from platemark.homes.home import Home, init, open_home
from platemark_provenance.ledger.event import EventType
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.trust_lists import TRUST_FOLDER, NewList, stored_lists

THEM = NewList("them", "manifest", date(2026, 3, 14))


@pytest.fixture
def home(home_path: Path) -> Home:
    return open_home(home_path)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Roots of two other newsrooms."""
    folder = tmp_path_factory.mktemp("others")
    return [(init(folder / name, organisation=name).keys / "root.pem").read_bytes() for name in ("one", "two")]


def told(home: Home) -> list[dict[str, Any]]:
    with home.open_ledger() as ledger:
        found = sorted(ledger.query(type=EventType.TRUST_CHANGED.value), key=lambda each: each.seq)
        return [dict(each.facts) for each in found]


def files(home: Home) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in (home.path / TRUST_FOLDER).glob("*")}


def test_adding_replacing_and_removing_are_each_an_event(home: Home, roots: list[bytes]) -> None:
    trust_keeping.add(home, roots[0], THEM)
    trust_keeping.replace(home, roots[0] + roots[1], NewList("them", "manifest", date(2026, 4, 1)))
    trust_keeping.remove(home, "them")

    assert [(each["how"], each["name"]) for each in told(home)] == [
        ("add", "them"),
        ("import", "them"),
        ("remove", "them"),
    ]
    assert [each.get("certificates") for each in told(home)] == [1, 2, None]
    assert told(home)[1]["roots_added"] == 1
    assert stored_lists(home.path / TRUST_FOLDER) == ()


def test_the_event_names_the_list_by_its_digest(home: Home, roots: list[bytes]) -> None:
    stored = trust_keeping.add(home, roots[0], THEM, actor="jw.kim")

    assert told(home)[0]["sha256"] == stored.facts.sha256
    assert "jw.kim" not in str(told(home))


@pytest.mark.parametrize("present", [False, True])
def test_a_change_that_cannot_be_written_down_is_not_made(
    home: Home, roots: list[bytes], monkeypatch: pytest.MonkeyPatch, present: bool
) -> None:
    trust_keeping.add(home, roots[0], THEM if present else NewList("other", "tsa", date(2026, 1, 1)))
    before = files(home)

    def refuse(*_: object) -> None:
        raise LedgerError("no")

    monkeypatch.setattr(Ledger, "append", refuse)
    with pytest.raises(LedgerError):
        trust_keeping.replace(home, roots[1], NewList("them", "manifest", date(2026, 5, 1)))

    monkeypatch.undo()
    assert files(home) == before
    assert len(told(home)) == 1


def test_a_list_that_could_not_be_removed_from_the_log_is_still_there(
    home: Home, roots: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    trust_keeping.add(home, roots[0], THEM)
    before = files(home)

    def refuse(*_: object) -> None:
        raise LedgerError("no")

    monkeypatch.setattr(Ledger, "append", refuse)
    with pytest.raises(LedgerError):
        trust_keeping.remove(home, "them")

    assert files(home) == before


@pytest.mark.parametrize("name", ["nobody", "../keys/root", "."])
def test_a_change_that_is_refused_leaves_no_event(home: Home, name: str) -> None:
    with pytest.raises(VerificationError):
        trust_keeping.remove(home, name)

    assert told(home) == []


def test_what_is_no_certificate_is_refused_without_an_event(home: Home) -> None:
    with pytest.raises(PlatemarkError):
        trust_keeping.add(home, b"junk", THEM)

    assert (told(home), files(home)) == ([], {})
