"""An organisation can stand behind a clip with a certificate of its own, which never speaks for the claim's signer."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from c2pa import c2pa as binding

from platemark_provenance import c_abi
from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import KeyUnavailable, SigningError
from platemark_provenance.identity import identity_is_available
from platemark_provenance.keys import ClaimSigner, load_claim_signer, write_private_file
from platemark_provenance.pki import DevelopmentPki, create_development_pki
from platemark_provenance.signing import OrganisationIdentity, SignedAsset, SigningOptions, sign_file
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import read_provenance

Sign = Callable[..., SignedAsset]


@pytest.fixture(scope="module")
def desk_pki(moment: datetime) -> DevelopmentPki:
    """The authority that vouches for organisations."""
    return create_development_pki("Example Publishing Desk", now=moment)


@pytest.fixture(scope="module")
def desk(desk_pki: DevelopmentPki, tmp_path_factory: pytest.TempPathFactory) -> ClaimSigner:
    """The organisation's own signer."""
    folder = tmp_path_factory.mktemp("desk")
    write_private_file(folder / "desk.key", desk_pki.leaf_key_pem)
    (folder / "chain.pem").write_bytes(desk_pki.leaf_chain_pem)
    return load_claim_signer(folder / "desk.key", folder / "chain.pem")


@pytest.fixture
def sign(plain_clip: Path, tmp_path: Path, manifest: dict[str, JsonValue], signer: ClaimSigner) -> Sign:
    def sign_with(trust: TrustStore, organisation: OrganisationIdentity) -> SignedAsset:
        options = SigningOptions(identity=organisation)
        return sign_file(
            plain_clip, tmp_path / "out.mp4", manifest=manifest, signer=signer, trust=trust, options=options
        )

    return sign_with


@pytest.fixture
def both(pki: DevelopmentPki, desk_pki: DevelopmentPki) -> TrustStore:
    return TrustStore(manifest_anchors=(pki.root_pem,), cawg_anchors=(desk_pki.root_pem,))


class Broken:
    """A signer that is right about its key and fails when it is asked for the identity."""

    def __init__(self, inner: ClaimSigner, error: Exception) -> None:
        self.inner, self.error, self.calls = inner, error, 0
        self.alg, self.chain_pem = inner.alg, inner.chain_pem

    def sign(self, data: bytes) -> bytes:
        self.calls += 1
        if self.calls > 1:
            raise self.error
        return self.inner.sign(data)


def test_the_installed_library_can_write_identities() -> None:
    assert identity_is_available()


def test_a_named_organisation_is_trusted_by_its_own_root(sign: Sign, both: TrustStore, desk: ClaimSigner) -> None:
    asset = sign(both, OrganisationIdentity(desk))

    reading = read_provenance(asset.path, both)
    assert (reading.signer, reading.identity, asset.identity) == ("trusted", "trusted", "trusted")


def test_an_identity_nobody_here_knows_does_not_spoil_the_claim(
    sign: Sign, trust: TrustStore, stranger_pki: DevelopmentPki, desk: ClaimSigner
) -> None:
    knows_others = TrustStore(manifest_anchors=trust.manifest_anchors, cawg_anchors=(stranger_pki.root_pem,))

    asset = sign(knows_others, OrganisationIdentity(desk))

    assert (asset.identity, read_provenance(asset.path, knows_others).signer) == ("untrusted", "trusted")


def test_an_identity_root_never_makes_a_claim_signer_trusted(
    sign: Sign, both: TrustStore, desk: ClaimSigner, desk_pki: DevelopmentPki, pki: DevelopmentPki
) -> None:
    asset = sign(both, OrganisationIdentity(desk))

    swapped = TrustStore(manifest_anchors=(desk_pki.root_pem,), cawg_anchors=(pki.root_pem,))

    reading = read_provenance(asset.path, swapped)
    assert (reading.signer, reading.identity) == ("untrusted", "untrusted")


@pytest.mark.parametrize("roles", [(), ("cawg.publisher", "cawg.editor")])
def test_an_organisation_says_what_it_was(
    sign: Sign, both: TrustStore, desk: ClaimSigner, roles: tuple[str, ...]
) -> None:
    asset = sign(both, OrganisationIdentity(desk, roles=roles, labels=("c2pa.actions.v2", "cawg.training-mining")))

    assert all(role.encode() in asset.manifest for role in roles)
    assert asset.identity == "trusted"


def test_an_identity_key_that_is_another_is_noticed_before_anything_is_written(
    sign: Sign, both: TrustStore, desk: ClaimSigner, signer: ClaimSigner, tmp_path: Path
) -> None:
    mixed = Broken(signer, ValueError())
    mixed.chain_pem = desk.chain_pem

    with pytest.raises(KeyUnavailable, match="leaf certificate names"):
        sign(both, OrganisationIdentity(mixed))

    assert list(tmp_path.iterdir()) == []


def test_an_identity_signer_that_fails_while_signing_is_named_and_nothing_is_left(
    sign: Sign, both: TrustStore, desk: ClaimSigner, tmp_path: Path
) -> None:
    with pytest.raises(SigningError, match="TimeoutError") as refused:
        sign(both, OrganisationIdentity(Broken(desk, TimeoutError("slow"))))

    assert isinstance(refused.value.__cause__, TimeoutError)
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_cannot_write_identities_is_said_in_plain_words(
    sign: Sign, both: TrustStore, desk: ClaimSigner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(c_abi, "JOIN_SIGNERS", "c2pa_not_there")

    assert not identity_is_available()
    with pytest.raises(SigningError, match="cannot write an organisation's identity"):
        sign(both, OrganisationIdentity(desk))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["_lib", "C2paSigner"])
def test_a_binding_that_was_rebuilt_is_not_called(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(binding, missing)

    assert not identity_is_available()


def test_a_role_with_a_null_character_is_refused(
    sign: Sign, both: TrustStore, desk: ClaimSigner, tmp_path: Path
) -> None:
    with pytest.raises(SigningError, match="null characters"):
        sign(both, OrganisationIdentity(desk, roles=("cawg.publisher\0cawg.editor",)))

    assert list(tmp_path.iterdir()) == []


def test_many_signings_with_an_identity_use_up_nothing(
    sign: Sign, both: TrustStore, desk: ClaimSigner, tmp_path: Path
) -> None:
    def again() -> str:
        asset = sign(both, OrganisationIdentity(desk))
        asset.path.unlink()
        return asset.identity

    assert {again() for _ in range(10)} == {"trusted"}
