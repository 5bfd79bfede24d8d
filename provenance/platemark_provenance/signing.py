"""Sign a clip or still: the only way to a signed file.

One rule: a signed file exists at its destination only after it was read back and judged trusted by our own verifier.
"""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from platemark_provenance.axes import IdentityTrust, TimestampTrust
from platemark_provenance.claim_in_place import why_not_in_place, write_claim_in_place
from platemark_provenance.claim_writer import (
    FORMATS,
    ClaimOrder,
    ClaimRefused,
    Intent,
    Thumbnail,
    Watch,
    write_claim,
)
from platemark_provenance.digest import JsonValue, Sha256Hex, sha256_bytes, sha256_file
from platemark_provenance.errors import SigningError
from platemark_provenance.identity import DEFAULT_ROLES
from platemark_provenance.ingredient_check import (
    IngredientOverride,
    Objection,
    override_statement,
    settle_objections,
)
from platemark_provenance.ingredient_gate import find_objections
from platemark_provenance.manifest import created_labels
from platemark_provenance.manifest_facts import Ingredient
from platemark_provenance.mp4_layout import OddLayout, has_one_media_box
from platemark_provenance.new_file import PIECE_BYTES, NewFile, new_file
from platemark_provenance.reading import ProvenanceReading
from platemark_provenance.signers.claim_signer import ClaimSigner, prove_key_matches
from platemark_provenance.timestamps import NO_TIME_STAMP, TimeStampPolicy, find_trouble
from platemark_provenance.trust import Settings, TrustStore, for_size
from platemark_provenance.verification import carries_manifest, read_provenance

__all__ = [
    "ClaimSigner",
    "Ingredient",
    "IngredientOverride",
    "OrganisationIdentity",
    "SignedAsset",
    "SigningOptions",
    "Thumbnail",
    "TimeStampPolicy",
    "sign_file",
    "sign_sidecar",
]

log = logging.getLogger(__name__)

MAX_THUMBNAIL_BYTES = 256 * 1024
_THUMBNAIL_STARTS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "image/webp": b"RIFF"}
_LIBRARY_LABELS = ("c2pa.ingredient.v3", "c2pa.ingredient", "c2pa.time-stamp", "c2pa.thumbnail.claim")
"""Assertions that the library writes for us and that we vouch for like our own."""


class NotAsSigned(SigningError):
    """What was written does not read back as intact and trusted."""


@dataclass(frozen=True, slots=True)
class OrganisationIdentity:
    """An organisation that stands behind the clip with a certificate of its own, apart from the claim's (CAWG).

    Args:
        signer: any signer, with the organisation's chain (S/MIME or CAWG certificate).
        roles: what the organisation was in making the clip.
        labels: the assertions that it stands behind.
    """

    signer: ClaimSigner
    roles: tuple[str, ...] = DEFAULT_ROLES
    labels: tuple[str, ...] = ("c2pa.actions.v2",)


@dataclass(frozen=True, slots=True)
class SigningOptions:
    """What a signed file can have besides its claim.

    Args:
        ingredients: what it was made from. Each is verified before anything is written.
        override: an editor's reason to use an ingredient that would be refused.
        time_stamp: whether an authority must, should or need not say when it was signed.
        identity: the organisation behind it.
        thumbnail: a small picture of it.
        stamps_parent: whether this only adds a time-stamp to the parent, whose content stays as it is.
        adds_statements: whether this only says more about the parent, whose content stays as it is.
    """

    ingredients: tuple[Ingredient, ...] = ()
    override: IngredientOverride | None = None
    time_stamp: TimeStampPolicy = NO_TIME_STAMP
    identity: OrganisationIdentity | None = None
    thumbnail: Thumbnail | None = None
    stamps_parent: bool = False
    adds_statements: bool = False


PLAIN = SigningOptions()


@dataclass(frozen=True, slots=True)
class SignedAsset:
    """A file that was signed, read back and found trusted.

    `label` names its manifest; `manifest` is the whole manifest store as embedded, kept so that a stripped
    copy can be given it back; `sha256` is of the file. `timestamp` is "none" where the authority was wanted
    (best-effort) and did not answer: the stamp can be added later. `overridden` lists the ingredients that an
    editor let in against an objection.
    """

    path: Path
    label: str
    manifest: bytes
    manifest_sha256: Sha256Hex
    sha256: Sha256Hex
    size_bytes: int
    timestamp: TimestampTrust = "none"
    identity: IdentityTrust = "none"
    overridden: tuple[Objection, ...] = field(default=())


