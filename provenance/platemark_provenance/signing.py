"""Sign a clip: the only writer of manifests.

One rule: a signed file exists at its destination only after it was read back and judged trusted by our own verifier.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from c2pa import Builder, C2paError, C2paSigningAlg, Context, Signer

from platemark_provenance.digest import JsonValue, Sha256Hex, sha256_bytes, sha256_file
from platemark_provenance.durable import sync_file
from platemark_provenance.errors import PlatemarkError, SigningError
from platemark_provenance.keys import ClaimSigner, prove_key_matches
from platemark_provenance.manifest import created_labels
from platemark_provenance.trust import Settings, TrustStore, for_size
from platemark_provenance.verification import read_provenance

__all__ = ["ClaimSigner", "SignedAsset", "sign_file"]

_FORMATS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


@dataclass(frozen=True, slots=True)
class SignedAsset:
    """A file that was signed, read back and found trusted.

    `label` names its manifest; `manifest` is the whole manifest store as embedded, kept so that a stripped
    copy can be given it back; `sha256` is of the file.
    """

    path: Path
    label: str
    manifest: bytes
    manifest_sha256: Sha256Hex
    sha256: Sha256Hex
    size_bytes: int


def sign_file(
    source: Path,
    destination: Path,
    *,
    manifest: Mapping[str, JsonValue],
    signer: ClaimSigner,
    trust: TrustStore,
) -> SignedAsset:
    """Write a signed copy of `source` to `destination`, and make sure that it verifies.

    1. The source is a regular file of a kind that can carry a manifest; the destination is new and not the source.
    2. The source carries no manifest yet: signing would drop it in silence.
    3. The key belongs to the certificate, shown with a nonce.
    4. The library signs and checks its own work, hashes included.
    5. The written bytes are flushed, read back with `trust`, and must be intact, trusted and free of bad ingredients.

    Moving the file to its final name and flushing the directory is the caller's part.

    Raises:
        VerificationError: the source cannot be opened.
        KeyUnavailable: the key and the certificate do not belong together.
        SigningError: any other check failed. Whatever was written is removed, and an older file is never touched.
    """
    media_type = _check_paths(source, destination)  # 1
    if read_provenance(source, trust).state != "absent":  # 2
        raise SigningError(
            f"{source.name} carries a manifest already, and signing it again as new would drop that history.",
            fix="Sign the file as it was before, or keep its history as an ingredient.",
        )
    with _Watch() as watch:  # 3
        prove_key_matches(signer)
    _raise_signer_failure(watch)
    try:
        with _new_file(destination) as output:
            store = _write_signed(source, output, media_type, manifest=manifest, signer=signer, trust=trust)  # 4
            return _reread(destination, store, trust)  # 5
    except OSError as error:
        raise SigningError(
            f"The signed copy could not be written to {destination}: {error.strerror}.",
            fix="Check that the folder exists, is writable and has room.",
        ) from error


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that did not exist, and remove it again if the block does not come to its end."""
    with path.open("x+b") as file:
        finished = False
        try:
            yield file
            finished = True
        finally:
            if not finished:
                path.unlink(missing_ok=True)


def _check_paths(source: Path, destination: Path) -> str:
    if not source.is_file():
        raise SigningError(f"The file to sign should exist and be a regular file; {source} is not.")
    if destination.exists() or destination.is_symlink():
        raise SigningError(
            f"The signed copy goes to a new file, and {destination} exists.",
            fix="Choose another name, or remove it.",
        )
    media_type = _FORMATS.get(source.suffix.lower())
    if media_type is None:
        known = ", ".join(sorted(_FORMATS))
        raise SigningError(f"Files of these kinds can be signed: {known}; got {source.suffix[:12]!r}.")
    return media_type


class _Watch:
    """Keeps what went wrong inside a `with` block, so that it can be raised where somebody can hear it.

    The library calls the signer from native code and reports any exception there as a bad signature.
    """

    error: BaseException | None = None

    def __enter__(self) -> "_Watch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = self.error or error
        return True


def _raise_signer_failure(watch: _Watch) -> None:
    if watch.error is None:
        return
    if isinstance(watch.error, PlatemarkError) or not isinstance(watch.error, Exception):
        raise watch.error
    raise SigningError(
        f"The signing key could not be used: {type(watch.error).__name__}.",
        fix="Check the key store or key service, then try again; nothing was written.",
    ) from watch.error


def _write_signed(
    source: Path,
    output: IO[bytes],
    media_type: str,
    *,
    manifest: Mapping[str, JsonValue],
    signer: ClaimSigner,
    trust: TrustStore,
) -> bytes:
    watch = _Watch()

    def signed(data: bytes) -> bytes:
        """Let the signer work under watch; nothing comes back where it failed."""
        signature = b""
        with watch:
            signature = signer.sign(data)
        return signature

    settings = _settings(trust, manifest, source.stat().st_size)
    definition = json.dumps(manifest, allow_nan=False)
    try:
        with (
            source.open("rb") as content,
            Context.from_dict(settings) as context,
            Signer.from_callback(signed, _algorithm(signer), signer.chain_pem.decode("ascii"), None) as native_signer,
            Builder(definition, context) as builder,
        ):
            store: bytes = builder.sign(native_signer, media_type, content, output)
    except (C2paError, UnicodeDecodeError) as error:
        _raise_signer_failure(watch)
        raise SigningError(
            f"The manifest could not be written and verified ({type(error).__name__.lstrip('_')}).",
            fix="Check the certificate (platemark keys lint) and that the file is whole.",
        ) from error
    output.flush()
    os.fsync(output.fileno())
    return store


def _algorithm(signer: ClaimSigner) -> C2paSigningAlg:
    return C2paSigningAlg[signer.alg.upper()]


def _settings(trust: TrustStore, manifest: Mapping[str, JsonValue], size_bytes: int) -> Settings:
    settings = for_size(trust.settings_for_signer(), size_bytes)
    verify = settings["verify"]
    known = verify if isinstance(verify, dict) else {}
    return {
        **settings,
        # Both: only the second notices media that the hash does not cover (measured with c2pa-rs 0.91.3).
        "verify": {**known, "verify_after_sign": True, "verify_after_sign_hash": True},
        # Created, not gathered: the signer vouches for every assertion it makes here.
        "builder": {"thumbnail": {"enabled": False}, "created_assertion_labels": created_labels(manifest)},
    }


def _reread(destination: Path, store: bytes, trust: TrustStore) -> SignedAsset:
    reading = read_provenance(destination, trust)
    label = reading.active_label
    good = reading.integrity == "intact" and reading.signer == "trusted" and reading.ingredients != "failed"
    if not good or label is None or not store:
        raise SigningError(
            "The signed copy was read back and should be intact and trusted; "
            f"it is {reading.integrity}, and its signer is {reading.signer}.",
            fix="Check that the trust list holds the root of the signing certificate (platemark doctor).",
        )
    sync_file(destination)
    return SignedAsset(
        path=destination,
        label=label,
        manifest=store,
        manifest_sha256=sha256_bytes(store),
        sha256=sha256_file(destination),
        size_bytes=destination.stat().st_size,
    )
