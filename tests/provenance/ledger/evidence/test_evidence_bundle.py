"""A bundle proves what it holds, to somebody who has nothing else; every change to it is found."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerRequestError, VerificationError
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.evidence import bundle as form
from platemark_provenance.ledger.evidence.building import MOST_FRAMES, BundleRequest, build_bundle, page_data
from platemark_provenance.ledger.evidence.checking import check_bundle, read_key
from platemark_provenance.ledger.evidence.content import read_events_json
from platemark_provenance.ledger.store import Ledger

Change = Callable[[dict[str, bytes | None]], Path]


@pytest.fixture
def key(signing_key: Ed25519PrivateKey) -> Ed25519PublicKey:
    """The log's public key."""
    return signing_key.public_key()


def test_a_bundle_says_what_the_log_says(bundle: Path, key: Ed25519PublicKey) -> None:
    report = check_bundle(bundle, key)

    assert report.clip_id == "clip-a"
    assert [event.type for event in report.events] == [
        "prompt.submitted", "policy.decided", "manifest.signed", "clip.published", "audit.exported",
    ]  # fmt: skip
    assert report.file_sha256 == "ab" * 32
    assert report.key_was_given
    assert report.page_is_ours
    assert not report.is_withdrawn


def test_without_a_key_from_outside_the_report_says_so(bundle: Path) -> None:
    assert not check_bundle(bundle).key_was_given


def test_another_key_is_refused(bundle: Path) -> None:
    with pytest.raises(VerificationError, match="another key"):
        check_bundle(bundle, Ed25519PrivateKey.generate().public_key())


def test_the_events_are_the_logs_own_bytes(bundle: Path, published: Ledger) -> None:
    _, events = read_events_json(form.unpack(bundle)[form.EVENTS])

    stored = {event.seq: event.body for event in published.query(clip="clip-a")}
    assert {event.seq: event.body for event in events} == stored


def test_a_bundle_holds_no_name_and_no_prompt(bundle: Path) -> None:
    content = bundle.read_bytes()

    assert [word for word in (b"jw.kim", b"rain over the city", b"Kim Ji-woo", b"auditor") if word in content] == []


def test_the_same_files_make_the_same_bytes(bundle: Path) -> None:
    files = form.unpack(bundle)

    assert form.pack(dict(reversed(files.items()))) == bundle.read_bytes()


