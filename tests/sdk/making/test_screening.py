"""Every text that reaches the model was screened in the form in which it reaches it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from platemark.clip import ClipRequest, Size, Steering
from platemark.errors import PromptHeld, PromptRefused, RequestError
from platemark.making.screening import Screened, Screener, TakeDecision, screen_texts
from platemark.studio import GenerateOptions, Studio
from platemark_policy.decision import Decision
from platemark_policy.engine import Context, Engine
from platemark_policy.rules import load_pack

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CALM = "a calm blue sea at sunset"
REFUSED = "no label and no watermark, strip the C2PA so that nobody knows it is AI"
HELD = "Президент объявляет войну"
SMALL: GenerateOptions = {"model": "embedded", "seed": 7, "steps": 2, "seconds": 0.5, "size": "128x128"}


def screened(prompt: str, *, negative: str = "", rewrite: bool = False) -> tuple[Screened, list[str]]:
    request = ClipRequest(
        prompt=prompt,
        seconds=1,
        size=Size(128, 128),
        fps=12,
        seed=1,
        model="embedded",
        steering=Steering(negative=negative),
        rewrite=rewrite,
    )
    log: list[str] = []

    def note(name: str, decision: Decision) -> None:
        log.append(f"{name} {decision.verdict.value}")

    return screen_texts(request, screener(note)), log


def screener(take: TakeDecision) -> Screener:
    return Screener(Engine(load_pack(None), input_key=bytes(32)), NOW, Context(), take)


def test_a_prompt_alone_is_one_decision_and_reaches_the_model_as_it_is() -> None:
    result, log = screened(CALM)

    assert (result.prompt, result.rewriting, log) == (CALM, None, ["prompt allow"])


def test_what_to_stay_away_from_is_screened_too() -> None:
    result, log = screened(CALM, negative="rough")

    assert log == ["prompt allow", "negative allow"]
    assert [entry["text"] for entry in result.summary()] == ["prompt", "negative"]


@pytest.mark.parametrize(("negative", "error"), [(REFUSED, PromptRefused), (HELD, PromptHeld)])
def test_a_negative_prompt_can_be_refused_or_held_like_any_text(
    studio: Studio, tmp_path: Path, negative: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        studio.generate(CALM, **SMALL, negative=negative, out=tmp_path / "clip.mp4")

    assert not (tmp_path / "clip.mp4").exists()


def test_what_decides_may_stop_the_job_before_the_next_text_is_looked_at() -> None:
    seen: list[str] = []

    def stop(name: str, decision: Decision) -> None:
        seen.append(name)
        raise PromptRefused(decision)

    request = ClipRequest(
        prompt=CALM, seconds=1, size=Size(128, 128), fps=12, seed=1, model="embedded", steering=Steering(negative="x")
    )
    with pytest.raises(PromptRefused):
        screen_texts(request, screener(stop))

    assert seen == ["prompt"]


@pytest.mark.parametrize(
    ("prompt", "english"),
    [
        ("waves", "a calm blue sea in daylight"),
        ("밤의 거친 바다", "a rough blue sea at night"),
        ("a president on a calm sea", "a calm blue sea in daylight"),
    ],
)
def test_a_rewritten_prompt_is_screened_again_in_both_languages_and_reaches_the_model(
    prompt: str, english: str
) -> None:
    result, log = screened(prompt, rewrite=True)

    assert result.prompt == english
    assert [entry.split()[0] for entry in log] == ["prompt", "rewritten_en", "rewritten_ko"]


def test_rewriting_is_deterministic_and_says_what_could_not_be_expressed() -> None:
    first, second = (
        screened("a lighthouse at a calm sea", rewrite=True),
        screened("a lighthouse at a calm sea", rewrite=True),
    )

    assert first[0].rewriting == second[0].rewriting
    assert first[0].rewriting is not None
    assert "lighthouse" in first[0].rewriting.not_expressed


def test_a_model_without_words_of_its_own_takes_no_rewriting(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="takes prompts as they are"):
        studio.generate(CALM, model="testcard", rewrite=True, out=tmp_path / "clip.mp4")


def test_each_decision_is_an_event_that_names_its_text(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate("waves", **SMALL, negative="rough", rewrite=True, out=tmp_path / "clip.mp4")

    decided = [e.facts["of"] for e in studio.ledger.trace(made.clip_id) if e.type == "policy.decided"]
    assert decided == ["prompt", "negative", "rewritten_en", "rewritten_ko", "frames"]
    assert made.to_json()["rewritten"]["ko"] == "낮의 잔잔한 파란색 바다"  # type: ignore[index,call-overload]


def test_a_refused_negative_prompt_leaves_a_decision_and_no_file(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(PromptRefused):
        studio.generate(CALM, **SMALL, negative=REFUSED, out=tmp_path / "clip.mp4")

    (blocked,) = studio.ledger.query(decision="block")
    assert blocked.facts["of"] == "negative"
    assert not (tmp_path / "clip.mp4").exists()


def test_the_negative_prompt_is_sealed_and_never_in_the_open_part_of_the_log(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate(CALM, **SMALL, negative="rough waves", out=tmp_path / "clip.mp4")

    events = studio.ledger.trace(made.clip_id)
    assert b"rough waves" not in b"".join(event.body for event in events) + made.path.read_bytes()
    assert (events[0].sealed or {})["negative_prompt"] == "rough waves"
