"""A witness signs only what continues what it signed before, whatever it is told and whatever is killed."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_log import LOG_KEY, NAME, NOON, ORIGIN, WITNESS_KEY, SmallLog

from platemark_provenance.errors import LedgerCorrupt, LedgerUnavailable, VerificationError
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint
from platemark_provenance.ledger.cosignature import open_cosignatures
from platemark_provenance.ledger.note import SignatureLine, read_lines, with_lines
from platemark_provenance.witness import book as book_module
from platemark_provenance.witness.book import LOGS, WitnessBook, open_book
from platemark_provenance.witness.request import SIZE_TYPE, AddCheckpoint


def state_file(folder: Path) -> Path:
    (only,) = (folder / LOGS).glob("*.json")
    return only


def test_the_first_checkpoint_of_a_log_is_cosigned(book: WitnessBook, log: SmallLog) -> None:
    reply = book.add_checkpoint(log.request(0, 5))

    (found,) = open_cosignatures(with_lines(log.note(5), read_lines(reply.body)), [book.cosigner])
    assert (reply.status, found.name, found.at) == (200, NAME, NOON)


def test_a_log_that_goes_on_is_cosigned_again(book: WitnessBook, log: SmallLog) -> None:
    statuses = [book.add_checkpoint(log.request(old, new)).status for old, new in ((0, 5), (5, 6), (6, 6), (6, 13))]

    assert statuses == [200, 200, 200, 200]
    assert book.logs() == ((ORIGIN, 13),)


def test_another_history_is_refused_and_the_memory_stays(book: WitnessBook, log: SmallLog) -> None:
    book.add_checkpoint(log.request(0, 5))

    reply = book.add_checkpoint(SmallLog(word="other").request(5, 9))

    assert reply.status == 422
    assert book.add_checkpoint(log.request(5, 9)).status == 200


def test_another_tree_of_the_same_size_is_refused(book: WitnessBook, log: SmallLog) -> None:
    book.add_checkpoint(log.request(0, 5))

    assert book.add_checkpoint(SmallLog(word="other").request(5, 5)).status == 422


def test_a_log_that_was_put_back_is_told_the_size_that_was_signed(book: WitnessBook, log: SmallLog) -> None:
    book.add_checkpoint(log.request(0, 9))

    reply = book.add_checkpoint(log.request(4, 4))

    assert (reply.status, reply.body, reply.kind) == (409, b"9\n", SIZE_TYPE)


def test_a_smaller_tree_with_the_right_old_size_is_refused(book: WitnessBook, log: SmallLog) -> None:
    book.add_checkpoint(log.request(0, 9))

    reply = book.add_checkpoint(AddCheckpoint(9, (), log.note(4)).to_bytes())

    assert reply.status == 400


def test_a_log_that_is_not_known_is_not_found(book: WitnessBook) -> None:
    assert book.add_checkpoint(SmallLog(origin="other.example/log").request(0, 5)).status == 404


def test_a_checkpoint_with_another_key_is_forbidden(book: WitnessBook) -> None:
    forged = replace(SmallLog(), key=Ed25519PrivateKey.from_private_bytes(b"f" * 32))

    assert book.add_checkpoint(forged.request(0, 5)).status == 403


def test_a_known_key_whose_signature_fails_is_forbidden(book: WitnessBook, log: SmallLog) -> None:
    spoiled = log.request(0, 5).replace(b"\n5\n", b"\n6\n")

    assert book.add_checkpoint(spoiled).status == 403


@pytest.mark.parametrize("content", [b"", b"old 0\n\n", b"old x\n\nlog\n", b"\xff" * 50, b"old 0\n\n" + b"x" * 100_000])
def test_what_is_no_request_is_a_bad_one(book: WitnessBook, content: bytes) -> None:
    assert book.add_checkpoint(content).status == 400


def test_a_proof_for_the_empty_tree_is_refused(book: WitnessBook, log: SmallLog) -> None:
    request = AddCheckpoint(0, (bytes(32),), log.note(5)).to_bytes()

    assert book.add_checkpoint(request).status == 422


def test_an_empty_tree_with_another_root_is_refused(book: WitnessBook) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), LOG_KEY)

    assert book.add_checkpoint(AddCheckpoint(0, (), note).to_bytes()).status == 422


def test_the_empty_tree_is_cosigned(book: WitnessBook, log: SmallLog) -> None:
    assert book.add_checkpoint(log.request(0, 0)).status == 200


def test_a_proof_that_is_too_long_is_refused(book: WitnessBook, log: SmallLog) -> None:
    book.add_checkpoint(log.request(0, 5))
    proof = (*log.prove(5, 9), bytes(32))

    assert book.add_checkpoint(AddCheckpoint(5, proof, log.note(9)).to_bytes()).status == 422


def test_what_was_signed_is_remembered_after_a_restart(
    book: WitnessBook, log: SmallLog, open_again: Callable[[], WitnessBook]
) -> None:
    book.add_checkpoint(log.request(0, 5))

    assert open_again().logs() == ((ORIGIN, 5),)
    assert open_again().add_checkpoint(SmallLog(word="other").request(5, 9)).status == 422


def test_a_log_goes_on_under_a_second_key(book: WitnessBook, log: SmallLog) -> None:
    renewed = replace(log, key=Ed25519PrivateKey.from_private_bytes(b"n" * 32))
    book.add_checkpoint(log.request(0, 5))

    before = book.add_checkpoint(renewed.request(5, 9)).status
    book.add_log(renewed.verifier_key)

    assert (before, book.add_checkpoint(renewed.request(5, 9)).status) == (403, 200)


def test_adding_a_log_again_forgets_nothing(book: WitnessBook, log: SmallLog) -> None:
    book.add_checkpoint(log.request(0, 5))

    book.add_log(log.verifier_key)

    assert book.logs() == ((ORIGIN, 5),)


def test_the_key_of_a_witness_is_no_log(book: WitnessBook) -> None:
    with pytest.raises(VerificationError, match="no log's key"):
        book.add_log(book.cosigner.verifier_key.text())


def test_a_log_has_a_bounded_number_of_keys(book: WitnessBook, log: SmallLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "MOST_KEYS", 1)

    with pytest.raises(VerificationError, match="at most"):
        book.add_log(replace(log, key=Ed25519PrivateKey.generate()).verifier_key)


def test_a_witness_has_a_bounded_number_of_logs(book: WitnessBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "MOST_LOGS", 1)

    with pytest.raises(VerificationError, match="at most"):
        book.add_log(SmallLog(origin="second.example/log").verifier_key)


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
def test_nothing_is_signed_that_could_not_be_remembered(
    book: WitnessBook,
    log: SmallLog,
    call: str,
    monkeypatch: pytest.MonkeyPatch,
    open_again: Callable[[], WitnessBook],
) -> None:
    book.add_checkpoint(log.request(0, 5))

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full) if call == "fsync" else broken.setattr(
            Path, "replace" if call == "replace" else "mkdir", full
        )
        with pytest.raises(LedgerUnavailable, match="No space"):
            book.add_checkpoint(log.request(5, 9))

    assert open_again().logs() == ((ORIGIN, 5),)
    assert book.add_checkpoint(log.request(5, 8)).status == 200


def test_a_crash_after_remembering_and_before_signing_only_costs_the_answer(
    book: WitnessBook, log: SmallLog, monkeypatch: pytest.MonkeyPatch, open_again: Callable[[], WitnessBook]
) -> None:
    def killed(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(book_module, "cosign", killed)
        with pytest.raises(KeyboardInterrupt):
            book.add_checkpoint(log.request(0, 5))

    assert open_again().add_checkpoint(log.request(0, 5)).body == b"5\n"
    assert open_again().add_checkpoint(log.request(5, 5)).status == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"origin": "news.example/log", "keys": [], "note": null}'[:-3],
        b'{"origin": "other", "keys": [], "note": null}',
        b'{"origin": "news.example/log", "keys": ["x"], "note": null}',
        b'{"origin": "news.example/log", "keys": [], "note": "text"}',
    ],
)
def test_a_memory_that_cannot_be_read_is_never_taken_for_none(
    book: WitnessBook, log: SmallLog, tmp_path: Path, content: bytes
) -> None:
    book.add_checkpoint(log.request(0, 5))
    state_file(tmp_path).write_bytes(content)

    with pytest.raises(LedgerCorrupt, match="Never remove"):
        book.add_checkpoint(log.request(0, 5))


def test_lines_that_strangers_add_to_a_checkpoint_are_not_remembered(
    book: WitnessBook, log: SmallLog, tmp_path: Path
) -> None:
    stranger = SignatureLine('"' * 60_000, b"1234", b"x" * 64)
    asked = AddCheckpoint(0, (), with_lines(log.note(5), [stranger])).to_bytes()

    answer = book.add_checkpoint(asked)

    assert answer.status == 200
    assert state_file(tmp_path).stat().st_size < 1_000
    assert book.logs() == ((log.origin, 5),)
    assert book.add_checkpoint(log.request(5, 9)).status == 200


def test_every_signature_of_the_log_itself_is_remembered(book: WitnessBook, log: SmallLog, tmp_path: Path) -> None:
    second = Ed25519PrivateKey.from_private_bytes(b"2" * 32)
    book.add_log(replace(log, key=second).verifier_key)
    both = sign_checkpoint(read_checkpoint(log.note(5)), log.key, second)

    answer = book.add_checkpoint(AddCheckpoint(0, (), both).to_bytes())

    assert answer.status == 200
    assert json.loads(state_file(tmp_path).read_text("utf-8"))["note"].encode() == both


def test_a_memory_cut_off_anywhere_is_noticed(book: WitnessBook, log: SmallLog, tmp_path: Path) -> None:
    book.add_checkpoint(log.request(0, 5))
    whole = state_file(tmp_path).read_bytes()
    state_file(tmp_path).write_bytes(whole[: len(whole) // 2])

    with pytest.raises(LedgerCorrupt):
        book.logs()


def test_a_memory_edited_to_an_earlier_unsigned_tree_is_noticed(
    book: WitnessBook, log: SmallLog, tmp_path: Path
) -> None:
    book.add_checkpoint(log.request(0, 5))
    entry = json.loads(state_file(tmp_path).read_bytes())
    entry["note"] = entry["note"].replace("\n5\n", "\n4\n")
    state_file(tmp_path).write_text(json.dumps(entry))

    with pytest.raises(LedgerCorrupt):
        book.add_checkpoint(log.request(4, 5))


def test_two_programs_never_serve_one_witness(book: WitnessBook, tmp_path: Path) -> None:
    with (
        pytest.raises(LedgerUnavailable, match="two histories"),
        open_book(tmp_path, NAME, WITNESS_KEY, clock=lambda: NOON),
    ):
        pass


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(LedgerUnavailable, match="cannot be opened"),
        open_book(tmp_path / "none", NAME, WITNESS_KEY, clock=lambda: NOON),
    ):
        pass


def test_of_two_histories_offered_at_once_one_is_signed(book: WitnessBook, log: SmallLog) -> None:
    book.add_checkpoint(log.request(0, 5))
    requests = [log.request(5, 9), SmallLog(word="other").request(5, 9)] * 8 + [
        log.request(5, size) for size in (6, 7, 8)
    ]
    statuses: list[int] = []
    start = threading.Barrier(len(requests))

    def ask(content: bytes) -> None:
        start.wait()
        statuses.append(book.add_checkpoint(content).status)

    threads = [threading.Thread(target=ask, args=(content,)) for content in requests]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 422}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["event", "other"]), st.integers(0, 12), st.integers(0, 12)), max_size=12))
def test_whatever_is_asked_all_that_was_signed_is_one_history(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[str, int, int]]
) -> None:
    book = WitnessBook(tmp_path_factory.mktemp("book"), NAME, WITNESS_KEY, lambda: NOON)
    book.add_log(SmallLog().verifier_key)

    signed = [
        (new, merkle.tree_root(new, SmallLog(word).node))
        for word, old, new in asked
        if book.add_checkpoint(SmallLog(word).request(old, new)).status == 200
    ]

    sizes = [size for size, _ in signed]
    assert sizes == sorted(sizes)
    histories = [{(n, merkle.tree_root(n, SmallLog(word).node)) for n in range(13)} for word in ("event", "other")]
    assert any(set(signed) <= history for history in histories)
