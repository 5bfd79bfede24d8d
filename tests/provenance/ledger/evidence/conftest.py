"""A published clip in a ledger, and the bundle made of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from platemark_provenance.digest import sha256_bytes
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.evidence import bundle as form
from platemark_provenance.ledger.evidence.building import BundleRequest, build_bundle
from platemark_provenance.ledger.store import Ledger

MANIFEST = b"a manifest, as far as the ledger cares" * 40
FRAME = b"\x89PNG\r\n\x1a\n a picture"


@pytest.fixture
def published(ledger: Ledger, tmp_path: Path) -> Ledger:
    """A ledger with one clip that went all the way, among events of others."""
    registry = ledger.registry
    registry.reserve_mark(b"12345678", "clip-a", request_sha256="0" * 64)
    registry.bind_mark("clip-a", fingerprint=b"what it looks like")
    registry.store_manifest("clip-a", label="urn:c2pa:a", manifest=MANIFEST, sha256=sha256_bytes(MANIFEST))
    registry.intend_output("job", clip_id="clip-a", final_path=tmp_path / "a.mp4", part_path=tmp_path / ".a")
    sealed = {"prompt": "rain over the city", "byline": "Kim Ji-woo"}
    ledger.append(NewEvent(EventType.PROMPT_SUBMITTED, clip="clip-a", actor="jw.kim", sealed=sealed))
    ledger.append(NewEvent(EventType.POLICY_DECIDED, clip="clip-a", decision="allow"))
    ledger.append_all([NewEvent(EventType.CLIP_VERIFIED, clip=f"other-{i}") for i in range(300)])
    facts = {"label": "urn:c2pa:a", "manifest_sha256": sha256_bytes(MANIFEST), "sha256": "ab" * 32}
    ledger.append(NewEvent(EventType.MANIFEST_SIGNED, clip="clip-a", facts=facts))
    ledger.append(NewEvent(EventType.CLIP_PUBLISHED, clip="clip-a", actor="jw.kim", facts={"sha256": "ab" * 32}))
    registry.publish_output("job", "ab" * 32)
    return ledger


@pytest.fixture
def bundle(published: Ledger, tmp_path: Path) -> Path:
    """The bundle of that clip."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(build_bundle(published, BundleRequest("clip-a", "auditor", (FRAME, FRAME + b"2"))))
    return path


@pytest.fixture
def changed(bundle: Path, tmp_path: Path) -> Callable[[dict[str, bytes | None]], Path]:
    """Give the bundle with some files put in place of others, or left out."""

    def change(files: dict[str, bytes | None]) -> Path:
        content: dict[str, bytes | None] = {**form.unpack(bundle), **files}
        path = Path(shutil.copy(bundle, tmp_path / "changed.zip"))
        path.write_bytes(form.pack({name: body for name, body in content.items() if body is not None}))
        return path

    return change
