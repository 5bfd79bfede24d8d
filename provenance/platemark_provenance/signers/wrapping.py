"""The key that wraps other keys, chosen by URI like the keys that sign.

One rule: a wrapper is opened when it is first needed, and used only after it gave back what it wrapped.

| scheme    | the key is                       | example                                                       |
|-----------|----------------------------------|---------------------------------------------------------------|
| `file:`   | 32 bytes in hexadecimal, a file  | `file:keys/kek.key`                                           |
| `pkcs11:` | an AES key in a hardware token   | `pkcs11:token=newsroom;object=kek?module-path=/usr/lib/t.so`  |
| `exec:`   | with another program             | `exec:/usr/local/bin/wrap-key`                                |
| yours     | wherever your functions find it  | `STANDARD_WRAPPERS.with_scheme("kms", open_kms)`              |

Installed packages add schemes by an entry point of the group `platemark.wrappers`. A key service is two functions:

    def open_kms(uri: str, request: WrapperRequest) -> KeyWrapper:
        wrap = lambda key, subject: kms.encrypt(KeyId=…, Plaintext=key, EncryptionContext={"subject": subject})[…]
        unwrap = lambda wrapped, subject: kms.decrypt(CiphertextBlob=wrapped, EncryptionContext={"subject": subject})[…]
        return CallbackWrapper(wrapper_name(uri), wrap, unwrap)
"""

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.ledger.subject_keys import KEY_BYTES, KeyWrapper
from platemark_provenance.signers.claim_signer import ForeignCode
from platemark_provenance.signers.uri import AskSecret, scheme_of

ENTRY_POINTS = "platemark.wrappers"
LONGEST_WRAPPED = 4_096
"""A key service's answer for 32 bytes has some 200."""


def _nobody_to_ask(what: str) -> bytes:
    raise KeyUnavailable(f"{what} is locked, and nobody says what opens it.", fix="Set [ledger] kek_secret.")


@dataclass(frozen=True, slots=True)
class WrapperRequest:
    """What a wrapper is opened with besides its URI.

    Args:
        folder: what a relative path in a URI is relative to.
        ask_secret: gives the PIN; never called where none is needed.
    """

    folder: Path = Path()
    ask_secret: AskSecret = field(default=_nobody_to_ask)


class WrapperOpener(Protocol):
    """Opens the wrappers of one scheme. It gets the whole URI."""

    def __call__(self, uri: str, request: WrapperRequest, /) -> KeyWrapper:
        """Give the wrapper, or raise `KeyUnavailable`; any other error is wrapped in one."""
        ...


@dataclass(frozen=True, slots=True)
class CallbackWrapper:
    """Wraps with functions of the caller, such as a cloud key service.

    Args:
        name: see `wrapper_name`.
        wrap_key: encrypts a key, bound to a subject.
        unwrap_key: decrypts it for the same subject only.
    """

    name: str
    wrap_key: Callable[[bytes, str], bytes] = field(repr=False)
    unwrap_key: Callable[[bytes, str], bytes] = field(repr=False)

    def wrap(self, key: bytes, subject: str) -> bytes:
        """Encrypt a subject's key; see `KeyWrapper.wrap`."""
        with ForeignCode("Wrapping a key"):
            wrapped = bytes(self.wrap_key(key, subject))
        if not 0 < len(wrapped) <= LONGEST_WRAPPED or key in wrapped:
            raise KeyUnavailable("What should wrap keys gave nothing, too much, or the key itself.")
        return wrapped

    def unwrap(self, wrapped: bytes, subject: str) -> bytes:
        """Decrypt a subject's key; see `KeyWrapper.unwrap`."""
        with ForeignCode("Unwrapping a key"):
            key = bytes(self.unwrap_key(wrapped, subject))
        if len(key) != KEY_BYTES:
            raise KeyUnavailable(f"What should unwrap keys gave {len(key)} bytes; a key has {KEY_BYTES}.")
        return key


