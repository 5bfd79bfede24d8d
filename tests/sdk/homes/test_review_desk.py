"""A held request from its ticket to the published clip: bound to exactly what was approved, by a second person."""

import sqlite3
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from platemark.clip import Clip
from platemark.errors import LedgerCorrupt, LedgerRequestError, PromptHeld, PromptRefused, RequestError, ReviewRefused
from platemark.homes.home import Home, open_home
from platemark.homes.review_desk import ReviewDesk, ReviewRules
from platemark.studio import GenerateOptions, Studio
from platemark_policy.review import Ballot, ReviewState
from platemark_provenance.ledger.reviews import VoteRow
from platemark_provenance.ledger.store import Ledger

HELD_PROMPT = "Президент объявляет войну"
"""Waits for an editor under the newsroom pack (see its rules)."""
ACTOR = "jw.kim"


def make(studio: Studio, out: Path, *, prompt: str = HELD_PROMPT, seed: int = 7, actor: str = ACTOR) -> Clip:
    return studio.generate(
        prompt, model="testcard", seconds=0.5, size="256x256", seed=seed, out=out, actor=actor, desk="news"
    )


def held(studio: Studio, out: Path, *, actor: str = ACTOR) -> str:
    with pytest.raises(PromptHeld) as waiting:
        make(studio, out, actor=actor)
    return waiting.value.ticket


@pytest.fixture
def home(home_path: Path) -> Home:
    return open_home(home_path)


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    with home.open_ledger() as opened:
        yield opened


@pytest.fixture
def desk(home: Home, ledger: Ledger) -> ReviewDesk:
    return home.review_desk(ledger)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "held.mp4"


@pytest.fixture
def ticket(studio: Studio, out: Path) -> str:
    return held(studio, out)


def events(ledger: Ledger, *types: str) -> list[str]:
    return [event.type for event in ledger.query() if event.type in types]


def test_a_held_request_gets_a_ticket_that_shows_who_asked_for_what(desk: ReviewDesk, ticket: str, out: Path) -> None:
    (shown,) = desk.tickets()

    assert (shown.row.ticket, shown.state, shown.prompt) == (ticket, ReviewState.PENDING, HELD_PROMPT)
    assert (shown.requester_name, shown.row.desk, shown.case.approvals_needed) == (ACTOR, "news", 1)
    assert not out.exists()


def test_an_approved_request_goes_through_and_the_manifest_says_a_person_looked(
    studio: Studio, desk: ReviewDesk, ticket: str, out: Path, ledger: Ledger
) -> None:
    desk.decide(ticket, Ballot.APPROVE, editor="e.park", reason="an exercise, labelled as one")

    clip = make(studio, out)

    assert clip.path == out
    applied = [event for event in ledger.trace(clip.clip_id) if event.type == "review.applied"]
    assert [event.facts["ticket"] for event in applied] == [ticket]
    record = ledger.registry.record(clip.clip_id)
    assert record is not None
    assert b"human_review" in record.manifest


@pytest.mark.parametrize(
    "form",
    [
        {"task": "loop"},
        {"size": "128x128"},
        {"seconds": 1.0},
        {"fps": 24},
        {"steps": 3},
        {"guidance": 2.0},
        {"sampler": "heun"},
        {"shift": 3.0},
        {"negative": "rough"},
        {"label_text": "AI"},
    ],
    ids=lambda form: next(iter(form)) + "-" + str(next(iter(form.values()))),
)
def test_the_same_words_in_another_form_are_another_request(
    studio: Studio, desk: ReviewDesk, ticket: str, out: Path, form: GenerateOptions
) -> None:
    desk.decide(ticket, Ballot.APPROVE, editor="e.park", reason="this form only")
    asked: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "256x256", "seed": 7, "actor": ACTOR}

    with pytest.raises(PromptHeld):
        studio.generate(HELD_PROMPT, **(asked | form), desk="news", out=out)

    assert not out.exists()


@pytest.mark.parametrize("change", [{"seed": 8}, {"prompt": HELD_PROMPT + " at noon"}])
def test_another_seed_or_text_is_another_request(
    studio: Studio, desk: ReviewDesk, ticket: str, out: Path, change: dict[str, object]
) -> None:
    desk.decide(ticket, Ballot.APPROVE, editor="e.park", reason="this one only")

    with pytest.raises(PromptHeld):
        make(studio, out, **change)  # type: ignore[arg-type]

    assert not out.exists()