def sign_file(
    source: Path,
    destination: Path,
    *,
    manifest: Mapping[str, JsonValue],
    signer: ClaimSigner,
    trust: TrustStore,
    options: SigningOptions = PLAIN,
) -> SignedAsset:
    """Write a signed copy of `source` to `destination`, and make sure that it verifies.

    1. The source is a regular file of a kind that can carry a manifest; the destination is new and not the source.
    2. A source that carries a manifest keeps it as its parent: signing as new would drop it in silence.
    3. Every ingredient is readable, whole, trusted and free to be used so, or an override says why it is used still.
    4. The keys belong to their certificates, shown with a nonce.
    5. The time-stamp authority, where one is needed, answers.
    6. The library signs into a file without a name and checks its own claim.
    7. The written bytes are flushed, read back with `trust`, and must be intact, trusted, free of bad ingredients that
       nobody answers for, and stamped and identified as asked. (A big clip is read back while it is flushed.)
    8. Only then does the file get its name, which is made durable too.

    Whatever fails or is killed on the way, the source is untouched and the destination does not exist.

    Raises:
        VerificationError: the source or an ingredient cannot be opened.
        KeyUnavailable: a key and its certificate do not belong together.
        SigningError: any other check failed.
    """
    job = _Job(source, manifest, signer, trust, options)
    order = _prepare(job, destination)  # 1 to 5
    try:
        with new_file(destination.parent) as new:
            asset = _signed_in_place(job, order, new) or _signed(job, order, new)  # 6, 7
            new.publish(destination)  # 8
    except OSError as error:
        raise _not_written(destination, error) from error
    return replace(asset, path=destination, overridden=job.objections)


def sign_sidecar(
    source: Path,
    sidecar: Path,
    *,
    manifest: Mapping[str, JsonValue],
    signer: ClaimSigner,
    trust: TrustStore,
    options: SigningOptions = PLAIN,
) -> SignedAsset:
    """Write a manifest for `source` into a file beside it (`.c2pa`); not one byte of the source changes.

    The same steps as `sign_file`; what is read back is the source together with the new manifest. What is returned
    describes the source.

    Raises:
        VerificationError, KeyUnavailable, SigningError: as `sign_file`.
    """
    job = _Job(source, manifest, signer, trust, options)
    order = replace(_in_one_piece(_prepare(job, sidecar)), embed=False)
    try:
        with new_file(sidecar.parent) as copy:  # the library insists on a place for the asset; it is never named
            store = _write(job, order, copy)
        asset = _reread(job, source, store=store, sidecar=store)
        with new_file(sidecar.parent) as new:
            new.file.write(store)
            new.flush()
            new.publish(sidecar)
    except OSError as error:
        raise _not_written(sidecar, error) from error
    return replace(asset, overridden=job.objections)


class _Job:
    """One signing: what was asked for, and what the checks before it found."""

    def __init__(
        self,
        source: Path,
        manifest: Mapping[str, JsonValue],
        signer: ClaimSigner,
        trust: TrustStore,
        options: SigningOptions,
    ) -> None:
        self.source = source
        self.manifest = manifest
        self.signer = signer
        self.trust = trust
        self.options = options
        self.objections: tuple[Objection, ...] = ()

    @property
    def parent(self) -> Ingredient | None:
        """The ingredient that the clip was changed from."""
        return next((each for each in self.options.ingredients if each.relationship == "parentOf"), None)


def _prepare(job: _Job, destination: Path) -> ClaimOrder:
    """Make every check that comes before the first byte, and say what the library is to write."""
    media_type = _check_paths(job.source, destination)  # 1
    _check_history(job)  # 2
    job.objections = _check_ingredients(job)  # 3
    _check_thumbnail(job.options.thumbnail)
    identity = job.options.identity
    for signer in (job.signer, *([] if identity is None else [identity.signer])):  # 4
        with Watch() as watch:
            prove_key_matches(signer)
        watch.raise_failure()
    authority = _ask_authority(job.options.time_stamp)  # 5
    manifest = dict(job.manifest)
    if job.objections and job.options.override is not None:
        earlier = manifest.get("assertions")
        stated = override_statement(job.objections, job.options.override)
        manifest["assertions"] = [*(earlier if isinstance(earlier, list) else []), stated]
    return ClaimOrder(
        manifest=manifest,
        media_type=media_type,
        settings=_settings(job, manifest),
        signer=job.signer,
        intent=_intent(job, media_type),
        ingredients=job.options.ingredients,
        thumbnail=job.options.thumbnail,
        time_authority=authority,
        identity=None if identity is None else identity.signer,
        identity_labels=() if identity is None else identity.labels,
        identity_roles=() if identity is None else identity.roles,
    )


