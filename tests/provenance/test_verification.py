"""Whatever a file holds, reading it gives an answer on every axis, and nothing is fetched."""

import http.server
import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ObjectIdentifier
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platemark_provenance import verification
from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import VerificationError
from platemark_provenance.manifest import ManifestFacts
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.signing import SignedAsset
from platemark_provenance.trust import TrustStore
from platemark_provenance.verdict import Verdict, judge
from platemark_provenance.verification import ProvenanceReading, read_crjson, read_provenance, read_stored_manifest

Leaf = tuple[bytes, bytes]
WriteCopy = Callable[[bytes], Path]

EDITED: dict[str, JsonValue] = {
    "claim_generator_info": [{"name": "editor", "version": "1"}],
    "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [{"action": "c2pa.edited"}]}}],
}
BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _box(content: bytes, kind: bytes) -> tuple[int, int]:
    """Give the start and end of a top-level MP4 box."""
    at = 0
    while content[at + 4 : at + 8] != kind:
        at += int.from_bytes(content[at : at + 4], "big")
    return at, at + int.from_bytes(content[at : at + 4], "big")


def _flip(content: bytes, at: int, bit: int = 0) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1 << bit
    return bytes(changed)


@pytest.fixture(scope="module")
def signed(signed_clip: SignedAsset) -> bytes:
    return signed_clip.path.read_bytes()


# What a good file gives


def test_our_own_clip_is_trusted_on_every_axis(signed_clip: SignedAsset, trust: TrustStore) -> None:
    reading = read_provenance(signed_clip.path, trust)

    assert (reading.state, reading.integrity, reading.signer) == ("present", "intact", "trusted")
    assert (reading.timestamp, reading.identity, reading.ingredients) == ("none", "none", "none")
    assert reading.ai == "fully"
    assert reading.failed_manifest is None
    assert reading.active_label == signed_clip.label


def test_our_own_clip_tells_who_made_it_with_what_and_when(
    signed_clip: SignedAsset, trust: TrustStore, facts: ManifestFacts
) -> None:
    reading = read_provenance(signed_clip.path, trust)

    assert reading.signer_name == "Example News"
    assert reading.generator == "platemark 0.1.0"
    assert reading.signed_at == facts.created_at.replace(microsecond=0)


def test_our_own_assertions_come_back_as_they_were(
    signed_clip: SignedAsset, trust: TrustStore, facts: ManifestFacts
) -> None:
    own = read_provenance(signed_clip.path, trust).own

    assert own is not None
    assert (own.clip_id, own.watermark_id) == (facts.clip_id, facts.watermark_id)
    assert (own.label, own.ledger) == (facts.label, facts.ledger)


def test_without_anchors_the_clip_is_intact_and_its_signer_untrusted(signed_clip: SignedAsset) -> None:
    reading = read_provenance(signed_clip.path, TrustStore())

    assert (reading.integrity, reading.signer) == ("intact", "untrusted")
    assert "signingCredential.untrusted" in reading.codes
    assert judge(reading).exit_code == 6


def test_a_foreign_root_trusts_nobody_of_ours(signed_clip: SignedAsset, stranger_pki: DevelopmentPki) -> None:
    reading = read_provenance(signed_clip.path, TrustStore(manifest_anchors=(stranger_pki.root_pem,)))

    assert (reading.integrity, reading.signer) == ("intact", "untrusted")


@pytest.mark.parametrize("kind", ["tsa_anchors", "cawg_anchors"])
def test_only_a_manifest_anchor_makes_a_signer_trusted(
    signed_clip: SignedAsset, pki: DevelopmentPki, kind: str
) -> None:
    reading = read_provenance(signed_clip.path, TrustStore(**{kind: (pki.root_pem,)}))

    assert reading.signer == "untrusted"


def test_a_certificate_with_only_the_official_usage_is_trusted_all_the_same(
    make_leaf: Callable[..., Leaf],
    sign_foreign: Callable[..., bytes],
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    trust: TrustStore,
    write_copy: WriteCopy,
) -> None:
    leaf = make_leaf(usages=(ObjectIdentifier("1.3.6.1.4.1.62558.2.1"),))

    reading = read_provenance(write_copy(sign_foreign(plain_clip_bytes, leaf, manifest)), trust)

    assert reading.signer == "trusted"


