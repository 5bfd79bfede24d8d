"""Keys, certificates and clips for the provenance tests, all made afresh by code.

The names say what a thing is; a thing with a flaw has exactly one, and its name says which.
"""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from c2pa import Builder, C2paBuilderIntent, C2paSignerInfo, Context, Signer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from platemark_provenance.digest import JsonValue
from platemark_provenance.keys import ClaimSigner, load_claim_signer, write_private_file
from platemark_provenance.manifest import (
    GeneratorFacts,
    LabelFacts,
    LedgerFacts,
    ManifestFacts,
    PictureFacts,
    PolicyFacts,
    build_text_to_video_manifest,
)
from platemark_provenance.pki import DevelopmentPki, create_development_pki
from platemark_provenance.signing import SignedAsset, sign_file
from platemark_provenance.trust import TrustStore

CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

Leaf = tuple[bytes, bytes]
"""A certificate chain and the leaf's private key, both PEM."""


@dataclass(frozen=True)
class LeafRecipe:
    """How to make a leaf certificate; the defaults make a good one, and each test changes one thing."""

    usages: tuple[ObjectIdentifier, ...] = (CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION)
    starts: timedelta = timedelta(days=-1)
    ends: timedelta = timedelta(days=90)
    authority: bool = False
    key_usage: frozenset[str] = frozenset({"digital_signature"})
    authority_key_identifier: bool = True
    organisation: str | None = "Example News"
    key: PrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    critical_unknown: bool = False
    issuer_in_chain: bool = True
    revocation_server: str | None = None


@dataclass(frozen=True)
class ForeignSigning:
    """What else happens when a file is signed straight with the C2PA library."""

    media_type: str = "video/mp4"
    ingredients: tuple[tuple[Mapping[str, JsonValue], bytes], ...] = ()
    edit: bool = False
    time_authority: str | None = None
    remote_url: str | None = None


@pytest.fixture(scope="session")
def moment() -> datetime:
    """The time of the test run: the C2PA library always goes by the system clock."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def pki(moment: datetime) -> DevelopmentPki:
    """A development PKI as `platemark init` makes it."""
    return create_development_pki("Example News", now=moment)


@pytest.fixture(scope="session")
def stranger_pki(moment: datetime) -> DevelopmentPki:
    """Another PKI that nobody here trusts."""
    return create_development_pki("Stranger", now=moment)


@pytest.fixture(scope="session")
def trust(pki: DevelopmentPki) -> TrustStore:
    """Trust in our own development root and in nothing else."""
    return TrustStore(manifest_anchors=(pki.root_pem,))


@pytest.fixture(scope="session")
def key_folder(pki: DevelopmentPki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `leaf.key` and `chain.pem`."""
    folder = tmp_path_factory.mktemp("keys")
    write_private_file(folder / "leaf.key", pki.leaf_key_pem)
    (folder / "chain.pem").write_bytes(pki.leaf_chain_pem)
    return folder


@pytest.fixture(scope="session")
def signer(key_folder: Path) -> ClaimSigner:
    """The development claim signer."""
    return load_claim_signer(key_folder / "leaf.key", key_folder / "chain.pem")


@pytest.fixture(scope="session")
def make_leaf(pki: DevelopmentPki, moment: datetime) -> Callable[..., Leaf]:
    """Make leaf certificates under our development intermediate; keywords are the fields of `LeafRecipe`."""

    def make(**changes: Any) -> Leaf:
        return _make_leaf(replace(LeafRecipe(), **changes), pki, moment)

    return make


@pytest.fixture(scope="session")
def own_leaf(pki: DevelopmentPki) -> Leaf:
    """The development leaf, for signing past our checks."""
    return pki.leaf_chain_pem, pki.leaf_key_pem


@pytest.fixture(scope="session")
def stranger_leaf(stranger_pki: DevelopmentPki) -> Leaf:
    """A good leaf under a root that nobody here trusts."""
    return stranger_pki.leaf_chain_pem, stranger_pki.leaf_key_pem


@pytest.fixture(scope="session")
def plain_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny MP4 without provenance: twelve frames of 64 by 64 noise."""
    path = tmp_path_factory.mktemp("clips") / "plain.mp4"
    _write_clip(path, seed=1)
    return path


@pytest.fixture(scope="session")
def plain_clip_bytes(plain_clip: Path) -> bytes:
    """The content of the plain clip."""
    return plain_clip.read_bytes()


@pytest.fixture(scope="session")
def other_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another tiny MP4 without provenance."""
    path = tmp_path_factory.mktemp("clips") / "other.mp4"
    _write_clip(path, seed=2)
    return path


