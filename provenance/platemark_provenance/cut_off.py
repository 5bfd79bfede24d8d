"""Hang up on a peer that takes too long as a whole.

One rule: a socket's own timeout counts from byte to byte, so a peer that sends one now and then holds it for ever. What
talks to strangers bounds the whole of it too.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException


@contextmanager
def cut_off(stream: socket.socket, *, after_s: float) -> Iterator[None]:
    """Shut a connected socket down once its time is over, whatever goes on in the block.

    Args:
        stream: the socket.
        after_s: seconds, above 0.

    Raises:
        TimeoutError: the time was over before the block was.
    """
    is_over = threading.Event()

    def hang_up() -> None:
        is_over.set()
        with suppress(OSError):  # it is closed already
            # Not the method of a TLS socket: that would take the session from under whoever reads.
            socket.socket.shutdown(stream, socket.SHUT_RDWR)

    timer = threading.Timer(after_s, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException) as error:
        if is_over.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
    if is_over.is_set():
        raise TimeoutError