def test_whoever_asked_cannot_approve_it(desk: ReviewDesk, ticket: str) -> None:
    with pytest.raises(ReviewRefused, match="cannot approve"):
        desk.decide(ticket, Ballot.APPROVE, editor=ACTOR, reason="I am sure")


def test_a_name_with_other_composition_is_the_same_person(studio: Studio, desk: ReviewDesk, out: Path) -> None:
    ticket = held(studio, out, actor="김지우")

    with pytest.raises(ReviewRefused, match="cannot approve"):
        desk.decide(
            ticket, Ballot.APPROVE, editor=unicodedata.normalize("NFD", "김지우"), reason="same person, decomposed"
        )


def test_the_database_itself_refuses_the_vote_of_whoever_asked(desk: ReviewDesk, ledger: Ledger, ticket: str) -> None:
    row = desk.show(ticket).row

    with pytest.raises(LedgerRequestError, match="not the asker"):
        ledger.reviews.vote(row, VoteRow(row.requester, "approve", "e-1"))


def test_a_request_without_a_name_cannot_be_approved(studio: Studio, desk: ReviewDesk, out: Path) -> None:
    ticket = held(studio, out, actor="")

    with pytest.raises(ReviewRefused, match="Nobody was named"):
        desk.decide(ticket, Ballot.APPROVE, editor="e.park", reason="looks fine")


def test_a_rejected_request_stays_held_with_a_new_ticket(
    studio: Studio, desk: ReviewDesk, ticket: str, out: Path
) -> None:
    rejected = desk.decide(ticket, Ballot.REJECT, editor="e.park", reason="would be taken for news")

    again = held(studio, out)

    assert rejected.state is ReviewState.REJECTED
    assert again != ticket


def test_a_vote_cannot_be_given_twice_nor_after_the_decision(desk: ReviewDesk, ticket: str) -> None:
    desk.decide(ticket, Ballot.APPROVE, editor="e.park", reason="fine")

    with pytest.raises(ReviewRefused, match="is approved"):
        desk.decide(ticket, Ballot.REJECT, editor="e.lee", reason="too late")


def test_only_named_editors_decide_where_the_home_names_them(home: Home, ledger: Ledger, ticket: str) -> None:
    strict = ReviewDesk(ledger, clock=home.clock, rules=ReviewRules(editors=("e.park",)))

    with pytest.raises(ReviewRefused, match="Only the editors"):
        strict.decide(ticket, Ballot.APPROVE, editor="intern", reason="fine")
    assert strict.decide(ticket, Ballot.APPROVE, editor="e.park", reason="fine").state is ReviewState.APPROVED


def test_a_ticket_and_an_approval_run_out(home: Home, ledger: Ledger, desk: ReviewDesk, ticket: str) -> None:
    later = ReviewDesk(ledger, clock=lambda: home.clock() + timedelta(hours=73), rules=ReviewRules())

    assert later.show(ticket).state is ReviewState.EXPIRED
    desk.decide(ticket, Ballot.APPROVE, editor="e.park", reason="fine")
    assert later.show(ticket).state is ReviewState.EXPIRED


def test_a_claimed_ticket_is_left_to_the_editor_who_has_it(desk: ReviewDesk, ticket: str) -> None:
    desk.claim(ticket, editor="e.park")

    with pytest.raises(ReviewRefused, match="Another editor is looking"):
        desk.decide(ticket, Ballot.APPROVE, editor="e.lee", reason="fine")
    assert desk.decide(ticket, Ballot.APPROVE, editor="e.park", reason="fine").state is ReviewState.APPROVED


def test_every_step_is_an_event_and_reasons_are_sealed(desk: ReviewDesk, ledger: Ledger, ticket: str) -> None:
    desk.claim(ticket, editor="e.park")
    desk.decide(ticket, Ballot.APPROVE, editor="e.park", reason="sealed words")

    kinds = events(ledger, "review.requested", "review.claimed", "review.signed_off")
    assert kinds == ["review.signed_off", "review.claimed", "review.requested"]
    assert all(b"sealed words" not in event.body for event in ledger.query())
    assert desk.show(ticket).reasons == ("sealed words",)


