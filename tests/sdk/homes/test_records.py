"""Records of consent and rights live in the log alone, end when they end, and never serve the person who adds them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from platemark.errors import RequestError, ReviewRefused
from platemark.homes import records as records_module
from platemark.homes.home import Home, open_home
from platemark.homes.records import NewRecord, RecordBook
from platemark_policy.errors import PolicyError
from platemark_provenance.digest import JsonValue, Sha256Hex
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
FILE = Sha256Hex("ab" * 32)
FORM = NewRecord(kind="consent", reason="form 12", until=START + timedelta(days=30), names=("Angela Merkel", "Merkel"))
RIGHTS = NewRecord(kind="rights", reason="own photograph", until=START + timedelta(days=30), files=(FILE,))


class Clock:
    """A clock that is set by hand."""

    now = START

    def __call__(self) -> datetime:
        """Give the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(home_path: Path, clock: Clock) -> Home:
    return open_home(home_path, clock=clock)


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    with home.open_ledger() as opened:
        yield opened


@pytest.fixture
def book(home: Home, ledger: Ledger) -> RecordBook:
    return home.record_book(ledger, home.policy_engine())


def test_a_record_counts_for_others_from_when_it_is_added(book: RecordBook, clock: Clock) -> None:
    added = book.add(FORM, keeper="editor")

    standing = book.standing(actor="jw.kim", at=clock.now)

    assert [each.id for each in standing.records] == [added.id]
    assert (standing.consents[0].scope, len(standing.consents[0].names)) == ("likeness", 2)


@pytest.mark.parametrize("actor", ["editor", ""])
def test_nobody_vouches_for_their_own_request_nor_for_one_without_a_name(
    book: RecordBook, clock: Clock, actor: str
) -> None:
    book.add(FORM, keeper="editor")

    assert book.standing(actor=actor, at=clock.now).records == ()


@pytest.mark.parametrize(("days", "count"), [(-1, 0), (0, 1), (29, 1), (30, 0), (31, 0)])
def test_a_record_counts_until_its_last_day(book: RecordBook, days: int, count: int) -> None:
    book.add(FORM, keeper="editor")

    assert len(book.standing(actor="jw.kim", at=START + timedelta(days=days)).records) == count


def test_a_withdrawn_record_counts_no_longer_but_did_before(book: RecordBook, clock: Clock) -> None:
    added = book.add(FORM, keeper="editor")
    clock.now = START + timedelta(days=1)

    ended = book.withdraw(added.id, keeper="other", reason="the person asked")

    assert ended.state(clock.now) == "withdrawn"
    assert book.standing(actor="jw.kim", at=clock.now).records == ()
    assert len(book.standing(actor="jw.kim", at=START).records) == 1


def test_withdrawing_twice_is_one_event(book: RecordBook, ledger: Ledger) -> None:
    added = book.add(FORM, keeper="editor")
    book.withdraw(added.id, keeper="editor", reason="asked")
    book.withdraw(added.id, keeper="editor", reason="asked")

    assert len(list(ledger.query(type=EventType.RECORD_WITHDRAWN))) == 1


def test_the_open_log_has_neither_the_name_nor_the_reason(book: RecordBook, ledger: Ledger) -> None:
    added = book.add(FORM, keeper="editor")

    (event,) = ledger.query(type=EventType.RECORD_ADDED)

    assert b"erkel" not in event.body
    assert b"form 12" not in event.body
    assert book.names_of(added.id) == ("Angela Merkel", "Merkel")


def test_rights_and_consents_cover_files_by_their_digest(book: RecordBook, clock: Clock) -> None:
    book.add(RIGHTS, keeper="editor")
    people = book.add(replace(FORM, names=(), files=(FILE,)), keeper="editor")

    standing = book.standing(actor="jw.kim", at=clock.now)

    assert standing.has_rights(FILE)
    assert not standing.has_rights("cd" * 32)
    assert standing.consents_to(FILE) == (people.id,)
    assert standing.consents == ()


