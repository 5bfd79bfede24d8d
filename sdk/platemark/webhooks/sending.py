"""Sending one message over HTTP, within bounds.

One rule: what may be talked to, and how, is settled by `platemark_policy.allowed_server`; nothing that a receiver wrote
is kept.
"""

import http.client
from collections.abc import Collection, Mapping
from contextlib import closing

from platemark.errors import RequestError
from platemark_policy.allowed_server import Server, ServerRefused, WhyNot, allowed_server, connected

TIMEOUT_S = 5.0
MOST_ANSWER_BYTES = 65_536

_REFUSALS: Mapping[WhyNot, tuple[str, str]] = {
    "address": (
        "A webhook's address is https://host/path, without a name or password.",
        "Correct [webhooks] url; plain http is for this machine alone.",
    ),
    "host-not-allowed": (
        "The webhook's address names a host that is not an allowed one.",
        "Name it in [webhooks] hosts, if it is yours.",
    ),
    "private-address": (
        "The webhook's host leads to an address inside a private network.",
        "Set [webhooks] private_network = true, where that is meant.",
    ),
}


def check_address(url: str, *, hosts: Collection[str], private_network: bool = False) -> Server:
    """Check an address that messages are to go to, without asking anybody.

    Args:
        url: the address.
        hosts: names of the allowed hosts.
        private_network: whether they may lie in a private network.

    Returns:
        where to connect.

    Raises:
        RequestError: it is not one that messages may go to.
    """
    try:
        return allowed_server(url, hosts=hosts, private_network=private_network)
    except ServerRefused as error:
        raise _refusal(error) from error


def send(server: Server, body: bytes, headers: Mapping[str, str]) -> str:
    """Send a message once.

    Args:
        server: as `check_address` gave it.
        body: of the message.
        headers: of the message.

    Returns:
        an empty text when the receiver took it (status 200 to 299), otherwise why not, without anything the receiver
        wrote.

    Raises:
        RequestError: the host leads to an address that may not be asked.
    """
    try:
        with connected(server, timeout_s=TIMEOUT_S) as connection:
            connection.request("POST", server.target, body, dict(headers))
            with closing(connection.getresponse()) as answer:
                answer.read(MOST_ANSWER_BYTES)
                status = answer.status
    except ServerRefused as error:
        raise _refusal(error) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"the receiver cannot be reached ({type(error).__name__})"
    return "" if 200 <= status < 300 else f"the receiver answered {status}"


def _refusal(error: ServerRefused) -> RequestError:
    message, fix = _REFUSALS[error.why]
    return RequestError(message, fix=fix)
