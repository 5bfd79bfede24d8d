"""Hanging up after a time, whatever the other side does."""

import socket
import threading
from collections.abc import Iterator
from http.client import IncompleteRead

import pytest

from platemark_provenance.cut_off import cut_off

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Two connected sockets that give up after some seconds, so that a fault fails and does not hang."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    with ours, theirs:
        yield ours, theirs


def test_a_read_that_would_wait_longer_is_ended(ends: Ends) -> None:
    with pytest.raises(TimeoutError), cut_off(ends[0], after_s=0.02):
        ends[0].recv(1)

    assert ends[1].recv(1) == b""


def test_what_ends_in_time_is_left_alone(ends: Ends) -> None:
    with cut_off(ends[0], after_s=60):
        ends[1].sendall(b"x")
        assert ends[0].recv(1) == b"x"

    ends[0].sendall(b"y")
    assert ends[1].recv(1) == b"y"


@pytest.mark.parametrize("error", [ConnectionResetError(), OSError(5, "x"), IncompleteRead(b"")])
def test_what_goes_wrong_in_time_is_told_as_it_is(ends: Ends, error: Exception) -> None:
    with pytest.raises(type(error)), cut_off(ends[0], after_s=60):
        raise error


def test_what_hanging_up_breaks_is_told_as_being_too_late(ends: Ends) -> None:
    def read() -> None:
        with cut_off(ends[0], after_s=0.02):
            ends[0].recv(1)
            raise ConnectionResetError

    with pytest.raises(TimeoutError):
        read()


def test_a_socket_that_is_closed_already_is_no_error(ends: Ends) -> None:
    with pytest.raises(TimeoutError), cut_off(ends[0], after_s=0.02):
        ends[0].close()
        threading.Event().wait(0.2)


def test_an_error_that_is_not_of_the_network_passes(ends: Ends) -> None:
    with pytest.raises(ZeroDivisionError), cut_off(ends[0], after_s=60):
        raise ZeroDivisionError
