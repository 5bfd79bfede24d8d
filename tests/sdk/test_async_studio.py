"""The studio for asyncio programs: the loop stays free, and a cancelled task is a stopped job."""

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import platemark
from platemark.clip import Clip
from platemark.errors import Cancelled, HomeError, LedgerUnavailable, PromptRefused, RequestError
from platemark.generation.backend import CancelToken
from platemark.progress import JobProgress, ProgressCallback
from platemark.studio import AsyncStudio, GenerateOptions

PROMPT = "a calm blue sea at sunset"
REFUSED = "no label and no watermark, strip the C2PA so that nobody knows it is AI"
SHORT: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "256x256", "seed": 7}
LONG: GenerateOptions = {"model": "testcard", "seconds": 60, "size": "256x256", "seed": 7}


def everything_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "newsroom")


def call_at(stage: str, call: Callable[[], object], *, step: int = 0) -> ProgressCallback:
    def report(progress: JobProgress) -> None:
        if (progress.stage, progress.step) == (stage, step):
            call()

    return report


async def cancel_after_first_frame(studio: AsyncStudio, out: Path) -> None:
    """Start a long job, cancel its task once a frame is there, and wait for the task to end."""
    loop, started = asyncio.get_running_loop(), asyncio.Event()
    report = call_at("render:frames", lambda: loop.call_soon_threadsafe(started.set), step=1)
    task = asyncio.create_task(studio.generate(PROMPT, **LONG, out=out, on_progress=report))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_an_awaited_clip_is_there_and_trusted(home_path: Path, tmp_path: Path) -> None:
    async def make() -> Clip:
        async with await AsyncStudio.open(home_path) as studio:
            return await studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4")

    made = asyncio.run(make())

    assert platemark.verify(made.path, home=home_path).verdict == "trusted"


def test_a_plan_can_be_awaited_and_makes_nothing(home_path: Path, tmp_path: Path) -> None:
    async def plan() -> int:
        async with await AsyncStudio.open(home_path) as studio:
            planned = await studio.plan(PROMPT, **SHORT, out=tmp_path / "clip.mp4")
            return planned.plan.resolved.request.frames

    assert asyncio.run(plan()) == 6
    assert everything_in(tmp_path) == []


def test_the_ledger_is_at_hand_as_in_the_plain_studio(home_path: Path, tmp_path: Path) -> None:
    async def make() -> list[str]:
        async with await AsyncStudio.open(home_path) as studio:
            made = await studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4")
            return [event.type for event in studio.ledger.query(clip=made.clip_id)]

    assert "clip.published" in asyncio.run(make())


def test_two_clips_at_once_in_one_studio_are_both_trusted(home_path: Path, tmp_path: Path) -> None:
    async def make() -> tuple[list[Clip], bool]:
        async with await AsyncStudio.open(home_path) as studio:
            jobs = [studio.generate(PROMPT, **SHORT, out=tmp_path / f"{n}.mp4") for n in range(2)]
            return list(await asyncio.gather(*jobs)), studio.ledger.verify().ok

    made, whole = asyncio.run(make())

    assert whole
    assert [platemark.verify(clip.path, home=home_path).verdict for clip in made] == ["trusted", "trusted"]


def test_the_loop_goes_on_while_a_clip_is_made(home_path: Path, tmp_path: Path) -> None:
    async def make() -> bool:
        loop, ticked, seen = asyncio.get_running_loop(), threading.Event(), []
        # The job waits inside a report until the loop has answered; a blocked loop would never answer.
        ask = call_at("render", lambda: (loop.call_soon_threadsafe(ticked.set), seen.append(ticked.wait(20))))
        async with await AsyncStudio.open(home_path) as studio:
            await studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4", on_progress=ask)
        return seen == [True]

    assert asyncio.run(make())


def test_a_cancelled_task_leaves_no_file_no_lock_and_no_open_output(home_path: Path, tmp_path: Path) -> None:
    async def make() -> tuple[object, ...]:
        async with await AsyncStudio.open(home_path) as studio:
            await cancel_after_first_frame(studio, tmp_path / "clip.mp4")
            return studio.ledger.registry.open_outputs()

    assert asyncio.run(make()) == ()
    assert everything_in(tmp_path) == []
    assert list((home_path / "jobs").iterdir()) == []


def test_a_cancelled_task_stands_in_the_ledger_as_abandoned_and_gives_its_mark_back(
    home_path: Path, tmp_path: Path
) -> None:
    async def make() -> tuple[list[object], tuple[bytes, ...], bool]:
        async with await AsyncStudio.open(home_path) as studio:
            await cancel_after_first_frame(studio, tmp_path / "clip.mp4")
            reasons = [event.facts["reason"] for event in studio.ledger.query(type="generation.abandoned")]
            return reasons, studio.ledger.registry.issued_marks(), studio.ledger.verify().ok

    assert asyncio.run(make()) == (["Cancelled"], (), True)


