"""Who may act at the desk: listed names, from their accounts, for their acts, and nobody else."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.clip import Clip
from platemark.config import Approver, DeskSettings, read_config
from platemark.desk.people import Act, folded, refusal
from platemark.desk.withdrawal import withdraw
from platemark.errors import HomeError, PublicationRefused
from platemark.homes import account
from platemark.homes.account import os_account
from platemark.studio import Studio
from platemark_provenance.ledger.event import EventType

SORA = Approver(name="Lee Sora", os_users=("sora", "desk"))
INTERN = Approver(name="이지은", may=("correct",))
LISTED = DeskSettings(approvers=(SORA, INTERN))


def told(act: Act, name: str, account: str = "sora", settings: DeskSettings = LISTED) -> str:
    failed = refusal(settings, act, name, account)
    return "" if failed is None else failed.message


@pytest.mark.parametrize("name", ["Lee Sora", "lee sora", " LEE  SORA ", "Ｌｅｅ Sora"])
def test_a_listed_person_may_however_the_name_is_spelt(name: str) -> None:
    assert told("publish", name) == ""


def test_a_name_in_decomposed_letters_is_the_same_person() -> None:
    assert told("correct", unicodedata.normalize("NFD", "이지은")) == ""


@pytest.mark.parametrize("name", ["", "Lee", "Lee Soran", "root"])
def test_a_name_that_is_not_listed_is_refused(name: str) -> None:
    assert "not on this home's list" in told("publish", name)


@pytest.mark.parametrize("act", ["publish", "withdraw"])
def test_a_listed_person_is_refused_what_they_may_not_do(act: Act) -> None:
    assert "may not do this" in told(act, "이지은")


@pytest.mark.parametrize("account", ["root", "Sora", "", "sora2"])
def test_a_listed_name_from_another_account_is_refused(account: str) -> None:
    assert "account" in told("publish", "Lee Sora", account)


def test_without_accounts_a_name_counts_from_any() -> None:
    assert told("correct", "이지은", "whoever") == ""


def test_two_entries_of_one_person_are_not_mixed() -> None:
    both = DeskSettings(
        approvers=(
            Approver(name="Lee Sora", os_users=("sora",), may=("publish",)),
            Approver(name="Lee Sora", os_users=("night",), may=("withdraw",)),
        )
    )

    assert told("publish", "Lee Sora", "sora", both) == ""
    assert "account" in told("publish", "Lee Sora", "night", both)


@given(st.text(), st.text())
def test_with_nobody_listed_names_are_taken_as_given(name: str, account: str) -> None:
    assert refusal(DeskSettings(), "publish", name, account) is None


@given(st.text(max_size=40))
def test_folding_again_changes_nothing_more(name: str) -> None:
    assert folded(folded(name)) == folded(name)


# In a home


def listing(home: Path, **approver: object) -> None:
    lines = "\n".join(f"{key} = {value!r}" for key, value in approver.items()).replace("'", '"').replace("(", "[")
    config = home / "platemark.toml"
    config.write_text(config.read_text("utf-8") + f"\n[[desk.approvers]]\n{lines}\n", "utf-8")


def failed(refused: pytest.ExceptionInfo[PublicationRefused]) -> list[tuple[int, str]]:
    return [(each.number, each.name) for each in refused.value.failed]


def test_only_a_listed_person_publishes(gated_path: Path, gated: Studio, draft: Clip) -> None:
    listing(gated_path, name="Lee Sora")

    with Studio.open(gated_path) as studio:
        with pytest.raises(PublicationRefused) as refused:
            studio.publish(draft.path, approver="Park Min", reason="checked")
        published = studio.publish(draft.path, approver="Lee Sora", reason="checked")

    assert failed(refused) == [(6, "approver")]
    assert refused.value.exit_code == 3
    assert published.path.is_file()


def test_a_listed_name_from_the_wrong_account_publishes_and_corrects_nothing(
    gated_path: Path, gated: Studio, draft: Clip
) -> None:
    listing(gated_path, name="Lee Sora", os_users=["nobody-here"])

    with Studio.open(gated_path) as studio:
        before = studio.ledger.head().size
        with pytest.raises(PublicationRefused, match="account"):
            studio.publish(draft.path, approver="Lee Sora", reason="checked")
        with pytest.raises(PublicationRefused, match="account"):
            studio.correct(draft.path, by="Lee Sora", reason="Wrong date")
        assert studio.ledger.head().size == before


def test_the_account_stands_sealed_in_each_act_and_in_the_open_nowhere(gated: Studio, draft: Clip) -> None:
    gated.publish(draft.path, approver="Lee Sora", reason="checked")
    gated.correct(draft.path, by="Lee Sora", reason="Wrong date")
    withdraw(gated.ledger, draft.clip_id, reason="Wrong city", actor="Lee Sora")

    events = {event.type: event for event in gated.ledger.trace(draft.clip_id)}
    acts = [EventType.PROMPT_SUBMITTED, EventType.CLIP_APPROVED, EventType.CLIP_CORRECTED, EventType.CLIP_WITHDRAWN]
    assert [(events[act].sealed or {}).get("os_user") for act in acts] == [os_account()] * 4
    assert all("os_user" not in event.facts for event in events.values())


def separate(home: Path) -> None:
    config = home / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("[desk]\n", "[desk]\nseparate_accounts = true\n"), "utf-8")


def test_two_accounts_can_be_asked_for(
    gated_path: Path, gated: Studio, draft: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    separate(gated_path)

    with Studio.open(gated_path) as studio:
        with pytest.raises(PublicationRefused, match="made under this very account"):
            studio.publish(draft.path, approver="Lee Sora", reason="checked")
        monkeypatch.setattr("platemark.desk.publishing.os_account", lambda: "sora")
        assert studio.publish(draft.path, approver="Lee Sora", reason="checked").path.is_file()


def test_an_account_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account.os, "geteuid", lambda: 4_000_123)

    assert os_account() == "uid:4000123"


@pytest.mark.parametrize(
    "bad", [{"name": ""}, {"name": "x", "may": ["approve"]}, {"name": "x", "role": "y"}, {"os_users": ["x"]}]
)
def test_a_list_with_a_fault_is_refused_and_switches_nothing_off(home_path: Path, bad: dict[str, object]) -> None:
    listing(home_path, **bad)

    with pytest.raises(HomeError):
        read_config(home_path)
