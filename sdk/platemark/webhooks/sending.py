"""Sending one message over HTTP, within bounds.

One rule: only to the named host, only over TLS but for this machine itself, never along a redirect, and never for long.
"""

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import IO
from urllib.parse import urlsplit

from platemark.errors import RequestError

TIMEOUT_S = 5.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MOST_ANSWER_BYTES = 65_536


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: nobody is followed anywhere."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow nothing."""


def check_address(url: str, *, hosts: tuple[str, ...]) -> str:
    """Check an address that messages are to go to.

    1. It is http or https, without a name or password in it.
    2. Its host is on the list of allowed hosts.
    3. It is https, unless it is this machine itself.

    Args:
        url: the address.
        hosts: names of the allowed hosts.

    Returns:
        the host.

    Raises:
        RequestError: one of them does not hold.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise RequestError("The webhook's address is not a URL.", fix="Write it as https://host/path.") from error
    if parts.scheme not in ("http", "https") or parts.username is not None or port == 0 or not url.isprintable():  # 1
        raise RequestError("A webhook's address is https://host/path, without a name or password.")
    if host not in hosts:  # 2
        raise RequestError(
            f"{host[:100] or 'This address'} is not an allowed host.",
            fix="Name it in [webhooks] hosts, if it is yours.",
        )
    if parts.scheme != "https" and host not in LOOPBACK:  # 3
        raise RequestError("A webhook to another machine needs https.", fix="Write it as https://host/path.")
    return host


def send(url: str, body: bytes, headers: Mapping[str, str], *, hosts: tuple[str, ...]) -> str:
    """Send a message once.

    Returns:
        an empty text when the receiver took it (status 200 to 299), otherwise why not, without anything the receiver
        wrote.

    Raises:
        RequestError: the address is not allowed.
    """
    check_address(url, hosts=hosts)
    # No proxies: a message goes to the host that was allowed, not to whoever an environment variable names.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        _NoRedirects(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
    )
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310  checked above
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            answer.read(MOST_ANSWER_BYTES)
    except urllib.error.HTTPError as error:
        error.close()
        return f"the receiver answered {error.code}"
    except (TimeoutError, OSError, http.client.HTTPException) as error:
        return f"the receiver cannot be reached ({type(error).__name__})"
    return ""
