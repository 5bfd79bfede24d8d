"""PKCS#11 URIs: which token, which key, which library.

One rule: pure functions; an attribute that is not understood is refused, because ignoring one could choose another key.
A PIN never stands in a URI: configuration is copied, printed and backed up.

Source: RFC 7512.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from platemark_provenance.errors import KeyUnavailable

MAX_URI_CHARACTERS = 2_048
_PATH = frozenset({"token", "manufacturer", "serial", "model", "object", "type", "id", "slot-id"})
_QUERY = frozenset({"module-path"})
_SECRETS = frozenset({"pin-value", "pin-source"})
_NAME = re.compile(r"[a-z0-9_-]+")
_VALUE = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=&/?|-]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class TokenAddress:
    """What a PKCS#11 URI names. `None` means that the URI does not say, so anything fits.

    `module` is the library's file; `key_id` is CKA_ID; `label` is the key's CKA_LABEL, `token` the token's label.
    """

    module: Path
    token: str | None = None
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    slot_id: int | None = None
    label: str | None = None
    key_id: bytes | None = None


def parse_token_uri(uri: str, *, kind: str = "private") -> TokenAddress:
    """Read a PKCS#11 URI that names a key.

    Args:
        uri: the URI.
        kind: of the key: "private" for one that signs, "secret-key" for one that wraps others.

    Raises:
        KeyUnavailable: it is malformed, holds a PIN, names an attribute that is not known here, or leaves open which
            library or which key is meant.
    """
    if not uri.startswith("pkcs11:") or len(uri) > MAX_URI_CHARACTERS:
        raise _refused("it must start with pkcs11: and have at most 2048 characters")
    path, _, query = uri.removeprefix("pkcs11:").partition("?")
    named = _attributes(path, ";", _PATH)
    asked = _attributes(query, "&", _QUERY)
    if "module-path" not in asked:
        raise _refused("it does not say which library speaks to the token (module-path)")
    module = Path(_text("module-path", asked["module-path"]))
    if not module.is_absolute():
        raise _refused("module-path must be an absolute path")
    if named.get("type", kind.encode()) != kind.encode():
        why = "claims are signed with a private key" if kind == "private" else "keys are wrapped with a secret key"
        raise _refused(f"type must be {kind}: {why}")
    if "object" not in named and "id" not in named:
        raise _refused("it does not say which key is meant (object or id)")
    return TokenAddress(
        module=module,
        token=_maybe("token", named),
        manufacturer=_maybe("manufacturer", named),
        serial=_maybe("serial", named),
        model=_maybe("model", named),
        slot_id=_slot(named),
        label=_maybe("object", named),
        key_id=named.get("id"),
    )


def _attributes(text: str, separator: str, known: frozenset[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name in _SECRETS:
            raise KeyUnavailable(
                "A PKCS#11 URI in a configuration must not say the PIN or where it is.",
                fix='Remove pin-value and pin-source, and set [signing] secret = "env:NAME" or "prompt".',
            )
        if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise _refused("an attribute is written name=value, with other characters as %20")
        if name not in known:
            raise _refused(f"the attribute {name[:30]} is not one of {', '.join(sorted(known))}")
        if name in found:
            raise _refused(f"the attribute {name} stands there twice")
        found[name] = unquote_to_bytes(value)
    return found


def _maybe(name: str, found: Mapping[str, bytes]) -> str | None:
    return _text(name, found[name]) if name in found else None


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(f"{name} is not UTF-8") from error
    if not text or "\0" in text:
        raise _refused(f"{name} is empty or holds a zero byte")
    return text


def _slot(found: Mapping[str, bytes]) -> int | None:
    value = found.get("slot-id")
    if value is None:
        return None
    if not value.isdigit() or len(value) > 20:
        raise _refused("slot-id is a decimal number")
    return int(value)


def _refused(why: str) -> KeyUnavailable:
    return KeyUnavailable(
        f"This PKCS#11 URI cannot be used: {why}.",
        fix="For example: pkcs11:token=newsroom;object=claims?module-path=/usr/lib/softhsm/libsofthsm2.so",
    )
