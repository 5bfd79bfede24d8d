"""Every kind of event reads as one sentence in both languages."""

import dataclasses
import re

import pytest

from platemark_provenance.axes import Language
from platemark_provenance.ledger.event import Event, EventType, SealedState
from platemark_provenance.ledger.event_words import LONGEST_VALUE, event_sentence, reason_codes
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.store import Ledger


@pytest.fixture
def some_event(archive: Ledger) -> Event:
    """Any event, to be changed with `replace`."""
    return archive.page(Filter(order="oldest"), limit=1).events[0]


@pytest.mark.parametrize("kind", list(EventType))
def test_every_kind_has_a_sentence_in_english(some_event: Event, kind: EventType) -> None:
    sentence = event_sentence(dataclasses.replace(some_event, type=kind, facts={}), "en")

    assert sentence != kind.value
    assert sentence[0].isupper()


@pytest.mark.parametrize("kind", list(EventType))
def test_every_kind_has_a_sentence_in_korean(some_event: Event, kind: EventType) -> None:
    assert re.search("[가-힣]", event_sentence(dataclasses.replace(some_event, type=kind, facts={}), "ko"))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_kind_that_is_not_known_here_is_shown_by_its_name(some_event: Event, language: Language) -> None:
    assert event_sentence(dataclasses.replace(some_event, type="from.later"), language) == "from.later"


def test_a_decision_names_its_rules(some_event: Event) -> None:
    facts = {"decision": {"findings": [{"rule_id": "R02.1"}, {"rule_id": "R04"}, {"rule_id": "R02.1"}]}}
    event = dataclasses.replace(some_event, type="policy.decided", decision="block", facts=facts)

    assert event_sentence(event, "en") == "The policy decided: block (R02.1, R04)."
    assert event_sentence(event, "ko") == "정책 판정: 차단 (R02.1, R04)."


@pytest.mark.parametrize(
    "facts", [{}, {"decision": 1}, {"decision": {"findings": "x"}}, {"decision": {"findings": [1]}}]
)
def test_a_decision_without_findings_has_no_codes(facts: dict[str, object]) -> None:
    assert reason_codes(facts) == ()  # type: ignore[arg-type]


def test_a_long_fact_is_cut_in_the_sentence(some_event: Event) -> None:
    event = dataclasses.replace(some_event, type="clip.withdrawn", facts={"reason": "x" * 500})

    assert len(event_sentence(event, "en")) < LONGEST_VALUE + 60


def test_a_sentence_with_braces_in_a_fact_is_not_filled_in_again(some_event: Event) -> None:
    event = dataclasses.replace(some_event, type="clip.withdrawn", facts={"reason": "{decision}"})

    assert event_sentence(event, "en") == "The clip was withdrawn: {decision}"


@pytest.mark.parametrize(("state", "words"), [(SealedState.ERASED, "erased"), (SealedState.UNREADABLE, "cannot")])
def test_a_sealed_part_that_is_gone_is_told(some_event: Event, state: SealedState, words: str) -> None:
    assert words in event_sentence(dataclasses.replace(some_event, sealed_state=state), "en")
