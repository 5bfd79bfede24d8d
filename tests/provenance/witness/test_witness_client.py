"""Asking a witness: what it gives is checked, what it refuses is told apart from what only failed."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from small_log import NAME, NOON, WITNESS_KEY, SmallLog
from time_authority import Answer as HttpAnswer
from time_authority import serve_answers
from trickling_server import trickling

from platemark_provenance.errors import LedgerRequestError, VerificationError
from platemark_provenance.ledger.attesting import Answer
from platemark_provenance.ledger.checkpoint import read_checkpoint
from platemark_provenance.ledger.cosignature import Cosigner, cosign
from platemark_provenance.witness import client as client_module
from platemark_provenance.witness.book import WitnessBook
from platemark_provenance.witness.client import Witness, ask_witness
from platemark_provenance.witness.panel import MOST_WITNESSES, HttpPanel
from platemark_provenance.witness.server import WitnessServer

COSIGNER = Cosigner(NAME, WITNESS_KEY.public_key())


@pytest.fixture
def witness(server: WitnessServer) -> Witness:
    """The witness, as a log knows it."""
    return Witness(server.url, COSIGNER)


def ask(witness: Witness, log: SmallLog, size: int) -> Answer:
    return ask_witness(witness, log.note(size), lambda old: log.prove(old, size), timeout_s=5)


AskLiar = Callable[[Callable[[bytes], HttpAnswer]], Answer]


@pytest.fixture(scope="module")
def ask_liar() -> Iterator[AskLiar]:
    """Ask a server that answers whatever it likes."""
    chosen: list[Callable[[bytes], HttpAnswer]] = []

    with serve_answers(lambda content: chosen[-1](content)) as url:

        def asked(answer: Callable[[bytes], HttpAnswer]) -> Answer:
            chosen.append(answer)
            return ask(Witness(url, COSIGNER), SmallLog(), 5)

        yield asked


def test_a_witness_that_was_never_asked_learns_the_size_by_itself(witness: Witness, log: SmallLog) -> None:
    answer = ask(witness, log, 5)

    assert answer.cosignature is not None
    assert (answer.cosignature.name, answer.cosignature.at) == (NAME, NOON)


def test_a_log_that_grew_is_confirmed_with_a_proof(witness: Witness, log: SmallLog, book: WitnessBook) -> None:
    answers = [ask(witness, log, size) for size in (5, 6, 6, 13)]

    assert all(answer.cosignature for answer in answers)
    assert book.logs()[0][1] == 13


def test_a_log_that_was_put_back_is_an_alarm(witness: Witness, log: SmallLog) -> None:
    ask(witness, log, 9)

    answer = ask(witness, log, 4)

    assert answer.objects
    assert "a tree of 9 events" in answer.reason


def test_a_log_that_was_put_back_and_went_on_is_an_alarm(witness: Witness, log: SmallLog) -> None:
    ask(witness, log, 9)

    answer = ask(witness, SmallLog(word="other"), 12)

    assert answer.objects
    assert "another history" in answer.reason


def test_a_log_that_the_witness_does_not_know_is_no_alarm(witness: Witness) -> None:
    answer = ask(witness, SmallLog(origin="other.example/log"), 5)

    assert (answer.cosignature, answer.objects, answer.reason) == (None, False, "it does not know this log")


def test_a_key_that_the_witness_does_not_know_is_no_alarm(witness: Witness, log: SmallLog) -> None:
    answer = ask(witness, replace(log, key=Ed25519PrivateKey.generate()), 5)

    assert (answer.objects, answer.reason) == (False, "it does not know this log's key")


def test_a_witness_that_is_away_is_no_alarm(log: SmallLog) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    answer = ask(Witness(f"http://127.0.0.1:{port}", COSIGNER), log, 5)

    assert (answer.objects, answer.reason) == (False, "it could not be reached (ConnectionRefusedError)")


def test_a_witness_that_says_nothing_is_given_up(log: SmallLog) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        witness = Witness(f"http://127.0.0.1:{silent.getsockname()[1]}", COSIGNER)

        answer = ask_witness(witness, log.note(5), lambda old: (), timeout_s=0.05)

    assert answer.reason == "it did not answer within 0.05 seconds"


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"])
def test_a_witness_that_trickles_is_given_up(log: SmallLog, begin: bytes) -> None:
    with trickling(begin) as url:
        answer = ask_witness(Witness(url, COSIGNER), log.note(5), lambda old: (), timeout_s=0.05)

    assert (answer.cosignature, answer.reason) == (None, "it did not answer within 0.05 seconds")


def test_a_witness_without_a_good_certificate_is_given_up(log: SmallLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise ssl.SSLCertVerificationError

    monkeypatch.setattr(client_module, "_post", refuse)

    assert (
        ask(Witness("https://witness.example", COSIGNER), log, 5).reason == "no secure connection could be made to it"
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((200, b""), "makes no sense"),
        ((200, b"thanks\n"), "makes no sense"),
        ((200, b"\xff\n"), "makes no sense"),
        ((200, b"x" * 70_000), "makes no sense"),
        ((409, b""), "makes no sense"),
        ((409, b"many\n"), "makes no sense"),
        ((409, b"3\n"), "another size each time"),
        ((500, b"broken\n"), "HTTP status 500"),
        ((302, b""), "HTTP status 302"),
        ((400, b""), "HTTP status 400"),
    ],
)
def test_an_answer_that_is_none_is_a_failure_and_no_alarm(ask_liar: AskLiar, answer: HttpAnswer, reason: str) -> None:
    told = ask_liar(lambda _: answer)

    assert told.cosignature is None
    assert not told.objects
    assert reason in told.reason


def test_a_cosignature_of_another_tree_is_not_taken(ask_liar: AskLiar) -> None:
    other = read_checkpoint(SmallLog().note(4)).text()
    line = cosign(other, NAME, WITNESS_KEY, at=NOON).text().encode()

    assert "does not match" in ask_liar(lambda _: (200, line)).reason


def test_a_cosignature_with_another_key_is_not_taken(ask_liar: AskLiar) -> None:
    line = cosign(read_checkpoint(SmallLog().note(5)).text(), NAME, Ed25519PrivateKey.generate(), at=NOON)

    assert "another key" in ask_liar(lambda _: (200, line.text().encode())).reason


def test_lines_of_others_beside_its_own_are_ignored(ask_liar: AskLiar) -> None:
    text = read_checkpoint(SmallLog().note(5)).text()
    lines = [
        cosign(text, name, key, at=NOON).text()
        for name, key in (("someone.example/else", Ed25519PrivateKey.generate()), (NAME, WITNESS_KEY))
    ]

    answer = ask_liar(lambda _: (200, "".join(lines).encode()))

    assert answer.cosignature is not None
    assert answer.cosignature.name == NAME


def test_what_is_sent_is_bounded_to_three_tries(ask_liar: AskLiar) -> None:
    asked: list[bytes] = []

    ask_liar(lambda content: asked.append(content) or (409, b"2\n"))  # type: ignore[func-returns-value]

    assert [content.split(b"\n")[0] for content in asked] == [b"old 5", b"old 2", b"old 2"]


@pytest.mark.parametrize(
    "url",
    ["", "witness.example", "ftp://witness.example", "http://", "http://a b", "https://me:secret@witness.example",
     "http://witness.example/?x=1", "http://witness.example:0", "http://witness.example:99999", "http://ü.example",
     "http://a..example", f"http://{'a' * 64}.example", "http://[::1", "http://witness.example/\x7f"],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(VerificationError, match="address"):
        Witness(url, COSIGNER)


def test_two_witnesses_of_one_name_are_refused() -> None:
    one = Witness("http://a.example", COSIGNER)

    with pytest.raises(LedgerRequestError, match="name of its own"):
        HttpPanel((one, replace(one, url="http://b.example")))


def test_more_witnesses_than_the_bound_are_refused() -> None:
    many = tuple(
        Witness("http://a.example", Cosigner(f"w{i}", WITNESS_KEY.public_key())) for i in range(MOST_WITNESSES + 1)
    )

    with pytest.raises(LedgerRequestError, match="at most"):
        HttpPanel(many)


def test_a_panel_asks_only_those_that_are_named(witness: Witness, log: SmallLog) -> None:
    away = Witness("http://127.0.0.1:9", Cosigner("away.example/w", WITNESS_KEY.public_key()))
    panel = HttpPanel((away, witness))

    answers = panel.ask([NAME], log.note(5), lambda old: log.prove(old, 5))

    assert [answer.name for answer in answers] == [NAME]
