"""Processes that are forked after the library was used: a web server that loads the program first and forks then."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing.context import ForkContext
from pathlib import Path

import pytest

from platemark_provenance.digest import JsonValue
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.signing import SignedAsset, sign_file
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import ProvenanceReading, read_provenance

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    # From Python 3.12 on every fork with a thread at hand warns; the fork under test is just that.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

WORKERS = 2
JOBS = 12


@pytest.fixture
def fork() -> ForkContext:
    return multiprocessing.get_context("fork")


@contextmanager
def _busy_thread(path: Path, trust: TrustStore) -> Iterator[None]:
    """Keep another thread inside the library for as long as the block runs."""
    done, inside = threading.Event(), threading.Event()

    def read_on() -> None:
        while not done.is_set():
            read_provenance(path, trust)
            inside.set()

    thread = threading.Thread(target=read_on)
    thread.start()
    inside.wait(timeout=60)
    try:
        yield
    finally:
        done.set()
        thread.join()


def _exit_code_of_child(path: Path, trust: TrustStore, expected: ProvenanceReading) -> int:
    """Fork, let the child compare its reading, and give its exit code; a child that hangs is stopped."""
    child = os.fork()
    if child == 0:
        # The test runner's own handler would wait for native code to come back.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        os._exit(0 if read_provenance(path, trust) == expected else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _sign_numbered(
    source: Path, folder: Path, manifest: dict[str, JsonValue], desk: tuple[ClaimSigner, TrustStore], number: int
) -> SignedAsset:
    signer, trust = desk
    return sign_file(source, folder / f"{number}.mp4", manifest=manifest, signer=signer, trust=trust)


def test_a_child_forked_after_a_verification_verifies_too(signed_clip: SignedAsset, trust: TrustStore) -> None:
    before = read_provenance(signed_clip.path, trust)

    assert _exit_code_of_child(signed_clip.path, trust, before) == 0


def test_the_parent_goes_on_verifying_after_its_child_has_ended(signed_clip: SignedAsset, trust: TrustStore) -> None:
    before = read_provenance(signed_clip.path, trust)
    _exit_code_of_child(signed_clip.path, trust, before)

    assert read_provenance(signed_clip.path, trust) == before


def test_a_child_forked_while_another_thread_verifies_does_not_hang(
    signed_clip: SignedAsset, trust: TrustStore
) -> None:
    before = read_provenance(signed_clip.path, trust)

    with _busy_thread(signed_clip.path, trust):
        codes = [_exit_code_of_child(signed_clip.path, trust, before) for _ in range(8)]

    assert codes == [0] * 8


def test_workers_forked_after_a_verification_all_give_its_result(
    signed_clip: SignedAsset, trust: TrustStore, fork: ForkContext
) -> None:
    before = read_provenance(signed_clip.path, trust)

    with ProcessPoolExecutor(WORKERS, mp_context=fork) as pool:
        readings = list(pool.map(partial(read_provenance, trust=trust), [signed_clip.path] * JOBS))

    assert readings == [before] * JOBS


def test_workers_forked_with_an_open_signer_all_sign(
    plain_clip: Path,
    manifest: dict[str, JsonValue],
    signer: ClaimSigner,
    trust: TrustStore,
    tmp_path: Path,
    fork: ForkContext,
) -> None:
    signer.sign(b"used before the fork")
    work = partial(_sign_numbered, plain_clip, tmp_path, manifest, (signer, trust))
    children = [fork.Process(target=work, args=(number,)) for number in range(4)]

    for child in children:
        child.start()
    for child in children:
        child.join(timeout=120)

    assert [child.exitcode for child in children] == [0] * 4
    assert [read_provenance(tmp_path / f"{number}.mp4", trust).signer for number in range(4)] == ["trusted"] * 4


def test_processes_started_afresh_give_the_same_result(signed_clip: SignedAsset, trust: TrustStore) -> None:
    before = read_provenance(signed_clip.path, trust)

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        reading = pool.submit(read_provenance, signed_clip.path, trust).result(timeout=120)

    assert reading == before
