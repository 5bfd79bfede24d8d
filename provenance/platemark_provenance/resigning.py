"""Say more about a clip that is signed already, or take personal statements back, with its history kept.

One rule: the earlier manifest stays inside, as the parent; nothing that was said is changed, only added to or redacted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from platemark_provenance.claim_writer import read_store
from platemark_provenance.correction import Correction, correction_statement
from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest_facts import MAX_TITLE_CHARACTERS, Ingredient
from platemark_provenance.manifest_metadata import (
    METADATA_LABEL,
    PERSONAL_FIELDS,
    PersonalFacts,
    with_personal_metadata,
)
from platemark_provenance.manifest_parts import (
    CORRECTION_LABEL,
    PUBLICATION_LABEL,
    SOFT_BINDING_LABEL,
    action_list,
    assertion,
    claim_generator,
    opened_action,
)
from platemark_provenance.own_assertions import OwnAssertions, read_own_assertions
from platemark_provenance.plain_text import plain_text
from platemark_provenance.publication import ApprovalFacts, approval_statement
from platemark_provenance.report_json import Store, mapping, sequence, text
from platemark_provenance.signers.claim_signer import ClaimSigner
from platemark_provenance.signing import SignedAsset, SigningOptions, sign_file
from platemark_provenance.timestamps import TimeStampPolicy
from platemark_provenance.trust import TrustStore, for_size

_PARENT = "earlier"
_OWN_PREFIX = "org.platemark."
_REDACTED_FOR = "c2pa.PII.present"
"""Source: C2PA 2.2, section 18.14.4.8 (reasons for redaction)."""


@dataclass(frozen=True, slots=True)
class Resigner:
    """Who signs again: the claim signer, what it trusts, and platemark's own version."""

    signer: ClaimSigner
    trust: TrustStore
    sdk_version: str


def add_time_stamp(source: Path, destination: Path, *, resigner: Resigner, policy: TimeStampPolicy) -> SignedAsset:
    """Write a copy of a signed file with a time-stamp for its claim, by way of an update manifest.

    The stamp says that the earlier claim existed by now, not since when. The copy's media is the same, byte for byte;
    its manifest has a new label, and repeats our own statements, so that whatever looks for them finds them on top.

    Raises:
        SigningError: the policy names no authority, the authority gives no trusted stamp, or the source is not a
            signed file that is trusted here.

    Source: C2PA 2.2, section 18.18 (time-stamp assertion) and 11.2 (update manifests).
    """
    if policy.mode == "off":
        raise SigningError("Adding a time-stamp needs an authority, and time-stamps are off.", fix="Set tsa_url.")
    store = _read_signed(source, resigner)
    parent = _parent_of(source, store)
    wanted = TimeStampPolicy("require", policy.url, policy.timeout_s)
    return sign_file(
        source,
        destination,
        manifest=_continued(store, resigner, [opened_action(parent)]),
        signer=resigner.signer,
        trust=resigner.trust,
        options=SigningOptions(ingredients=(parent,), time_stamp=wanted, stamps_parent=True),
    )


def approve_publication(
    source: Path, destination: Path, *, resigner: Resigner, approval: ApprovalFacts, policy: TimeStampPolicy
) -> SignedAsset:
    """Write a copy of a signed file that says who approved it for publication, by way of an update manifest.

    The media is the same, byte for byte. What the earlier manifest said of publication is replaced on top of it and
    stays below.

    Args:
        source: the signed file.
        destination: a new file.
        resigner: who signs.
        approval: what is stated.
        policy: whether the new claim gets a time-stamp.

    Raises:
        SigningError: the source is not a signed file that is trusted here, or what was written does not say so.

    Source: C2PA 2.2, sections 11.2 (update manifests) and 18.14 (c2pa.published, allowed in them).
    """
    store = _read_signed(source, resigner)
    parent = _parent_of(source, store)
    released: JsonValue = {"action": "c2pa.published", "when": approval.at.isoformat(timespec="seconds")}
    manifest = _continued(store, resigner, [opened_action(parent), released], without=PUBLICATION_LABEL)
    earlier = sequence(manifest.get("assertions"))
    manifest = {**manifest, "assertions": [*map(_json, earlier), approval_statement(approval)]}
    if approval.name:
        manifest = with_personal_metadata(manifest, PersonalFacts(contributors=(approval.name,)))
    options = SigningOptions(ingredients=(parent,), time_stamp=policy, adds_statements=True)
    asset = sign_file(
        source, destination, manifest=manifest, signer=resigner.signer, trust=resigner.trust, options=options
    )
    own = _own(destination, resigner)
    if own is None or own.publication != "published":
        destination.unlink()
        raise SigningError(f"The approval of {source.name} was written and cannot be read back, so it was removed.")
    return asset


