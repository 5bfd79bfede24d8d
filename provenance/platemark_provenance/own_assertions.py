"""Read back what a platemark manifest says about its clip.

One rule: anyone can write these assertions into a manifest of their own, so they are claims of the manifest's
signer and nothing more; every field is checked for form, and one bad field drops its assertion.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from platemark_provenance.correction import Correction, read_corrections
from platemark_provenance.manifest_facts import WATERMARK_ALGORITHM, LabelFacts, LedgerFacts
from platemark_provenance.manifest_parts import (
    CORRECTION_LABEL,
    GENERATION_LABEL,
    LEDGER_LABEL,
    OVERRIDE_LABEL,
    POLICY_LABEL,
    PUBLICATION_LABEL,
    SOFT_BINDING_LABEL,
    VISIBLE_LABEL_LABEL,
)
from platemark_provenance.plain_text import plain_text
from platemark_provenance.publication import Publication, read_publication

MAX_SOFT_BINDINGS = 64
MAX_VALUE_CHARACTERS = 4096
"""Registered algorithms put at most a few hundred bytes into a block."""

_CLIP_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_PIXELS = 65_535


@dataclass(frozen=True, slots=True)
class SoftBinding:
    """A declared watermark or fingerprint: the algorithm's name and the value as written in the manifest."""

    alg: str
    value: str


@dataclass(frozen=True, slots=True)
class OwnAssertions:
    """What the manifest says in our own assertions; a field is None where it is absent or malformed.

    `watermark_id` is 16 hexadecimal digits. `override_reason`: why an ingredient was used that would have been refused.
    `publication`: whether it is a draft or approved for publication. `corrections`: what was corrected, oldest first.
    `for_tests_only`: the rules that let it pass were for tests only.
    """

    clip_id: str | None = None
    watermark_id: str | None = None
    label: LabelFacts | None = None
    ledger: LedgerFacts | None = None
    override_reason: str | None = None
    publication: Publication | None = None
    corrections: tuple[Correction, ...] = ()
    for_tests_only: bool = False


def read_soft_bindings(assertions: Sequence[object]) -> tuple[SoftBinding, ...]:
    """List the soft bindings a manifest declares, the first 64 of them."""
    found = [
        SoftBinding(alg=plain_text(alg, 200), value=value)
        for data in _all_data(assertions, SOFT_BINDING_LABEL)
        if isinstance(alg := data.get("alg"), str)
        for block in _sequence(data.get("blocks"))
        if isinstance(value := _mapping(block).get("value"), str) and len(value) <= MAX_VALUE_CHARACTERS
    ]
    return tuple(found[:MAX_SOFT_BINDINGS])


def read_own_assertions(assertions: Sequence[object]) -> OwnAssertions | None:
    """Read our own assertions and soft binding out of a manifest's list of assertions; None where there are none."""
    own = OwnAssertions(
        clip_id=_read_clip_id(_data(assertions, GENERATION_LABEL)),
        watermark_id=_read_watermark_id(read_soft_bindings(assertions)),
        label=_read_label(_data(assertions, VISIBLE_LABEL_LABEL)),
        ledger=_read_ledger(_data(assertions, LEDGER_LABEL)),
        override_reason=_read_reason(_data(assertions, OVERRIDE_LABEL)),
        publication=read_publication(_all_data(assertions, PUBLICATION_LABEL)),
        corrections=read_corrections(_all_data(assertions, CORRECTION_LABEL)),
        for_tests_only=any(data.get("for_tests_only") is True for data in _all_data(assertions, POLICY_LABEL)),
    )
    return None if own == OwnAssertions() else own


def _read_clip_id(data: Mapping[str, object]) -> str | None:
    clip_id = data.get("clip_id")
    return clip_id if isinstance(clip_id, str) and _CLIP_ID.fullmatch(clip_id) else None


def _read_watermark_id(bindings: Sequence[SoftBinding]) -> str | None:
    """Decode the id of our own algorithm; two different ones contradict each other and count as none."""
    ids = {_decode_mark(each.value) for each in bindings if each.alg == WATERMARK_ALGORITHM}
    return ids.pop() if len(ids) == 1 else None


def _decode_mark(value: str) -> str | None:
    try:
        decoded = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return None
    return decoded.hex() if len(decoded) == 8 else None


def _read_label(data: Mapping[str, object]) -> LabelFacts | None:
    text, language, box = data.get("text"), data.get("language"), _mapping(data.get("box"))
    sides = [side for name in ("x", "y", "width", "height") if _is_count(side := box.get(name), _MAX_PIXELS)]
    if not isinstance(text, str) or not isinstance(language, str) or len(sides) != 4:
        return None
    x, y, width, height = sides
    cue, icon = (_named_hash(_mapping(data.get(name)).get("sha256")) for name in ("cue", "icon"))
    read = LabelFacts(plain_text(text, 80), plain_text(language, 35), (x, y, width, height))
    return replace(read, cue_sha256=cue, icon_sha256=icon)


def _named_hash(told: object) -> str:
    return told if isinstance(told, str) and _SHA256.fullmatch(told) else ""


def _read_ledger(data: Mapping[str, object]) -> LedgerFacts | None:
    origin, size, root = data.get("origin"), data.get("size"), data.get("root")
    if not isinstance(origin, str) or not isinstance(root, str) or not _SHA256.fullmatch(root):
        return None
    if not _is_count(size, 2**53 - 1):
        return None
    return LedgerFacts(origin=plain_text(origin, 80), size=size, root=root)


def _read_reason(data: Mapping[str, object]) -> str | None:
    reason = data.get("reason")
    return plain_text(reason, 300) or None if isinstance(reason, str) else None


def _is_count(value: object, limit: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= limit


def _all_data(assertions: Sequence[object], label: str) -> list[Mapping[str, object]]:
    """Give the content of every assertion with this label, also where the library numbered them (`label__2`)."""
    named = ((str(_mapping(each).get("label")).split("__")[0], each) for each in assertions)
    return [_mapping(_mapping(each).get("data")) for name, each in named if name == label]


def _data(assertions: Sequence[object], label: str) -> Mapping[str, object]:
    """Give the content of the one assertion with this label; two of them contradict each other and count as none."""
    found = _all_data(assertions, label)
    return found[0] if len(found) == 1 else {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
