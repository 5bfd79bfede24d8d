"""The checks between a draft and a published clip, as pure functions of what is known about it.

One rule: what is not known does not pass. The numbers are those of `docs/publishing.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from platemark.compliance.assessment import Assessment
from platemark.config import DeskSettings
from platemark.desk.people import folded, refusal
from platemark.desk.publication import withdrawn_check
from platemark.errors import FailedCheck
from platemark.homes.account import ACCOUNT_FACT
from platemark.i18n import mark
from platemark_provenance.approval import authors, publication
from platemark_provenance.ledger.event import Event, EventType
from platemark_provenance.ledger.registry import ClipRecord
from platemark_provenance.verdict import Verdict

_NOBODY_LISTED = DeskSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the records say about a clip and about who would approve it.

    Args:
        record: of the newest file of the clip.
        events: of the clip, oldest first.
        byline: as given with the approval; empty where the one it was made under counts.
        approver: the name of who would approve.
        approver_id: the pseudonym of that person.
        editors: pseudonyms of those who may; empty means anybody but the author.
        desk: who is listed as an approver.
        account: of the operating system, that the approval comes from.
    """

    record: ClipRecord
    events: Sequence[Event]
    byline: str
    approver: str
    approver_id: str
    editors: frozenset[str] = frozenset()
    desk: DeskSettings = _NOBODY_LISTED
    account: str = ""

    @property
    def known_byline(self) -> str:
        """Give the byline, the one it was made under where no other was given; empty where there is none."""
        return self.byline.strip() or next(iter(_sealed(self.events, "byline")), "")


def check_standing(standing: Standing) -> tuple[FailedCheck, ...]:
    """Check what needs no look at the pixels: 2 withdrawn, 3 published, 4 byline, 5 author, 6 approver, 7 policy."""
    failed: list[FailedCheck] = []
    withdrawn = standing.record.withdrawn
    if withdrawn is not None:  # 2
        failed.append(withdrawn_check(withdrawn.reason))
    if publication(standing.events) is not None:  # 3
        failed.append(
            FailedCheck(
                3, "published", mark("The clip was published already."), mark("Use the published file, or withdraw it.")
            )
        )
    if not standing.known_byline:  # 4
        failed.append(FailedCheck(4, "byline", mark("Nobody is named as its byline."), mark("Give it: --byline NAME.")))
    if not authors(standing.events):  # 5
        failed.append(
            FailedCheck(
                5,
                "author",
                mark("Nobody is named as the one who made it, so nobody can be a second person."),
                mark("Make it again with --actor NAME."),
            )
        )
    failed += _check_approver(standing)  # 6
    undecided = _not_let_pass(standing.events)
    if undecided:  # 7
        failed.append(
            FailedCheck(
                7,
                "policy",
                mark("The policy neither allowed it nor did an editor let it pass."),
                mark("Make it again and have the request reviewed."),
                ", ".join(undecided),
            )
        )
    if _under_test_rules(standing.events):  # 7
        failed.append(
            FailedCheck(
                7,
                "policy",
                mark("It passed rules for tests only."),
                mark("Make it again under the rules of the newsroom."),
            )
        )
    return tuple(failed)


def check_assessment(assessment: Assessment) -> tuple[FailedCheck, ...]:
    """Check the file itself: 8 manifest, 9 watermark, 10 label, 11 profiles."""
    failed: list[FailedCheck] = []
    evidence = assessment.evidence
    report = evidence.report
    if report.verdict is not Verdict.TRUSTED:  # 8
        advice = mark("Run `platemark doctor`, then `platemark verify` on the file.")
        failed.append(FailedCheck(8, "manifest", mark("Its manifest is not trusted here."), advice, report.verdict))
    if report.axes.watermark != "matched":  # 9
        failed.append(
            FailedCheck(
                9,
                "watermark",
                mark("Its watermark does not lead to our record of it."),
                mark("Make it again."),
                report.axes.watermark,
            )
        )
    label = evidence.label
    if not label.whole:  # 10
        failed.append(
            FailedCheck(
                10,
                "label",
                mark("The label is not on every frame."),
                mark("Make it again, larger or with the standard label."),
                f"{label.labelled}/{label.frames}",
            )
        )
    for result in assessment.profiles:  # 11
        clauses = [each.clause.id for each in result.results if each.failed]
        if clauses:
            failed.append(
                FailedCheck(
                    11,
                    "profile",
                    mark("A compliance profile fails."),
                    mark("See which clause and why: platemark comply CLIP"),
                    f"{result.profile.id}: {', '.join(clauses)}",
                )
            )
    return tuple(failed)


def _check_approver(standing: Standing) -> list[FailedCheck]:
    """Compare people by pseudonym and, where the names are still known, by the names without case and spaces."""
    makers = authors(standing.events)
    names = [event.actor_name for event in standing.events if event.actor in makers and event.actor_name]
    people = (*names, standing.known_byline, *_sealed(standing.events, "byline"))
    named = {folded(name) for name in people if name}
    if standing.approver_id in makers or folded(standing.approver) in named:
        message = mark("Whoever made a clip, or stands in its byline, cannot approve it.")
        return [FailedCheck(6, "approver", message, mark("Ask another editor."))]
    if standing.editors and standing.approver_id not in standing.editors:
        message = mark("Only the editors of this home may approve.")
        return [FailedCheck(6, "approver", message, mark("They are listed in [review] editors."))]
    if standing.desk.separate_accounts and standing.account in _sealed(standing.events, ACCOUNT_FACT)[:1]:
        message = mark("The clip was made under this very account of the operating system.")
        return [FailedCheck(6, "approver", message, mark("Approve it from an account of your own."), standing.account)]
    failed = refusal(standing.desk, "publish", standing.approver, standing.account)
    return [] if failed is None else [failed]


def _sealed(events: Sequence[Event], name: str) -> list[str]:
    """List what a sealed fact says in the events that can still be opened."""
    found = (event.sealed.get(name) for event in events if event.sealed is not None)
    return [each for each in found if isinstance(each, str) and each.strip()]


def _under_test_rules(events: Sequence[Event]) -> bool:
    decisions = (event.facts.get("decision") for event in events if event.type == EventType.POLICY_DECIDED)
    return any(isinstance(each, dict) and each.get("is_permissive") is True for each in decisions)


def _not_let_pass(events: Sequence[Event]) -> list[str]:
    """Name the texts and frames that were decided on and let pass by nobody; `none` where nothing was decided."""
    decided = [event for event in events if event.type == EventType.POLICY_DECIDED]
    bindings = (event.facts.get("binding") for event in events if event.type == EventType.REVIEW_APPLIED)
    applied = {each for each in bindings if isinstance(each, str)}
    stopped = [
        str(event.facts.get("of"))
        for event in decided
        if event.decision != "allow" and event.facts.get("binding") not in applied
    ]
    return stopped if decided else ["none"]