@dataclass(frozen=True, slots=True)
class WrapperTable:
    """Which scheme is opened by whom. Frozen: `with_scheme` gives a longer table."""

    openers: Mapping[str, WrapperOpener]

    def with_scheme(self, scheme: str, opener: WrapperOpener) -> "WrapperTable":
        """Give a table that knows one more scheme.

        Raises:
            KeyUnavailable: the scheme is taken: another meaning would open other keys.
        """
        if scheme_of(f"{scheme}:x") in self.openers:
            raise KeyUnavailable(f"The scheme {scheme}: is taken; another meaning would open other keys.")
        return WrapperTable(MappingProxyType({**self.openers, scheme: opener}))

    def open(self, uri: str, request: WrapperRequest) -> KeyWrapper:
        """Open the wrapper that a URI names, and make it give back what it wraps.

        Raises:
            KeyUnavailable: nobody knows the scheme, or the key cannot be used.
        """
        scheme = scheme_of(uri)
        opener = self.openers.get(scheme) or _installed_opener(scheme)
        if opener is None:
            known = ", ".join(f"{each}:" for each in sorted(self.openers))
            raise KeyUnavailable(
                f"The key that wraps keys is named {known} or by a scheme that is installed; got {scheme}:.",
                fix="Correct [ledger] kek, or install the package that knows this scheme.",
            )
        with ForeignCode(f"Opening the {scheme}: key that wraps keys"):
            wrapper = opener(uri, request)
            probe = secrets.token_bytes(KEY_BYTES)
            same = wrapper.unwrap(wrapper.wrap(probe, "probe"), "probe") == probe
        if not same:
            raise KeyUnavailable(f"The {scheme}: key that wraps keys does not give back what it wrapped.")
        return wrapper


class LazyWrapper:
    """A wrapper that is opened when it is first needed: reading the log's open part asks nobody for a PIN.

    Args:
        uri: names the key.
        request: what it is opened with.
        table: who opens it.
    """

    def __init__(self, uri: str, request: WrapperRequest, table: WrapperTable) -> None:
        self.name = wrapper_name(uri)
        self._open = partial(table.open, uri, request)
        self._opened: KeyWrapper | None = None
        self._one_at_a_time = threading.Lock()

    def wrap(self, key: bytes, subject: str) -> bytes:
        """Encrypt a subject's key; see `KeyWrapper.wrap`."""
        return self._wrapper().wrap(key, subject)

    def unwrap(self, wrapped: bytes, subject: str) -> bytes:
        """Decrypt a subject's key; see `KeyWrapper.unwrap`."""
        return self._wrapper().unwrap(wrapped, subject)

    def _wrapper(self) -> KeyWrapper:
        with self._one_at_a_time:
            if self._opened is None:
                self._opened = self._open()
            return self._opened


def wrapper_name(uri: str) -> str:
    """Give what rows are marked with: the scheme and a digest of the URI, which is no secret but may be long."""
    return f"{scheme_of(uri)}:{hashlib.sha256(uri.encode()).hexdigest()[:16]}"


def _installed_opener(scheme: str) -> WrapperOpener | None:
    for found in entry_points(group=ENTRY_POINTS, name=scheme):
        with ForeignCode(f"Loading the wrappers of {scheme}:"):
            opener: WrapperOpener = found.load()
            return opener
    return None


def _opener_in(module: str, name: str) -> WrapperOpener:
    """Import the opener when it is first used: a home with a key file needs no token library."""

    def opened(uri: str, request: WrapperRequest) -> KeyWrapper:
        """Open the wrapper."""
        opener: WrapperOpener = getattr(import_module(f"platemark_provenance.signers.{module}"), name)
        return opener(uri, request)

    return opened


STANDARD_WRAPPERS = WrapperTable(
    MappingProxyType(
        {
            "file": _opener_in("key_file", "open_file_wrapper"),
            "pkcs11": _opener_in("token", "open_token_wrapper"),
            "exec": _opener_in("command", "open_command_wrapper"),
        }
    )
)
"""The schemes that come with platemark."""
