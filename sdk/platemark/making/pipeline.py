"""The life of one clip, from a request to a published file, as a sequence of named steps.

One rule: four layers or no file. Until the last step the clip lies in hidden files that any failure removes, and each
step is an event in the ledger before the next one starts.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Generic

import uuid_utils

from platemark.clip import ClipId
from platemark.errors import SourceRefused
from platemark.generation.backend import CancelToken
from platemark.homes.account import ACCOUNT_FACT, os_account
from platemark.homes.home import Home
from platemark.inputs import STILL_ENDINGS
from platemark.making.job_facts import Used
from platemark.making.outputs import OutputPaths, check_free, create_part, job_lock, move_into_place, write_receipt
from platemark.making.recovery import Settling
from platemark.making.rendering import Rendered
from platemark.making.screening import Screened, Screener
from platemark.making.sign_off import SignOff
from platemark.making.sources import vet
from platemark.making.stamping import let_wait
from platemark.making.surroundings import Surroundings, screen_references, surroundings
from platemark.making.work import Bench, Made, Plan, Published, Result, Work
from platemark.media.aigc import AigcStatement
from platemark.media.cue import label_cue
from platemark.media.label import RenderedLabel
from platemark.media.stating import write_aigc
from platemark.progress import JobProgress, ProgressCallback, Stopwatch
from platemark_policy.decision import Decision
from platemark_policy.engine import Engine
from platemark_provenance.digest import JsonValue, canonical_json, sha256_bytes
from platemark_provenance.ledger.event import Appended, EventType, NewEvent
from platemark_provenance.ledger.recipients import FACT as RECIPIENT
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.signing import SignedAsset, SigningOptions, sign_file
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.keys import WatermarkKeys, derive_alternatives, derive_mark_id
from platemark_provenance.watermark.profile import ALGORITHM


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a job works with: the home's rules, keys and ledger."""

    home: Home
    ledger: Ledger
    engine: Engine
    keys: WatermarkKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """What a caller decides about the run rather than about the clip."""

    final: Path
    overwrite: bool
    on_progress: ProgressCallback
    cancel: CancelToken


