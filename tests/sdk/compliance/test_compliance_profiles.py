"""Rule files are data: read strictly, refused with their line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.compliance.profile import PROFILES, load_profile, parse_profile
from platemark.errors import RequestError
from platemark_policy.errors import RulePackError

GOOD = """\
id: test
version: 1
jurisdiction: XX
title: {en: A law, ko: 어떤 법}
clauses:
  - id: X-1
    clause: Art. 1
    since: 2026-01-01
    text: {en: Something., ko: 무언가.}
    check: label_height
    with: {share: "0.05"}
    roles: [provider]
    source: nowhere
"""


def parse(text: str) -> object:
    return parse_profile(text.encode(), name="test.yaml")


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_that_ships_is_read_and_is_in_both_languages(name: str) -> None:
    profile = load_profile(name)

    assert profile.id == name
    assert profile.clauses
    assert all(set(clause.text) == {"en", "ko"} for clause in profile.clauses)
    assert all(clause.needs_legal_review for clause in profile.clauses)


def test_a_good_profile_is_read() -> None:
    profile = parse_profile(GOOD.encode(), name="test.yaml")

    assert profile.clauses[0].parameters == {"share": "0.05"}
    assert profile.clauses[0].needs_legal_review


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("check: label_height", "check: label_hight", "test.yaml, line 10: unknown check 'label_hight'"),
        ("roles: [provider]", "roles: [everybody]", "unknown role 'everybody'"),
        ("since: 2026-01-01", "since: soon", "expected a day"),
        ("version: 1", "version: one", "expected a whole number"),
        ('share: "0.05"', 'share: "much"', "expected a positive number"),
        ('share: "0.05"', 'share: "-1"', "expected a positive number"),
        ('share: "0.05"', 'shore: "0.05"', "unknown key 'shore'"),
        ("source: nowhere", "optional: perhaps\n    source: nowhere", "expected true or false"),
        ("source: nowhere", "sauce: nowhere", "unknown key 'sauce'"),
        ("text: {en: Something., ko: 무언가.}", "text: {en: Something.}", "missing ko"),
        ("    source: nowhere\n", "", "missing source"),
        ("id: X-1", "id: !!python/object:os.system X-1", "test.yaml"),
    ],
)
def test_a_profile_with_one_fault_is_refused_with_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(RulePackError) as refused:
        parse(GOOD.replace(old, new))

    assert told in str(refused.value)


def test_an_id_that_stands_twice_is_refused() -> None:
    twice = GOOD + GOOD[GOOD.index("  - id: X-1") :]

    with pytest.raises(RulePackError, match="stands twice"):
        parse(twice)


@given(st.binary(max_size=300))
def test_junk_is_refused_and_nothing_else_happens(junk: bytes) -> None:
    with pytest.raises(RulePackError):
        parse_profile(junk, name="junk.yaml")


@pytest.mark.parametrize("name", ["eu", "../profiles/eu-art50", "eu-art50.yaml", ""])
def test_an_unknown_profile_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(RequestError, match="Unknown compliance profile") as refused:
        load_profile(name)

    assert "kr-ai-basic" in refused.value.fix