def _intent(job: _Job, media_type: str) -> Intent:
    if job.parent is None:
        return "new"
    # The library's own check refuses the update manifests it writes into WebP (measured with c2pa-rs 0.91.3).
    same_content = job.options.stamps_parent or job.options.adds_statements
    return "update" if same_content and media_type != "image/webp" else "edit"


def _check_paths(source: Path, destination: Path) -> str:
    if not source.is_file():
        raise SigningError(f"The file to sign should exist and be a regular file; {source} is not.")
    if destination.exists() or destination.is_symlink():
        raise SigningError(
            f"The signed copy goes to a new file, and {destination} exists.",
            fix="Choose another name, or remove it.",
        )
    media_type = FORMATS.get(source.suffix.lower())
    if media_type is None:
        known = ", ".join(sorted(FORMATS))
        raise SigningError(f"Files of these kinds can be signed: {known}; got {source.suffix[:12]!r}.")
    return media_type


def _check_history(job: _Job) -> None:
    if not carries_manifest(job.source, job.trust):
        return
    if job.parent is None or not _same_content(job.parent.path, job.source):
        raise SigningError(
            f"{job.source.name} carries a manifest already, and signing it again as new would drop that history.",
            fix="Sign the file as it was before, or keep its history: name the file itself as its parent.",
        )


def _same_content(one: Path, other: Path) -> bool:
    if not one.is_file():
        return False
    return one.samefile(other) or sha256_file(one) == sha256_file(other)


def _check_ingredients(job: _Job) -> tuple[Objection, ...]:
    objections = find_objections(job.options.ingredients, job.trust, chain_pem=job.signer.chain_pem)
    settle_objections(objections, job.options.override)
    return objections


def _check_thumbnail(thumbnail: Thumbnail | None) -> None:
    if thumbnail is None:
        return
    start = _THUMBNAIL_STARTS.get(thumbnail.media_type)
    if start is None or not thumbnail.content.startswith(start) or len(thumbnail.content) > MAX_THUMBNAIL_BYTES:
        raise SigningError(
            f"A thumbnail is a JPEG, PNG or WebP picture of at most {MAX_THUMBNAIL_BYTES} bytes; this one is not.",
            fix="Make it smaller, for example 320 pixels wide as JPEG.",
        )


def _ask_authority(policy: TimeStampPolicy) -> str | None:
    """Give the address to stamp with; None where no stamp is wanted, or wanted only if it can be had."""
    if policy.mode == "off":
        return None
    trouble = find_trouble(policy)
    if trouble is not None and policy.mode == "require":
        raise SigningError(
            f"A time-stamp is required, and the authority at {policy.host} gives none: {trouble}.",
            fix='Try again later, name another authority, or sign with timestamp = "best-effort".',
        )
    return policy.url if trouble is None else None


def _settings(job: _Job, manifest: Mapping[str, JsonValue]) -> Settings:
    settings = for_size(job.trust.settings_for_signer(), job.source.stat().st_size)
    verify, core = settings["verify"], settings["core"]
    builder: Settings = {
        "thumbnail": {"enabled": False},
        # Created, not gathered: the signer vouches for every assertion it makes here.
        "created_assertion_labels": [*created_labels(manifest), *_LIBRARY_LABELS],
    }
    if job.options.stamps_parent:
        # Only this way of asking for a stamp goes through the library's list of hosts (measured with c2pa-rs 0.91.3).
        core = {**(core if isinstance(core, dict) else {}), "allowed_network_hosts": [job.options.time_stamp.host]}
        builder["auto_timestamp_assertion"] = {"enabled": True, "skip_existing": False, "fetch_scope": "parent"}
    return {
        **settings,
        "core": core,
        # Not the hash: step 7 hashes what was written, and that finds media the manifest does not cover too.
        "verify": {**(verify if isinstance(verify, dict) else {}), "verify_after_sign": True},
        "builder": builder,
    }


