"""Whether two people published a clip, told by its events alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.approval import authors, is_draft, publication
from platemark_provenance.ledger.event import Event, EventType, SealedState

START = datetime(2026, 11, 22, tzinfo=UTC)
PEOPLE = ("p-author", "p-editor", None)
KINDS = ("prompt.submitted", "manifest.signed", "clip.drafted", "clip.approved", "clip.published", "clip.withdrawn")
Told = tuple[str, str | None, str]


def life(*told: Told) -> list[Event]:
    """Events of one clip: kind, pseudonym, and the hash of the file they are about (empty for none)."""
    return [
        Event(
            seq=seq,
            event_id=f"e{seq}",
            at=START + timedelta(seconds=seq),
            type=kind,
            clip="clip",
            actor=actor,
            actor_name=None,
            desk=None,
            decision=None,
            model=None,
            facts={"sha256": sha256} if sha256 else {},
            sealed_state=SealedState.NONE,
            sealed=None,
            body=b"",
        )
        for seq, (kind, actor, sha256) in enumerate(told)
    ]


ASKED: Told = ("prompt.submitted", "p-author", "")
SIGNED: Told = ("manifest.signed", "p-author", "aa")
DRAFTED: Told = ("clip.drafted", "p-author", "aa")
APPROVED: Told = ("clip.approved", "p-editor", "bb")
PUBLISHED: Told = ("clip.published", "p-editor", "bb")


def test_a_clip_that_somebody_else_approved_and_that_was_published_is_published() -> None:
    found = publication(life(ASKED, SIGNED, DRAFTED, APPROVED, PUBLISHED))

    assert found is not None
    assert (found.type, found.actor) == (EventType.CLIP_APPROVED, "p-editor")


@pytest.mark.parametrize(
    "told",
    [
        (ASKED, SIGNED, DRAFTED),
        (ASKED, SIGNED, DRAFTED, APPROVED),
        (ASKED, SIGNED, DRAFTED, PUBLISHED),
        (ASKED, SIGNED, DRAFTED, PUBLISHED, APPROVED),
        (ASKED, SIGNED, DRAFTED, ("clip.approved", "p-author", "bb"), PUBLISHED),
        (ASKED, SIGNED, DRAFTED, ("clip.approved", None, "bb"), PUBLISHED),
        (ASKED, SIGNED, DRAFTED, APPROVED, ("clip.published", "p-editor", "cc")),
        (("prompt.submitted", None, ""), ("manifest.signed", None, "aa"), APPROVED, PUBLISHED),
        (),
    ],
    ids=[
        "draft", "approved only", "not approved", "approved afterwards", "by its author", "by nobody", "another file",
        "no known author", "nothing",
    ],
)  # fmt: skip
def test_anything_else_is_not(told: tuple[Told, ...]) -> None:
    assert publication(life(*told)) is None


def test_whoever_acted_before_the_first_signature_is_an_author_and_nobody_after_it() -> None:
    helped: Told = ("generation.started", "p-helper", "")

    assert authors(life(ASKED, helped, SIGNED, APPROVED)) == {"p-author", "p-helper"}


def test_a_helper_cannot_be_the_second_person() -> None:
    helped: Told = ("generation.started", "p-editor", "")

    assert publication(life(ASKED, helped, SIGNED, DRAFTED, APPROVED, PUBLISHED)) is None


def test_a_draft_stays_one_until_it_is_published() -> None:
    assert is_draft(life(ASKED, SIGNED, DRAFTED, APPROVED))
    assert not is_draft(life(ASKED, SIGNED, DRAFTED, APPROVED, PUBLISHED))


def test_a_clip_of_a_home_without_the_gate_is_neither_draft_nor_published() -> None:
    events = life(ASKED, SIGNED, ("clip.published", "p-author", "aa"))

    assert (is_draft(events), publication(events)) == (False, None)


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(PEOPLE), st.sampled_from(("aa", "bb", ""))), max_size=14)
)
def test_no_sequence_of_events_publishes_without_a_second_person(told: list[Told]) -> None:
    events = life(*told)

    found = publication(events)

    assert found is None or (found.actor not in (None, *authors(events)) and bool(authors(events)))