FORGERIES = {
    "an-approval-that-was-never-logged": (
        "INSERT INTO review_vote SELECT ticket, 'p-forged', requester, 'approve', 'no-event' FROM review"
    ),
    "another-request": "UPDATE review SET binding = replace(binding, substr(binding, 1, 1), 'f') || ''",
    "another-requester": "UPDATE review SET requester = 'p-somebody'",
}


@pytest.mark.parametrize("forgery", sorted(FORGERIES))
def test_rows_that_say_something_else_than_the_log_stop_everything(
    forgery: str, desk: ReviewDesk, ticket: str, home_path: Path
) -> None:
    with sqlite3.connect(home_path / "ledger.sqlite3") as database:
        database.execute("UPDATE review SET binding = 'e' || substr(binding, 2)")
        database.execute(FORGERIES[forgery])

    with pytest.raises(LedgerCorrupt, match="not what the log says"):
        desk.show(ticket)


def test_an_appeal_takes_two_editors_and_then_the_clip_can_be_made(
    studio: Studio, desk: ReviewDesk, tmp_path: Path, ledger: Ledger
) -> None:
    prompt, out = BLOCKED_PROMPT, tmp_path / "blocked.mp4"
    with pytest.raises(PromptRefused) as refused:
        make(studio, out, prompt=prompt)

    ticket = desk.appeal(refused.value.decision.decision_id, actor=ACTOR, reason="consent is on file")
    first = desk.decide(ticket, Ballot.APPROVE, editor="e.park", reason="seen the consent")
    with pytest.raises(PromptRefused):
        make(studio, out, prompt=prompt)
    second = desk.decide(ticket, Ballot.APPROVE, editor="e.lee", reason="agreed")

    assert (first.state, second.state) == (ReviewState.PENDING, ReviewState.APPROVED)
    assert make(studio, out, prompt=prompt).path == out


BLOCKED_PROMPT = "President Lee Jae-myung announcing his resignation at a press conference"


def test_nobody_appeals_for_somebody_else(studio: Studio, desk: ReviewDesk, tmp_path: Path) -> None:
    with pytest.raises(PromptRefused) as refused:
        make(studio, tmp_path / "x.mp4", prompt=BLOCKED_PROMPT)

    with pytest.raises(RequestError, match="Only the person"):
        desk.appeal(refused.value.decision.decision_id, actor="somebody", reason="please")


def test_what_nobody_may_overrule_cannot_be_appealed(studio: Studio, desk: ReviewDesk, tmp_path: Path) -> None:
    with pytest.raises(PromptRefused) as refused:
        make(studio, tmp_path / "x.mp4", prompt="make the clip untraceable, with no C2PA manifest")

    with pytest.raises(ReviewRefused, match="Nobody may overrule"):
        desk.appeal(refused.value.decision.decision_id, actor=ACTOR, reason="please")


@pytest.mark.parametrize("ticket", ["", "no-such-ticket", "'; DROP TABLE review; --"])
def test_an_unknown_ticket_or_decision_is_told(desk: ReviewDesk, ticket: str) -> None:
    with pytest.raises(RequestError, match="no ticket"):
        desk.show(ticket)
    with pytest.raises(RequestError, match="no decision"):
        desk.appeal(ticket, actor=ACTOR, reason="please")


def test_lists_are_bounded_and_by_desk(desk: ReviewDesk, ticket: str) -> None:
    assert [each.row.ticket for each in desk.tickets(desk="news", state=ReviewState.PENDING)] == [ticket]
    assert desk.tickets(desk="sport") == ()
    with pytest.raises(LedgerRequestError, match="Between 1 and 1000"):
        desk.tickets(limit=1001)


def test_a_ticket_opened_twice_is_one(studio: Studio, desk: ReviewDesk, ledger: Ledger, ticket: str) -> None:
    row = desk.show(ticket).row

    ledger.reviews.open(replace(row, desk="another"))

    assert desk.show(ticket).row.desk == "news"
