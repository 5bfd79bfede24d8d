"""Peers that never come to an end: they send a byte now and then."""

import contextlib
import socket
import threading
from collections.abc import Iterator

_PAUSE_S = 0.01


@contextlib.contextmanager
def trickling(begin: bytes) -> Iterator[str]:
    """Answer one caller with these bytes and then with a byte now and then; give the address."""
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                stream, _ = server.accept()
                with stream:
                    stream.sendall(begin)
                    while not is_over.wait(_PAUSE_S):
                        stream.sendall(b"x")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        is_over.set()
        with contextlib.suppress(OSError):
            socket.create_connection(server.getsockname(), timeout=1).close()
        thread.join()


def trickle(stream: socket.socket, begin: bytes, *, most: int) -> int:
    """Send a byte now and then until the witness hangs up, and count them."""
    stream.sendall(begin)
    for sent in range(most):
        try:
            stream.sendall(b"x")
            if stream.recv(1) == b"":
                return sent
        except TimeoutError:
            continue
        except ConnectionError:
            return sent
    return most
