"""The benchmark of the log measures what it says, on a ledger of any size."""

import pytest

from platemark.bench import audit
from platemark.bench.claims import Claim, Options


@pytest.fixture(scope="module")
def claims() -> list[Claim]:
    """The claims of a run on a small ledger."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "QUICK_EVENTS", 1_500)
        patch.setattr(audit, "ERASED_EVENTS", 1_000)
        patch.setattr(audit, "JOBS", 120)
        patch.setattr(audit, "TURNS", 3)
        patch.setattr(audit, "CHECKED_SINCE", 300)
        return audit.measure(Options(quick=True))


def test_every_claim_names_how_much_was_in_the_ledger(claims: list[Claim]) -> None:
    assert len(claims) == 23
    assert [claim.claim for claim in claims if not any(size in claim.claim for size in ("1,500", "1,000", "120"))] == [
        "a receipt verified offline, median",
        "events exported as JSON lines",
        "times a word of theirs is left in the files",
    ]


def test_nothing_of_an_erased_person_is_left(claims: list[Claim]) -> None:
    (left,) = [claim for claim in claims if claim.claim.startswith("times a word")]

    assert left.value == 0


def test_every_number_was_measured(claims: list[Claim]) -> None:
    assert all(claim.value > 0 for claim in claims if not claim.claim.startswith("times a word"))
