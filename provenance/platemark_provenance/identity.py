"""Join two signers into one that also asserts an identity: the only code that goes past the library's Python interface.

One rule: what is called is looked up first. Where the installed library is another one than we know, the answer is a
plain sentence, not a crash.
"""

import ctypes
from collections.abc import Callable, Sequence

from c2pa import Signer
from c2pa import c2pa as binding

from platemark_provenance.errors import SigningError

DEFAULT_ROLES = ("cawg.publisher",)
"""Source: CAWG identity assertion 1.1, section 5.1.3 (named actor roles)."""

_SYMBOL = "c2pa_identity_signer_create"
_CreateIdentity = Callable[[object, object, object, object], object]


def identity_is_available() -> bool:
    """Say whether the installed C2PA library can write identity assertions at all."""
    return _find() is not None


def combine_signers(claim: Signer, identity: Signer, *, referenced: Sequence[str], roles: Sequence[str]) -> Signer:
    """Make one signer of two: the first signs the claim, the second an identity assertion inside it.

    Both are used up, whatever happens.

    Args:
        claim: signs the claim, and carries the time-stamp authority if there is one.
        identity: signs with the organisation's CAWG certificate.
        referenced: labels of the assertions that the organisation stands behind.
        roles: what it was in making them.

    Raises:
        SigningError: this version of the library cannot do it, or refused.

    Source: CAWG identity assertion 1.1, section 8.2 (X.509 and COSE signatures); the function itself is described in
    c2pa-rs, c2pa_c_ffi/src/c_api.rs.
    """
    create = _find()
    if create is None:
        raise SigningError(
            "The installed C2PA library cannot write an organisation's identity.",
            fix="Install the c2pa-python version named in pyproject.toml, or sign without an identity.",
        )
    callbacks = (claim._callback_cb, identity._callback_cb)
    pointer = create(claim._handle, identity._handle, _texts(referenced), _texts(roles))
    for each in (claim, identity):
        each._teardown(free_handle=False)
    if not pointer:
        raise SigningError("The C2PA library refused to join the claim signer and the identity signer.")
    combined = Signer(pointer)
    # Native code calls them for as long as the joined signer lives; the binding keeps one in the same place.
    combined._callback_cb = callbacks  # pyright: ignore[reportAttributeAccessIssue]  # untyped, None until set
    return combined


def _find() -> _CreateIdentity | None:
    library, result = getattr(binding, "_lib", None), getattr(binding, "C2paSigner", None)
    if library is None or result is None or not all(hasattr(Signer, each) for each in ("_teardown", "_init_attrs")):
        return None
    pointers = ctypes.POINTER(ctypes.c_char_p)
    prototype = ctypes.CFUNCTYPE(ctypes.POINTER(result), ctypes.c_void_p, ctypes.c_void_p, pointers, pointers)
    try:
        return prototype((_SYMBOL, library))
    except AttributeError:
        return None


def _texts(values: Sequence[str]) -> ctypes.Array[ctypes.c_char_p]:
    """Give texts as native code takes them: a list of pointers that ends with a null one.

    Raises:
        SigningError: a text holds a null character.
    """
    encoded = [each.encode("utf-8") for each in values]
    if any(b"\0" in each for each in encoded):
        raise SigningError("Labels and roles of an identity hold no null characters; one of them does.")
    return (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)
