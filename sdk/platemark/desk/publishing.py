"""From a draft to a published clip: every check, then a second person's name, in the manifest and in the log.

One rule: the draft is never touched. The approved clip is a file of its own, whole or not there; the log says what was
approved before that file is at its path, and what became of it if it never got there.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Required, TypedDict, Unpack

from platemark._version import __version__
from platemark.compliance.assessment import assess
from platemark.compliance.evidence import Situation
from platemark.compliance.gathering import gather
from platemark.compliance.profile import Profile, load_profile
from platemark.desk.edition import Edition, beside
from platemark.desk.publication_checks import Standing, check_assessment, check_standing
from platemark.errors import FailedCheck, ProfileFailed, PublicationRefused
from platemark.homes.account import ACCOUNT_FACT, os_account
from platemark.homes.home import Home
from platemark.i18n import mark
from platemark.inputs import STILL_ENDINGS
from platemark.making.outputs import check_final_path
from platemark.webhooks.telling import Telling
from platemark_policy.review import check_reason_given
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.ledger.event import Appended, EventType, check_text
from platemark_provenance.ledger.registry import ClipRecord
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.publication import ApprovalFacts
from platemark_provenance.resigning import Resigner, approve_publication
from platemark_provenance.signing import SignedAsset


class PublishOptions(TypedDict, total=False):
    """How a clip is approved.

    Attributes:
        approver: who approves, by name; the manifest and the log keep a pseudonym.
        reason: why; kept sealed.
        byline: whose name stands by the clip, where it was made without one.
        profiles: compliance profiles that must pass, besides those the home asks for.
        out: where the published file goes; beside the draft where left out (`clip.mp4`: `clip.published.mp4`).
        name_approver: whether the manifest says the approver's name to everybody.
    """

    approver: Required[str]
    reason: Required[str]
    byline: str
    profiles: tuple[str, ...]
    out: str | Path
    name_approver: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A clip that a second person approved, and where its published file lies."""

    clip_id: str
    path: Path
    sha256: str
    manifest_label: str
    manifest_sha256: str
    approver: str
    profiles: tuple[tuple[str, int], ...]
    ledger: Appended
    receipt: Path

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that `publish --json` prints."""
        return {
            "clip_id": self.clip_id,
            "publication": "published",
            "path": str(self.path),
            "sha256": self.sha256,
            "manifest": {"label": self.manifest_label, "sha256": self.manifest_sha256},
            "approver": self.approver,
            "profiles": [{"id": name, "version": version} for name, version in self.profiles],
            "ledger": {"seq": self.ledger.seq, "event_id": self.ledger.event_id, "root": self.ledger.root},
            "receipt": str(self.receipt),
        }


def publish(home: Home, ledger: Ledger, clip: Path, **options: Unpack[PublishOptions]) -> Published:
    """Publish a clip of this home: check everything, then write a copy whose manifest carries the approval.

    The media is the same, byte for byte; the draft stays as it is.

    Args:
        home: whose clip it is.
        ledger: of that home, open.
        clip: the file as it was made.
        **options: see `PublishOptions`.

    Raises:
        ReviewRefused: no reason was given.
        LedgerRequestError: the approver's name is empty or too long.
        RequestError: there is no such compliance profile.
        OutputError: the published file cannot be written where it should go.
        PublicationRefused: a check did not pass; the error carries each.
        ProfileFailed: only compliance profiles fail.
        PlatemarkError: anything else. Whatever is raised, the draft is whole and nothing is at the new path.
    """
    check_text("approver", options["approver"])
    try:
        return _PublishJob(home, ledger, clip.absolute(), options).run()
    finally:
        Telling(home, ledger).deliver_quietly()


class _PublishJob:
    """One publication. `run` is the whole story."""

    def __init__(self, home: Home, ledger: Ledger, draft: Path, options: PublishOptions) -> None:
        self._home, self._ledger, self._draft, self._options = home, ledger, draft, options
        self._reason = check_reason_given(options["reason"])
        self._profiles = _load(home, options)
        self._approver = ledger.pseudonym(options["approver"])
        self._final = Path(options.get("out") or beside(draft, "published")).absolute()

    def run(self) -> Published:
        """Check, sign, record, move.

        1. The file is, byte for byte, a clip of this home. 2 to 7: what the records say. 8 to 11: the file itself.
        Then the approval is written down, with the digest of the very file that it is about, before that file appears.
        """
        record = self._find()  # 1
        refuse(check_standing(self._standing(record)))  # 2 to 7
        check_final_path(self._final, overwrite=None, endings=(".mp4", *STILL_ENDINGS))
        evidence = gather(self._home, self._draft)
        refuse(check_assessment(assess(evidence, self._profiles, Situation(), on=self._home.clock().date())))  # 8 to 11
        edition = Edition(self._home, self._ledger, record, self._draft, self._final, self._options["approver"])
        with edition.underway() as name:
            signed = self._sign(edition)
            self._approve(edition, name, signed)
            return self._published(edition, signed, edition.put(signed, draft=False))

    def _find(self) -> ClipRecord:
        record = self._ledger.registry.record_for_file(sha256_file(self._draft))
        if record is None:
            message = mark("The file is not, byte for byte, a clip that this home made.")
            failed = FailedCheck(1, "file", message, mark("Name the file as `generate` wrote it."), self._draft.name)
            raise PublicationRefused((failed,))
        return record

    def _standing(self, record: ClipRecord) -> Standing:
        return Standing(
            record=record,
            events=self._ledger.trace(record.clip_id),
            byline=self._options.get("byline", ""),
            approver=self._options["approver"],
            approver_id=self._ledger.pseudonym_of(self._options["approver"]),
            editors=frozenset(self._ledger.pseudonym(name) for name in self._home.config.review.editors),
            desk=self._home.config.desk,
            account=os_account(),
        )

    def _sign(self, edition: Edition) -> SignedAsset:
        home = self._home
        name = self._options["approver"] if self._options.get("name_approver") else ""
        profiles = tuple((each.id, each.version) for each in self._profiles)
        signed = approve_publication(
            self._draft,
            edition.paths.signed,
            resigner=Resigner(home.claim_signer(), home.trust_store(), __version__),
            approval=ApprovalFacts(home.clock(), self._approver, profiles, name),
            policy=home.time_stamp_policy(),
        )
        edition.check_source()
        return signed

    def _approve(self, edition: Edition, name: str, signed: SignedAsset) -> None:
        """Commit the approval; what stood against it a moment ago may have changed since."""
        record = edition.record
        with self._ledger.atomic():
            refuse(check_standing(self._standing(self._ledger.registry.record(record.clip_id) or record)))
            edition.record_signed(name, signed, draft=False)
            profiles: list[JsonValue] = [{"id": each.id, "version": each.version} for each in self._profiles]
            facts: dict[str, JsonValue] = {
                "label": signed.label,
                "sha256": signed.sha256,
                "of_sha256": record.file_sha256,
                "profiles": profiles,
            }
            sealed: dict[str, JsonValue] = {"reason": self._reason, ACCOUNT_FACT: os_account()}
            if self._options.get("byline"):
                sealed["byline"] = self._options.get("byline", "")
            edition.log(EventType.CLIP_APPROVED, facts, sealed=sealed)

    def _published(self, edition: Edition, signed: SignedAsset, entry: Appended) -> Published:
        return Published(
            clip_id=edition.record.clip_id,
            path=self._final,
            sha256=signed.sha256,
            manifest_label=signed.label,
            manifest_sha256=signed.manifest_sha256,
            approver=self._approver,
            profiles=tuple((each.id, each.version) for each in self._profiles),
            ledger=entry,
            receipt=edition.paths.receipt,
        )


def refuse(failed: tuple[FailedCheck, ...]) -> None:
    """Refuse publication where checks failed.

    Raises:
        PublicationRefused: some did.
        ProfileFailed: some did, and all of them are compliance profiles.
    """
    if not failed:
        return
    raise ProfileFailed(failed) if all(each.name == "profile" for each in failed) else PublicationRefused(failed)


def _load(home: Home, options: PublishOptions) -> tuple[Profile, ...]:
    names = dict.fromkeys((*home.config.publish.profiles, *options.get("profiles", ())))
    return tuple(load_profile(name) for name in names)
