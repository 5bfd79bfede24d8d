"""Keys in files: those that sign claims, locked with a passphrase or not, and the one that wraps others.

One rule: files are read by `platemark_provenance.keys` alone; this module only finds them.
"""

from pathlib import Path
from urllib.parse import unquote

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.keys import load_secret, open_key_signer
from platemark_provenance.ledger.subject_keys import KeyWrapper, SecretWrapper
from platemark_provenance.signers.claim_signer import ClaimSigner
from platemark_provenance.signers.uri import SignerRequest
from platemark_provenance.signers.wrapping import WrapperRequest, wrapper_name


def open_key_file(uri: str, request: SignerRequest) -> ClaimSigner:
    """Open `file:PATH`, relative to the request's folder, or `file:///PATH`; the passphrase is asked for if needed.

    Raises:
        KeyUnavailable: the file is missing, too open, garbled or locked, or its key is of another kind than `alg`.

    Source: RFC 8089 (the file scheme; a host other than this one is refused).
    """
    path = key_path(uri, request.folder)
    return open_key_signer(
        path, chain_pem=request.chain_pem, alg=request.alg, ask_passphrase=lambda: request.ask_secret(str(path))
    )


def open_file_wrapper(uri: str, request: WrapperRequest) -> KeyWrapper:
    """Open `file:PATH` as a key that wraps others: 32 bytes in hexadecimal.

    Raises:
        KeyUnavailable: the file is missing, too open or garbled.
    """
    return SecretWrapper(load_secret(key_path(uri, request.folder)), wrapper_name(uri))


def key_path(uri: str, folder: Path) -> Path:
    """Give the path that a `file:` URI names.

    Args:
        uri: the URI.
        folder: what a relative path is relative to.

    Raises:
        KeyUnavailable: it names no path, or one on another machine.
    """
    # Everything after the scheme is path: a question mark or number sign is part of a file's name here.
    rest = uri.partition(":")[2]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise KeyUnavailable(
                "A file: URI names a path on this machine, and this one names a host.", fix="Write file:///PATH."
            )
        rest = slash + path
    name = unquote(rest)
    if not name or "\0" in name:
        raise KeyUnavailable("A file: URI names a path, and this one names none.", fix="Write file:PATH.")
    return folder / name
