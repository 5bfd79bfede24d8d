"""A process that is killed, or a disk that is full, at any step of signing leaves source and destination whole."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from platemark_provenance.digest import JsonValue, canonical_json, sha256_file
from platemark_provenance.errors import SigningError
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.signing import sign_file
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import read_provenance

Manifest = dict[str, JsonValue]

SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from platemark_provenance import c_abi, claim_in_place, new_file, signing
from platemark_provenance.keys import load_claim_signer
from platemark_provenance.trust import TrustStore

folder, source, step = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
inner = load_claim_signer(folder / "leaf.key", folder / "chain.pem")

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

class Signer:
    alg, chain_pem, calls = inner.alg, inner.chain_pem, 0

    def sign(self, data):
        self.calls += 1
        if step == f"signature {self.calls}":
            die()
        return inner.sign(data)

targets = {
    "opening": (signing, "new_file"),
    "flushing": (os, "fsync"),
    "reading back": (signing, "_reread"),
    "naming": (os, "link"),
    "after naming": (new_file, "sync_directory"),
    "in place: copying": (os, "preadv"),
    "in place: hashing": (c_abi.ReservedClaim, "hash_rest"),
    "in place: filling the room": (claim_in_place, "_fill_room"),
    "in place: reading back": (signing, "_reread"),
    "in place: naming": (os, "link"),
}
if step.startswith("in place"):
    claim_in_place.BIG_FILE_BYTES = 0
if step in targets:
    setattr(*targets[step], die)
trust = TrustStore(manifest_anchors=((folder / "root.pem").read_bytes(),))
manifest = json.loads((folder / "manifest.json").read_bytes())
signing.sign_file(source, folder / "out" / "clip.mp4", manifest=manifest, signer=Signer(), trust=trust)
"""


@pytest.fixture(scope="module")
def workshop(
    pki: DevelopmentPki, key_folder: Path, tmp_path_factory: pytest.TempPathFactory, manifest: Manifest
) -> Path:
    """A folder with everything a signing process of its own needs."""
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "leaf.key").symlink_to(key_folder / "leaf.key")
    (folder / "chain.pem").symlink_to(key_folder / "chain.pem")
    (folder / "root.pem").write_bytes(pki.root_pem)
    (folder / "manifest.json").write_bytes(canonical_json(manifest))
    (folder / "sign.py").write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    return folder


@pytest.fixture
def out(workshop: Path) -> Iterator[Path]:
    """The folder that is signed into, empty before each test."""
    folder = workshop / "out"
    folder.mkdir()
    yield folder
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()


def _run(workshop: Path, source: Path, step: str) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    command = [sys.executable, str(workshop / "sign.py"), str(workshop), str(source), step]
    return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60).returncode


KILLS = ["signature 1", "opening", "signature 2", "flushing", "reading back", "naming"]
IN_PLACE_KILLS = [f"in place: {each}" for each in ("copying", "hashing", "filling the room", "reading back", "naming")]


@pytest.mark.parametrize("step", [*KILLS, *IN_PLACE_KILLS])
def test_a_kill_before_the_file_has_its_name_leaves_nothing_at_all(
    workshop: Path, out: Path, plain_clip: Path, step: str
) -> None:
    before = sha256_file(plain_clip)

    ended = _run(workshop, plain_clip, step)

    assert ended == -signal.SIGKILL
    assert list(out.iterdir()) == []
    assert sha256_file(plain_clip) == before


def test_a_kill_after_the_file_has_its_name_leaves_it_whole(
    workshop: Path, out: Path, plain_clip: Path, trust: TrustStore
) -> None:
    ended = _run(workshop, plain_clip, "after naming")

    assert ended == -signal.SIGKILL
    assert [each.name for each in out.iterdir()] == ["clip.mp4"]
    assert read_provenance(out / "clip.mp4", trust).signer == "trusted"


def test_without_a_kill_the_same_process_signs(workshop: Path, out: Path, plain_clip: Path) -> None:
    assert _run(workshop, plain_clip, "never") == 0
    assert [each.name for each in out.iterdir()] == ["clip.mp4"]


@contextmanager
def limit_files(size: int) -> Iterator[None]:
    """Let files grow to so many bytes only, which is what a full disk looks like."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.99])
def test_a_disk_that_is_full_anywhere_is_named_and_nothing_is_left(
    signed_clip: Any,
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    share: float,
) -> None:
    before = sha256_file(plain_clip)
    with limit_files(int(signed_clip.size_bytes * share)), pytest.raises(SigningError, match="File too large"):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert list(tmp_path.iterdir()) == []
    assert sha256_file(plain_clip) == before


@pytest.mark.parametrize("step", ["os.fsync", "os.link", "platemark_provenance.new_file.sync_directory"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_an_error_of_the_operating_system_at_any_step_is_named(
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    number: int,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(step, fail)

    with pytest.raises(SigningError, match=os.strerror(number)):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert list(tmp_path.iterdir()) == []


def test_somebody_who_takes_the_name_meanwhile_keeps_it(
    plain_clip: Path,
    tmp_path: Path,
    manifest: Manifest,
    signer: ClaimSigner,
    trust: TrustStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fsync = os.fsync

    def fsync_and_take(descriptor: int) -> None:
        (tmp_path / "out.mp4").write_bytes(b"precious")
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", fsync_and_take)

    with pytest.raises(SigningError, match="File exists"):
        sign_file(plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust)

    assert (tmp_path / "out.mp4").read_bytes() == b"precious"
