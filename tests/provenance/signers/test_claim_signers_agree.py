"""Wherever the key is, the clip that it signed gets the same verdict."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.keys import load_claim_signer, write_private_file
from platemark_provenance.pki import DEVELOPMENT_ALGORITHMS, DevelopmentPki
from platemark_provenance.signers.callback import CallbackSigner
from platemark_provenance.signers.claim_signer import ClaimSigner
from platemark_provenance.signing import sign_file
from platemark_provenance.trust import TrustStore
from platemark_provenance.verdict import judge
from platemark_provenance.verification import read_provenance

PLACES = ("file", "pkcs11", "exec", "kms")


@pytest.mark.parametrize("place", PLACES)
def test_a_clip_gets_the_same_verdict_wherever_the_key_is(
    place: str,
    open_from: Callable[[str], ClaimSigner],
    plain_clip: Path,
    manifest: dict[str, JsonValue],
    trust: TrustStore,
    tmp_path: Path,
) -> None:
    signer = open_from(place)

    signed = sign_file(plain_clip, tmp_path / "signed.mp4", manifest=manifest, signer=signer, trust=trust)

    report = judge(read_provenance(signed.path, trust), None)
    axes = report.axes
    assert (report.verdict, report.signer) == ("trusted", "Example News")
    assert (axes.manifest, axes.integrity, axes.signer, axes.timestamp) == ("present", "intact", "trusted", "none")


@pytest.mark.parametrize("alg", DEVELOPMENT_ALGORITHMS)
def test_a_clip_is_trusted_whatever_its_key_signs_with(
    alg: str,
    pki_for: Callable[[str], DevelopmentPki],
    plain_clip: Path,
    manifest: dict[str, JsonValue],
    tmp_path: Path,
) -> None:
    pki = pki_for(alg)
    write_private_file(tmp_path / "leaf.key", pki.leaf_key_pem)
    (tmp_path / "chain.pem").write_bytes(pki.leaf_chain_pem)
    signer = load_claim_signer(tmp_path / "leaf.key", tmp_path / "chain.pem")
    trust = TrustStore(manifest_anchors=(pki.root_pem,))

    signed = sign_file(plain_clip, tmp_path / "signed.mp4", manifest=manifest, signer=signer, trust=trust)

    reading = read_provenance(signed.path, trust)
    assert signer.alg == alg
    assert (reading.integrity, reading.signer) == ("intact", "trusted")


def test_a_key_service_that_fails_after_the_check_leaves_no_file_and_its_error_is_chained(
    signer: ClaimSigner, plain_clip: Path, manifest: dict[str, JsonValue], trust: TrustStore, tmp_path: Path
) -> None:
    calls: list[bytes] = []

    def sign(content: bytes) -> bytes:
        calls.append(content)
        if len(calls) > 1:
            raise ConnectionResetError("the service went away")
        return signer.sign(content)

    failing = CallbackSigner("es256", signer.chain_pem, sign)

    with pytest.raises(KeyUnavailable, match="ConnectionResetError") as refused:
        sign_file(plain_clip, tmp_path / "signed.mp4", manifest=manifest, signer=failing, trust=trust)

    assert isinstance(refused.value.__cause__, ConnectionResetError)
    assert list(tmp_path.iterdir()) == []


def test_a_key_of_another_certificate_is_noticed_before_anything_is_written(
    signer: ClaimSigner, stranger_pki: DevelopmentPki, plain_clip: Path, manifest: dict[str, JsonValue], tmp_path: Path
) -> None:
    wrong = CallbackSigner("es256", stranger_pki.leaf_chain_pem, signer.sign)
    trust = TrustStore(manifest_anchors=(stranger_pki.root_pem,))
    written: list[Any] = []

    with pytest.raises(KeyUnavailable, match="leaf certificate names"):
        sign_file(plain_clip, tmp_path / "signed.mp4", manifest=manifest, signer=wrong, trust=trust)

    assert list(tmp_path.iterdir()) == written
