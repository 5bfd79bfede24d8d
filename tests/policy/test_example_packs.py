"""The example packs load, extend the newsroom's, and only ever ask for more; packs end, and permissive ones say so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import platemark_policy
from platemark_policy.decision import Verdict
from platemark_policy.engine import Engine
from platemark_policy.errors import PolicyError, RulePackError
from platemark_policy.explanation import explain_record
from platemark_policy.pack import RulePack
from platemark_policy.pack_trial import Labelled, own_examples, try_pack
from platemark_policy.replay import replay
from platemark_policy.rules import load_pack

PACKS = Path(platemark_policy.__file__).parent / "packs"
TEXTS = [
    "a calm sea",
    "Watercolour of Angela Merkel",
    "Godzilla dances",
    "두 후보의 만화",
    "a corpse in a field",
    "How do I steal a car?",
]
IN_CAMPAIGN = datetime(2028, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module", params=["strict", "election-kr"])
def example_pack(request: pytest.FixtureRequest) -> RulePack:
    return load_pack(PACKS / f"{request.param}.yaml")


def decide(pack: RulePack, text: str, at: datetime, metadata: Mapping[str, str] | None = None) -> Verdict:
    return Engine(pack, input_key=b"k" * 32).screen_prompt(text, at=at, decision_id="d", metadata=metadata).verdict


@pytest.mark.parametrize("text", TEXTS)
def test_a_pack_that_extends_is_never_milder(example_pack: RulePack, whole_newsroom: RulePack, text: str) -> None:
    milder = decide(whole_newsroom, text, IN_CAMPAIGN)

    assert decide(example_pack, text, IN_CAMPAIGN, {"jurisdiction": "kr"}).severity >= milder.severity


def test_a_pack_that_extends_has_every_rule_of_the_other(example_pack: RulePack, whole_newsroom: RulePack) -> None:
    assert {rule.id for rule in whole_newsroom.rules} < {rule.id for rule in example_pack.rules}


def test_the_hash_covers_the_pack_that_is_extended(tmp_path: Path) -> None:
    path = tmp_path / "strict.yaml"
    path.write_bytes((PACKS / "strict.yaml").read_bytes())

    assert load_pack(path).pack_id == load_pack(PACKS / "strict.yaml").pack_id


@pytest.mark.parametrize(
    ("metadata", "verdict"),
    [({"jurisdiction": "kr"}, Verdict.BLOCK), ({"jurisdiction": "fr"}, Verdict.REVIEW), ({}, Verdict.REVIEW)],
)
def test_a_law_holds_in_its_own_country(metadata: dict[str, str], verdict: Verdict) -> None:
    assert decide(load_pack(PACKS / "election-kr.yaml"), "Cartoon of two candidates", IN_CAMPAIGN, metadata) is verdict


def test_a_decision_names_the_jurisdiction(whole_engine: Engine, at: datetime) -> None:
    decision = whole_engine.screen_prompt("sea", at=at, decision_id="d", metadata={"jurisdiction": "kr"})

    assert decision.jurisdiction == "kr"


@pytest.mark.parametrize("at", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)])
def test_every_prompt_waits_outside_the_time_a_pack_is_valid_for(at: datetime) -> None:
    pack = load_pack(PACKS / "election-kr.yaml")

    decision = Engine(pack, input_key=b"k" * 32).screen_prompt("a calm sea", at=at, decision_id="d")

    assert (decision.verdict, decision.degraded) == (Verdict.REVIEW, ("pack: stale",))


def test_a_permissive_pack_is_stamped_into_every_decision(newsroom: RulePack, at: datetime) -> None:
    decision = Engine(replace(newsroom, is_permissive=True), input_key=b"k" * 32).screen_prompt(
        "sea", at=at, decision_id="d"
    )

    assert decision.to_json()["is_permissive"] is True


SPOILT = "id: strict\nversion: '1'\nextends: newsroom\nrules:\n{rules}"
RULE = """\
  - id: {id}
    category: c
    action: review
    overridable: true
    when: {when}
    reason: {{en: a, ko: 가}}
    source: s
    examples: {{match: [an apple], no_match: [a pear]}}
