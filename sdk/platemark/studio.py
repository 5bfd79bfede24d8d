"""The door for programs: open a home, ask for clips, read the ledger."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

from platemark.clip import Clip
from platemark.config import user_cache
from platemark.errors import HomeError
from platemark.generation.backend import CancelToken, Generator, open_generator
from platemark.generation.kept import LATENTS_FOLDER
from platemark.generation.licences import check_territories
from platemark.generation.rewriting import rewrite_for
from platemark.homes.home import Clock, Home, find_home, open_home, utc_now
from platemark.inputs import STILL_ENDINGS
from platemark.making.asking import GenerateOptions, ask, request_from
from platemark.making.assignment import Assignment, plan_assignment
from platemark.making.generate_work import GenerateWork
from platemark.making.job_facts import ClipPlan
from platemark.making.outputs import CUE_SUFFIX, check_final_path, check_free
from platemark.making.pipeline import ClipJob, JobOptions, Workshop
from platemark.making.recovery import Leftover, clean_up
from platemark.making.sources import sources_of
from platemark.making.stamp_asking import StampOptions, ask_stamp
from platemark.making.stamp_work import StampWork
from platemark.making.work import Plan, Result, Work
from platemark.media.destination import refuse_same_file
from platemark.progress import ignore_progress
from platemark.stamped import StampedClip
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.signers.uri import STANDARD_SIGNERS, AskSecret, SignerTable

# Brings all the compliance checks along, and few programs publish.
if TYPE_CHECKING:
    from platemark.desk.correcting import Corrected, CorrectOptions
    from platemark.desk.publishing import Published, PublishOptions

__all__ = ["AsyncStudio", "GenerateOptions", "StampOptions", "Studio", "request_from"]

Made = TypeVar("Made")


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
    def open(
        cls,
        home: str | Path | None = None,
        *,
        clock: Clock = utc_now,
        signers: SignerTable = STANDARD_SIGNERS,
        ask_secret: AskSecret | None = None,
    ) -> Self:
        """Open a home and settle what interrupted runs left there.

        Args:
            home: its directory; found as the command line finds it where none is named.
            clock: gives the present moment, aware and in UTC.
            signers: which scheme of `[signing] key` is opened by whom; extend it for a key service of your own.
            ask_secret: gives the signing key's passphrase or PIN; as `[signing] secret` says where it is left out.

        Raises:
            HomeError: there is no such home, or it is half-made, too open, or from a newer version.
            KeyUnavailable: a key is missing or garbled.
            LedgerError: the database cannot be used.
        """
        found = find_home(Path(home) if home is not None else None)
        if found is None:
            raise HomeError("No platemark home was found.", fix="Make one with: platemark init")
        opened = open_home(found, clock=clock, signers=signers, ask_secret=ask_secret)
        with ExitStack() as on_failure:
            ledger = opened.open_ledger()
            on_failure.callback(ledger.close)
            studio = cls(opened, ledger, clean_up(opened, ledger))
            on_failure.pop_all()
        return studio

    def generate(self, prompt: str, **options: Unpack[GenerateOptions]) -> Clip:
        """Make a clip or a still: screened, labelled, marked, signed, logged, and only then there.

        Args:
            prompt: what to show, in English or Korean.
            **options: see `GenerateOptions`.

        Raises:
            RequestError: the request is impossible; nothing was done.
            MediaError: a given picture or clip cannot be used as it is; nothing was done.
            OutputError: the output cannot be written where it was asked for.
            PromptRefused: the policy blocks it; the error carries the decision.
            PromptHeld: an editor must decide; the error carries the decision and a ticket.
            SourceRefused: a given picture or clip must not be used.
            PlatemarkError: anything else. Nothing is ever left at the final path.
        """
        order = ask(prompt, options, self.home.config)
        request, overwrite = order.request, options.get("overwrite", False)
        still = request.task.makes_still
        usual = f"image-{request.seed}.png" if still else f"clip-{request.seed}.mp4"
        final = Path(options.get("out") or usual).absolute()
        for source in order.material.files:
            refuse_same_file(source.path, final)
        check_final_path(final, overwrite=overwrite, endings=STILL_ENDINGS if still else (".mp4",))
        work = GenerateWork(self._generator(request.model), order, self.home.jobs / LATENTS_FOLDER)
        return self._run(work, _job_options(final, options))

    def stamp(self, file: Path | str, *, generator: str, **options: Unpack[StampOptions]) -> StampedClip:
        """Put a clip made elsewhere through policy, label, watermark, signing and log; its manifest stays inside.

        Args:
            file: the clip; it is left as it is.
            generator: what made or changed it.
            **options: see `StampOptions`.

        Raises:
            RequestError: the request is impossible; nothing was done.
            MediaError: the clip would have to be converted first; nothing was done.
            OutputError: the output cannot be written where it was asked for.
            PromptRefused: the policy blocks the prompt or the frames; the error carries the decision.
            PromptHeld: an editor must decide; the error carries the decision and a ticket.
            SourceRefused: the clip was changed, its signer is not trusted, or its owner forbids it.
            PlatemarkError: anything else. Nothing is ever left at the final path.
        """
        source = Path(file).absolute()
        final = Path(options.get("out") or f"{source.stem}-stamped.mp4").absolute()
        refuse_same_file(source, final)
        check_final_path(final, overwrite=options.get("overwrite", False))
        order = ask_stamp(source, generator, options, self.home)
        return self._run(StampWork(order), _job_options(final, options))

    def _run(self, work: Work[Plan, Result], options: JobOptions) -> Result:
        if work.request.label_vtt:
            check_free(options.final.with_suffix(CUE_SUFFIX), overwrite=options.overwrite)
        workshop = Workshop(
            home=self.home,
            ledger=self.ledger,
            engine=self.home.policy_engine(),
            keys=self.home.watermark_keys(),
        )
        try:
            return ClipJob(workshop, work, options).run()
        finally:
            # Refusals and holds are news to others as well. Imported only where somebody is told.
            if self.home.config.webhooks.url:
                from platemark.webhooks.telling import Telling

                Telling(self.home, self.ledger).deliver_quietly()

    def publish(self, clip: str | Path, **options: "Unpack[PublishOptions]") -> "Published":
        """Publish a clip on a second person's word; see `platemark.desk.publishing.publish` for the checks.

        Args:
            clip: the file as it was made.
            **options: see `PublishOptions`.

        Raises:
            PublicationRefused: a check did not pass; the error carries each.
            PlatemarkError: anything else. The draft is whole, and nothing is at the new path.
        """
        from platemark.desk.publishing import publish

        return publish(self.home, self.ledger, Path(clip), **options)

    def correct(self, clip: str | Path, **options: "Unpack[CorrectOptions]") -> "Corrected":
        """Correct what was said about a clip: every verdict on it and its copies tells of it from now on.

        Args:
            clip: its identifier, or one of its files.
            **options: see `CorrectOptions`.

        Raises:
            RequestError: there is no such clip, it was withdrawn, or it was corrected too often.
            PlatemarkError: anything else; see `platemark.desk.correcting.correct`.
        """
        from platemark.desk.correcting import correct

        return correct(self.home, self.ledger, clip, **options)

    def export(self, clip: str | Path, form: str, *, reader: str, with_names: bool = False) -> bytes:
        """Write what newsroom systems are to know of a published clip, as UTF-8.

        Args:
            clip: its identifier, or one of its files.
            form: `ninjs`, `newsml-g2`, `vmh`, `mos` or `json-ld`.
            reader: who asks; the log keeps a pseudonym of them, with what was handed out.
            with_names: also say who made and approved it, and what was asked for.

        Raises:
            RequestError: no such format or clip, or its file is gone or changed.
            PublicationRefused: the home has the publish gate on, and no second person approved the clip.
            PlatemarkError: anything else; nothing is handed out that the log does not tell of.
        """
        from platemark.newsroom.formats import export_clip

        return export_clip(self.home, self.ledger, str(clip), form, reader=reader, with_names=with_names)

    def plan(self, prompt: str, **options: Unpack[GenerateOptions]) -> ClipPlan:
        """Say what would be made and at what cost. Nothing is screened, made or logged.

        Args:
            prompt: what to show, in English or Korean.
            **options: see `GenerateOptions`.

        Raises:
            RequestError: the request is impossible, or the model cannot show what is asked for.
            MediaError: a given picture or clip cannot be used as it is.
        """
        order = ask(prompt, options, self.home.config)
        request, material = order.request, order.material
        words = rewrite_for(request.model, prompt).english if request.rewrite else prompt
        plan = plan_assignment(self._generator(request.model), Assignment(request, words, material))
        return ClipPlan(request, plan, sources_of(request, material))

    def _generator(self, name: str) -> Generator:
        """Open a generator by name, and refuse one whose licence does not apply where this publisher is."""
        config = self.home.config
        chosen = config.generation
        generator = open_generator(name, models=chosen.models, cache=user_cache(), threads=chosen.threads or None)
        check_territories(generator.info.name, generator.info.excluded_territories, config.publisher.shown_in)
        return generator

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _job_options(final: Path, options: GenerateOptions | StampOptions) -> JobOptions:
    return JobOptions(
        final=final,
        overwrite=options.get("overwrite", False),
        on_progress=options.get("on_progress", ignore_progress),
        cancel=options.get("cancel") or CancelToken(),
    )


class AsyncStudio:
    """The same for asyncio programs: every call runs in a worker thread, and cancelling it cancels the job."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    @classmethod
    async def open(
        cls,
        home: str | Path | None = None,
        *,
        clock: Clock = utc_now,
        signers: SignerTable = STANDARD_SIGNERS,
        ask_secret: AskSecret | None = None,
    ) -> Self:
        """Open a home; see `Studio.open`."""
        work: Callable[[], Studio] = lambda: Studio.open(  # noqa: E731  carries the types
            home, clock=clock, signers=signers, ask_secret=ask_secret
        )
        return cls(await asyncio.to_thread(work))

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
        return await _stoppable(work, cancel)

    async def stamp(self, file: Path | str, *, generator: str, **options: Unpack[StampOptions]) -> StampedClip:
        """Stamp a clip; see `Studio.stamp`. A cancelled task stops the job and leaves nothing behind."""
        cancel = options.get("cancel") or CancelToken()
        options["cancel"] = cancel
        work: Callable[[], StampedClip] = lambda: self.studio.stamp(  # noqa: E731  carries the types
            file, generator=generator, **options
        )
        return await _stoppable(work, cancel)

    async def publish(self, clip: str | Path, **options: "Unpack[PublishOptions]") -> "Published":
        """Publish a clip on a second person's word; see `Studio.publish`."""
        work: Callable[[], Published] = lambda: self.studio.publish(clip, **options)  # noqa: E731  carries the types
        return await asyncio.to_thread(work)

    async def correct(self, clip: str | Path, **options: "Unpack[CorrectOptions]") -> "Corrected":
        """Correct what was said about a clip; see `Studio.correct`."""
        work: Callable[[], Corrected] = lambda: self.studio.correct(clip, **options)  # noqa: E731  carries the types
        return await asyncio.to_thread(work)

    async def export(self, clip: str | Path, form: str, *, reader: str, with_names: bool = False) -> bytes:
        """Write what newsroom systems are to know of a published clip; see `Studio.export`."""
        return await asyncio.to_thread(self.studio.export, clip, form, reader=reader, with_names=with_names)

    async def plan(self, prompt: str, **options: Unpack[GenerateOptions]) -> ClipPlan:
        """Say what would be made and at what cost; see `Studio.plan`."""
        work: Callable[[], ClipPlan] = lambda: self.studio.plan(prompt, **options)  # noqa: E731  carries the types
        return await asyncio.to_thread(work)

    async def close(self) -> None:
        """Close the ledger."""
        await asyncio.to_thread(self.studio.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def _stoppable(work: Callable[[], Made], cancel: CancelToken) -> Made:
    """Run work in a thread, and stop it where the waiting for it is cancelled."""
    job = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        cancel.cancel()
        await _ended(job)
        raise


async def _ended(job: asyncio.Future[Made]) -> None:
    """Wait until a job has stopped, however often the waiting is cancelled, and take note of how it ended."""
    while not job.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([job])
    if not job.cancelled():
        job.exception()