@pytest.fixture(scope="session")
def facts(moment: datetime) -> ManifestFacts:
    """Facts about a clip as the studio gathers them."""
    return ManifestFacts(
        clip_id="01890a5d-ac96-774b-bcce-b302099a8057",
        title="City lights at night.mp4",
        organisation="Example News",
        created_at=moment,
        sdk_version="0.1.0",
        generator=GeneratorFacts("embedded", "1", "small world", "2", "ab" * 32),
        picture=PictureFacts((128, 128), (512, 512), Fraction(24), 48),
        label=LabelFacts("AI 생성 영상", "ko", (380, 26, 106, 40)),
        policy=PolicyFacts("newsroom", "1.0.0", "cd" * 32, "allow", "decision-1"),
        ledger=LedgerFacts("example.news/ledger", 3, "ef" * 32),
        watermark_id="00112233445566ff",
    )


@pytest.fixture(scope="session")
def manifest(facts: ManifestFacts) -> dict[str, JsonValue]:
    """The manifest definition of those facts."""
    return build_text_to_video_manifest(facts)


@pytest.fixture(scope="session")
def signed_clip(
    plain_clip: Path,
    manifest: dict[str, JsonValue],
    signer: ClaimSigner,
    trust: TrustStore,
    tmp_path_factory: pytest.TempPathFactory,
) -> SignedAsset:
    """The plain clip, signed by us. Not to be changed: copy its bytes."""
    destination = tmp_path_factory.mktemp("signed") / "signed.mp4"
    return sign_file(plain_clip, destination, manifest=manifest, signer=signer, trust=trust)


@pytest.fixture(scope="session")
def sign_foreign() -> Callable[..., bytes]:
    """Sign bytes with the C2PA library itself, past all our checks, as a stranger with other software would.

    Takes the content, a leaf and a manifest definition; keywords are the fields of `ForeignSigning`.
    """

    def sign(content: bytes, leaf: Leaf, definition: Mapping[str, JsonValue], **changes: Any) -> bytes:
        return _sign_foreign(content, leaf, definition, replace(ForeignSigning(), **changes))

    return sign


@pytest.fixture
def write_copy(tmp_path: Path) -> Callable[[bytes], Path]:
    """Write bytes to a new file and give its path."""

    def write(content: bytes) -> Path:
        path = tmp_path / f"copy-{len(list(tmp_path.iterdir()))}.mp4"
        path.write_bytes(content)
        return path

    return write


def _write_clip(path: Path, *, seed: int) -> None:
    random = np.random.default_rng(seed)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(12):
            pixels = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def _make_leaf(recipe: LeafRecipe, pki: DevelopmentPki, moment: datetime) -> Leaf:
    issuer = x509.load_pem_x509_certificate(pki.intermediate_pem)
    issuer_key = serialization.load_pem_private_key(pki.intermediate_key_pem, None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    names = [x509.NameAttribute(NameOID.COMMON_NAME, "Leaf")]
    names += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in (recipe.organisation,) if each]
    extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(recipe.authority, None), True)]
    extensions += [(_key_usage(recipe.key_usage), True)] if recipe.key_usage else []
    extensions += [(x509.ExtendedKeyUsage(recipe.usages), False)] if recipe.usages else []
    aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    extensions += [(aki, False)] if recipe.authority_key_identifier else []
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    extensions += [(unknown, True)] if recipe.critical_unknown else []
    servers = [x509.UniformResourceIdentifier(each) for each in (recipe.revocation_server,) if each]
    described = [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, each) for each in servers]
    extensions += [(x509.AuthorityInformationAccess(described), False)] if described else []
    builder = x509.CertificateBuilder(
        issuer_name=issuer.subject,
        subject_name=x509.Name(names),
        public_key=recipe.key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=moment + recipe.starts,
        not_valid_after=moment + recipe.ends,
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    leaf_pem = builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    key_pem = recipe.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return leaf_pem + (pki.intermediate_pem if recipe.issuer_in_chain else b""), key_pem


def _key_usage(names: frozenset[str]) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in names for name in KEY_USAGES})


def _sign_foreign(content: bytes, leaf: Leaf, definition: Mapping[str, JsonValue], how: ForeignSigning) -> bytes:
    settings = {
        "version": 1,
        "verify": {"verify_after_sign": False, "remote_manifest_fetch": False},
        "builder": {"thumbnail": {"enabled": False}},
    }
    authority = None if how.time_authority is None else how.time_authority.encode()
    signer_info = C2paSignerInfo(b"es256", leaf[0], leaf[1], authority)
    output = io.BytesIO()
    with (
        Context.from_dict(settings) as context,
        Signer.from_info(signer_info) as signer,
        Builder(json.dumps(dict(definition)), context) as builder,
    ):
        if how.edit:
            builder.set_intent(C2paBuilderIntent.EDIT)
        if how.remote_url is not None:
            builder.set_no_embed()
            builder.set_remote_url(how.remote_url)
        for described, ingredient in how.ingredients:
            builder.add_ingredient(json.dumps(dict(described)), how.media_type, io.BytesIO(ingredient))
        builder.sign(signer, how.media_type, io.BytesIO(content), output)
    return output.getvalue()