@pytest.mark.parametrize(
    ("new", "error", "words"),
    [
        pytest.param(replace(FORM, until=START), RequestError, "ended already", id="past"),
        pytest.param(replace(FORM, names=()), RequestError, "a person or a file", id="nobody"),
        pytest.param(replace(RIGHTS, files=()), RequestError, "at least one file", id="nothing"),
        pytest.param(replace(FORM, names=("x",)), PolicyError, "name", id="no-name"),
        pytest.param(replace(FORM, names=("a b",) * 21), RequestError, "at most 20", id="many-names"),
        pytest.param(replace(FORM, reason="  "), ReviewRefused, "reason", id="no-reason"),
    ],
)
def test_a_record_that_says_nothing_is_refused(
    book: RecordBook, ledger: Ledger, new: NewRecord, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        book.add(new, keeper="editor")

    assert list(ledger.query(type=EventType.RECORD_ADDED)) == []


def keepers_only(home: Home, ledger: Ledger) -> RecordBook:
    return RecordBook(ledger, clock=home.clock, name_person=home.policy_engine().name_person, keepers=("legal",))


@pytest.mark.parametrize("keeper", ["editor", "LEGAL"])
def test_only_keepers_keep_records_where_they_are_named(home: Home, ledger: Ledger, keeper: str) -> None:
    with pytest.raises(ReviewRefused, match="keepers"):
        keepers_only(home, ledger).add(FORM, keeper=keeper)


def test_only_keepers_withdraw_records(home: Home, ledger: Ledger) -> None:
    book = keepers_only(home, ledger)
    added = book.add(FORM, keeper="legal")

    with pytest.raises(ReviewRefused, match="keepers"):
        book.withdraw(added.id, keeper="editor", reason="no")


def test_the_configuration_names_the_keepers(home_path: Path) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("keepers = []", 'keepers = ["legal"]'), "utf-8")
    home = open_home(home_path)

    with home.open_ledger() as ledger, pytest.raises(ReviewRefused):
        home.record_book(ledger, home.policy_engine()).add(FORM, keeper="editor")


def test_a_record_that_is_not_there_cannot_be_withdrawn(book: RecordBook) -> None:
    with pytest.raises(RequestError, match="no record"):
        book.withdraw("record-none", keeper="editor", reason="x")


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "consent"},
        {"kind": "everything", "scope": "likeness", "until": "2027-01-01T00:00:00+00:00", "names": []},
        {"kind": "consent", "scope": "all", "until": "2027-01-01T00:00:00+00:00", "names": []},
        {"kind": "rights", "scope": "likeness", "until": 7, "files": ["ab" * 32]},
    ],
)
def test_an_event_that_is_no_whole_record_unlocks_nothing(
    book: RecordBook, ledger: Ledger, clock: Clock, facts: dict[str, str]
) -> None:
    ledger.append(NewEvent(type=EventType.RECORD_ADDED, clip="record-x", actor="editor", facts=facts))

    assert book.standing(actor="jw.kim", at=clock.now).records == ()


def test_records_beyond_the_bound_no_longer_count(
    book: RecordBook, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = book.add(FORM, keeper="editor"), book.add(FORM, keeper="editor")
    monkeypatch.setattr(records_module, "MOST_RECORDS", 1)

    standing = book.standing(actor="jw.kim", at=clock.now)

    assert [each.id for each in standing.records] == [second.id]
    assert first.id != second.id


def test_where_not_every_withdrawal_was_read_older_records_do_not_count(
    book: RecordBook, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Callable[[], object]] = []
    first = book.add(FORM, keeper="editor")
    for record in (first, book.add(FORM, keeper="editor")):
        kept.append(lambda record=record: book.withdraw(record.id, keeper="editor", reason="asked"))  # type: ignore[misc]
    for withdraw in kept:
        withdraw()
    monkeypatch.setattr(records_module, "MOST_RECORDS", 1)

    assert book.standing(actor="jw.kim", at=clock.now).records == ()
    assert book.all() == ()


@pytest.mark.parametrize(
    "until", ["soon", "", None, 7, "2099-12-31", "2099-12-31T00:00:00", "9999-99-99T00:00:00+00:00"]
)
def test_a_record_whose_last_day_cannot_be_read_unlocks_nothing_and_stops_nobody(
    book: RecordBook, ledger: Ledger, until: JsonValue
) -> None:
    facts: dict[str, JsonValue] = {"kind": "rights", "scope": "likeness", "names": [], "files": ["ab"], "until": until}
    ledger.append(NewEvent(EventType.RECORD_ADDED, clip="record-x", actor="editor", facts=facts))

    added = book.add(FORM, keeper="editor")

    assert [each.id for each in book.all()] == [added.id]


def test_a_record_is_withdrawn_as_the_kind_it_is(book: RecordBook) -> None:
    added = book.add(FORM, keeper="editor")

    with pytest.raises(RequestError, match="policy consent withdraw"):
        book.withdraw(added.id, keeper="editor", reason="over", kind="rights")

    assert book.find(added.id).withdrawn_at is None
    assert book.withdraw(added.id, keeper="editor", reason="over", kind="consent").withdrawn_at is not None
