"""The one question before anything is sent to or asked of a server: is it one that somebody allowed by name?

One rule: the connection goes to an address that was looked at. Over TLS but for this machine itself, along no
redirect, through no proxy, within a time; an allowed name leads into a private network only where that is allowed too.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from platemark_policy.errors import PolicyError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
WhyNot = Literal["address", "host-not-allowed", "private-address"]


class ServerRefused(PolicyError):
    """A server may not be talked to; `why` is one word for it, and nothing of the address is in the message."""

    def __init__(self, why: WhyNot) -> None:
        super().__init__(_SAID[why], fix=_FIXES[why])
        self.why: WhyNot = why


_SAID: dict[WhyNot, str] = {
    "address": "An address is https://host/path, without a name or password; plain http is for this machine alone.",
    "host-not-allowed": "The address names a host that nobody allowed.",
    "private-address": "The allowed host leads to an address inside a private network.",
}
_FIXES: dict[WhyNot, str] = {
    "address": "Correct the address.",
    "host-not-allowed": "Name the host in the list of allowed hosts, if it is yours.",
    "private-address": "Where that is meant, allow it: private_network = true.",
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect: a host that was allowed, its port, and what to ask it for.

    `private_network`: the host may lie in a private network; loopback hosts always may, and nothing else may.
    """

    host: str
    port: int
    target: str
    encrypted: bool
    private_network: bool = False


def allowed_server(url: str, *, hosts: Collection[str], private_network: bool = False) -> Server:
    """Take an address apart where it may be talked to.

    1. It is http or https, plain ASCII, without a name, a password or port 0.
    2. Its host is on the list.
    3. It is https, unless it is this machine itself.

    Args:
        url: the address.
        hosts: names of the allowed hosts, in any case.
        private_network: whether the host may lie in a private network.

    Raises:
        ServerRefused: one of them does not hold.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ServerRefused("address") from error
    plain = url.isascii() and url.isprintable() and " " not in url
    if not plain or parts.username is not None or port == 0 or parts.scheme not in ("http", "https"):  # 1
        raise ServerRefused("address")
    if host not in {each.lower() for each in hosts}:  # 2
        raise ServerRefused("host-not-allowed")
    encrypted = parts.scheme == "https"
    if not encrypted and host not in LOOPBACK:  # 3
        raise ServerRefused("address")
    query = f"?{parts.query}" if parts.query else ""
    return Server(host, port or (443 if encrypted else 80), (parts.path or "/") + query, encrypted, private_network)


@contextlib.contextmanager
def connected(server: Server, *, timeout_s: float) -> Iterator[http.client.HTTPConnection]:
    """Connect to an address of a server that was looked at, so that no second look-up can lead elsewhere.

    Everything inside the block ends after the time, however slowly the other side goes on sending. Looking up the name
    is not timed by us.

    Raises:
        ServerRefused: one of the host's addresses is not one that may be asked.
        TimeoutError: the time was over.
        OSError, http.client.HTTPException: the server cannot be reached or does not speak HTTP.
    """
    found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not addresses or not all(_may_be_asked(each, server) for each in addresses):
        raise ServerRefused("private-address")
    plain = socket.create_connection((addresses[0], server.port), timeout=timeout_s)
    expired = threading.Event()
    with contextlib.ExitStack() as stack:
        opened: socket.socket = stack.enter_context(plain)
        if server.encrypted:
            context = ssl.create_default_context()
            # The handshake comes within the time limit, which needs the encrypted socket.
            encrypted = context.wrap_socket(plain, server_hostname=server.host, do_handshake_on_connect=False)
            opened = stack.enter_context(encrypted)
        stack.enter_context(_time_limit(opened, expired, timeout_s))
        try:
            if isinstance(opened, ssl.SSLSocket):
                opened.do_handshake()
            connection = http.client.HTTPConnection(server.host, server.port, timeout=timeout_s)
            stack.callback(connection.close)
            connection.sock = opened
            yield connection
        except (OSError, ValueError, http.client.HTTPException) as error:
            if expired.is_set():
                raise TimeoutError("The server took too long.") from error
            raise


def _may_be_asked(address: str, server: Server) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    if server.host in LOOPBACK:
        return bool(mapped.is_loopback)
    if mapped.is_multicast or mapped.is_loopback or mapped.is_link_local or mapped.is_unspecified:
        return False  # link-local: where cloud machines keep their credentials
    return bool(mapped.is_global or (server.private_network and mapped.is_private))


@contextlib.contextmanager
def _time_limit(opened: socket.socket, expired: threading.Event, timeout_s: float) -> Iterator[None]:
    """Cut the connection when the time is over."""

    def _cut() -> None:
        expired.set()
        with contextlib.suppress(OSError):
            # The plain socket's own method: that of a TLS socket changes it under the thread that reads.
            socket.socket.shutdown(opened, socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s, _cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
