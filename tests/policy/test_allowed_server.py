"""Which server may be talked to: the address taken apart, and what its name leads to."""

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.allowed_server import Server, ServerRefused, allowed_server, connected


def why_not(url: str, *hosts: str) -> str:
    with pytest.raises(ServerRefused) as refused:
        allowed_server(url, hosts=hosts)
    return refused.value.why


def test_an_allowed_address_is_taken_apart() -> None:
    server = allowed_server("https://Guard.example:8443/v1/x?y=1#z", hosts=("guard.EXAMPLE",))

    assert server == Server("guard.example", 8443, "/v1/x?y=1", encrypted=True)


@pytest.mark.parametrize(
    ("url", "port"), [("https://a.example", 443), ("http://localhost/", 80), ("http://[::1]/", 80)]
)
def test_the_port_follows_from_the_scheme(url: str, port: int) -> None:
    assert allowed_server(url, hosts=("a.example", "localhost", "::1")).port == port


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://a.example/",
        "https://u:p@a.example/",
        "https://u@a.example/",
        "https://a.example:0/",
        "https://a.example:x/",
        "https://a.example:99999/",
        "https://[::1",
        "https://a.example/ x",
        "https://a.example/\n",
        "https://а.example/",
    ],
)
def test_another_form_is_refused(url: str) -> None:
    assert why_not(url, "a.example", "") == "address"


@pytest.mark.parametrize("url", ["https://a.example.evil/", "https://evil/?a.example", "https://a.example./"])
def test_a_host_that_only_looks_like_it_is_refused(url: str) -> None:
    assert why_not(url, "a.example") == "host-not-allowed"


def test_this_machine_must_be_named_too() -> None:
    assert why_not("http://127.0.0.1/", "a.example") == "host-not-allowed"


@given(st.text())
def test_any_text_is_an_address_or_a_refusal(url: str) -> None:
    try:
        allowed_server(url, hosts=("a.example",))
    except ServerRefused as refused:
        assert refused.why in ("address", "host-not-allowed")
        assert url == "" or url not in str(refused) or len(url) < 12


@pytest.fixture
def silent() -> Iterator[int]:
    """A port on this machine that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        held: list[socket.socket] = []
        thread = threading.Thread(target=lambda: held.append(listener.accept()[0]))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()
        held[0].close()


def test_what_takes_too_long_is_cut_off(silent: int) -> None:
    server = allowed_server(f"http://127.0.0.1:{silent}/", hosts=("127.0.0.1",))

    with pytest.raises(TimeoutError), connected(server, timeout_s=0.3) as connection:
        connection.request("GET", server.target)
        connection.getresponse()


def test_a_name_that_leads_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: [])
    server = allowed_server("https://a.example/", hosts=("a.example",))

    with pytest.raises(ServerRefused) as refused, connected(server, timeout_s=1):
        pytest.fail("connected")

    assert refused.value.why == "private-address"
