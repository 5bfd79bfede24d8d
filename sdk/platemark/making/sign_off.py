"""Where a decision of the policy lets a job go on, waits for an editor, or stops.

One rule: what is not allowed goes on only with an approval of exactly this request, and that it was used is an event.
"""

from dataclasses import dataclass, field

from platemark.clip import Asking, ClipId
from platemark.errors import PromptHeld, PromptRefused, ReviewRefused
from platemark.homes.review_desk import Asked, ReviewDesk
from platemark_policy.decision import Decision, Verdict
from platemark_policy.review import BoundRequest


@dataclass(slots=True)
class SignOff:
    """Decides for one job whether it goes on after each decision of the policy.

    Attributes:
        desk: the review queue of the home.
        clip_id: what the job makes.
        request: what was asked for.
        model: name, version and hash of the weights, in one text.
        material: digests of the files that were handed over.
        form: keyed digest of `form_facts` of the request.
        used: the tickets whose approvals let this job go on.
    """

    desk: ReviewDesk
    clip_id: ClipId
    request: Asking
    model: str
    material: tuple[str, ...] = ()
    form: str = ""
    used: list[str] = field(default_factory=list)

    def bound(self, of: str, decision: Decision) -> BoundRequest:
        """Give what an approval of a decision is about.

        Args:
            of: the name of the text, or `frames`.
            decision: on it.
        """
        return BoundRequest(
            input_hmac=decision.input_hmac,
            of=of,
            seed=str(self.request.seed),
            model=self.model,
            pack_sha256=decision.pack.sha256,
            material=self.material,
            form=self.form,
        )

    def go_on(self, decision: Decision, bound: BoundRequest) -> None:
        """Let a job go on that was allowed, or that editors approved.

        Args:
            decision: the policy's.
            bound: what an approval of it is about.

        Raises:
            PromptRefused: the policy blocks it, and no editors have overruled that.
            PromptHeld: an editor must decide; a ticket was opened.
        """
        if decision.verdict is Verdict.ALLOW:
            return
        asked = Asked(self.clip_id, self.request.actor, self.request.desk, bound)
        approved = self.desk.approval(bound)
        if approved is not None:
            self.desk.applied(approved, asked)
            self.used.append(approved.row.ticket)
            return
        if decision.verdict is Verdict.BLOCK:
            raise PromptRefused(decision)
        try:
            ticket = self.desk.hold(decision, asked)
        except ReviewRefused as error:
            raise PromptRefused(decision) from error
        raise PromptHeld(decision, ticket, seed=str(self.request.seed))
