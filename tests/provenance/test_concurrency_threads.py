"""Sixteen threads sign and verify at once, with one signer and one trust store, and each gets its own answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from platemark_provenance.digest import JsonValue
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.signing import SignedAsset, sign_file
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import ProvenanceReading, read_provenance

THREADS = 16
ROUNDS = 3


def _at_once(work: Callable[[int], ProvenanceReading]) -> list[ProvenanceReading]:
    """Start the work in all threads at the same moment, a few times over."""
    gate = Barrier(THREADS)

    def started(number: int) -> ProvenanceReading:
        gate.wait(timeout=60)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return [reading for _ in range(ROUNDS) for reading in pool.map(started, range(THREADS))]


def test_sixteen_threads_read_one_file_to_the_same_result(signed_clip: SignedAsset, trust: TrustStore) -> None:
    alone = read_provenance(signed_clip.path, trust)

    readings = _at_once(lambda _: read_provenance(signed_clip.path, trust))

    assert readings == [alone] * (THREADS * ROUNDS)


def test_threads_with_different_trust_do_not_lend_it_to_each_other(signed_clip: SignedAsset, trust: TrustStore) -> None:
    stores = [trust, TrustStore()] * (THREADS // 2)

    readings = _at_once(lambda number: read_provenance(signed_clip.path, stores[number]))

    assert [reading.signer for reading in readings] == ["trusted", "untrusted"] * (THREADS * ROUNDS // 2)


def test_whole_and_damaged_files_read_at_once_are_told_apart(
    signed_clip: SignedAsset, trust: TrustStore, tmp_path: Path
) -> None:
    whole, damaged = signed_clip.path, tmp_path / "last-bit-flipped.mp4"
    content = whole.read_bytes()
    damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    files = [whole, damaged] * (THREADS // 2)

    readings = _at_once(lambda number: read_provenance(files[number], trust))

    assert [reading.integrity for reading in readings] == ["intact", "tampered"] * (THREADS * ROUNDS // 2)


def test_sixteen_threads_sign_with_one_signer_and_every_file_is_trusted(
    plain_clip: Path, manifest: dict[str, JsonValue], signer: ClaimSigner, trust: TrustStore, tmp_path: Path
) -> None:
    def sign(number: int) -> SignedAsset:
        return sign_file(plain_clip, tmp_path / f"{number}.mp4", manifest=manifest, signer=signer, trust=trust)

    with ThreadPoolExecutor(THREADS) as pool:
        signed = list(pool.map(sign, range(THREADS)))

    readings = [read_provenance(asset.path, trust) for asset in signed]
    assert [(reading.integrity, reading.signer) for reading in readings] == [("intact", "trusted")] * THREADS
    assert len({asset.label for asset in signed}) == THREADS
