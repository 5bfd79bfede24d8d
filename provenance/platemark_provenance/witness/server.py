"""A witness that others reach over HTTP.

One rule: everything a stranger sends is bounded before it is read: its size, the time it takes, how many there are.

Source: C2SP tlog-witness, "HTTP Interface". Plain HTTP; TLS is for a proxy in front.
"""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from platemark_provenance.cut_off import cut_off
from platemark_provenance.errors import LedgerCorrupt, LedgerUnavailable
from platemark_provenance.witness.book import Reply, WitnessBook
from platemark_provenance.witness.request import LARGEST_REQUEST_BYTES, PATH

MOST_AT_ONCE = 32
"""Connections; one more is told to come again."""
STALLED_S = 10.0
"""A connection on which nothing moves for so long is closed."""
LONGEST_CONNECTION_S = 60.0
"""And so is every other one after so long: 32 that send a byte now and then would shut out everybody else."""

_MOST_DIGITS = 18
"""Of a length; Python refuses to read numbers of thousands of digits."""

_BUSY = Reply(503, b"This witness is busy.\n")
_BROKEN = Reply(500, b"This witness cannot sign now.\n")


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness until it is shut down.

    Args:
        book: the witness.
        host: an address of this machine.
        port: 0 for any that is free.

    Raises:
        LedgerUnavailable: the address cannot be listened on.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, book: WitnessBook, *, host: str, port: int) -> None:
        self.book = book
        self.places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise LedgerUnavailable(
                f"The witness cannot listen on {host}:{port}: {error.strerror or error}.", fix="Choose another."
            ) from error

    @property
    def url(self) -> str:
        """Give the prefix of its addresses."""
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    """One connection. Requests on it follow one another (HTTP/1.1)."""

    protocol_version = "HTTP/1.1"
    server_version = "platemark-witness"
    sys_version = ""
    timeout = STALLED_S

    @property
    def witness(self) -> WitnessServer:
        """Give the server that this connection belongs to."""
        if not isinstance(self.server, WitnessServer):
            raise TypeError("This handler is for a witness.")
        return self.server

    def handle(self) -> None:
        """Answer the requests of a connection, while there is room for it."""
        has_place = self.witness.places.acquire(blocking=False)
        try:
            if has_place:
                with cut_off(self.connection, after_s=LONGEST_CONNECTION_S):
                    super().handle()
            else:
                self._turn_away()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        finally:
            if has_place:
                self.witness.places.release()

    def _turn_away(self) -> None:
        self.close_connection = True
        self.raw_requestline = b""
        self.requestline, self.request_version, self.command = "", "HTTP/1.1", "POST"
        self._answer(_BUSY)

    def do_POST(self) -> None:
        """Take a checkpoint."""
        length = self.headers.get("Content-Length", "")
        if self.path != PATH:
            self._refuse(404, "There is nothing here but add-checkpoint.")
        elif not length.isascii() or not length.isdigit() or "Transfer-Encoding" in self.headers:
            self._refuse(411, "Say how long the request is.")
        elif len(length) > _MOST_DIGITS or int(length) > LARGEST_REQUEST_BYTES:
            self._refuse(413, f"A request has at most {LARGEST_REQUEST_BYTES} bytes.")
        else:
            content = self.rfile.read(int(length))
            if len(content) != int(length):
                self.close_connection = True
                return
            self._answer(self._reply(content))

    def do_GET(self) -> None:
        """Say who this is."""
        self._answer(Reply(200, f"{self.witness.book.cosigner.verifier_key.text()}\n".encode()))

    def _reply(self, content: bytes) -> Reply:
        try:
            return self.witness.book.add_checkpoint(content)
        except (LedgerCorrupt, LedgerUnavailable) as error:
            self.log_error("%s", error)
            return _BROKEN

    def _refuse(self, status: int, reason: str) -> None:
        # What follows on this connection may be the body that was not read.
        self.close_connection = True
        self._answer(Reply(status, f"{reason}\n".encode()))

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)