def state_corrections(
    source: Path,
    destination: Path,
    *,
    resigner: Resigner,
    corrections: Sequence[Correction],
    policy: TimeStampPolicy,
) -> SignedAsset:
    """Write a copy of a signed file that says what was corrected, by way of an update manifest.

    The media is the same, byte for byte. All corrections stand on top, those that the earlier manifest had included.

    Args:
        source: the signed file.
        destination: a new file.
        resigner: who signs.
        corrections: all of them, oldest first.
        policy: whether the new claim gets a time-stamp.

    Raises:
        SigningError: the source is not a signed file that is trusted here, or what was written does not say so.

    Source: C2PA 2.2, sections 11.2 (update manifests) and 18.14 (c2pa.edited.metadata, allowed in them).
    """
    statement = correction_statement(corrections)
    store = _read_signed(source, resigner)
    parent = _parent_of(source, store)
    edited: JsonValue = {
        "action": "c2pa.edited.metadata",
        "when": corrections[-1].at.isoformat(timespec="seconds"),
        "description": corrections[-1].reason,
    }
    manifest = _continued(store, resigner, [opened_action(parent), edited], without=CORRECTION_LABEL)
    manifest = {**manifest, "assertions": [*map(_json, sequence(manifest.get("assertions"))), statement]}
    options = SigningOptions(ingredients=(parent,), time_stamp=policy, adds_statements=True)
    asset = sign_file(
        source, destination, manifest=manifest, signer=resigner.signer, trust=resigner.trust, options=options
    )
    own = _own(destination, resigner)
    if own is None or len(own.corrections) != len(corrections):
        destination.unlink()
        raise SigningError(f"The correction of {source.name} was written and cannot be read back, so it was removed.")
    return asset


def _own(path: Path, resigner: Resigner) -> OwnAssertions | None:
    return read_own_assertions(sequence(_read_signed(path, resigner).active.get("assertions")))


def redact_personal(
    source: Path, destination: Path, *, resigner: Resigner, options: SigningOptions | None = None
) -> SignedAsset:
    """Write a copy of a signed file without its personal statements (`manifest_metadata.with_personal_metadata`).

    Their bytes are gone from the copy, which says that something personal was redacted. Copies that are out already,
    and the manifest that the ledger keeps, still hold them.

    Args:
        source: the signed file.
        destination: a new file.
        resigner: who signs again.
        options: a time-stamp or an identity for the new claim; ingredients are added here.

    Raises:
        SigningError: nothing personal is in it, or the source is not a signed file that is trusted here.

    Source: C2PA 2.2, section 6.8 (redaction of assertions).
    """
    store = _read_signed(source, resigner)
    personal = find_personal(store)
    if not personal:
        raise SigningError(f"{source.name} holds no personal statements that could be redacted.")
    parent = _parent_of(source, store)
    redacted: list[JsonValue] = [
        {"action": "c2pa.redacted", "reason": _REDACTED_FOR, "parameters": {"redacted": each}} for each in personal
    ]
    manifest = {**_continued(store, resigner, [opened_action(parent), *redacted]), "redactions": list(personal)}
    wanted = options or SigningOptions()
    # An update manifest would not do: in MP4 files the earlier box stays as it was (measured with c2pa-rs 0.91.3).
    asset = sign_file(
        source,
        destination,
        manifest=manifest,
        signer=resigner.signer,
        trust=resigner.trust,
        options=SigningOptions(ingredients=(parent,), time_stamp=wanted.time_stamp, identity=wanted.identity),
    )
    if find_personal(_read_signed(destination, resigner)):
        destination.unlink()
        raise SigningError(f"Personal statements were left in the copy of {source.name}, so it was removed again.")
    return asset


def find_personal(store: Store) -> tuple[str, ...]:
    """List the addresses of the assertions, in any manifest of a file, that hold personal fields."""
    found = []
    for label, manifest in mapping(store.content.get("manifests")).items():
        for each in sequence(mapping(manifest).get("assertions")):
            entry = mapping(each)
            name = text(entry.get("label")) or ""
            if name.split("__")[0] == METADATA_LABEL and PERSONAL_FIELDS & set(mapping(entry.get("data"))):
                found.append(f"self#jumbf=/c2pa/{label}/c2pa.assertions/{_numbered(name, entry)}")
    return tuple(found)


def _numbered(name: str, entry: Mapping[str, object]) -> str:
    """Give the label as addresses have it: the library reports the number of a second one of a kind apart."""
    number = entry.get("instance")
    return f"{name}__{number}" if isinstance(number, int) and number > 0 and "__" not in name else name


def _read_signed(source: Path, resigner: Resigner) -> Store:
    if not source.is_file():
        raise SigningError(f"The file to sign again should exist and be a regular file; {source} is not.")
    store = read_store(source, for_size(resigner.trust.settings_for_signer(), source.stat().st_size))
    if store.active_label is None:
        raise SigningError(f"{source.name} carries no manifest that could be continued.", fix="Sign it first.")
    return store


def _parent_of(source: Path, store: Store) -> Ingredient:
    title = plain_text(text(store.active.get("title")) or "", MAX_TITLE_CHARACTERS) or "signed clip"
    return Ingredient(source, title, "parentOf", _PARENT)


def _continued(
    store: Store, resigner: Resigner, actions: Sequence[JsonValue], *, without: str = ""
) -> dict[str, JsonValue]:
    """Give a definition that repeats what we state about the clip and adds actions; `without` is left to the caller."""
    ours = [each for each in sequence(store.active.get("assertions")) if _is_ours(mapping(each))]
    kept = [each for each in ours if (text(mapping(each).get("label")) or "").split("__")[0] != without]
    carried = [assertion(text(mapping(each).get("label")) or "", _json(mapping(each).get("data"))) for each in kept]
    return {
        "claim_generator_info": claim_generator(resigner.sdk_version),
        "title": plain_text(text(store.active.get("title")) or "signed clip", MAX_TITLE_CHARACTERS),
        "assertions": [action_list(actions), *carried],
    }


def _is_ours(entry: Mapping[str, object]) -> bool:
    label = (text(entry.get("label")) or "").split("__")[0]
    return label.startswith(_OWN_PREFIX) or label == SOFT_BINDING_LABEL


def _json(value: object) -> dict[str, JsonValue]:
    """Take what came out of JSON for JSON."""
    return dict(value) if isinstance(value, dict) else {}