def test_a_bundle_is_an_ordinary_zip(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == archive.namelist()


def test_making_a_bundle_is_an_event_that_names_its_files(published: Ledger, bundle: Path) -> None:
    (event,) = published.query(type="audit.exported")

    named = event.facts["files"]
    assert isinstance(named, dict)
    assert named["label/frame-1.png"] == hashlib.sha256(form.unpack(bundle)["label/frame-1.png"]).hexdigest()


def test_a_second_bundle_holds_the_first_ones_event_and_is_whole(
    published: Ledger, bundle: Path, tmp_path: Path, key: Ed25519PublicKey
) -> None:
    second = tmp_path / "second.zip"
    second.write_bytes(build_bundle(published, BundleRequest("clip-a")))

    report = check_bundle(second, key)

    assert [event.type for event in report.events].count("audit.exported") == 2


def test_a_withdrawn_clip_is_told(published: Ledger, tmp_path: Path, key: Ed25519PublicKey) -> None:
    published.append(NewEvent(EventType.CLIP_WITHDRAWN, clip="clip-a", facts={"reason": "a mistake"}))
    path = tmp_path / "withdrawn.zip"
    path.write_bytes(build_bundle(published, BundleRequest("clip-a")))

    assert check_bundle(path, key).is_withdrawn


def test_a_clip_that_was_not_published_has_no_bundle_and_no_event(published: Ledger) -> None:
    before = published.head().size

    with pytest.raises(LedgerRequestError, match="not published"):
        build_bundle(published, BundleRequest("other-1"))

    assert published.head().size == before


def test_more_frames_than_a_bundle_takes_are_refused() -> None:
    with pytest.raises(LedgerRequestError, match="9"):
        BundleRequest("clip-a", frames=(b"x",) * (MOST_FRAMES + 1))


def swapped(content: bytes, old: str, new: str) -> bytes:
    assert old.encode() in content
    return content.replace(old.encode(), new.encode())


EDITS = {
    "a decision": (form.EVENTS, '\\"decision\\":\\"allow\\"', '\\"decision\\":\\"block\\"', "not in the signed log"),
    "a place": (form.EVENTS, '"seq": 302', '"seq": 301', "not in the signed log"),
    "the clip": (form.EVENTS, '"clip": "clip-a"', '"clip": "clip-b"', "another clip"),
    "the form": (form.EVENTS, "evidence/1", "evidence/2", "form"),
    "the size": (form.CHECKPOINT, "305", "306", "signature"),
    "the origin": (form.CHECKPOINT, "news.example", "news.examplf", "signed by the ledger"),
    "the receipt": (form.RECEIPT, "index 303", "index 302", "proof"),
    "the manifest": (form.MANIFEST, "a manifest", "b manifest", "manifest.c2pa"),
    "a frame": ("label/frame-1.png", "picture", "forgery", "label/frame-1.png"),
    "the page": (form.PAGE, "Checked in this browser", "Believe in this browser", "verify.html"),
    "the text": (form.README, "EVIDENCE", "Evidence", "README.txt"),
    "the page's data": (form.PAGE_DATA, "window.EVIDENCE", "window.evidence", "evidence.js"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_bundle_with_one_thing_edited_is_refused_and_the_thing_is_named(
    bundle: Path, changed: Change, key: Ed25519PublicKey, edit: str
) -> None:
    name, old, new, said = EDITS[edit]
    path = changed({name: swapped(form.unpack(bundle)[name], old, new)})

    with pytest.raises(VerificationError, match=said):
        check_bundle(path, key)


@pytest.mark.parametrize("name", ["label/frame-2.png", *sorted(form.ALWAYS)])
def test_a_bundle_that_lacks_a_file_is_refused(changed: Change, key: Ed25519PublicKey, name: str) -> None:
    with pytest.raises(VerificationError):
        check_bundle(changed({name: None}), key)


def test_a_frame_that_the_log_does_not_name_is_refused(changed: Change, key: Ed25519PublicKey) -> None:
    with pytest.raises(VerificationError, match=r"frame-3\.png"):
        check_bundle(changed({"label/frame-3.png": b"a forgery"}), key)


def test_an_event_left_out_of_the_middle_is_not_noticed_and_the_report_does_not_claim_it(
    bundle: Path, changed: Change, key: Ed25519PublicKey
) -> None:
    """Inclusion proofs show what is there, not that nothing else is; the README says so."""
    listed = json.loads(form.unpack(bundle)[form.EVENTS])
    listed["events"] = [event for event in listed["events"] if "policy.decided" not in event["body"]]
    files = form.unpack(bundle) | {form.EVENTS: json.dumps(listed).encode()}

    report = check_bundle(changed({**files, form.PAGE_DATA: page_data(files)}), key)

    assert len(report.events) == 4


def test_a_forger_with_a_key_of_his_own_is_found_by_the_publishers_key(
    changed: Change, bundle: Path, key: Ed25519PublicKey
) -> None:
    own = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(VerificationError, match="another key"):
        check_bundle(changed({form.KEY: own}), key)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "label/../../x.png", "label/frame-10.png", "extra.txt", "README.TXT", ""],
)
def test_a_name_that_bundles_do_not_have_is_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    files = form.unpack(bundle) | {name: b"x"}
    path = tmp_path / "named.zip"
    path.write_bytes(form.pack(files))

    with pytest.raises(VerificationError, match="no file named"):
        form.unpack(path)


def test_a_name_that_comes_twice_is_refused(bundle: Path) -> None:
    with zipfile.ZipFile(bundle, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(form.README, "another text")

    with pytest.raises(VerificationError, match="twice"):
        form.unpack(bundle)


def test_a_compressed_file_is_refused_before_it_is_read(bundle: Path) -> None:
    files = form.unpack(bundle) | {form.README: b"\0" * 50_000_000}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(form.README, files[form.README])
    bundle.write_bytes(packed.getvalue())

    with pytest.raises(VerificationError, match="compressed"):
        form.unpack(bundle)


def test_a_bundle_over_the_bound_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        os.truncate(file.fileno(), form.LARGEST_BUNDLE_BYTES + 1)

    with pytest.raises(VerificationError, match="at most"):
        form.unpack(path)


def test_more_files_than_a_bundle_has_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(form.pack({f"{number}": b"" for number in range(form.MOST_FILES + 1)}))

    with pytest.raises(VerificationError, match="at most"):
        form.unpack(path)


def test_a_bundle_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="cannot be read"):
        form.unpack(tmp_path / "nowhere.zip")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_flipped_byte_passes_or_raises_anything_else(
    bundle: Path, tmp_path: Path, key: Ed25519PublicKey, data: st.DataObject
) -> None:
    content = bytearray(bundle.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "flipped.zip"
    path.write_bytes(content)

    assert outcome(path, key) in ("refused", "the same content")


def outcome(path: Path, key: Ed25519PublicKey) -> str:
    """Say what became of a bundle; a flip in the ZIP's own unused fields (a date, a mode) leaves the content alone."""
    try:
        report = check_bundle(path, key)
    except VerificationError:
        return "refused"
    return "the same content" if report.clip_id == "clip-a" and len(report.events) == 5 else "changed"


@given(st.binary(max_size=300))
def test_no_bytes_make_the_event_list_raise_anything_else(content: bytes) -> None:
    with pytest.raises(VerificationError):
        read_events_json(content)


@pytest.mark.parametrize("pem", [b"", b"x" * 5000, b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(VerificationError, match="public key"):
        read_key(pem)
