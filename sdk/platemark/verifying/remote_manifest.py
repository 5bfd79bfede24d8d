"""Fetching the manifest that a file says lies on a server, where somebody asked for that.

One rule: the file's maker chose the address, so it counts only where the host was allowed by name, over TLS but for
this machine itself, never inside a private network, along no redirect, through no proxy, and within a size and a time.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from platemark.errors import PlatemarkError

MAX_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 10.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_HEADERS = {"Accept": "application/c2pa", "User-Agent": "platemark-verify"}

Why = Literal["address", "host-not-allowed", "private-address", "unreachable", "too-slow", "refused", "too-big"]


class NotFetched(PlatemarkError):
    """A manifest was not fetched; `why` is one word for it, and nothing the server said is in it."""

    def __init__(self, why: Why) -> None:
        super().__init__(f"The manifest on the server was not fetched: {why}.")
        self.why: Why = why


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to ask: a host that was allowed, its port, and what to ask it for."""

    host: str
    port: int
    target: str
    encrypted: bool


def fetch_manifest(url: str, *, hosts: tuple[str, ...]) -> bytes:
    """Fetch a manifest store from a server.

    1. The address is https (http for this machine alone), without a name or password, on a host that is allowed.
    2. The host's addresses are public ones, or it is this machine itself. The connection goes to one of those.
    3. The answer is 200, at most 16 MiB, and there within ten seconds. Looking up the name is not timed by us.

    Args:
        url: the address that the file names.
        hosts: names of the allowed hosts.

    Returns:
        what the server sent; nothing says yet that it is a manifest.

    Raises:
        NotFetched: one of them does not hold.
    """
    place = _place(url, hosts)  # 1
    expired = threading.Event()
    try:
        with _connected(place, expired) as connection:  # 2
            content = _ask(connection, place)  # 3
    except (OSError, ValueError, http.client.HTTPException) as error:
        slow = expired.is_set() or isinstance(error, TimeoutError)
        raise NotFetched("too-slow" if slow else "unreachable") from error
    return content


def server_of(url: str) -> str:
    """Give the name of the server in an address, as it may be shown; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "")[:253]
    except ValueError:
        return ""


def _place(url: str, hosts: tuple[str, ...]) -> _Place:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise NotFetched("address") from error
    plain = url.isascii() and url.isprintable() and " " not in url
    if not plain or parts.username is not None or port == 0 or parts.scheme not in ("http", "https"):
        raise NotFetched("address")
    if host not in {each.lower() for each in hosts}:
        raise NotFetched("host-not-allowed")
    encrypted = parts.scheme == "https"
    if not encrypted and host not in LOOPBACK:
        raise NotFetched("address")
    query = f"?{parts.query}" if parts.query else ""
    return _Place(host, port or (443 if encrypted else 80), (parts.path or "/") + query, encrypted)


@contextlib.contextmanager
def _connected(place: _Place, expired: threading.Event) -> Iterator[http.client.HTTPConnection]:
    """Connect to an address that was looked at, so that no second look-up can lead elsewhere."""
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not addresses or not all(_may_be_asked(each, place.host) for each in addresses):
        raise NotFetched("private-address")
    plain = socket.create_connection((addresses[0], place.port), timeout=TIMEOUT_S)
    with contextlib.ExitStack() as stack:
        opened: socket.socket = stack.enter_context(plain)
        if place.encrypted:
            context = ssl.create_default_context()
            # The handshake comes within the time limit, which needs the encrypted socket.
            encrypted = context.wrap_socket(plain, server_hostname=place.host, do_handshake_on_connect=False)
            opened = stack.enter_context(encrypted)
        stack.enter_context(_time_limit(opened, expired))
        if isinstance(opened, ssl.SSLSocket):
            opened.do_handshake()
        connection = http.client.HTTPConnection(place.host, place.port, timeout=TIMEOUT_S)
        stack.callback(connection.close)
        connection.sock = opened
        yield connection


def _may_be_asked(address: str, host: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    return bool(mapped.is_loopback) if host in LOOPBACK else bool(mapped.is_global and not mapped.is_multicast)


@contextlib.contextmanager
def _time_limit(opened: socket.socket, expired: threading.Event) -> Iterator[None]:
    """Cut the connection when the time is over, however slowly the other side goes on sending."""

    def _cut() -> None:
        expired.set()
        with contextlib.suppress(OSError):
            # The plain socket's own method: that of a TLS socket changes it under the thread that reads.
            socket.socket.shutdown(opened, socket.SHUT_RDWR)

    timer = threading.Timer(TIMEOUT_S, _cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _ask(connection: http.client.HTTPConnection, place: _Place) -> bytes:
    connection.request("GET", place.target, headers=_HEADERS)
    with contextlib.closing(connection.getresponse()) as answer:
        if answer.status != http.client.OK:
            raise NotFetched("refused")
        promised = answer.length
        content = b"" if (promised or 0) > MAX_BYTES else answer.read(MAX_BYTES + 1)
    if (promised or 0) > MAX_BYTES or len(content) > MAX_BYTES:
        raise NotFetched("too-big")
    if promised is not None and len(content) < promised:
        raise http.client.IncompleteRead(content, promised - len(content))
    return content
