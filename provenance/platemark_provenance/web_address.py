"""Which addresses of servers are taken, before anything is sent there.

One rule: an address that passes can be handed to an HTTP client; none of its parts makes that fail in a way of its own.
"""

from urllib.parse import urlsplit


def is_web_address(url: str) -> bool:
    """Say whether this is an http or https address with a host, in plain characters, without a name or password."""
    if not url.isascii() or not url.isprintable() or "@" in url or " " in url:
        return False
    try:
        parts = urlsplit(url)
        # A name with an empty or an overlong label is refused by the resolver's codec, not by the network.
        host = (parts.hostname or "").encode("idna")
        return parts.scheme in ("http", "https") and bool(host) and parts.port != 0
    except ValueError:
        return False