def test_a_cancelled_task_leaves_no_complaint_of_a_forgotten_error(
    home_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def make() -> None:
        async with await AsyncStudio.open(home_path) as studio:
            await cancel_after_first_frame(studio, tmp_path / "clip.mp4")

    with caplog.at_level(logging.WARNING):
        asyncio.run(make())

    assert [record.getMessage() for record in caplog.records] == []


def test_a_task_cancelled_twice_still_waits_until_nothing_is_left(home_path: Path, tmp_path: Path) -> None:
    async def make() -> tuple[list[str], tuple[object, ...]]:
        loop, started, release = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
        hold = call_at("render", lambda: (loop.call_soon_threadsafe(started.set), release.wait(20)))
        async with await AsyncStudio.open(home_path) as studio:
            task = asyncio.create_task(studio.generate(PROMPT, **LONG, out=tmp_path / "clip.mp4", on_progress=hold))
            await started.wait()
            task.cancel()
            await asyncio.sleep(0.05)
            task.cancel()
            loop.call_later(0.3, release.set)
            with pytest.raises(asyncio.CancelledError):
                await task
            found = everything_in(tmp_path), studio.ledger.registry.open_outputs()
            release.set()
        return found

    assert asyncio.run(make()) == ([], ())


def test_a_time_limit_on_a_clip_stops_it_and_leaves_nothing(home_path: Path, tmp_path: Path) -> None:
    async def make() -> None:
        async with await AsyncStudio.open(home_path) as studio:
            await asyncio.wait_for(studio.generate(PROMPT, **LONG, out=tmp_path / "clip.mp4"), 0.4)

    with pytest.raises(TimeoutError):
        asyncio.run(make())

    assert everything_in(tmp_path) == []


def test_one_cancelled_task_does_not_stop_its_neighbour(home_path: Path, tmp_path: Path) -> None:
    async def make() -> Clip:
        async with await AsyncStudio.open(home_path) as studio:
            neighbour = asyncio.create_task(studio.generate(PROMPT, **SHORT, out=tmp_path / "kept.mp4"))
            await cancel_after_first_frame(studio, tmp_path / "gone.mp4")
            return await neighbour

    made = asyncio.run(make())

    assert platemark.verify(made.path, home=home_path).verdict == "trusted"
    assert everything_in(tmp_path) == ["kept.mp4", "kept.mp4.tlog-proof"]


def test_a_callers_own_token_still_stops_the_job(home_path: Path, tmp_path: Path) -> None:
    async def make() -> None:
        token = CancelToken()
        stop = call_at("render:frames", token.cancel, step=2)
        async with await AsyncStudio.open(home_path) as studio:
            await studio.generate(PROMPT, **LONG, out=tmp_path / "clip.mp4", on_progress=stop, cancel=token)

    with pytest.raises(Cancelled):
        asyncio.run(make())

    assert everything_in(tmp_path) == []


def test_a_refusal_reaches_the_awaiting_task(home_path: Path, tmp_path: Path) -> None:
    async def make() -> None:
        async with await AsyncStudio.open(home_path) as studio:
            await studio.generate(REFUSED, **SHORT, out=tmp_path / "clip.mp4")

    with pytest.raises(PromptRefused) as caught:
        asyncio.run(make())

    assert caught.value.decision.findings


def test_an_impossible_request_reaches_the_awaiting_task(home_path: Path, tmp_path: Path) -> None:
    async def make() -> None:
        async with await AsyncStudio.open(home_path) as studio:
            await studio.generate(PROMPT, **{**SHORT, "size": "1x1"}, out=tmp_path / "clip.mp4")

    with pytest.raises(RequestError, match="even number"):
        asyncio.run(make())


def test_a_directory_that_is_no_home_cannot_be_opened(tmp_path: Path) -> None:
    async def open_it() -> None:
        await AsyncStudio.open(tmp_path)

    with pytest.raises(HomeError, match="not a platemark home"):
        asyncio.run(open_it())


def test_a_closed_studio_makes_no_more_clips(home_path: Path, tmp_path: Path) -> None:
    async def make() -> None:
        studio = await AsyncStudio.open(home_path)
        await studio.close()
        await studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4")

    with pytest.raises(LedgerUnavailable, match="closed"):
        asyncio.run(make())

    assert everything_in(tmp_path) == []


def test_closing_twice_is_harmless(home_path: Path) -> None:
    async def close_twice() -> None:
        studio = await AsyncStudio.open(home_path)
        await studio.close()
        await studio.close()

    asyncio.run(close_twice())


def test_an_error_inside_the_block_closes_the_studio_all_the_same(home_path: Path) -> None:
    opened: list[AsyncStudio] = []

    async def fail() -> None:
        async with await AsyncStudio.open(home_path) as studio:
            opened.append(studio)
            raise ValueError("the caller's own")

    with pytest.raises(ValueError, match="the caller's own"):
        asyncio.run(fail())

    with pytest.raises(LedgerUnavailable, match="closed"):
        opened[0].ledger.head()
