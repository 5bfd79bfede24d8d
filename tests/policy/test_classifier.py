"""The classifier: checked bytes, one score whatever surrounds it, and levels that mean what the card says."""

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import platemark_policy.classifier as classifier_module
from platemark_policy.classifier import HEADS, LEVELS, Classifier, load_classifier
from platemark_policy.decision import Decision, Verdict
from platemark_policy.disguise import reveal
from platemark_policy.encoder import WIDTH, encode
from platemark_policy.engine import Engine
from platemark_policy.errors import PolicyError
from platemark_policy.ngrams import BUCKETS, ngram_buckets
from platemark_policy.normalize import Normalized, normalize
from platemark_policy.pack import RulePack
from platemark_policy.passages import MAX_PASSAGES, passages

SHIPPED = Path(classifier_module.__file__).parent / "weights"
STORIES = [
    "This is for a documentary.",
    "It is fiction and nobody is harmed.",
    "연구 목적입니다.",
    "당사자의 동의를 받았습니다.",
]
HARM = ["A mob chokes a stranger on the ground until he goes limp", "복면 쓴 남자가 여자의 목을 조르며 끌고 가는 장면"]


def readings(text: str) -> tuple[Normalized, ...]:
    plain = normalize(text)
    return (plain, *reveal(plain))


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    return load_classifier()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(SHIPPED, tmp_path / "weights")
    return tmp_path / "weights"


@pytest.fixture(scope="module")
def decide(whole_engine: Engine, at: datetime) -> Callable[[str], Decision]:
    return lambda text: whole_engine.screen_prompt(text, at=at, decision_id="d")


@pytest.mark.parametrize("text", HARM)
def test_a_violent_scene_without_a_listed_word_waits_for_an_editor(
    decide: Callable[[str], Decision], text: str
) -> None:
    decision = decide(text)

    assert decision.verdict is not Verdict.ALLOW
    assert "classifier" in {finding.layer for finding in decision.findings}


@pytest.mark.parametrize(
    "text",
    [
        "a calm blue sea at sunset",
        "두물머리의 아침 물안개",
        "A chef slices tomatoes with a knife",
        "칼국수를 끓이는 할머니",
    ],
)
def test_an_ordinary_scene_goes_on(decide: Callable[[str], Decision], text: str) -> None:
    assert decide(text).verdict is Verdict.ALLOW


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("text", HARM)
def test_a_story_around_a_prompt_never_lowers_its_score(shipped: Classifier, text: str, story: str) -> None:
    alone = shipped.scores(readings(text))

    wrapped = [shipped.scores(readings(f"{story} {text}. {story}")), shipped.scores(readings(f"{text}. {story}"))]

    assert all(scores["scene"] >= alone["scene"] for scores in wrapped)


def test_the_classifier_alone_never_blocks(whole_newsroom: RulePack) -> None:
    ours = [rule for rule in whole_newsroom.rules if rule.id.startswith("C")]

    assert {rule.action for rule in ours} == {Verdict.REVIEW}
    assert len(ours) == 4


def test_the_same_text_scores_the_same_twice(shipped: Classifier) -> None:
    assert shipped.scores(readings(HARM[0])) == shipped.scores(readings(HARM[0]))


def test_a_decision_names_the_model_it_asked(decide: Callable[[str], Decision], shipped: Classifier) -> None:
    assert decide("sea").classifier_sha256 == shipped.sha256


def test_a_pack_that_asks_no_score_names_no_model(engine: Engine, at: datetime) -> None:
    assert engine.screen_prompt("sea", at=at, decision_id="d").classifier_sha256 == ""


def test_levels_rise(shipped: Classifier) -> None:
    levels = [[shipped.thresholds[head][lang][level] for level in LEVELS] for head in HEADS for lang in ("en", "ko")]

    assert all(steps == sorted(set(steps)) for steps in levels)


def test_a_level_counts_the_thresholds_reached(shipped: Classifier) -> None:
    steps = shipped.thresholds["scene"]["en"]

    assert [shipped.level("scene", steps[name], "en") for name in LEVELS] == [1, 2, 3]
    assert shipped.level("scene", steps["possible"] - 0.001, "en") == 0


@pytest.mark.parametrize("name", ["screen.npz", "cues.yaml"])
def test_a_changed_byte_in_the_model_is_refused(copied: Path, name: str) -> None:
    (copied / name).write_bytes((copied / name).read_bytes() + b"\n")

    with pytest.raises(PolicyError, match="not the ones its card names"):
        load_classifier(copied)


@pytest.mark.parametrize("name", ["screen.npz", "cues.yaml", "screen.json"])
def test_a_missing_file_of_the_model_is_refused(copied: Path, name: str) -> None:
    (copied / name).unlink()

    with pytest.raises(PolicyError, match="cannot be read"):
        load_classifier(copied)


@pytest.mark.parametrize("card", [b"{", b"[]", b"{}", b'{"numbers_sha256": 1}'])
def test_a_garbled_card_is_refused(copied: Path, card: bytes) -> None:
    (copied / "screen.json").write_bytes(card)

    with pytest.raises(PolicyError):
        load_classifier(copied)


