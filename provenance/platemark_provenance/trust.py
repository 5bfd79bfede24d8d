"""Which certificate authorities are trusted, and for what.

One rule: every certificate is parsed here first and every setting is spelled out here, because the C2PA
library ignores garbled certificates and unknown settings without a word.
"""

from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from platemark_provenance.errors import VerificationError

Settings = dict[str, object]
"""Settings for the C2PA library, as it takes them."""

AnchorKind = Literal["manifest", "tsa", "cawg"]

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
class TrustStore:
    """The roots that make a signer, a time-stamp or an identity trusted; empty means nobody is.

    Args:
        manifest_anchors: PEM files whose certificates may vouch for claim signers.
        tsa_anchors: PEM files for time-stamp authorities.
        cawg_anchors: PEM files for CAWG organisational identities.

    Raises:
        VerificationError: an entry holds no certificate, a garbled one, a private key, or is far too long.
    """

    manifest_anchors: tuple[bytes, ...] = ()
    tsa_anchors: tuple[bytes, ...] = ()
    cawg_anchors: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        for kind, pems in (
            ("manifest", self.manifest_anchors),
            ("tsa", self.tsa_anchors),
            ("cawg", self.cawg_anchors),
        ):
            for position, pem in enumerate(pems, start=1):
                _parse_anchors(pem, where=f"{kind} anchor {position}")

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
        certificates = [each for pem in pems for each in _parse_anchors(pem, where="anchor")]
        clean = b"".join(each.public_bytes(Encoding.PEM) for each in certificates).decode("ascii")
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


def _parse_anchors(pem: bytes, *, where: str) -> list[x509.Certificate]:
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