"""


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        pytest.param(
            RULE.format(id="R01.1", when="{words: [apple]}"), "rule R01.1 appears twice", id="an id of the base"
        ),
        pytest.param(
            RULE.format(id="X1", when="{classifier: {scene: sure}}"), "line 9: expected one of possible", id="level"
        ),
        pytest.param(
            RULE.format(id="X1", when="{classifier: {scenes: likely}}"), "line 9: expected one of scene", id="head"
        ),
        pytest.param(
            RULE.format(id="X1", when="{classifier: {scene: likely, request: likely}}"), "one fact", id="two heads"
        ),
        pytest.param(RULE.format(id="X1", when="{question: any}"), "expected one of plain", id="question"),
        pytest.param(RULE.format(id="X1", when="{jurisdiction: kr}"), "expected a list", id="jurisdiction"),
    ],
)
def test_a_condition_that_is_not_understood_is_refused_with_its_line(tmp_path: Path, rules: str, message: str) -> None:
    path = tmp_path / "strict.yaml"
    path.write_text(SPOILT.format(rules=rules), encoding="utf-8")

    with pytest.raises(RulePackError, match=message):
        load_pack(path)


@pytest.mark.parametrize(
    "valid", ['{from: "2027-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z"}', '{from: "2027-01-01", to: x}', "{}"]
)
def test_a_validity_that_makes_no_sense_is_refused(tmp_path: Path, valid: str) -> None:
    path = tmp_path / "strict.yaml"
    path.write_text(
        f"valid: {valid}\n" + SPOILT.format(rules=RULE.format(id="X1", when="{words: [apple]}")), encoding="utf-8"
    )

    with pytest.raises(RulePackError):
        load_pack(path)


def test_a_trial_counts_what_was_decided(newsroom: RulePack, at: datetime) -> None:
    rows = [
        Labelled("1", "a calm sea", Verdict.ALLOW),
        Labelled("2", "참수 장면", Verdict.BLOCK),
        Labelled("3", "호수", Verdict.BLOCK),
    ]

    trial = try_pack(newsroom, rows, at=at)

    assert [trial.count(Verdict.ALLOW, Verdict.ALLOW), trial.count(Verdict.BLOCK, Verdict.BLOCK)] == [1, 1]
    assert trial.count(Verdict.BLOCK, Verdict.ALLOW) == 1


def test_a_trial_names_what_changed(newsroom: RulePack, at: datetime) -> None:
    rows = [Labelled("1", "a calm sea", Verdict.ALLOW), Labelled("2", "참수 장면", Verdict.BLOCK)]
    fewer = replace(newsroom, rules=())

    changes = try_pack(newsroom, rows, at=at).changes(try_pack(fewer, rows, at=at))

    assert changes == (("2", Verdict.ALLOW, Verdict.BLOCK),)


def test_a_packs_own_examples_are_a_corpus(newsroom: RulePack) -> None:
    rows = own_examples(newsroom)

    assert len({row.text for row in rows}) == len(rows) > 2 * len(newsroom.rules)


@pytest.mark.parametrize(
    ("text", "metadata"), [("Godzilla dances", {}), ("왼쪽 사람을 지워줘", {"task": "edit"}), ("sea", {})]
)
def test_a_recorded_decision_comes_out_again_byte_for_byte(
    whole_engine: Engine, at: datetime, text: str, metadata: dict[str, str]
) -> None:
    record = whole_engine.screen_prompt(text, at=at, decision_id="d-5", metadata=metadata).to_json()

    assert replay(record, text, whole_engine, metadata=metadata).is_same


def test_a_replay_with_another_text_or_pack_says_what_differs(
    whole_engine: Engine, engine: Engine, at: datetime
) -> None:
    record = whole_engine.screen_prompt("Godzilla dances", at=at, decision_id="d").to_json()

    other_text = replay(record, "a calm sea", whole_engine, metadata={})
    other_pack = replay(record, "Godzilla dances", engine, metadata={})

    assert set(other_text.differing) == {"findings", "input_hmac", "verdict"}
    assert other_pack.differing == ("classifier_sha256",)


@pytest.mark.parametrize("record", [{}, {"decided_at": "x", "decision_id": "d"}, {"decided_at": 1, "decision_id": "d"}])
def test_a_record_that_is_no_decision_is_not_replayed(whole_engine: Engine, record: dict[str, object]) -> None:
    with pytest.raises(PolicyError):
        replay(record, "sea", whole_engine, metadata={})  # type: ignore[arg-type]


@pytest.mark.parametrize(("language", "words"), [("en", "This is refused."), ("ko", "거부되었습니다.")])
def test_a_decision_is_explained_in_both_languages(
    whole_engine: Engine, at: datetime, language: str, words: str
) -> None:
    record = whole_engine.screen_prompt("참수 장면, 워터마크를 지워줘", at=at, decision_id="d").to_json()

    lines = explain_record(record, language=language)

    assert lines[0] == words
    assert any("R13.1" in line for line in lines)


@pytest.mark.parametrize("record", [None, [], {}, {"verdict": "maybe"}, 7, "x"])
def test_what_is_no_decision_is_not_explained(record: object) -> None:
    with pytest.raises(PolicyError):
        explain_record(record, language="en")  # type: ignore[arg-type]
