"""A manifest's word on publication: one clear approval, or a draft."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.publication import (
    ApprovalFacts,
    approval_statement,
    draft_statement,
    read_publication,
)
from platemark_provenance.report_json import mapping

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
WORDS = st.sampled_from(("published", "draft", "p-abc", "", "two words", "\u0000"))
JSON = st.none() | st.booleans() | st.integers() | WORDS | st.lists(WORDS, max_size=2)


def content(statement: dict[str, JsonValue]) -> dict[str, object]:
    return dict(mapping(statement["data"]))


def test_a_draft_reads_back_as_a_draft() -> None:
    assert read_publication([content(draft_statement())]) == "draft"


def test_an_approval_reads_back_as_published_and_names_its_profiles_with_versions() -> None:
    data = content(approval_statement(ApprovalFacts(AT, "p-abc", (("eu-art50", 3),))))

    assert read_publication([data]) == "published"
    assert data["profiles"] == [{"id": "eu-art50", "version": 3}]
    assert data["at"] == "2026-11-22T09:00:00+00:00"


def test_the_name_of_the_approver_never_stands_in_the_statement() -> None:
    assert "Lee Sora" not in str(approval_statement(ApprovalFacts(AT, "p-abc", (), "Lee Sora")))


def test_a_manifest_that_says_nothing_is_neither() -> None:
    assert read_publication([]) is None


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"status": "published"},
        {"status": "published", "approver": ""},
        {"status": "published", "approver": "two words"},
        {"status": "Published", "approver": "p-abc"},
        {"status": ["published"], "approver": "p-abc"},
        {"status": "published", "approver": ["p-abc"]},
    ],
)
def test_whatever_is_not_a_clear_approval_is_a_draft(said: dict[str, object]) -> None:
    assert read_publication([said]) == "draft"


def test_two_statements_contradict_each_other_and_count_as_a_draft() -> None:
    approved = content(approval_statement(ApprovalFacts(AT, "p-abc")))

    assert read_publication([approved, content(draft_statement())]) == "draft"
    assert read_publication([approved, approved]) == "draft"


@given(st.dictionaries(st.sampled_from(["status", "approver", "at", "profiles"]), JSON))
def test_strange_content_never_reads_as_published_without_an_approver(said: dict[str, object]) -> None:
    status = read_publication([said])

    assert status == "draft" or (said["status"] == "published" and said["approver"])


@pytest.mark.parametrize(
    "approval",
    [
        ApprovalFacts(AT, ""),
        ApprovalFacts(AT, "Lee Sora"),
        ApprovalFacts(AT, "p-abc", (("a profile", 1),)),
        ApprovalFacts(AT, "p-abc", (("eu", 1),) * 33),
        ApprovalFacts(AT.replace(tzinfo=None), "p-abc"),
    ],
)
def test_an_approval_that_cannot_be_is_refused(approval: ApprovalFacts) -> None:
    with pytest.raises(SigningError):
        approval_statement(approval)
