"""Who may let a request pass: never the one who asked, never too late, never against a rule nobody may overrule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.decision import Decision, Finding, PackId, Reason, Verdict
from platemark_policy.errors import ReviewRefused
from platemark_policy.review import (
    Ballot,
    BoundRequest,
    Case,
    ReviewState,
    Vote,
    approvals_needed,
    check_reason_given,
    check_vote,
    overridable_rules,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
people = st.sampled_from(["asker", "ed1", "ed2", "ed3"])
votes = st.lists(st.builds(Vote, people, st.sampled_from(Ballot), st.just(NOW)), max_size=6).map(tuple)


def finding(action: Verdict, *, overridable: bool = True) -> Finding:
    return Finding("R01.1", "named_person", action, None, "prompt", Reason("x", "x"), overridable, "rules")


def decision(*findings: Finding) -> Decision:
    verdict = max((each.action for each in findings), key=lambda each: each.severity, default=Verdict.ALLOW)
    return Decision(verdict, "d-1", findings, PackId("p", "1", "0" * 64), "1", "ab", (), NOW)


def needed(*findings: Finding) -> int:
    made = decision(*findings)
    return approvals_needed(made.verdict, overridable=overridable_rules(made))


def case(*given: Vote, requester: str = "asker", approvals: int = 1, claimed: str | None = None) -> Case:
    return Case(requester, approvals, LATER, claimed, LATER if claimed else None, given)


def approve(voter: str) -> Vote:
    return Vote(voter, Ballot.APPROVE, NOW)


def test_a_review_takes_one_person_and_a_block_two() -> None:
    assert needed(finding(Verdict.REVIEW)) == 1
    assert needed(finding(Verdict.REVIEW), finding(Verdict.BLOCK)) == 2


@pytest.mark.parametrize("action", [Verdict.REVIEW, Verdict.BLOCK])
def test_one_finding_that_nobody_may_overrule_closes_the_way(action: Verdict) -> None:
    with pytest.raises(ReviewRefused, match=r"Nobody may overrule R01\.1"):
        needed(finding(Verdict.REVIEW), finding(action, overridable=False))


def test_what_was_allowed_needs_no_review() -> None:
    with pytest.raises(ReviewRefused, match="nothing to review"):
        needed()


def test_another_editor_may_vote() -> None:
    check_vote(case(), "ed1", editors=(), now=NOW)


@pytest.mark.parametrize(
    ("held", "voter", "editors", "told"),
    [
        (case(), "asker", (), "cannot approve it"),
        (case(requester=""), "ed1", (), "Nobody was named"),
        (case(), "ed1", ("ed2",), "Only the editors"),
        (case(approve("ed1"), approvals=2), "ed1", (), "decided about this ticket before"),
        (case(claimed="ed2"), "ed1", (), "Another editor is looking"),
        (case(approve("ed1")), "ed2", (), "is approved"),
        (case(Vote("ed1", Ballot.REJECT, NOW), approvals=2), "ed2", (), "is rejected"),
    ],
)
def test_one_condition_that_does_not_hold_refuses_the_vote(
    held: Case, voter: str, editors: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ReviewRefused, match=told):
        check_vote(held, voter, editors=editors, now=NOW)


def test_a_ticket_cannot_be_decided_after_its_time() -> None:
    with pytest.raises(ReviewRefused, match="is expired"):
        check_vote(case(), "ed1", editors=(), now=LATER)


def test_a_claim_ends_by_itself_and_does_not_hinder_its_holder() -> None:
    held = Case("asker", 1, LATER, "ed2", NOW, ())

    check_vote(held, "ed1", editors=(), now=NOW)
    check_vote(case(claimed="ed1"), "ed1", editors=("ed1",), now=NOW)


@given(votes, st.integers(1, 2))
def test_the_requester_never_counts_and_never_twice_the_same_editor(given: tuple[Vote, ...], approvals: int) -> None:
    held = case(*given, approvals=approvals)

    assert "asker" not in held.approvers
    assert len(set(held.approvers)) == len(held.approvers)
    approved = held.state(NOW) is ReviewState.APPROVED
    assert not approved or len(held.approvers) >= approvals


@given(votes, st.integers(1, 2))
def test_one_rejection_is_final(given: tuple[Vote, ...], approvals: int) -> None:
    rejected = case(*given, Vote("ed3", Ballot.REJECT, NOW), approvals=approvals)

    assert rejected.state(NOW) is ReviewState.REJECTED
    assert rejected.state(LATER) is ReviewState.REJECTED


@given(votes)
def test_an_approval_ends_with_its_time(given: tuple[Vote, ...]) -> None:
    assert case(*given).state(LATER) in (ReviewState.EXPIRED, ReviewState.REJECTED)


@pytest.mark.parametrize("field", ["input_hmac", "of", "seed", "model", "pack_sha256", "form"])
def test_an_approval_is_bound_to_every_part_of_the_request(field: str) -> None:
    whole = {"input_hmac": "a", "of": "prompt", "seed": "7", "model": "m 1", "pack_sha256": "p", "form": "f"}

    other = {**whole, field: "other"}

    assert BoundRequest(**whole).digest() != BoundRequest(**other).digest()  # type: ignore[arg-type]


def test_an_approval_with_one_picture_is_none_with_another() -> None:
    bare, given = BoundRequest("a", "prompt", "7", "m", "p"), BoundRequest("a", "prompt", "7", "m", "p", ("x",))

    assert bare.digest() != given.digest()


@pytest.mark.parametrize("reason", ["", "   ", "...", "x" * 501])
def test_a_decision_without_a_real_reason_is_refused(reason: str) -> None:
    with pytest.raises(ReviewRefused, match="needs a reason"):
        check_reason_given(reason)


def test_a_reason_is_kept_without_the_space_around_it() -> None:
    assert check_reason_given("  checked with the desk \n") == "checked with the desk"
