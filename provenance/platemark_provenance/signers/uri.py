"""Signers chosen by URI, through a table that anybody can extend.

One rule: a signer leaves this table only after it proved that it holds the key its certificate names.

| scheme    | the key is                     | example                                                              |
|-----------|--------------------------------|----------------------------------------------------------------------|
| `file:`   | a PEM file, locked or not      | `file:keys/signing.key`                                              |
| `pkcs11:` | in a hardware token (RFC 7512) | `pkcs11:token=newsroom;object=claims?module-path=/usr/lib/token.so`  |
| `exec:`   | with another program           | `exec:/usr/local/bin/sign-claim`                                     |
| yours     | wherever your function finds it | `STANDARD_SIGNERS.with_scheme("kms", open_kms)`, see `callback`      |

Installed packages add schemes by an entry point of the group `platemark.signers` (`kms = "newsroom_kms:open_kms"`),
so that the command line knows them too.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from platemark_provenance.errors import KeyUnavailable, SigningError
from platemark_provenance.signers.claim_signer import ClaimSigner, ForeignCode, prove_key_matches

ENTRY_POINTS = "platemark.signers"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,31}")
"""Source: RFC 3986, section 3.1, in lower case."""

AskSecret = Callable[[str], bytes]
"""Asked for a passphrase or PIN with a short description of what it opens; only when one is needed."""


def _nobody_to_ask(what: str) -> bytes:
    raise KeyUnavailable(
        f"{what} is locked, and nothing says where its passphrase or PIN comes from.",
        fix='Set [signing] secret = "env:NAME" or "prompt".',
    )


@dataclass(frozen=True, slots=True)
class SignerRequest:
    """What a signer is opened with besides its URI.

    Args:
        chain_pem: the certificates in PEM, leaf first.
        alg: one of the names in `SIGNING_ALGORITHMS`; it fits the leaf.
        folder: what a relative path in a URI is relative to.
        ask_secret: gives the passphrase or PIN. Never called where none is needed; nothing here keeps the answer
            longer than the signer lives.
    """

    chain_pem: bytes
    alg: str
    folder: Path = Path()
    ask_secret: AskSecret = field(default=_nobody_to_ask)


class SignerOpener(Protocol):
    """Opens the signers of one scheme. It gets the whole URI."""

    def __call__(self, uri: str, request: SignerRequest, /) -> ClaimSigner:
        """Give the signer, or raise `KeyUnavailable`; any other error is wrapped in one."""
        ...


@dataclass(frozen=True, slots=True)
class SignerTable:
    """Which scheme is opened by whom. Frozen: `with_scheme` gives a longer table."""

    openers: Mapping[str, SignerOpener]

    def with_scheme(self, scheme: str, opener: SignerOpener) -> "SignerTable":
        """Give a table that knows one more scheme.

        Raises:
            SigningError: the scheme is taken, or is not lower-case letters, digits, `+`, `.` and `-`.
        """
        if not _SCHEME.fullmatch(scheme):
            raise SigningError(f"A scheme is up to 32 lower-case letters and digits; got {scheme[:40]!r}.")
        if scheme in self.openers:
            raise SigningError(f"The scheme {scheme}: is taken; another meaning would open other keys.")
        return SignerTable(MappingProxyType({**self.openers, scheme: opener}))

    def open(self, uri: str, request: SignerRequest) -> ClaimSigner:
        """Open the signer that a URI names, and make it prove that its key is the certificate's.

        Raises:
            KeyMismatch: key and certificate do not belong together.
            KeyUnavailable: nobody knows the scheme, or the key cannot be used.
        """
        scheme = scheme_of(uri)
        opener = self.openers.get(scheme) or _installed_opener(scheme)
        if opener is None:
            known = ", ".join(f"{each}:" for each in sorted(self.openers))
            raise KeyUnavailable(
                f"Signing keys are named {known} or by a scheme that is installed; got {scheme}:.",
                fix="Correct [signing] key, or install the package that knows this scheme.",
            )
        with ForeignCode(f"Opening the {scheme}: signing key"):
            signer = opener(uri, request)
            prove_key_matches(signer)
        return signer


def scheme_of(uri: str) -> str:
    """Give the scheme of a signer's URI.

    Raises:
        KeyUnavailable: it has none.
    """
    scheme, _, rest = uri.partition(":")
    if not rest or not _SCHEME.fullmatch(scheme):
        raise KeyUnavailable(
            "A signing key is named by a URI such as file:keys/signing.key; this has no scheme.",
            fix="Correct [signing] key.",
        )
    return scheme


def _installed_opener(scheme: str) -> SignerOpener | None:
    for found in entry_points(group=ENTRY_POINTS, name=scheme):
        with ForeignCode(f"Loading the signers of {scheme}:"):
            opener: SignerOpener = found.load()
            return opener
    return None


def _opener_in(module: str, name: str) -> SignerOpener:
    """Import the opener when it is first used: a home with a key file needs no token library."""

    def opened(uri: str, request: SignerRequest) -> ClaimSigner:
        """Open the signer."""
        opener: SignerOpener = getattr(import_module(f"platemark_provenance.signers.{module}"), name)
        return opener(uri, request)

    return opened


STANDARD_SIGNERS = SignerTable(
    MappingProxyType(
        {
            "file": _opener_in("key_file", "open_key_file"),
            "pkcs11": _opener_in("token", "open_token"),
            "exec": _opener_in("command", "open_command_signer"),
        }
    )
)
"""The schemes that come with platemark."""
