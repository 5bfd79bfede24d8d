"""Which certificate authorities are trusted, and for what.

One rule: every certificate is parsed here first and every setting is spelled out here, because the C2PA
library ignores garbled certificates and unknown settings without a word.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import VerificationError

Settings = dict[str, object]
"""Settings for the C2PA library, as it takes them."""

AnchorKind = Literal["manifest", "tsa", "cawg"]
"""What the library is told an anchor is for. It does not keep them apart (measured with c2pa-rs 0.91.3)."""

TrustKind = Literal["manifest", "tsa", "cawg", "legacy"]
"""What a list of ours is for: claim signers, time-stamp authorities, organisational identities, and claim signers
of a list that is no longer kept up, which are shown as `legacy_trusted`."""

MAX_ANCHOR_BYTES = 4 * 1024 * 1024
"""The official C2PA list (30 roots) has 60 kB; sixty times that is no trust list."""

ACCEPTED_EKUS = (
    "1.3.6.1.5.5.7.3.4",  # emailProtection
    "1.3.6.1.5.5.7.3.36",  # documentSigning, RFC 9336
    "1.3.6.1.5.5.7.3.8",  # timeStamping, for time-stamp authorities
    "1.3.6.1.5.5.7.3.9",  # OCSPSigning, for stapled revocation answers
    "1.3.6.1.4.1.311.76.59.1.9",  # Microsoft C2PA signing
    "1.3.6.1.4.1.62558.2.1",  # C2PA claim signing
)
"""Key usages accepted on certificates. Source: C2PA 2.2, section 14.4.1, and the list shipped with c2pa-rs.
Without it the library calls certificates with only the official C2PA usage invalid (measured with 0.91.3)."""

BIG_FILE_BYTES = 32 * 1024 * 1024
"""From here on the library is told to hash piece by piece (measured: 11 MB of memory for a 509 MB clip, not 860)."""

_OFFLINE_CORE: Settings = {"allowed_network_hosts": []}


@dataclass(frozen=True, slots=True)
class ListFacts:
    """Which list a trust store was made from: what a report says about it, not the certificates themselves.

    Args:
        name: what the newsroom calls it.
        kind: what it is for.
        snapshot: the day its content is of, as whoever added it said.
        sha256: digest of name, kind, date and certificates, as stored.
        certificates: how many there are.
    """

    name: str
    kind: TrustKind
    snapshot: date
    sha256: str
    certificates: int

    def to_json(self) -> dict[str, JsonValue]:
        """Give the facts as JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "snapshot": self.snapshot.isoformat(),
            "sha256": self.sha256,
            "certificates": self.certificates,
        }


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The roots that make a signer, a time-stamp or an identity trusted; empty means nobody is.

    Args:
        manifest_anchors: PEM files whose certificates may vouch for claim signers.
        tsa_anchors: PEM files for time-stamp authorities.
        cawg_anchors: PEM files for CAWG organisational identities.
        legacy_anchors: PEM files of lists that are no longer kept up; they make nobody more than `legacy_trusted`.
        lists: the stored lists that the anchors came from, for reports.

    Raises:
        VerificationError: an entry holds no certificate, a garbled one, a private key, or is far too long.
    """

    manifest_anchors: tuple[bytes, ...] = ()
    tsa_anchors: tuple[bytes, ...] = ()
    cawg_anchors: tuple[bytes, ...] = ()
    legacy_anchors: tuple[bytes, ...] = ()
    lists: tuple[ListFacts, ...] = ()

    def __post_init__(self) -> None:
        for kind, pems in (
            ("manifest", self.manifest_anchors),
            ("tsa", self.tsa_anchors),
            ("cawg", self.cawg_anchors),
            ("legacy", self.legacy_anchors),
        ):
            for position, pem in enumerate(pems, start=1):
                read_certificates(pem, where=f"{kind} anchor {position}")

    def joined(self, other: "TrustStore") -> Self:
        """Give a store that trusts what either trusts; what both hold is there once."""
        return type(self)(
            manifest_anchors=_both(self.manifest_anchors, other.manifest_anchors),
            tsa_anchors=_both(self.tsa_anchors, other.tsa_anchors),
            cawg_anchors=_both(self.cawg_anchors, other.cawg_anchors),
            legacy_anchors=_both(self.legacy_anchors, other.legacy_anchors),
            lists=tuple(dict.fromkeys((*self.lists, *other.lists))),
        )

    def as_legacy(self) -> Self | None:
        """Give the store for one more look at a signer that is not trusted; None where there is no legacy list.

        In it the legacy lists stand where the lists in force were, so nothing that is found with it may be
        called more than `legacy_trusted`.
        """
        if not self.legacy_anchors:
            return None
        times = self.tsa_anchors + self.manifest_anchors
        return type(self)(manifest_anchors=self.legacy_anchors, tsa_anchors=times)

    def settings_for_signer(self) -> Settings:
        """Build the settings of the read that judges the claim signer: manifest anchors and nothing else.

        The library lets a time-stamp or identity root vouch for a claim signer too (measured with c2pa-rs
        0.91.3), so each question is asked in a read of its own. Time-stamps only set the moment here; they
        are judged by `settings_for_time`.
        """
        return _settings("manifest", self.manifest_anchors, check_time_stamps=False)

    def settings_for_time(self) -> Settings:
        """Build the settings of the read that judges time-stamps.

        A root that may name signers may also name its own time-stamp authority; the reverse never holds.
        """
        return _settings("tsa", self.tsa_anchors + self.manifest_anchors, check_time_stamps=True)

    def settings_for_identity(self) -> Settings:
        """Build the settings of the read that judges CAWG identities: identity anchors and nothing else."""
        return _settings("cawg", self.cawg_anchors, check_time_stamps=True)


def _settings(kind: AnchorKind, pems: tuple[bytes, ...], *, check_time_stamps: bool) -> Settings:
    trust: Settings = {"trust_config": "\n".join(ACCEPTED_EKUS) + "\n"}
    if pems:
        clean = "".join(dict.fromkeys(_clean_pem(pem) for pem in pems))
        trust["anchors"] = [{"trust_anchors": clean, "trust_uri": f"platemark:{kind}", "trust_kind": kind}]
    return {
        "version": 1,
        "trust": trust,
        "core": _OFFLINE_CORE,
        "verify": {
            "verify_trust": True,
            "verify_timestamp_trust": check_time_stamps,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        },
    }


def for_size(settings: Settings, size_bytes: int) -> Settings:
    """Copy settings, with those that bound memory where the file is big: 1 MiB Merkle chunks, 16 MiB kept."""
    if size_bytes <= BIG_FILE_BYTES:
        return settings
    core: Settings = {
        **_OFFLINE_CORE,
        "merkle_tree_chunk_size_in_kb": 1024,
        "backing_store_memory_threshold_in_mb": 16,
    }
    return {**settings, "core": core}


def _both(mine: tuple[bytes, ...], others: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys((*mine, *others)))


@lru_cache(maxsize=64)
def _clean_pem(pem: bytes) -> str:
    """Spell certificates as PEM and nothing else; kept, for every file that is examined asks again."""
    certificates = read_certificates(pem, where="anchor")
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates).decode("ascii")


def read_certificates(pem: bytes, *, where: str) -> list[x509.Certificate]:
    """Parse a PEM file of certificates, all of it or none.

    Args:
        pem: the file; comments between certificates are allowed.
        where: what to call it in an error.

    Raises:
        VerificationError: it holds no certificate, a garbled one, a private key, or is far too long.
    """
    fix = "Give PEM files of root certificates (-----BEGIN CERTIFICATE-----)."
    if len(pem) > MAX_ANCHOR_BYTES:
        raise VerificationError(f"A trust list has at most {MAX_ANCHOR_BYTES} bytes; {where} has {len(pem)}.", fix=fix)
    if b"PRIVATE KEY" in pem:
        raise VerificationError(f"A trust list holds certificates only; {where} holds a private key.", fix=fix)
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise VerificationError(f"The {where} is not a readable list of certificates.", fix=fix) from error
    if len(certificates) != pem.count(b"BEGIN CERTIFICATE"):
        raise VerificationError(f"The {where} has certificates that could not be read.", fix=fix)
    return certificates
