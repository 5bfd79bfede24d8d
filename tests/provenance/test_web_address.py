"""Addresses of servers: what passes can be given to an HTTP client."""

import http.client
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.web_address import is_web_address


@pytest.mark.parametrize(
    "url",
    ["http://a", "https://tsa.example/tsr?policy=1", "http://127.0.0.1:8741", "http://[::1]:80/x", "HTTPS://A.example",
     "https://xn--9n2bp8q.example"],
)  # fmt: skip
def test_an_address_of_a_server_passes(url: str) -> None:
    assert is_web_address(url)


@pytest.mark.parametrize(
    "url",
    ["", "http:", "http://", "https:///x", "a.example", "ftp://a", "file:///etc/passwd", "http://a b", "http://me@a",
     "http://a:0", "http://a:65536", "http://a:x", "http://a..b", "http://.", f"http://{'a' * 64}.b", "http://[::1",
     "http://é.example", "http://a/\n", "http://a\r\nX: y", "http://a/\x00"],
)  # fmt: skip
def test_what_is_none_does_not(url: str) -> None:
    assert not is_web_address(url)


@given(st.text(max_size=80) | st.text("ab.:[]/@%?#0 1\\", max_size=30).map("http://{}".format))
def test_what_passes_can_be_taken_apart_and_looked_up(url: str) -> None:
    passes = is_web_address(url)

    parts = urlsplit(url) if passes else urlsplit("http://127.0.0.1")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=1)
    assert 0 < (connection.port or 80) <= 65_535
    assert connection.host.encode("idna")
