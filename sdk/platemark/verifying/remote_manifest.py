"""Fetching the manifest that a file says lies on a server, where somebody asked for that.

One rule: the file's maker chose the address, so it counts only where the host was allowed by name, over TLS but for
this machine itself, never inside a private network, along no redirect, through no proxy, and within a size and a time.
"""

import contextlib
import http.client
from typing import Literal
from urllib.parse import urlsplit

from platemark.errors import PlatemarkError
from platemark_policy.allowed_server import Server, ServerRefused, allowed_server, connected

MAX_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 10.0
_HEADERS = {"Accept": "application/c2pa", "User-Agent": "platemark-verify"}

Why = Literal["address", "host-not-allowed", "private-address", "unreachable", "too-slow", "refused", "too-big"]


class NotFetched(PlatemarkError):
    """A manifest was not fetched; `why` is one word for it, and nothing the server said is in it."""

    def __init__(self, why: Why) -> None:
        super().__init__(f"The manifest on the server was not fetched: {why}.")
        self.why: Why = why


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
    try:
        server = allowed_server(url, hosts=hosts)  # 1
        with connected(server, timeout_s=TIMEOUT_S) as connection:  # 2
            return _ask(connection, server)  # 3
    except ServerRefused as error:
        raise NotFetched(error.why) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotFetched("too-slow" if isinstance(error, TimeoutError) else "unreachable") from error


def server_of(url: str) -> str:
    """Give the name of the server in an address, as it may be shown; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "")[:253]
    except ValueError:
        return ""


def _ask(connection: http.client.HTTPConnection, server: Server) -> bytes:
    connection.request("GET", server.target, headers=_HEADERS)
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
