"""The log in a file: what is remembered between commits is never believed too long, and a fork gets a clear answer."""

import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError, LedgerUnavailable
from platemark_provenance.ledger.checkpoint import open_checkpoint
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings

EVENT = NewEvent(EventType.CLIP_PUBLISHED, clip="clip-a")
EVENT_ID = "019dd6c0-0000-7000-8000-000000000001"


def in_a_forked_child(action: Callable[[], object]) -> str:
    """Fork, run the action in the child, and give the message of its error, or what it returned."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = "something else was raised"
        try:
            said = repr(action())
        except LedgerUnavailable as error:
            said = str(error)
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said


def test_an_event_staged_in_a_file_has_its_place_already(ledger: Ledger) -> None:
    staged = ledger.append(EVENT, wait="staged")

    assert ledger.append(replace(EVENT, event_id=staged.event_id)).seq == 0
    assert ledger.head().size == 1


def test_an_event_that_is_waited_for_until_it_is_signed_is_under_the_newest_head(
    ledger: Ledger, settings: LedgerSettings
) -> None:
    appended = ledger.append(EVENT, wait="checkpointed")

    assert open_checkpoint(settings.state_path.read_bytes(), ledger.public_key).size == appended.seq + 1


def test_what_another_program_wrote_in_between_is_seen(url: str, settings: LedgerSettings, ledger: Ledger) -> None:
    ledger.append(EVENT)
    with Ledger.open(url, settings=settings) as other:
        other.append_all([EVENT] * 300)

    assert ledger.append(EVENT).seq == 301
    assert ledger.verify().ok


def test_what_this_thread_wrote_in_an_atomic_block_is_seen(ledger: Ledger) -> None:
    ledger.append(EVENT)
    with ledger.atomic():
        ledger.append_all([EVENT] * 3)

    assert ledger.append(EVENT).seq == 4
    assert ledger.verify().ok


def test_a_tree_that_somebody_cut_in_between_is_noticed(ledger: Ledger, tamper: Callable[[str], None]) -> None:
    ledger.append_all([EVENT] * 2)
    tamper("UPDATE tile SET width = 1, hashes = substr(hashes, 1, 32)")

    with pytest.raises(LedgerCorrupt, match="log has 2 events and its tree 1"):
        ledger.append(EVENT)


def test_after_a_refused_commit_the_log_goes_on_where_it_was(
    url: str, settings: LedgerSettings, ledger_path: Path
) -> None:
    ids = iter([EVENT_ID, EVENT_ID, EVENT_ID.replace("1", "2")])
    with Ledger.open(url, settings=replace(settings, new_event_id=lambda: next(ids))) as ledger:
        ledger.append(EVENT)
        with pytest.raises(LedgerCorrupt, match="append-only"):
            ledger.append(EVENT)

        assert ledger.append(EVENT).seq == 1
        assert ledger.verify().ok


def test_the_same_id_twice_in_one_call_is_one_event(ledger: Ledger) -> None:
    mine = replace(EVENT, event_id=EVENT_ID)

    appended = ledger.append_all([mine, EVENT, mine])

    assert [item.seq for item in appended] == [0, 1, 0]
    assert ledger.head().size == 2


def test_a_clash_of_ids_takes_its_whole_call_out_and_nobody_elses(url: str, settings: LedgerSettings) -> None:
    with Ledger.open(url, settings=settings) as ledger, ThreadPoolExecutor(4) as pool:
        ledger.append(replace(EVENT, event_id=EVENT_ID))
        clash = [replace(EVENT, clip="other"), replace(EVENT, clip="clip-b", event_id=EVENT_ID)]
        with ledger.atomic():
            refused = pool.submit(ledger.append_all, clash)
            others = [pool.submit(ledger.append, EVENT) for _ in range(3)]
        done = [item.result().seq for item in others]

        assert isinstance(refused.exception(), LedgerRequestError)
        assert sorted(done) == [1, 2, 3]
        assert list(ledger.query(clip="other")) == []


def test_a_lost_answer_and_a_retry_from_another_program_give_the_same_place(
    url: str, settings: LedgerSettings, ledger: Ledger
) -> None:
    mine = replace(EVENT, event_id=EVENT_ID, sealed={"prompt": "rain"})
    first = ledger.append(mine)
    ledger.append(EVENT)

    with Ledger.open(url, settings=settings) as other:
        assert other.append(mine).seq == first.seq


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("action", ["append", "head", "checkpoint"])
def test_a_forked_child_is_told_to_open_the_ledger_itself(ledger: Ledger, action: str) -> None:
    ledger.append(EVENT)
    calls: dict[str, Callable[[], object]] = {
        "append": lambda: ledger.append(EVENT),
        "head": ledger.head,
        "checkpoint": ledger.checkpoint,
    }

    said = in_a_forked_child(calls[action])

    assert "before the process was forked" in said
    assert "Open it in the child process" in said


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_closes_what_it_inherited_leaves_the_parents_ledger_alone(ledger: Ledger) -> None:
    ledger.append(EVENT)

    said = in_a_forked_child(ledger.close)

    assert said == "None"
    assert ledger.append(EVENT).seq == 1
    assert ledger.verify().ok


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_while_another_thread_writes_does_not_hang(ledger: Ledger) -> None:
    with ThreadPoolExecutor(1) as pool, ledger.atomic():
        said = pool.submit(in_a_forked_child, lambda: ledger.append(EVENT)).result(timeout=20)

    assert "before the process was forked" in said


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_opens_the_ledger_itself_appends(ledger: Ledger, url: str, settings: LedgerSettings) -> None:
    ledger.append(EVENT)

    def append_in_child() -> int:
        with Ledger.open(url, settings=replace(settings, busy_timeout_s=5)) as own:
            return own.append(EVENT).seq

    assert in_a_forked_child(append_in_child) == "1"
    assert ledger.append(EVENT).seq == 2


def test_a_write_ahead_log_that_was_deleted_loses_at_most_what_was_not_checkpointed_and_is_noticed(
    ledger_path: Path, url: str, settings: LedgerSettings, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with Ledger.open(url, settings=settings) as ledger:
        ledger.append_all([EVENT] * 5)
        ledger.checkpoint()
        # The file without the log beside it: as after a copy that forgot it.
        copy.write_bytes(ledger_path.read_bytes())

    with Ledger.open(f"sqlite:///{copy}", settings=settings) as ledger:
        report = ledger.verify()
        with pytest.raises(LedgerCorrupt, match="only 0 now"):
            ledger.checkpoint()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 0, "seq")


def test_the_clock_is_only_remarked_on_where_it_went_back(ledger: Ledger, move_clock: Callable[[float], None]) -> None:
    ledger.append(EVENT)
    move_clock(86_400)
    ledger.append(EVENT)
    move_clock(-3_600)
    ledger.append(EVENT)
    ledger.append(EVENT)

    assert [event.type for event in ledger.query(order="oldest")] == [
        "clip.published",
        "clip.published",
        "clock.regressed",
        "clip.published",
        "clip.published",
    ]


def test_a_page_torn_in_the_middle_of_the_file_is_found(ledger_path: Path, url: str, settings: LedgerSettings) -> None:
    with Ledger.open(url, settings=settings) as ledger:
        ledger.append_all([replace(EVENT, facts={"text": "x" * 3_000})] * 40)
        ledger.checkpoint()
    with sqlite3.connect(ledger_path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    content = bytearray(ledger_path.read_bytes())
    middle = (pages // 2) * 4096
    content[middle : middle + 4096] = bytes(4096)
    ledger_path.write_bytes(content)

    with Ledger.open(url, settings=settings) as ledger:
        assert not ledger.verify().ok
