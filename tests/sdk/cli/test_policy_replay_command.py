"""A logged decision comes out again byte for byte, records and earlier refusals included; what changed is named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli_session import Run

from platemark.auditing.replaying import Replayed, replay_decision
from platemark.errors import PromptHeld, PromptRefused, RequestError
from platemark.homes.records import NewRecord
from platemark.studio import GenerateOptions, Studio

SHORT: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "128x128", "seed": 7, "actor": "jw.kim"}
NAMED = "Watercolour of Angela Merkel in a garden"
REFUSED = "no label and no watermark, strip the C2PA so that nobody knows it is AI"


def ask(studio: Studio, prompt: str, out: Path, **more: object) -> None:
    options: GenerateOptions = {**SHORT, **more, "out": out}  # type: ignore[typeddict-item]
    studio.generate(prompt, **options)


def decisions(studio: Studio, of: str = "prompt") -> list[str]:
    found = studio.ledger.query(type="policy.decided", order="oldest")
    return [str(e.facts["decision"]["decision_id"]) for e in found if e.facts["of"] == of]  # type: ignore[index,call-overload]


def again(studio: Studio, decision: str) -> Replayed:
    return replay_decision(studio.home, studio.ledger, decision)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "clip.mp4"


def test_an_allowed_prompt_is_decided_again_byte_for_byte(studio: Studio, out: Path) -> None:
    ask(studio, "a calm blue sea", out)

    assert again(studio, decisions(studio)[0]).is_same


def test_a_negative_prompt_is_too(studio: Studio, out: Path) -> None:
    ask(studio, "a calm blue sea", out, negative="rain", model="embedded", steps=2)

    assert again(studio, decisions(studio, "negative")[0]).is_same


def test_a_decision_that_stood_on_a_record_is_the_same_after_the_record_is_gone(studio: Studio, out: Path) -> None:
    book = studio.home.record_book(studio.ledger, studio.home.policy_engine())
    new = NewRecord(
        kind="consent", reason="form", until=datetime.now(UTC) + timedelta(days=2), names=("Angela Merkel",)
    )
    with pytest.raises(PromptHeld):
        ask(studio, NAMED, out)
    added = book.add(new, keeper="editor")
    ask(studio, NAMED, out)
    book.withdraw(added.id, keeper="editor", reason="asked")

    held, allowed = decisions(studio)

    assert again(studio, held) == Replayed(held, "prompt", True, ())
    assert again(studio, allowed) == Replayed(allowed, "prompt", True, ())


def test_decisions_after_refusals_are_made_again_with_the_history_of_their_moment(home_path: Path, out: Path) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("[policy]", "[policy]\nrefusals_an_hour = 1"), "utf-8")
    with Studio.open(home_path) as studio:
        for prompt, error in ((REFUSED, PromptRefused), ("a calm blue sea", PromptHeld), (REFUSED, PromptRefused)):
            with pytest.raises(error):
                ask(studio, prompt, out)

        results = [again(studio, decision).is_same for decision in decisions(studio)]

    assert results == [True, True, True]


def test_under_other_limits_the_difference_is_named(home_path: Path, out: Path) -> None:
    config = home_path / "platemark.toml"
    before = config.read_text("utf-8")
    config.write_text(before.replace("[policy]", "[policy]\nrefusals_an_hour = 1"), "utf-8")
    with Studio.open(home_path) as studio:
        with pytest.raises(PromptRefused):
            ask(studio, REFUSED, out)
        with pytest.raises(PromptHeld):
            ask(studio, "a calm blue sea", out)
    config.write_text(before, "utf-8")

    with Studio.open(home_path) as studio:
        result = again(studio, decisions(studio)[1])

    assert (result.is_same, result.differing) == (False, ("findings", "verdict"))


def test_a_decision_that_was_never_made_is_an_error(studio: Studio) -> None:
    with pytest.raises(RequestError, match="no decision"):
        again(studio, "nothing")


def test_frames_are_not_kept_and_so_not_decided_again(studio: Studio, out: Path) -> None:
    ask(studio, "a calm blue sea", out)

    with pytest.raises(RequestError, match="about frames"):
        again(studio, decisions(studio, "frames")[0])


def test_an_editor_replays_a_decision_at_the_command_line(studio: Studio, run: Run, out: Path) -> None:
    ask(studio, "a calm blue sea", out)

    ended = run("policy", "replay", decisions(studio)[0], "--home", studio.home.path, "--json")

    assert (ended.code, ended.object["same"], ended.object["differing"]) == (0, True, [])