def test_the_name_of_a_file_does_not_matter(signed: bytes, trust: TrustStore, tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(signed)

    assert read_provenance(path, trust).signer == "trusted"


def test_a_big_file_is_read_with_bounded_memory_to_the_same_result(
    signed_clip: SignedAsset, trust: TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = read_provenance(signed_clip.path, trust)
    monkeypatch.setattr("platemark_provenance.trust.BIG_FILE_BYTES", 0)

    assert read_provenance(signed_clip.path, trust) == small


# What was changed


@BOUNDED
@given(st.data())
def test_a_flipped_bit_in_the_media_is_tampering(
    signed: bytes, trust: TrustStore, tmp_path: Path, data: st.DataObject
) -> None:
    start, end = _box(signed, b"mdat")
    at = data.draw(st.integers(start + 8, end - 1))
    path = tmp_path / "flipped.mp4"
    path.write_bytes(_flip(signed, at, data.draw(st.integers(0, 7))))

    reading = read_provenance(path, trust)

    assert (reading.state, reading.integrity) == ("present", "tampered")
    assert judge(reading).verdict is Verdict.TAMPERED
    assert reading.ai == "unknown"


@BOUNDED
@given(st.data())
def test_a_flipped_bit_in_the_index_is_never_trusted(
    signed: bytes, trust: TrustStore, tmp_path: Path, data: st.DataObject
) -> None:
    start, end = _box(signed, b"moov")
    at = data.draw(st.integers(start + 8, end - 1))
    path = tmp_path / "flipped.mp4"
    path.write_bytes(_flip(signed, at, data.draw(st.integers(0, 7))))

    assert judge(read_provenance(path, trust)).exit_code != 0


@settings(BOUNDED, max_examples=150)
@given(st.data())
def test_a_flipped_bit_in_the_manifest_never_changes_what_a_trusted_file_says(
    signed: bytes, signed_clip: SignedAsset, trust: TrustStore, tmp_path: Path, data: st.DataObject
) -> None:
    start, end = _box(signed, b"uuid")
    at = data.draw(st.integers(start, end - 1))
    path = tmp_path / "flipped.mp4"
    path.write_bytes(_flip(signed, at, data.draw(st.integers(0, 7))))

    reading = read_provenance(path, trust)

    assert reading.integrity != "intact" or _said(reading) == _said(read_provenance(signed_clip.path, trust))


def _said(reading: ProvenanceReading) -> tuple[object, ...]:
    return (reading.signer, reading.signer_name, reading.generator, reading.own, reading.soft_bindings, reading.ai)


@BOUNDED
@given(st.data())
def test_a_truncated_file_gets_an_answer_and_is_never_trusted(
    signed: bytes, trust: TrustStore, tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(signed[: data.draw(st.integers(0, len(signed) - 1))])

    assert judge(read_provenance(path, trust)).exit_code != 0


@BOUNDED
@given(
    st.binary(max_size=2000), st.sampled_from([b"", b"\x00\x00\x00\x18ftypmp42", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n"])
)
def test_random_bytes_get_an_answer(tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.bin"
    path.write_bytes(start + noise)

    reading = read_provenance(path, TrustStore())

    assert reading.state in {"absent", "malformed"}
    assert (reading.integrity, reading.signer) == ("unknown", "not_checked")


def test_appended_bytes_are_tampering(signed: bytes, trust: TrustStore, write_copy: WriteCopy) -> None:
    reading = read_provenance(write_copy(signed + b"\x00\x00\x00\x10uuid12345678"), trust)

    assert judge(reading).exit_code == 5


def test_the_manifest_of_another_clip_is_tampering(
    signed: bytes, other_clip: Path, trust: TrustStore, write_copy: WriteCopy
) -> None:
    other, (start, end) = other_clip.read_bytes(), _box(signed, b"uuid")
    after_ftyp = _box(other, b"ftyp")[1]

    transplanted = other[:after_ftyp] + signed[start:end] + other[after_ftyp:]
    reading = read_provenance(write_copy(transplanted), trust)

    assert (reading.integrity, reading.signer) == ("tampered", "trusted")
    assert judge(reading).verdict is Verdict.TAMPERED


def test_a_broken_signature_names_no_signer(signed: bytes, trust: TrustStore, write_copy: WriteCopy) -> None:
    title_in_claim = signed.rindex(b"City lights at night")

    reading = read_provenance(write_copy(_flip(signed, title_in_claim)), trust)

    assert (reading.integrity, reading.signer, reading.signer_name) == ("tampered", "not_checked", None)
    assert "claimSignature.mismatch" in reading.codes
    assert reading.failed_manifest == reading.active_label


def test_two_manifests_in_one_file_are_unreadable(signed: bytes, trust: TrustStore, write_copy: WriteCopy) -> None:
    start, end = _box(signed, b"uuid")

    reading = read_provenance(write_copy(signed[:end] + signed[start:end] + signed[end:]), trust)

    assert reading.state == "malformed"
    assert judge(reading).verdict is Verdict.UNREADABLE


def test_a_hidden_manifest_looks_absent_and_its_remains_are_reported(
    signed: bytes, trust: TrustStore, write_copy: WriteCopy
) -> None:
    start, _ = _box(signed, b"uuid")

    reading = read_provenance(write_copy(signed[: start + 4] + b"free" + signed[start + 8 :]), trust)

    assert (reading.state, reading.codes) == ("absent", ("platemark.manifest.remains-found",))


def test_remains_are_found_across_the_pieces_of_a_search(
    signed: bytes, trust: TrustStore, write_copy: WriteCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "_CHUNK", 5)
    start, end = _box(signed, b"uuid")
    small = signed[: start + 4] + b"free" + signed[start + 8 : end]

    assert read_provenance(write_copy(small), trust).codes == ("platemark.manifest.remains-found",)


# What is not there


def test_a_clip_without_a_manifest_is_absent_and_proves_nothing(plain_clip: Path, trust: TrustStore) -> None:
    reading = read_provenance(plain_clip, trust)

    assert (reading.state, reading.integrity, reading.signer) == ("absent", "unknown", "not_checked")
    assert reading.codes == ("platemark.manifest.not-found",)
    assert judge(reading).verdict is Verdict.NONE
    assert "proves nothing" in judge(reading).explain("en")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", b"hello\n" * 50, os.urandom(4000), b"PK\x03\x04" + bytes(200), b"<html></html>"],
    ids=["empty", "one byte", "text", "random", "zip", "html"],
)
def test_what_is_no_media_file_is_unreadable(content: bytes, write_copy: WriteCopy) -> None:
    reading = read_provenance(write_copy(content), TrustStore())

    assert (reading.state, reading.media_recognised) == ("absent", False)
    assert judge(reading).verdict is Verdict.UNREADABLE
    assert judge(reading).exit_code == 5


def test_a_cut_off_start_of_a_manifest_is_malformed(signed: bytes, trust: TrustStore, write_copy: WriteCopy) -> None:
    start, end = _box(signed, b"uuid")

    reading = read_provenance(write_copy(signed[: (start + end) // 2]), trust)

    assert reading.state == "malformed"


# What went into it


def test_an_edit_of_our_own_clip_is_trusted_with_good_ingredients(
    signed: bytes, own_leaf: Leaf, sign_foreign: Callable[..., bytes], trust: TrustStore, write_copy: WriteCopy
) -> None:
    edit = sign_foreign(signed, own_leaf, EDITED, edit=True)

    reading = read_provenance(write_copy(edit), trust)

    assert (reading.signer, reading.ingredients, reading.ingredient_fault) == ("trusted", "ok", None)
    assert reading.ai == "fully"
    assert judge(reading).verdict is Verdict.TRUSTED


def test_a_tampered_ingredient_is_not_laundered_by_a_trusted_signature(
    signed: bytes, own_leaf: Leaf, sign_foreign: Callable[..., bytes], trust: TrustStore, write_copy: WriteCopy
) -> None:
    tampered = _flip(signed, _box(signed, b"mdat")[0] + 500)

    reading = read_provenance(write_copy(sign_foreign(tampered, own_leaf, EDITED, edit=True)), trust)

    assert (reading.integrity, reading.signer) == ("intact", "trusted")
    assert (reading.ingredients, reading.ingredient_fault) == ("failed", "recorded")
    assert judge(reading).exit_code == 6


def test_a_tampered_ingredient_is_seen_through_two_edits(
    signed: bytes, own_leaf: Leaf, sign_foreign: Callable[..., bytes], trust: TrustStore, write_copy: WriteCopy
) -> None:
    tampered = _flip(signed, _box(signed, b"mdat")[0] + 500)
    once = sign_foreign(tampered, own_leaf, EDITED, edit=True)

    reading = read_provenance(write_copy(sign_foreign(once, own_leaf, EDITED, edit=True)), trust)

    assert (reading.ingredients, reading.ingredient_fault) == ("failed", "recorded")


def test_an_ingredient_of_an_unknown_signer_is_reported(
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    own_leaf: Leaf,
    stranger_leaf: Leaf,
    sign_foreign: Callable[..., bytes],
    trust: TrustStore,
    write_copy: WriteCopy,
) -> None:
    foreign = sign_foreign(plain_clip_bytes, stranger_leaf, manifest)

    reading = read_provenance(write_copy(sign_foreign(foreign, own_leaf, EDITED, edit=True)), trust)

    assert (reading.signer, reading.ingredients, reading.ingredient_fault) == ("trusted", "failed", "untrusted")
    assert judge(reading).verdict is Verdict.INTACT


def test_an_ingredient_whose_signer_is_trusted_by_now_is_good(
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    own_leaf: Leaf,
    stranger_leaf: Leaf,
    pki: DevelopmentPki,
    stranger_pki: DevelopmentPki,
    sign_foreign: Callable[..., bytes],
    write_copy: WriteCopy,
) -> None:
    foreign = sign_foreign(plain_clip_bytes, stranger_leaf, manifest)
    both = TrustStore(manifest_anchors=(pki.root_pem, stranger_pki.root_pem))

    reading = read_provenance(write_copy(sign_foreign(foreign, own_leaf, EDITED, edit=True)), both)

    assert (reading.signer, reading.ingredients) == ("trusted", "ok")


def test_a_change_to_an_ingredients_manifest_after_signing_is_tampering(
    signed: bytes, own_leaf: Leaf, sign_foreign: Callable[..., bytes], trust: TrustStore, write_copy: WriteCopy
) -> None:
    edit = sign_foreign(signed, own_leaf, EDITED, edit=True)
    changed = _flip(edit, edit.rindex(b"Visible label") + 2)

    reading = read_provenance(write_copy(changed), trust)

    assert (reading.ingredients, reading.ingredient_fault) == ("failed", "tampered")
    assert judge(reading).verdict is Verdict.TAMPERED


def test_unsigned_material_is_an_ingredient_with_nothing_against_it(
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    own_leaf: Leaf,
    sign_foreign: Callable[..., bytes],
    trust: TrustStore,
    write_copy: WriteCopy,
) -> None:
    still = ({"title": "still", "relationship": "inputTo"}, plain_clip_bytes)

    reading = read_provenance(
        write_copy(sign_foreign(plain_clip_bytes, own_leaf, manifest, ingredients=(still,))), trust
    )

    assert (reading.signer, reading.ingredients) == ("trusted", "ok")


# What lies elsewhere


@pytest.fixture
def listening_server() -> Iterator[tuple[str, list[str]]]:
    """A server on the loopback address that notes every request."""
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/manifest.c2pa", requests
        server.shutdown()


def test_a_manifest_on_a_server_is_never_fetched(
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    own_leaf: Leaf,
    sign_foreign: Callable[..., bytes],
    trust: TrustStore,
    write_copy: WriteCopy,
    listening_server: tuple[str, list[str]],
) -> None:
    url, requests = listening_server
    content = sign_foreign(plain_clip_bytes, own_leaf, manifest, remote_url=url)

    reading = read_provenance(write_copy(content), trust)

    assert requests == []
    assert (reading.state, reading.integrity, reading.signer) == ("remote_only", "unknown", "not_checked")
    assert judge(reading).exit_code == 4
    assert "server" in judge(reading).explain("en")


def test_a_sidecar_is_used_for_the_file_it_belongs_to(
    plain_clip_bytes: bytes, signed_clip: SignedAsset, trust: TrustStore, write_copy: WriteCopy
) -> None:
    reading = read_provenance(write_copy(plain_clip_bytes), trust, sidecar=signed_clip.manifest)

    assert (reading.state, reading.signer) == ("present", "trusted")
    assert reading.integrity == "tampered"


@pytest.mark.parametrize("junk", [b"", b"junk", bytes(500), b"jumdc2pa" * 20])
def test_a_junk_sidecar_is_malformed(plain_clip: Path, trust: TrustStore, junk: bytes) -> None:
    reading = read_provenance(plain_clip, trust, sidecar=junk)

    assert reading.state == "malformed"


def test_a_stored_manifest_tells_who_signed_without_its_content(
    signed_clip: SignedAsset, trust: TrustStore, facts: ManifestFacts
) -> None:
    reading = read_stored_manifest(signed_clip.manifest, trust)

    assert (reading.state, reading.integrity, reading.signer) == ("present", "unknown", "trusted")
    assert (reading.signer_name, reading.ai) == ("Example News", "fully")
    assert reading.own is not None
    assert reading.own.clip_id == facts.clip_id


def test_a_changed_stored_manifest_is_tampered(signed_clip: SignedAsset, trust: TrustStore) -> None:
    changed = _flip(signed_clip.manifest, signed_clip.manifest.index(b"decision-1"))

    reading = read_stored_manifest(changed, trust)

    assert reading.integrity == "tampered"


@settings(BOUNDED, max_examples=40)
@given(st.binary(max_size=300))
def test_any_bytes_as_a_stored_manifest_get_an_answer(noise: bytes) -> None:
    assert read_stored_manifest(noise, TrustStore()).signer == "not_checked"


# What cannot be opened


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="could not be opened"):
        read_provenance(tmp_path / "missing.mp4", TrustStore())


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="regular file"):
        read_provenance(tmp_path, TrustStore())


def test_a_pipe_is_an_error_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(VerificationError, match="regular file"):
        read_provenance(tmp_path / "pipe", TrustStore())


def test_a_report_beyond_bounds_is_malformed(
    signed_clip: SignedAsset, trust: TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MAX_REPORT_CHARACTERS", 1000)

    reading = read_provenance(signed_clip.path, trust)

    assert (reading.state, reading.codes) == ("malformed", ("platemark.manifest.report-unreadable",))


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_reading_works_in_a_forked_child(signed_clip: SignedAsset, trust: TrustStore) -> None:
    assert read_provenance(signed_clip.path, trust).signer == "trusted"

    child = os.fork()
    if child == 0:
        os._exit(0 if read_provenance(signed_clip.path, trust).signer == "trusted" else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# Lists that are no longer kept up


def test_a_signer_on_a_legacy_list_alone_is_legacy_trusted_and_no_more(
    signed_clip: SignedAsset, pki: DevelopmentPki, stranger_pki: DevelopmentPki
) -> None:
    trust = TrustStore(manifest_anchors=(stranger_pki.root_pem,), legacy_anchors=(pki.root_pem,))

    reading = read_provenance(signed_clip.path, trust)

    assert (reading.integrity, reading.signer, reading.on_legacy_list) == ("intact", "legacy_trusted", True)
    assert (judge(reading).verdict, judge(reading).exit_code) == (Verdict.INTACT, 6)


def test_a_signer_on_a_list_in_force_is_trusted_whatever_old_lists_say(
    signed_clip: SignedAsset, pki: DevelopmentPki
) -> None:
    reading = read_provenance(
        signed_clip.path, TrustStore(manifest_anchors=(pki.root_pem,), legacy_anchors=(pki.root_pem,))
    )

    assert (reading.signer, reading.on_legacy_list) == ("trusted", False)


def test_a_legacy_list_of_others_changes_nothing(signed_clip: SignedAsset, stranger_pki: DevelopmentPki) -> None:
    with_list = read_provenance(signed_clip.path, TrustStore(legacy_anchors=(stranger_pki.root_pem,)))

    assert with_list == read_provenance(signed_clip.path, TrustStore())


def test_a_legacy_list_mends_no_tampering(signed: bytes, pki: DevelopmentPki, write_copy: WriteCopy) -> None:
    path = write_copy(_flip(signed, _box(signed, b"mdat")[0] + 500))

    assert judge(read_provenance(path, TrustStore(legacy_anchors=(pki.root_pem,)))).verdict is Verdict.TAMPERED


def test_a_legacy_list_does_not_make_an_expired_signer_good(signed_clip: SignedAsset, pki: DevelopmentPki) -> None:
    later = datetime.now(UTC) + timedelta(days=5000)

    reading = read_provenance(signed_clip.path, TrustStore(legacy_anchors=(pki.root_pem,)), now=later)

    assert (reading.signer, reading.on_legacy_list) == ("untrusted", False)


# What the library itself says


def test_crjson_is_the_librarys_own_report(signed_clip: SignedAsset, trust: TrustStore) -> None:
    found = json.loads(read_crjson(signed_clip.path, trust) or "")

    assert found["manifests"][0]["label"] == signed_clip.label
    assert "crjson" in str(found["@context"])


def test_without_a_manifest_there_is_no_crjson(plain_clip: Path, trust: TrustStore) -> None:
    assert read_crjson(plain_clip, trust) is None


def test_crjson_of_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="could not be opened"):
        read_crjson(tmp_path / "missing.mp4", TrustStore())


def test_a_name_with_a_zero_byte_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="could not be opened"):
        read_provenance(tmp_path / "a\x00b", TrustStore())


# What it was made from


def test_a_clips_own_history_is_told(signed_clip: SignedAsset, trust: TrustStore, facts: ManifestFacts) -> None:
    history = read_provenance(signed_clip.path, trust).history

    assert history is not None
    assert (history.root.state, history.root.signer, history.root.ingredients) == ("present", "Example News", ())
    assert history.timeline[0].action == "c2pa.created"
    assert history.timeline[0].source == "trainedAlgorithmicMedia"


def test_a_tampered_ingredient_is_pointed_out_in_the_history(
    signed: bytes, own_leaf: Leaf, sign_foreign: Callable[..., bytes], trust: TrustStore, write_copy: WriteCopy
) -> None:
    tampered = _flip(signed, _box(signed, b"mdat")[0] + 500)

    history = read_provenance(write_copy(sign_foreign(tampered, own_leaf, EDITED, edit=True)), trust).history

    assert history is not None
    (parent,) = history.root.ingredients
    assert (history.root.state, parent.state, parent.relationship) == ("present", "failed", "parentOf")
    assert "assertion.bmffHash.mismatch" in parent.codes
    assert history.timeline[0].action == "c2pa.created"


def test_material_without_a_manifest_is_told_as_such(
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    own_leaf: Leaf,
    sign_foreign: Callable[..., bytes],
    trust: TrustStore,
    write_copy: WriteCopy,
) -> None:
    still = ({"title": "still", "relationship": "inputTo"}, plain_clip_bytes)
    content = sign_foreign(plain_clip_bytes, own_leaf, manifest, ingredients=(still,))

    history = read_provenance(write_copy(content), trust).history

    assert history is not None
    (found,) = history.root.ingredients
    assert (found.title, found.relationship, found.state, found.signer) == ("still", "inputTo", "unsigned", None)


def test_a_stored_manifest_without_its_content_tells_its_history_too(
    signed_clip: SignedAsset, trust: TrustStore
) -> None:
    history = read_stored_manifest(signed_clip.manifest, trust).history

    assert history is not None
    assert (history.root.state, history.root.codes) == ("present", ())
