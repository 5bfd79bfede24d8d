"""The contrast pairs measure what they say: a filter that stops everything or nothing is found out."""

from platemark.bench.policy_pairs import pair_claims, read_pairs
from platemark_policy.decision import Verdict


def test_every_pair_comes_in_both_languages() -> None:
    pairs = read_pairs()

    assert {pair.lang for pair in pairs} == {"en", "ko"}
    assert len({(pair.id, pair.lang) for pair in pairs}) == len(pairs) == 48
    assert all(pair.text != pair.twin for pair in pairs)


def test_a_filter_that_stops_everything_fails_on_the_twins() -> None:
    failing = [claim.claim for claim in pair_claims(lambda text: Verdict.BLOCK) if not claim.holds]

    assert len(failing) == 1
    assert failing[0].startswith("their harmless twins are stopped")


def test_a_filter_that_reads_no_disguise_fails_on_them() -> None:
    harmful = {pair.text: pair.expected for pair in read_pairs()}

    claims = pair_claims(lambda text: harmful.get(text, Verdict.ALLOW))

    assert [claim.holds for claim in claims] == [True, True, True, False, True, False]