class ClipJob(Generic[Plan, Result]):
    """One clip on its way. `run` is the whole story; each private method is one step of it."""

    def __init__(self, workshop: Workshop, work: Work[Plan, Result], options: JobOptions) -> None:
        self._shop = workshop
        self._work = work
        self._options = options
        self._watch = Stopwatch()
        self._draft = workshop.home.config.publish.gate
        self.clip_id = ClipId(str(uuid_utils.uuid7()))
        self.job_id = str(uuid_utils.uuid7())
        self._paths = OutputPaths(options.final, self.job_id)
        self._sign_off = SignOff(
            workshop.home.review_desk(workshop.ledger),
            self.clip_id,
            work.request,
            model=work.made_by,
            material=tuple(each.file.sha256 for each in work.sources),
            form=workshop.engine.name_input(canonical_json(work.form)),
        )

    def run(self) -> Result:
        """Make the clip.

        Raises:
            RequestError: the label does not fit, or the model cannot show what is asked for.
            PromptRefused: the policy blocks the prompt or the frames.
            PromptHeld: an editor must decide first.
            SourceRefused: a given picture or clip must not be used.
            PlatemarkError: anything else. Whatever is raised, nothing was left at the final path.
        """
        label = self._work.draw_label()
        known = self._look_around()
        screened = self._screen_texts(known)
        used = self._vet_sources()
        self._screen_references(known)
        plan = self._plan(screened)
        with ExitStack() as stack:
            stack.enter_context(job_lock(self._shop.home.jobs, self.job_id))
            stack.enter_context(Settling(self._shop.ledger, self.job_id))
            stack.push(self._forget)  # what was kept goes first
            embedder = self._reserve(plan, used)
            rendered = self._render(plan, label, embedder)
            self._state_in_metadata()
            seen = self._screen_frames(rendered)
            made = Made(
                clip_id=self.clip_id,
                plan=plan,
                label=label,
                mark_id=embedder.mark_id,
                screened=screened or Screened(seen, ""),
                used=used,
                rendered=rendered,
                reviewed=bool(self._sign_off.used),
                draft=self._draft,
                cue_sha256=self._write_cue(label, rendered),
            )
            signed = self._sign(made)
            self._record(signed, made)
            entry = self._publish(signed, made)
            self._write_receipt(signed)
        published = Published(signed=signed, entry=entry, paths=self._paths, timings=self._watch.seconds)
        return self._work.describe(made, published)

    # -- the steps -------------------------------------------------------------------------------------------------

    def _look_around(self) -> Surroundings:
        """Find out what the log knows of this request: consents, rights, and what the person was refused."""
        shop, task = self._shop, str(self._work.form.get("task", ""))
        return surroundings(shop.home, shop.ledger, shop.engine, self._work.request, task=task)

    def _screen_texts(self, known: Surroundings) -> Screened | None:
        with self._stage("screen"):
            submission = self._work.submission()
            sealed = {**submission.sealed, ACCOUNT_FACT: os_account()}
            self._log(EventType.PROMPT_SUBMITTED, facts=submission.facts, sealed=sealed)
            return self._work.screen(Screener(self._shop.engine, known.at, known.context, self._take_decision))

    def _vet_sources(self) -> Used:
        """Verify what was given, and let the log know of what was refused or let in all the same."""
        with self._watch.stage("sources"):
            try:
                overridden = vet(self._work.sources, self._shop.home, self._work.override)
            except SourceRefused as error:
                self._log(EventType.GENERATION_FAILED, facts={"job": self.job_id, "reason": type(error).__name__})
                raise
            return Used(self._work.sources, overridden)

    def _screen_references(self, known: Surroundings) -> None:
        """Have each given file decided on that the model gets to see."""
        with self._watch.stage("references"):
            for name, decision in screen_references(self._work.references, self._shop.engine, known):
                self._take_decision(name, decision)

    def _plan(self, screened: Screened | None) -> Plan:
        with self._stage("plan"):
            return self._work.plan(screened)

    def _reserve(self, plan: Plan, used: Used) -> Embedder:
        """Write down what is about to be made before the first byte of it exists.

        Signing the tree as it is comes first: a ledger whose key, name or history is not the one that signed before
        is found out here, and not after the clip has appeared.
        """
        with self._stage("reserve"):
            self._shop.ledger.checkpoint()
            self._shop.ledger.require_witnesses()
            registry = self._shop.ledger.registry
            wanted = canonical_json({**self._for_recipient(), **self._work.identity(plan)})
            mark_id = derive_mark_id(self._shop.keys, wanted)
            with self._shop.ledger.atomic():
                registry.reserve_mark(mark_id, self.clip_id, request_sha256=sha256_bytes(wanted))
                registry.intend_output(
                    self.job_id,
                    clip_id=self.clip_id,
                    final_path=self._paths.final,
                    part_path=self._paths.rendered,
                    mark_id=mark_id,
                )
                self._log(EventType.OUTPUT_INTENDED, facts={"job": self.job_id, "name": self._paths.final.name})
            create_part(self._paths.rendered)
            facts = {"job": self.job_id, **self._work.start_facts(plan, used)}
            self._log(EventType.GENERATION_STARTED, facts=facts)
            # A recipient's id is not chosen to suit the picture: other recipients' would suit the same one, and seem
            # to be there as well.
            others = () if self._work.request.recipient else derive_alternatives(self._shop.keys, wanted)
            return Embedder(self._shop.keys, mark_id, alternatives=others)

    def _render(self, plan: Plan, label: RenderedLabel, embedder: Embedder) -> Rendered:
        with self._stage("render"):
            bench = Bench(
                label=label,
                embedder=embedder,
                paths=self._paths,
                watch=self._watch,
                on_progress=self._options.on_progress,
                cancel=self._options.cancel,
            )
            rendered = self._work.render(plan, bench)
            facts: dict[str, JsonValue] = {"job": self.job_id, "frames": rendered.frames}
            if rendered.measured is not None:
                facts["measured"] = rendered.measured.to_json()
            self._log(EventType.GENERATION_FINISHED, facts=facts)
            marked: dict[str, JsonValue] = {"alg": ALGORITHM, "id": embedder.mark_id.hex(), **self._for_recipient()}
            name = self._work.request.recipient
            self._log(EventType.WATERMARK_EMBEDDED, facts=marked, sealed={RECIPIENT: name} if name else None)
            return rendered

    def _state_in_metadata(self) -> None:
        """Write China's statement into the clip's metadata, where the home asks for it; the signature covers it."""
        settings = self._shop.home.config.aigc
        if settings.write and self._paths.final.suffix.lower() not in STILL_ENDINGS:
            with self._stage("statement"):
                producer = settings.producer or self._shop.home.config.publisher.organisation
                statement = AigcStatement("1", producer, self.clip_id)
                write_aigc(self._paths.rendered, statement, through=self._paths.signed)

    def _screen_frames(self, rendered: Rendered) -> Decision:
        with self._stage("screen_frames"):
            decision = self._shop.engine.screen_frames(
                rendered.seen.facts,
                at=self._shop.home.clock(),
                decision_id=str(uuid_utils.uuid7()),
                looks=rendered.seen.looks,
            )
            self._take_decision("frames", decision)
            return decision

    def _write_cue(self, label: RenderedLabel, rendered: Rendered) -> str:
        """Write the label's words for players into a hidden file, where that is asked for; gives its hash or nothing.

        It is known before signing, so that the manifest can name it, and follows the clip to its final path.
        """
        if not self._work.request.label_vtt:
            return ""
        content = label_cue(label.spec, rendered.frames / Fraction(self._work.request.fps))
        write_receipt(self._paths.cue_part, content)
        return sha256_bytes(content)

    def _sign(self, made: Made[Plan]) -> SignedAsset:
        with self._stage("sign"):
            home = self._shop.home
            for source in made.used.sources:
                source.file.check_unchanged()
            return sign_file(
                self._paths.rendered,
                self._paths.signed,
                manifest=self._work.manifest(made, home, self._shop.ledger.head()),
                signer=home.claim_signer(),
                trust=home.trust_store(),
                options=SigningOptions(
                    ingredients=tuple(each.ingredient for each in made.used.sources),
                    override=self._work.override,
                    time_stamp=home.time_stamp_policy(),
                ),
            )

    def _record(self, signed: SignedAsset, made: Made[Plan]) -> None:
        """Commit what will be published: from here on a crash is finished, not undone."""
        with self._stage("record"), self._shop.ledger.atomic():
            registry = self._shop.ledger.registry
            registry.bind_mark(self.clip_id, fingerprint=made.rendered.fingerprint.to_bytes(), mark_id=made.mark_id)
            registry.store_manifest(
                self.clip_id, label=signed.label, manifest=signed.manifest, sha256=signed.manifest_sha256
            )
            self._log(
                EventType.MANIFEST_SIGNED,
                facts={
                    "label": signed.label,
                    "manifest_sha256": signed.manifest_sha256,
                    "sha256": signed.sha256,
                    "draft": self._draft,
                    **self._cue_facts(made),
                },
            )
            let_wait(self._shop.home, self._shop.ledger, signed, clip_id=self.clip_id, final=self._paths.final)

    def _cue_facts(self, made: Made[Plan]) -> dict[str, JsonValue]:
        """Tell the log of the cue, in such a way that recovery can put it in its place."""
        return {"cue": {"sha256": made.cue_sha256, "overwrite": self._options.overwrite}} if made.cue_sha256 else {}

    def _publish(self, signed: SignedAsset, made: Made[Plan]) -> Appended:
        overwrite = self._options.overwrite
        with self._stage("publish"):
            # The last moment at which a clip can still be kept back; it confirms what was signed.
            self._shop.ledger.require_witnesses()
            if made.cue_sha256:
                check_free(self._paths.cue, overwrite=overwrite)
            move_into_place(self._paths.signed, self._paths.final, overwrite=overwrite)
            if made.cue_sha256:
                move_into_place(self._paths.cue_part, self._paths.cue, overwrite=overwrite)
            self._paths.remove_parts()
            return self._log(
                EventType.CLIP_DRAFTED if self._draft else EventType.CLIP_PUBLISHED,
                facts={"sha256": signed.sha256, "label": signed.label, "bytes": signed.size_bytes},
            )

    def _write_receipt(self, signed: SignedAsset) -> None:
        """Write the proof beside the clip; with it the job is done."""
        # The clip is out: from here on there is nothing left to stop.
        self._options.on_progress(JobProgress("receipt"))
        with self._watch.stage("receipt"):
            write_receipt(self._paths.receipt, self._shop.ledger.receipt(self.clip_id))
            self._shop.ledger.registry.publish_output(self.job_id, signed.sha256)

    def _for_recipient(self) -> dict[str, JsonValue]:
        """Give the pseudonym of whoever the copy is for, where it is for somebody."""
        name = self._work.request.recipient
        return {RECIPIENT: self._shop.ledger.pseudonym(name)} if name else {}

    # -- what the steps share --------------------------------------------------------------------------------------

    def _stage(self, name: str) -> AbstractContextManager[None]:
        self._options.cancel.raise_if_cancelled()
        self._options.on_progress(JobProgress(name))
        return self._watch.stage(name)

    def _log(
        self,
        event_type: EventType,
        *,
        facts: Mapping[str, JsonValue],
        sealed: Mapping[str, JsonValue] | None = None,
        decision: str | None = None,
    ) -> Appended:
        request = self._work.request
        return self._shop.ledger.append(
            NewEvent(
                type=event_type,
                clip=self.clip_id,
                actor=request.actor or None,
                desk=request.desk or None,
                decision=decision,
                model=request.model,
                facts=facts,
                sealed=sealed,
            )
        )

    def _take_decision(self, of: str, decision: Decision) -> None:
        """Write a decision down, then go on if it was allowed or editors have approved exactly this."""
        bound = self._sign_off.bound(of, decision)
        facts: dict[str, JsonValue] = {"of": of, "decision": decision.to_json(), "binding": bound.digest()}
        self._log(EventType.POLICY_DECIDED, facts=facts, decision=decision.verdict.value)
        self._sign_off.go_on(decision, bound)

    def _forget(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the work remove what it kept for another try, where there will be none."""
        self._work.forget(kind)
