"""A witness on a socket: what the specification says over HTTP, and bounds on everything a stranger sends."""

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from small_log import SmallLog
from trickling_server import trickle

from platemark_provenance.errors import LedgerUnavailable
from platemark_provenance.ledger.cosignature import open_cosignatures
from platemark_provenance.ledger.note import read_lines, with_lines
from platemark_provenance.witness import server as server_module
from platemark_provenance.witness.book import LOGS, WitnessBook
from platemark_provenance.witness.request import LARGEST_REQUEST_BYTES, PATH, SIZE_TYPE
from platemark_provenance.witness.server import WitnessServer

Post = Callable[..., http.client.HTTPResponse]


@pytest.fixture
def connection(server: WitnessServer) -> Iterator[http.client.HTTPConnection]:
    """One connection to the witness."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)) as opened:
        yield opened


def post(connection: http.client.HTTPConnection, content: bytes, path: str = PATH) -> tuple[int, bytes]:
    connection.request("POST", path, content)
    response = connection.getresponse()
    return response.status, response.read()


def raw(server: WitnessServer, content: bytes) -> bytes:
    """Send bytes as they are, and read until the witness hangs up."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as stream:
        stream.sendall(content)
        stream.shutdown(socket.SHUT_WR)
        heard = b""
        while chunk := stream.recv(4096):
            heard += chunk
        return heard


def test_a_checkpoint_is_cosigned_over_http(
    server: WitnessServer, connection: http.client.HTTPConnection, log: SmallLog
) -> None:
    status, body = post(connection, log.request(0, 5))

    assert status == 200
    assert open_cosignatures(with_lines(log.note(5), read_lines(body)), [server.book.cosigner])


def test_one_connection_serves_several_requests(connection: http.client.HTTPConnection, log: SmallLog) -> None:
    first = post(connection, log.request(0, 5))[0]
    stream = connection.sock
    second = post(connection, log.request(5, 9))[0]

    assert (first, second) == (200, 200)
    assert connection.sock is stream


def test_a_conflict_names_the_size_with_its_own_content_type(
    connection: http.client.HTTPConnection, log: SmallLog
) -> None:
    post(connection, log.request(0, 5))

    connection.request("POST", PATH, log.request(0, 9))
    response = connection.getresponse()

    assert (response.status, response.read(), response.headers["Content-Type"]) == (409, b"5\n", SIZE_TYPE)


def test_another_history_is_unprocessable(connection: http.client.HTTPConnection, log: SmallLog) -> None:
    post(connection, log.request(0, 5))

    assert post(connection, SmallLog(word="other").request(5, 9))[0] == 422


def test_a_witness_says_its_key_to_whoever_asks(server: WitnessServer, connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/")

    assert connection.getresponse().read().decode() == server.book.cosigner.verifier_key.text() + "\n"


def test_another_path_is_not_found(connection: http.client.HTTPConnection, log: SmallLog) -> None:
    assert post(connection, log.request(0, 5), path="/add-entry")[0] == 404


def test_a_request_that_is_too_long_is_not_read(server: WitnessServer) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST_REQUEST_BYTES + 1}\r\n\r\n"

    heard = raw(server, head.encode())

    assert heard.startswith(b"HTTP/1.1 413")
    assert b"Connection: close" in heard


@pytest.mark.parametrize("line", ["", "Content-Length: \r\n", "Content-Length: -5\r\n", "Content-Length: x\r\n",
                                  "Transfer-Encoding: chunked\r\n"])  # fmt: skip
def test_a_request_of_unknown_length_is_refused(server: WitnessServer, line: str) -> None:
    heard = raw(server, f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{line}\r\n5\r\nold 0\r\n0\r\n\r\n".encode())

    assert heard.startswith(b"HTTP/1.1 411")


@pytest.mark.parametrize("digits", [19, 5_000, 60_000])
def test_a_length_of_many_digits_is_too_long_and_no_error(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], digits: int
) -> None:
    heard = raw(server, f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {'9' * digits}\r\n\r\n".encode())

    assert heard.startswith(b"HTTP/1.1 413")
    assert "Traceback" not in capsys.readouterr().err


def test_a_request_with_two_lengths_is_refused(server: WitnessServer, log: SmallLog) -> None:
    content = log.request(0, 5)
    head = f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: {len(content)}\r\n\r\n"

    heard = raw(server, head.encode() + content)

    assert heard.startswith(b"HTTP/1.1 411")
    assert b"Connection: close" in heard


def test_a_connection_that_only_trickles_is_closed(server: WitnessServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LONGEST_CONNECTION_S", 0.1)

    with socket.create_connection(("127.0.0.1", server.server_port), timeout=0.01) as stream:
        sent = trickle(stream, f"POST {PATH} HTTP/1.1\r\nX: ".encode(), most=1_000)

    assert sent < 1_000
    assert server.places.acquire(timeout=5)


def test_whoever_hangs_up_before_being_turned_away_causes_no_alarm(
    server: WitnessServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(*_: object) -> None:
        raise BrokenPipeError

    [server.places.acquire(blocking=False) for _ in range(server_module.MOST_AT_ONCE)]
    monkeypatch.setattr(server_module._Handler, "_answer", gone)

    assert raw(server, b"") == b""
    assert "Traceback" not in capsys.readouterr().err


def test_a_witness_listens_on_an_address_of_ipv6(book: WitnessBook) -> None:
    with WitnessServer(book, host="::1", port=0) as listening:
        assert listening.url == f"http://[::1]:{listening.server_port}"


def test_a_request_that_is_cut_off_changes_nothing(server: WitnessServer, log: SmallLog) -> None:
    content = log.request(0, 5)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode()

    heard = raw(server, head + content[:-10])

    assert heard == b""
    assert server.book.logs()[0][1] == 0


@pytest.mark.parametrize("noise", [b"\x00" * 200, b"GARBAGE\r\n\r\n", b"POST\r\n\r\n", b"PUT / HTTP/1.1\r\n\r\n"])
def test_noise_does_not_stop_the_witness(
    server: WitnessServer, connection: http.client.HTTPConnection, log: SmallLog, noise: bytes
) -> None:
    raw(server, noise)

    assert post(connection, log.request(0, 5))[0] == 200


def test_a_connection_on_which_nothing_moves_is_closed(server: WitnessServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module._Handler, "timeout", 0.05)

    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as stream:
        stream.sendall(f"POST {PATH} HTTP/1.1\r\nContent-Length: 5\r\n\r\nol".encode())

        assert stream.recv(10) == b""


def test_one_connection_too_many_is_told_that_the_witness_is_busy(
    server: WitnessServer, log: SmallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = [server.places.acquire(blocking=False) for _ in range(server_module.MOST_AT_ONCE)]

    heard = raw(server, b"")

    assert all(taken)
    assert heard.startswith(b"HTTP/1.1 503")


def test_a_memory_that_cannot_be_read_is_an_error_of_the_witness(
    server: WitnessServer, connection: http.client.HTTPConnection, log: SmallLog, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    post(connection, log.request(0, 5))
    (state,) = (tmp_path / LOGS).glob("*.json")
    state.write_bytes(b"{")

    status, body = post(connection, log.request(5, 9))

    assert (status, body) == (500, b"This witness cannot sign now.\n")
    assert "cannot be read" in capsys.readouterr().err


def test_an_address_that_is_taken_is_said_plainly(server: WitnessServer) -> None:
    with pytest.raises(LedgerUnavailable, match="cannot listen"):
        WitnessServer(server.book, host="127.0.0.1", port=server.server_port)
