"""Claims signed, and keys wrapped, inside a hardware token through PKCS#11: the only importer of python-pkcs11.

One rule: a session lives for one signature or key. A forked worker, a token that was pulled out and put back, and two
threads at once then need no special care, and nobody stays logged in.

Source: PKCS #11 Cryptographic Token Interface 3.0, sections 2.3.6 (ECDSA), 2.1.10 (RSA-PSS), 2.3.13 (EdDSA).
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.signers.algorithms import SigningAlgorithm, algorithm_named, digest_of, raw_signature
from platemark_provenance.signers.pkcs11_uri import TokenAddress, parse_token_uri
from platemark_provenance.signers.uri import AskSecret, SignerRequest
from platemark_provenance.signers.wrapping import WrapperRequest, wrapper_name

try:
    import pkcs11
    from pkcs11.exceptions import PinIncorrect, PinLocked, PKCS11Error
    from pkcs11.types import DecryptMixin, EncryptMixin, SignMixin
except ImportError as error:
    raise KeyUnavailable(
        "Keys in hardware tokens need the package python-pkcs11, which is not installed.",
        fix="Run: pip install 'platemark[pkcs11]'",
    ) from error

_one_at_a_time = threading.Lock()
"""A token's login belongs to the whole process (PKCS #11, section 5.6.8): two threads would log each other out."""

_NONCE_BYTES = 12
_MECHANISMS = {
    "ecdsa": pkcs11.Mechanism.ECDSA,
    "rsa-pss": pkcs11.Mechanism.RSA_PKCS_PSS,
    "ed25519": pkcs11.Mechanism.EDDSA,
}
_PSS = {
    "ps256": (pkcs11.Mechanism.SHA256, pkcs11.MGF.SHA256, 32),
    "ps384": (pkcs11.Mechanism.SHA384, pkcs11.MGF.SHA384, 48),
    "ps512": (pkcs11.Mechanism.SHA512, pkcs11.MGF.SHA512, 64),
}


@dataclass(frozen=True, slots=True, repr=False)
class TokenSigner:
    """Signs with a key that never leaves its token. Has no repr, so that a log line cannot show the PIN.

    Args:
        alg: one of the names in `SIGNING_ALGORITHMS`.
        chain_pem: the certificates in PEM, leaf first.
        address: which library, token and key.
        pin: the user PIN; `None` for a token that asks for none.
    """

    alg: str
    chain_pem: bytes
    address: TokenAddress
    pin: str | None

    def sign(self, data: bytes) -> bytes:
        """Log in, sign, log out.

        Raises:
            KeyUnavailable: the library, the token or the key is not there, the PIN is wrong, or the token refused.
        """
        algorithm = algorithm_named(self.alg)
        with _one_at_a_time, _explained(), _token(self.address).open(user_pin=self.pin) as session:
            key = _only_key(session, self.address)
            return raw_signature(algorithm, _sign(key, algorithm, data))


@dataclass(frozen=True, slots=True, repr=False)
class TokenWrapper:
    """Wraps keys with an AES key that never leaves its token. Has no repr, so that a log line cannot show the PIN.

    Args:
        name: what rows are marked with.
        address: which library, token and key.
        pin: the user PIN; `None` for a token that asks for none.

    Source: PKCS #11 3.0, section 2.13 (CKM_AES_GCM); the subject is the additional data.
    """

    name: str
    address: TokenAddress
    pin: str | None

    def wrap(self, key: bytes, subject: str) -> bytes:
        """Encrypt a subject's key inside the token; see `KeyWrapper.wrap`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        with self._key() as wrapping:
            if not isinstance(wrapping, EncryptMixin):
                raise KeyUnavailable("The token's key is not one that may encrypt.")
            sealed = wrapping.encrypt(key, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=_gcm(nonce, subject))
        return nonce + _joined(sealed)

    def unwrap(self, wrapped: bytes, subject: str) -> bytes:
        """Decrypt a subject's key inside the token; see `KeyWrapper.unwrap`."""
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        with self._key() as wrapping:
            if not isinstance(wrapping, DecryptMixin):
                raise KeyUnavailable("The token's key is not one that may decrypt.")
            opened = wrapping.decrypt(sealed, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=_gcm(nonce, subject))
        return _joined(opened)

    @contextmanager
    def _key(self) -> Iterator[object]:
        with _one_at_a_time, _explained(), _token(self.address).open(user_pin=self.pin) as session:
            yield _only_key(session, self.address, pkcs11.ObjectClass.SECRET_KEY)


