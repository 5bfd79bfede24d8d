"""Witnesses confirm signed tree heads; what they say is kept beside the log, and one of them finds a rollback."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from running_witness import MOMENT, Running, run_witness

from platemark_provenance.ledger.attesting import WitnessesMissing
from platemark_provenance.ledger.checkpoint import open_checkpoint, read_checkpoint, verifier_key
from platemark_provenance.ledger.cosignature import Cosigner, open_cosignatures
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.receipt import verify_receipt
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.witness.client import Witness
from platemark_provenance.witness.panel import HttpPanel

AWAY = Witness("http://127.0.0.1:9", Cosigner("away.example/w", Ed25519PrivateKey.generate().public_key()))
PUBLISHED = NewEvent(EventType.CLIP_PUBLISHED, clip="clip-a", facts={"sha256": "ab" * 32})

Open = Callable[..., AbstractContextManager[Ledger]]


@pytest.fixture
def running(tmp_path: Path, settings: LedgerSettings) -> Iterator[Running]:
    """A witness that knows the ledger of these tests."""
    with run_witness(tmp_path / "witness", verifier_key(settings.origin, settings.signing_key.public_key())) as found:
        yield found


@pytest.fixture
def opened(url: str, settings: LedgerSettings) -> Open:
    """Open the ledger with some witnesses."""

    @contextmanager
    def opener(*witnesses: Witness, **wanted: object) -> Iterator[Ledger]:
        panel = HttpPanel(witnesses, **wanted)  # type: ignore[arg-type]
        with Ledger.open(url, settings=replace(settings, panel=panel)) as ledger:
            yield ledger

    return opener


def test_a_receipt_carries_the_cosignature(opened: Open, running: Running) -> None:
    with opened(running.asked) as ledger:
        ledger.append(PUBLISHED)
        receipt = ledger.receipt("clip-a")

    note = receipt.partition(b"\n\n")[2]
    (given,) = open_cosignatures(note, [running.asked.cosigner])
    assert (given.name, given.at) == ("partner.example/w1", MOMENT)


def test_a_receipt_with_cosignatures_is_verified_by_those_who_know_no_witness(opened: Open, running: Running) -> None:
    with opened(running.asked) as ledger:
        ledger.append(PUBLISHED)

        verified = verify_receipt(ledger.receipt("clip-a"), None, ledger.public_key)

    assert verified.index == 0


def test_a_tree_that_a_witness_confirmed_is_not_shown_to_it_again(opened: Open, running: Running) -> None:
    with opened(running.asked) as ledger:
        ledger.append(PUBLISHED)
        first = ledger.receipt("clip-a")
        running.server.shutdown()
        running.server.server_close()

        assert ledger.receipt("clip-a") == first


def test_a_witness_that_is_away_costs_an_event_and_no_receipt(opened: Open) -> None:
    with opened(AWAY) as ledger:
        ledger.append(PUBLISHED)
        receipt = ledger.receipt("clip-a")
        (event,) = ledger.query(type=EventType.WITNESS_FAILED)

    assert verify_receipt(receipt, None, ledger.public_key).index == 0
    assert event.facts == {
        "witness": "away.example/w", "size": 1, "reason": "it could not be reached (ConnectionRefusedError)",
    }  # fmt: skip


def test_one_witness_that_is_away_does_not_keep_the_other_from_confirming(opened: Open, running: Running) -> None:
    with opened(AWAY, running.asked) as ledger:
        ledger.append(PUBLISHED)
        cosigned = ledger.attesting.cosign(ledger.checkpoint())

    assert [answer.cosignature is None for answer in cosigned.answers] == [True, False]
    assert len(cosigned.cosignatures) == 1


def test_without_witnesses_a_checkpoint_stays_as_it_is(ledger: Ledger) -> None:
    note = ledger.checkpoint()

    assert ledger.attesting.cosign(note).note == note
    ledger.require_witnesses()


def test_cosignatures_are_listed_with_the_checkpoint_they_are_for(opened: Open, running: Running) -> None:
    with opened(running.asked) as ledger:
        ledger.append(PUBLISHED)
        ledger.receipt("clip-a")
        (kept,) = ledger.anchors.listed()

    assert (kept.size, kept.kind, kept.target) == (1, "witness", "partner.example/w1")
    assert open_checkpoint(kept.note, ledger.public_key).size == 1


def test_a_kept_cosignature_that_was_changed_is_asked_for_again(
    opened: Open, running: Running, try_sql: Callable[[str], None]
) -> None:
    with opened(running.asked) as ledger:
        ledger.append(PUBLISHED)
        ledger.receipt("clip-a")
    try_sql("UPDATE anchor SET evidence = x'00'")

    with opened(running.asked) as ledger:
        cosigned = ledger.attesting.cosign(ledger.checkpoint())

        assert len(cosigned.cosignatures) == 1


def test_required_witnesses_that_confirm_let_the_work_go_on(opened: Open, running: Running) -> None:
    with opened(running.asked, mode="require") as ledger:
        ledger.append(PUBLISHED)

        ledger.require_witnesses()

        assert ledger.anchors.newest("witness", "partner.example/w1") is not None


@pytest.mark.parametrize("at_least", [1, 2])
def test_required_witnesses_that_are_too_few_stop_the_work(opened: Open, running: Running, at_least: int) -> None:
    asked = (AWAY, running.asked)[:at_least]

    with opened(*asked, mode="require", at_least=at_least) as ledger:
        ledger.append(PUBLISHED)
        with pytest.raises(WitnessesMissing, match=r"away\.example/w: it could not be reached"):
            ledger.require_witnesses()


def test_a_log_that_requires_witnesses_and_has_none_stops(opened: Open) -> None:
    with opened(mode="require") as ledger, pytest.raises(WitnessesMissing, match="None was added"):
        ledger.require_witnesses()


def test_too_few_witnesses_do_not_stop_work_that_does_not_require_them(opened: Open) -> None:
    with opened(AWAY, at_least=1) as ledger:
        ledger.require_witnesses()

        assert not list(ledger.query(type=EventType.WITNESS_FAILED))


def _roll_back(folder: Path, ledger_path: Path, state_path: Path) -> None:
    shutil.copy2(folder / "db", ledger_path)
    shutil.copy2(folder / "state", state_path)
    [Path(f"{ledger_path}{ending}").unlink(missing_ok=True) for ending in ("-wal", "-shm")]


def _back_up(folder: Path, ledger: Ledger, ledger_path: Path, state_path: Path) -> None:
    folder.mkdir()
    ledger._database.empty_write_ahead_log()
    shutil.copy2(ledger_path, folder / "db")
    shutil.copy2(state_path, folder / "state")


@pytest.fixture
def rolled_back(
    opened: Open, running: Running, tmp_path: Path, ledger_path: Path, settings: LedgerSettings
) -> Callable[..., AbstractContextManager[Ledger]]:
    """The ledger after everything of its own was put back to one event; a witness had confirmed three."""
    with opened(running.asked) as ledger:
        ledger.append(PUBLISHED)
        ledger.receipt("clip-a")
        _back_up(tmp_path / "backup", ledger, ledger_path, settings.state_path)
        ledger.append_all([NewEvent(EventType.AUDIT_QUERIED)] * 2)
        ledger.receipt("clip-a")
    _roll_back(tmp_path / "backup", ledger_path, settings.state_path)
    return opened


def test_a_rollback_of_database_and_state_file_passes_the_log_s_own_checks(rolled_back: Open) -> None:
    with rolled_back() as ledger:
        assert ledger.verify().ok


def test_a_rollback_of_database_and_state_file_is_found_by_one_witness(rolled_back: Open, running: Running) -> None:
    with rolled_back(running.asked) as ledger:
        (answer,) = ledger.attesting.ask(ledger.heads.newest() or b"")

    assert answer.objects
    assert answer.reason == "it has signed a tree of 3 events, and this log's has 1"


def test_a_rollback_that_went_on_is_refused_and_written_down_as_an_alarm(rolled_back: Open, running: Running) -> None:
    with rolled_back(running.asked) as ledger:
        ledger.append_all([NewEvent(EventType.CLIP_VERIFIED)] * 5)
        ledger.receipt("clip-a")
        (event,) = ledger.query(type=EventType.WITNESS_REFUSED)

    assert event.facts["reason"] == "it has signed another history: this log is no continuation of it"


def test_a_rollback_stops_work_that_requires_witnesses(rolled_back: Open, running: Running) -> None:
    with rolled_back(running.asked, mode="require") as ledger:
        ledger.append(NewEvent(EventType.OUTPUT_INTENDED))

        with pytest.raises(WitnessesMissing, match="a tree of 3 events"):
            ledger.require_witnesses()


def test_asking_without_writing_leaves_no_trace(opened: Open, running: Running) -> None:
    with opened(running.asked, AWAY) as ledger:
        ledger.append(PUBLISHED)
        answers = ledger.attesting.ask(ledger.checkpoint())

        assert [answer.name for answer in answers] == ["partner.example/w1", "away.example/w"]
        assert ledger.head().size == 1
        assert ledger.anchors.listed() == ()


def test_the_newest_checkpoint_is_the_last_that_was_signed(story: Ledger) -> None:
    note = story.heads.newest()

    assert note is not None
    assert read_checkpoint(note).size == 7


def test_a_log_that_signed_nothing_has_no_newest_checkpoint(ledger: Ledger) -> None:
    assert ledger.heads.newest() is None


def test_cosignatures_are_kept_on_a_server_too(server_url: str, settings: LedgerSettings, running: Running) -> None:
    wanted = replace(settings, busy_timeout_s=10, panel=HttpPanel((running.asked,)))
    with Ledger.open(server_url, settings=wanted) as ledger:
        ledger.append(PUBLISHED)
        ledger.receipt("clip-a")

        assert [kept.target for kept in ledger.anchors.listed()] == ["partner.example/w1"]
        assert ledger.anchors.targets("witness") == ("partner.example/w1",)
