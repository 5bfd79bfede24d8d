"""What the catalogue answers: exact codes, answers without their question, families, and slips."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.explaining.catalogue import Catalogue, CodeEntry, load_catalogue
from platemark_policy.pack import Rule
from platemark_policy.rules import load_pack


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


def codes(asked: str) -> list[tuple[str, str]]:
    return [(each.kind, each.code) for each in catalogue().explain(asked)]


def test_a_code_is_found_whatever_its_case_and_the_spaces_around_it() -> None:
    assert codes(" eu-1.1.2 ") == codes("EU-1.1.2") == [("clause", "EU-1.1.2")]


def test_one_word_can_mean_several_things() -> None:
    assert codes("none") == [("verdict", "none")]
    assert codes("untrusted") == [
        ("axis", "identity.untrusted"),
        ("axis", "signer.untrusted"),
        ("axis", "timestamp.untrusted"),
    ]


def test_a_check_of_the_gate_is_found_by_its_short_name() -> None:
    assert codes("byline") == [("check", "check.byline")]


@pytest.mark.parametrize(
    ("code", "family"),
    [
        ("cawg.ica.something.new", "cawg.ica.*"),
        ("cawg.other", "cawg.*"),
        ("timeStamp.quantum", "timeStamp.*"),
        ("claimSignature.of.another.time", "claimSignature.*"),
    ],
)
def test_a_status_that_is_new_is_told_by_what_it_is_about(code: str, family: str) -> None:
    assert codes(code) == [("c2pa", family)]


@pytest.mark.parametrize(
    ("slip", "near"),
    [
        ("assertion.bmfHash.mismatch", "assertion.bmffHash.mismatch"),
        ("trustd", "trusted"),
        ("KR-31-4", "KR-31-3"),
        ("R01", "R01.1"),
        ("leaf.expird", "leaf.expired"),
    ],
)
def test_a_slip_is_answered_with_what_was_probably_meant(slip: str, near: str) -> None:
    with pytest.raises(RequestError) as refused:
        catalogue().explain(slip)

    assert near in refused.value.fix


def test_what_is_like_nothing_is_answered_with_the_list() -> None:
    with pytest.raises(RequestError, match="--list"):
        catalogue().explain("qqqqqqqqqqqqqq")


@given(st.text(max_size=300))
def test_any_text_is_explained_or_refused(text: str) -> None:
    try:
        assert catalogue().explain(text)
    except RequestError as refused:
        assert refused.fix


def test_a_home_can_have_rules_of_its_own_and_they_win() -> None:
    first: Rule = load_pack(None).rules[0]
    own = replace(first, id="X99.1"), replace(first, source="our own standard")

    found = load_catalogue(own)

    assert found.explain("X99.1")[0].meaning["en"] == first.reason.en
    assert found.explain(first.id)[0].source == "our own standard"


@pytest.mark.parametrize(
    ("code", "said"),
    [("R01.1", "appeal"), ("R01.2", "Wait for an editor"), ("K01.1", "no exception")],
)
def test_what_to_do_about_a_rule_follows_from_its_action(code: str, said: str) -> None:
    assert said in catalogue().explain(code)[0].next_step["en"]


def test_entries_stand_in_order_and_each_once() -> None:
    keys = [(each.kind, each.code) for each in catalogue().entries]

    assert keys == sorted(set(keys))


def test_an_entry_is_json_with_both_languages() -> None:
    entry = CodeEntry("x", "exit", {"en": "a", "ko": "가"}, {"en": "b", "ko": "나"})

    assert entry.to_json() == {
        "code": "x",
        "kind": "exit",
        "meaning": {"en": "a", "ko": "가"},
        "next": {"en": "b", "ko": "나"},
        "source": None,
    }