def open_token_wrapper(uri: str, request: WrapperRequest) -> TokenWrapper:
    """Open the AES key that a PKCS#11 URI names, after asking for the PIN where the token wants one.

    Raises:
        KeyUnavailable: the URI cannot be used, or its library or token is not there.
    """
    address = parse_token_uri(uri, kind="secret-key")
    return TokenWrapper(wrapper_name(uri), address, _ask_pin(address, request.ask_secret))


def _joined(answer: bytes | Iterator[bytes]) -> bytes:
    return answer if isinstance(answer, bytes) else b"".join(answer)


def _gcm(nonce: bytes, subject: str) -> pkcs11.GCMParams:
    return pkcs11.GCMParams(nonce, subject.encode(), 128)


def open_token(uri: str, request: SignerRequest) -> TokenSigner:
    """Open the key that a PKCS#11 URI names, after asking for the PIN where the token wants one.

    Raises:
        KeyUnavailable: the URI cannot be used, or its library or token is not there.
    """
    address = parse_token_uri(uri)
    return TokenSigner(request.alg, request.chain_pem, address, _ask_pin(address, request.ask_secret))


def _ask_pin(address: TokenAddress, ask_secret: AskSecret) -> str | None:
    with _one_at_a_time, _explained():
        wants_pin = pkcs11.TokenFlag.LOGIN_REQUIRED in _token(address).flags
    if not wants_pin:
        return None
    try:
        return ask_secret(f"the token {address.token or address.module.name}").decode("utf-8")
    except UnicodeDecodeError:
        raise KeyUnavailable("A token's PIN is text in UTF-8; this one is not.") from None  # it would quote it


def _token(address: TokenAddress) -> pkcs11.Token:
    if not address.module.is_file():
        raise KeyUnavailable(
            f"There is no PKCS#11 library at {address.module}.",
            fix="Install the token's library, or correct module-path.",
        )
    found = [slot.get_token() for slot in pkcs11.lib(str(address.module)).get_slots(token_present=True)
             if address.slot_id in (None, slot.slot_id)]  # fmt: skip
    fitting = [token for token in found if _is_named(token, address)]
    if len(fitting) != 1:
        raise KeyUnavailable(
            f"The PKCS#11 URI must name one token; {len(fitting)} of the {len(found)} at hand fit.",
            fix="Name it with token=, serial= or slot-id=, or put it in.",
        )
    return fitting[0]


def _is_named(token: pkcs11.Token, address: TokenAddress) -> bool:
    return (
        address.token in (None, token.label)
        and address.serial in (None, token.serial.decode("utf-8", "replace").strip())
        and address.manufacturer in (None, token.manufacturer_id)
        and address.model in (None, token.model)
    )


def _only_key(
    session: pkcs11.Session, address: TokenAddress, kind: pkcs11.ObjectClass = pkcs11.ObjectClass.PRIVATE_KEY
) -> object:
    """Find the one key that is meant. All are listed: a search that is left half done fails later, unheard."""
    wanted: dict[pkcs11.Attribute, object] = {pkcs11.Attribute.CLASS: kind}
    if address.label is not None:
        wanted[pkcs11.Attribute.LABEL] = address.label
    if address.key_id is not None:
        wanted[pkcs11.Attribute.ID] = address.key_id
    found = list(session.get_objects(wanted))
    if len(found) != 1:
        raise KeyUnavailable(
            f"The PKCS#11 URI must name one key on the token; {len(found)} fit.",
            fix="Name it with object= and id=; list them with: pkcs11-tool --list-objects",
        )
    return found[0]


def _sign(key: object, algorithm: SigningAlgorithm, content: bytes) -> bytes:
    if not isinstance(key, SignMixin):
        raise KeyUnavailable("The token's key is not one that may sign.")
    return key.sign(
        digest_of(algorithm, content),
        mechanism=_MECHANISMS[algorithm.family],
        mechanism_param=_PSS.get(algorithm.name),
    )


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what a token says into plain words. A wrong PIN is tried once: three tries lock most tokens."""
    try:
        yield
    except (PinIncorrect, PinLocked) as error:
        raise KeyUnavailable(
            f"The token refused the PIN ({type(error).__name__}); it was tried once.",
            fix="Correct the PIN before the next try: tokens lock after a few wrong ones.",
        ) from error
    except (PKCS11Error, RuntimeError, OSError) as error:
        raise KeyUnavailable(
            f"The token could not be used: {type(error).__name__}.", fix="Check that it is there and that it works."
        ) from error
