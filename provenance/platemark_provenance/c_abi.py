"""The only code that goes past the C2PA library's Python interface, to functions that it has and does not show.

One rule: what is called is looked up first. Where the installed library is another one than we know, the answer is
"not there", never a crash; what callers do then is theirs to say.

Source: c2pa-rs 0.91, c2pa_c_ffi/src/c_api.rs (signatures and who owns what).
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import IO

from c2pa import Builder, Signer, Stream
from c2pa import c2pa as binding

JOIN_SIGNERS = "c2pa_identity_signer_create"
RESERVING = (
    "c2pa_builder_placeholder",
    "c2pa_builder_hash_mdat_bytes",
    "c2pa_builder_update_hash_from_stream",
    "c2pa_builder_sign_embeddable",
    "c2pa_error",
    "c2pa_free",
)
"""What is needed to sign a file in its place."""

_LONG_HEADER = True
_Function = Callable[..., object]
_BYTES_OUT = ctypes.POINTER(ctypes.c_void_p)


class NativeRefusal(Exception):
    """The library returned a failure; the text is its own kind of it, such as `Signature`."""


def can_join_signers() -> bool:
    """Say whether the installed library can make one signer of two."""
    return _find_join() is not None


def join_signers(claim: Signer, identity: Signer, *, referenced: Sequence[str], roles: Sequence[str]) -> Signer | None:
    """Make one signer of two, which uses both up; None where the library has no such function or refuses.

    Args:
        claim: signs the claim.
        identity: signs an identity assertion in it.
        referenced: labels of the assertions that the identity is about, without null characters.
        roles: what the organisation was, without null characters.
    """
    create = _find_join()
    if create is None:
        return None
    callbacks = (claim._callback_cb, identity._callback_cb)
    pointer = create(claim._handle, identity._handle, _texts(referenced), _texts(roles))
    for each in (claim, identity):
        each._teardown(free_handle=False)
    if not pointer:
        return None
    joined = Signer(pointer)
    # Native code calls them for as long as the joined signer lives; the binding keeps one in the same place.
    joined._callback_cb = callbacks  # pyright: ignore[reportAttributeAccessIssue]  # untyped, None until set
    return joined


def can_reserve() -> bool:
    """Say whether the installed library can sign a file in its place."""
    known = all(_find(name, ctypes.c_int, ()) is not None for name in RESERVING)
    return known and hasattr(Builder, "_ensure_valid_state") and hasattr(Stream, "close")


class ReservedClaim:
    """A claim whose place in the file is kept free while the media is hashed, and that is written there last.

    The builder's context holds the signer. The calls come in this order: `reserve`, `hash_media` for the media's
    pieces in order, `hash_rest`, `sign`.

    Args:
        builder: a builder of the library, ready but for signing.
        media_type: of the file, such as `video/mp4`.

    Raises:
        NativeRefusal: from every call, where the library refuses, or lacks the function.
    """

    def __init__(self, builder: Builder, media_type: str) -> None:
        builder._ensure_valid_state()
        self._builder = _address(builder._handle)
        self._media_type = media_type.encode("ascii")

    def reserve(self) -> int:
        """Give the size of the claim without the media's hashes, in bytes."""
        types = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
        return self._call("c2pa_builder_placeholder", ctypes.c_int64, types, self._media_type, None)

    def hash_media(self, piece: bytearray | memoryview) -> None:
        """Hash a piece of the media box's content; that box has a header of 16 bytes (a 64-bit size).

        Each piece gets a hash of its own, and the claim says how long each was.
        """
        types = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_bool)
        content = (ctypes.c_char * len(piece)).from_buffer(piece)
        name = "c2pa_builder_hash_mdat_bytes"
        self._call(name, ctypes.c_int, types, 0, ctypes.byref(content), len(piece), _LONG_HEADER)

    def hash_rest(self, file: IO[bytes]) -> None:
        """Hash everything else in the file, which lies there as it will stay."""
        stream = Stream(file)
        try:
            handle = _address(stream._stream)
            types = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
            self._call("c2pa_builder_update_hash_from_stream", ctypes.c_int, types, self._media_type, handle)
        finally:
            stream.close()

    def sign(self) -> bytes:
        """Sign, and give the whole box to put into the file."""
        content = ctypes.c_void_p()
        types = (ctypes.c_void_p, ctypes.c_char_p, _BYTES_OUT)
        size = self._call(
            "c2pa_builder_sign_embeddable", ctypes.c_int64, types, self._media_type, ctypes.byref(content)
        )
        if content.value is None:
            raise NativeRefusal("Empty")
        try:
            return ctypes.string_at(content.value, size)
        finally:
            _free(content.value)

    def _call(self, name: str, result: type, types: Sequence[type], *arguments: object) -> int:
        function = _find(name, result, types)
        answer = -1 if function is None else function(self._builder, *arguments)
        if not isinstance(answer, int) or answer < 0:
            raise NativeRefusal("Missing" if function is None else _last_error())
        return answer


def _address(pointer: object) -> ctypes.c_void_p:
    if not isinstance(pointer, ctypes._Pointer):
        raise NativeRefusal("Closed")
    return ctypes.cast(pointer, ctypes.c_void_p)


def _find_join() -> _Function | None:
    result = getattr(binding, "C2paSigner", None)
    if result is None or not all(hasattr(Signer, each) for each in ("_teardown", "_init_attrs")):
        return None
    pointers = ctypes.POINTER(ctypes.c_char_p)
    types = (ctypes.c_void_p, ctypes.c_void_p, pointers, pointers)
    return _find(JOIN_SIGNERS, ctypes.POINTER(result), types)


def _find(name: str, result: type, types: Sequence[type]) -> _Function | None:
    library = getattr(binding, "_lib", None)
    if library is None:
        return None
    try:
        # A prototype of our own: the binding's, on the same library object, stay as they are.
        return ctypes.CFUNCTYPE(result, *types)((name, library))
    except AttributeError:
        return None


def _last_error() -> str:
    """Read the library's last error, which it keeps until somebody does, and give the kind that it begins with."""
    read = _find("c2pa_error", ctypes.c_void_p, ())
    address = read() if read is not None else None
    if not isinstance(address, int):
        return "Unknown"
    try:
        message = ctypes.string_at(address).decode("utf-8", "replace")
    finally:
        _free(address)
    return message.split(":", 1)[0][:40]


def _free(address: int) -> None:
    free = _find("c2pa_free", ctypes.c_int, (ctypes.c_void_p,))
    if free is not None:
        free(address)


def _texts(values: Sequence[str]) -> ctypes.Array[ctypes.c_char_p]:
    """Give texts as native code takes them: a list of pointers that ends with a null one."""
    return (ctypes.c_char_p * (len(values) + 1))(*(each.encode("utf-8") for each in values), None)
