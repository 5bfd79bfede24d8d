"""Whether a chain of certificates ends under one of the given roots. Pure functions; validity in time is not asked."""

from collections.abc import Sequence
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature


def leads_to(chain_pem: bytes, anchors: Sequence[bytes]) -> bool:
    """Say whether each certificate was issued by the next, and the last one by an anchor or is one.

    Args:
        chain_pem: certificates in PEM, leaf first.
        anchors: PEM files of roots.

    Returns:
        False also where a certificate cannot be read.

    Source: RFC 5280, section 6.1 (names and signatures only).
    """
    try:
        chain = x509.load_pem_x509_certificates(chain_pem)
        roots = [root for pem in anchors for root in x509.load_pem_x509_certificates(pem)]
        linked = all(_issued(child, parent) for child, parent in pairwise(chain))
        return linked and any(chain[-1] == root or _issued(chain[-1], root) for root in roots)
    except ValueError:
        return False


def _issued(child: x509.Certificate, parent: x509.Certificate) -> bool:
    try:
        child.verify_directly_issued_by(parent)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
