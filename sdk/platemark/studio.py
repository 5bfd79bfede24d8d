"""The door for programs: open a home, ask for clips, read the ledger."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, Unpack

from platemark.clip import Clip, ClipRequest, Size
from platemark.config import Config
from platemark.errors import HomeError
from platemark.generation.backend import CancelToken, open_generator
from platemark.home import Clock, Home, find_home, open_home, utc_now
from platemark.outputs import check_final_path
from platemark.pipeline import ClipJob, JobOptions, Workshop
from platemark.progress import ProgressCallback, ignore_progress
from platemark.recovery import Leftover, clean_up
from platemark_provenance.ledger.store import Ledger


class GenerateOptions(TypedDict, total=False):
    """What may be said about a clip beside its prompt. What is left out comes from the home's configuration.

    `size` is a `Size` or text such as `512x512`; `out` is the final path (`clip-<seed>.mp4` in the working directory
    where it is left out); `cancel` and `on_progress` concern the run. The rest is described in
    `platemark.clip.ClipRequest`.
    """

    seconds: float
    size: Size | str
    fps: int
    seed: int
    model: str
    task: str
    label_language: str
    label_text: str
    actor: str
    byline: str
    desk: str
    out: Path | str
    overwrite: bool
    on_progress: ProgressCallback
    cancel: CancelToken


class Studio:
    """An open home. Use it as a context manager, or call `close`.

    Attributes:
        home: the directory's configuration and keys.
        ledger: the audit log; `studio.ledger.query(clip=…)` gives its events.
        leftovers: what was cleaned up after interrupted runs when the studio was opened.
    """

    def __init__(self, home: Home, ledger: Ledger, leftovers: tuple[Leftover, ...]) -> None:
        self.home = home
        self.ledger = ledger
        self.leftovers = leftovers

    @classmethod
    def open(cls, home: str | Path | None = None, *, clock: Clock = utc_now) -> Self:
        """Open a home and settle what interrupted runs left there.

        Args:
            home: its directory; found as the command line finds it where none is named.
            clock: gives the present moment, aware and in UTC.

        Raises:
            HomeError: there is no such home, or it is half-made, too open, or from a newer version.
            KeyUnavailable: a key is missing or garbled.
            LedgerError: the database cannot be used.
        """
        found = find_home(Path(home) if home is not None else None)
        if found is None:
            raise HomeError("No platemark home was found.", fix="Make one with: platemark init")
        opened = open_home(found, clock=clock)
        with ExitStack() as on_failure:
            ledger = opened.open_ledger()
            on_failure.callback(ledger.close)
            studio = cls(opened, ledger, clean_up(opened, ledger))
            on_failure.pop_all()
        return studio

    def generate(self, prompt: str, **options: Unpack[GenerateOptions]) -> Clip:
        """Make a clip: screened, labelled, marked, signed, logged, and only then there.

        Args:
            prompt: what to show, in English or Korean.
            **options: see `GenerateOptions`.

        Raises:
            RequestError: the request is impossible; nothing was done.
            OutputError: the output cannot be written where it was asked for.
            PromptRefused: the policy blocks it; the error carries the decision.
            PromptHeld: an editor must decide; the error carries the decision and a ticket.
            PlatemarkError: anything else. Nothing is ever left at the final path.
        """
        request = request_from(prompt, options, self.home.config)
        final = Path(options.get("out") or f"clip-{request.seed}.mp4").absolute()
        overwrite = options.get("overwrite", False)
        check_final_path(final, overwrite=overwrite)
        workshop = Workshop(
            home=self.home,
            ledger=self.ledger,
            engine=self.home.policy_engine(),
            generator=open_generator(request.model),
            keys=self.home.watermark_keys(),
        )
        job = JobOptions(
            final=final,
            overwrite=overwrite,
            on_progress=options.get("on_progress", ignore_progress),
            cancel=options.get("cancel") or CancelToken(),
        )
        return ClipJob(workshop, request, job).run()

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncStudio:
    """The same for asyncio programs: every call runs in a worker thread, and cancelling it cancels the job."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    @classmethod
    async def open(cls, home: str | Path | None = None, *, clock: Clock = utc_now) -> Self:
        """Open a home; see `Studio.open`."""
        return cls(await asyncio.to_thread(Studio.open, home, clock=clock))

    @property
    def home(self) -> Home:
        """Give the home's configuration and keys."""
        return self.studio.home

    @property
    def ledger(self) -> Ledger:
        """Give the audit log."""
        return self.studio.ledger

    @property
    def leftovers(self) -> tuple[Leftover, ...]:
        """Give what was cleaned up after interrupted runs when the studio was opened."""
        return self.studio.leftovers

    async def generate(self, prompt: str, **options: Unpack[GenerateOptions]) -> Clip:
        """Make a clip; see `Studio.generate`. A cancelled task stops the job and leaves nothing behind."""
        cancel = options.get("cancel") or CancelToken()
        options["cancel"] = cancel
        work: Callable[[], Clip] = lambda: self.studio.generate(prompt, **options)  # noqa: E731  carries the types
        job = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            cancel.cancel()
            await _ended(job)
            raise

    async def close(self) -> None:
        """Close the ledger."""
        await asyncio.to_thread(self.studio.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def _ended(job: asyncio.Future[Clip]) -> None:
    """Wait until a job has stopped, however often the waiting is cancelled, and take note of how it ended."""
    while not job.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([job])
    if not job.cancelled():
        job.exception()


def request_from(prompt: str, options: GenerateOptions, config: Config) -> ClipRequest:
    """Fill a request in from the home's configuration and check it.

    Raises:
        RequestError: a value is impossible.
    """
    defaults = config.generation
    size = options.get("size", defaults.size)
    return ClipRequest(
        prompt=prompt,
        seconds=options.get("seconds", defaults.seconds),
        size=Size.parse(size) if isinstance(size, str) else size,
        fps=options.get("fps", defaults.fps),
        seed=options.get("seed", secrets.randbits(31)),
        model=options.get("model", defaults.model),
        task=options.get("task", "text_to_video"),
        label_language=_label_language(options.get("label_language", config.label.language), prompt),
        label_text=options.get("label_text", config.label.text),
        actor=options.get("actor", ""),
        byline=options.get("byline", ""),
        desk=options.get("desk", ""),
    )


def _label_language(chosen: str, prompt: str) -> str:
    """Let `auto` follow the prompt: Hangul in it gives a Korean label."""
    if chosen != "auto":
        return chosen
    composed = unicodedata.normalize("NFC", prompt)
    return "ko" if any("\uac00" <= character <= "\ud7a3" for character in composed) else "en"
