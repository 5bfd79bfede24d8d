"""Root certificates in files, as what claim signers are trusted for.

One rule: a file that is too large or cannot be read is refused by name.
"""

from pathlib import Path

from platemark.errors import HomeError
from platemark_provenance.trust import TrustStore

MAX_ANCHOR_BYTES = 1_048_576


def trust_from_files(paths: tuple[Path, ...]) -> TrustStore:
    """Read root certificates (PEM) into a trust store for claim signers.

    Raises:
        HomeError: a file is missing, too large, or holds no certificate.
    """
    return TrustStore(manifest_anchors=tuple(_read_anchor(path) for path in paths))


def _read_anchor(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_ANCHOR_BYTES:
            raise HomeError(
                f"{path} is over {MAX_ANCHOR_BYTES} bytes; a list of roots is smaller.", fix="Name a PEM file."
            )
        return path.read_bytes()
    except OSError as error:
        raise HomeError(
            f"The root certificates in {path} cannot be read ({error.strerror}).", fix="Name a PEM file."
        ) from error