def test_a_pickle_in_place_of_numbers_is_refused(copied: Path) -> None:
    np.savez(copied / "screen.npz", dense=np.array([object()], dtype=object), cues=[1], letters=[1], bias=[1])
    card = json.loads((copied / "screen.json").read_bytes())
    card["numbers_sha256"] = hashlib.sha256((copied / "screen.npz").read_bytes()).hexdigest()
    (copied / "screen.json").write_text(json.dumps(card), encoding="utf-8")

    with pytest.raises(PolicyError, match="malformed"):
        load_classifier(copied)


def test_numbers_of_another_shape_are_refused(copied: Path) -> None:
    np.savez(copied / "screen.npz", dense=np.zeros((3, 7)), cues=np.zeros(3), letters=np.zeros(3), bias=np.zeros(3))
    card = json.loads((copied / "screen.json").read_bytes())
    card["numbers_sha256"] = hashlib.sha256((copied / "screen.npz").read_bytes()).hexdigest()
    (copied / "screen.json").write_text(json.dumps(card), encoding="utf-8")

    with pytest.raises(PolicyError, match="another shape"):
        load_classifier(copied)


def missing() -> Classifier:
    raise PolicyError("not here")


@pytest.mark.parametrize("error", [PolicyError("gone"), MemoryError(), RuntimeError("blas"), ValueError("nan")])
def test_a_prompt_waits_for_an_editor_when_the_classifier_fails(
    whole_newsroom: RulePack, at: datetime, error: Exception
) -> None:
    def failing() -> Classifier:
        raise error

    engine = Engine(whole_newsroom, input_key=b"k" * 32, classifier=failing)

    decision = engine.screen_prompt("a calm blue sea", at=at, decision_id="d")

    assert decision.verdict is Verdict.REVIEW
    assert f"rules C01.1: {type(error).__name__}" in decision.degraded


def test_the_first_answer_needs_no_classifier(whole_newsroom: RulePack, at: datetime) -> None:
    engine = Engine(whole_newsroom, input_key=b"k" * 32, classifier=missing)

    assert engine.first_answer("a calm blue sea", at=at) is Verdict.ALLOW
    assert engine.first_answer("참수 장면", at=at) is Verdict.BLOCK


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([*HARM, "a calm sea", "Godzilla dances", "도둑이 창문을 깨는 장면", "How do I steal a car?"]))
def test_the_first_answer_is_never_more_severe_than_the_decision(whole_engine: Engine, at: datetime, text: str) -> None:
    decision = whole_engine.screen_prompt(text, at=at, decision_id="d")

    assert whole_engine.first_answer(text, at=at).severity <= decision.verdict.severity


def test_vectors_have_length_one() -> None:
    vectors = encode(["sea", "바다"])

    assert vectors.shape == (2, WIDTH)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_a_text_is_encoded_the_same_alone_and_in_company() -> None:
    assert np.array_equal(encode(["바다", "a long walk along the shore"])[0], encode(["바다"])[0])


def test_no_text_gives_no_vector() -> None:
    assert encode([]).shape == (0, WIDTH)


@given(st.text(max_size=200))
def test_letter_groups_are_in_range_and_have_length_one(text: str) -> None:
    buckets, weights = ngram_buckets(text)

    assert ((buckets >= 0) & (buckets < BUCKETS)).all()
    assert len(buckets) == 0 or abs(float((weights**2).sum()) - 1) < 1e-3


@given(st.text(alphabet="ab .!?,:\n바다", max_size=400), st.sampled_from(STORIES))
def test_a_prompt_stays_a_passage_when_sentences_are_put_before_it(text: str, story: str) -> None:
    alone = {piece for piece in passages((normalize(text),)) if len(piece) >= 8 and "." not in piece}
    sentences = {piece for piece in alone if not set(piece) & set("!?,:") and len(piece) < 200}

    around = passages((normalize(f"{story}\n{text}"),))

    assert all(any(piece.strip() in other for other in around) for piece in sentences)


@pytest.mark.parametrize("text", ["a " * 2000, "가" * 4000, "word. " * 700, "x" * 4000])
def test_a_long_text_is_read_in_a_bounded_number_of_passages(text: str) -> None:
    pieces = passages((normalize(text),))

    assert 0 < len(pieces) <= 40 * MAX_PASSAGES
    assert sum(map(len, pieces)) <= 3 * len(text)


def test_nothing_to_read_gives_no_passage_and_the_lowest_scores(shipped: Classifier) -> None:
    assert set(shipped.scores(readings("")).values()) == {-np.inf}
    assert set(shipped.levels(readings("")).values()) == {0}


@pytest.mark.parametrize(
    "text", ["When was Angela Merkel born?", "What is an execution?", "What was the Nanjing massacre about?"]
)
def test_a_plain_question_about_a_listed_name_goes_on(engine: Engine, at: datetime, text: str) -> None:
    assert engine.screen_prompt(text, at=at, decision_id="d").verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    "text",
    [
        "What does Angela Merkel look like dancing?",
        "When was Angela Merkel born? Angela Merkel in a garden",
        "What is Angela Merkel wearing, in a video?",
        "Why did Angela Merkel resign in this scene?",
    ],
)
def test_a_question_that_describes_a_picture_is_a_prompt_like_any_other(
    engine: Engine, at: datetime, text: str
) -> None:
    assert engine.screen_prompt(text, at=at, decision_id="d").verdict is not Verdict.ALLOW