def _signed(job: _Job, order: ClaimOrder, new: NewFile) -> SignedAsset:
    """Have the library write the file, and read it back.

    Media in fragments or in several boxes is hashed in one piece: its Merkle form reads back intact or tampered by
    chance (c2pa-rs 0.91.3). That takes memory in proportion to the file.
    """
    with job.source.open("rb") as content:
        whole = order if has_one_media_box(content) else _in_one_piece(order)
    store = _write(job, whole, new)
    new.flush()
    return _reread(job, new.path, store=store)


def _signed_in_place(job: _Job, order: ClaimOrder, new: NewFile) -> SignedAsset | None:
    """Write a big clip the short way, and read it back; None, and an empty file, where that does not work."""
    reason = why_not_in_place(order, job.source.stat().st_size)
    if reason is None:
        try:
            with job.source.open("rb", buffering=0) as content, new.flushing_early() as flush:
                store = write_claim_in_place(order, content, new.file, on_copied=flush)
                asset = _reread(job, new.path, store=store)
            new.flush()
        except (OddLayout, ClaimRefused, NotAsSigned) as error:
            reason = error.message
        else:
            return asset
        new.empty()
        log.info("%s is signed the slow way: %s", job.source.name, reason)
    return None


def _write(job: _Job, order: ClaimOrder, new: NewFile) -> bytes:
    """Have the claim written; where a stamp is only wanted and the library cannot use it, without one."""
    with job.source.open("rb", buffering=PIECE_BYTES) as content:
        try:
            return write_claim(order, content, new.file)
        except ClaimRefused:
            if order.time_authority is None or job.options.time_stamp.mode != "best-effort":
                raise
        new.empty()
        content.seek(0)
        return write_claim(replace(order, time_authority=None), content, new.file)


def _in_one_piece(order: ClaimOrder) -> ClaimOrder:
    """Hash in one piece, as not every file can be hashed in Merkle form.

    That form never matches for a manifest beside its file, nor for fragments or several media boxes (c2pa-rs 0.91.3).
    """
    core = order.settings["core"]
    one_piece = {
        name: value for name, value in (core if isinstance(core, dict) else {}).items() if "merkle" not in name
    }
    return replace(order, settings={**order.settings, "core": one_piece})


def _reread(job: _Job, path: Path, *, store: bytes, sidecar: bytes | None = None) -> SignedAsset:
    with ThreadPoolExecutor(max_workers=1) as beside:  # both only read, and neither holds the interpreter
        digest = beside.submit(sha256_file, path)
        reading = read_provenance(path, job.trust, sidecar=sidecar)
    label = reading.active_label
    good_ingredients = reading.ingredients != "failed" or bool(job.objections)
    good = reading.integrity == "intact" and reading.signer == "trusted" and good_ingredients
    if not good or label is None or not store:
        raise NotAsSigned(
            "The signed copy was read back and should be intact and trusted; "
            f"it is {reading.integrity}, and its signer is {reading.signer}.",
            fix="Check that the trust list holds the root of the signing certificate (platemark doctor).",
        )
    _check_extras(job.options, reading)
    return SignedAsset(
        path=path,
        label=label,
        manifest=store,
        manifest_sha256=sha256_bytes(store),
        sha256=digest.result(),
        size_bytes=path.stat().st_size,
        timestamp=reading.timestamp,
        identity=reading.identity,
    )


def _check_extras(options: SigningOptions, reading: ProvenanceReading) -> None:
    if options.time_stamp.mode == "require" and reading.timestamp != "trusted":
        raise SigningError(
            f"A trusted time-stamp is required, and the one that {options.time_stamp.host} gave is "
            f"{'missing' if reading.timestamp == 'none' else 'not trusted here'}.",
            fix="Add the authority's root to the trust list for time-stamps (platemark trust add --kind tsa).",
        )
    if options.identity is not None and reading.identity not in ("trusted", "untrusted"):
        raise SigningError(
            f"The organisation's identity was written and reads back as {reading.identity}.",
            fix="Check the identity certificate: it needs e-mail protection or document signing as its usage.",
        )


def _not_written(path: Path, error: OSError) -> SigningError:
    return SigningError(
        f"The signed copy could not be written to {path}: {error.strerror or error}.",
        fix="Check that the folder exists, is writable and has room.",
    )
