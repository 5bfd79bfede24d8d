"""No sequence of commands publishes a clip without a second person: random sequences on a real home.

Rendering is the test card's, everything else is real: database, log, keys, manifests and files.
"""

import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from platemark.desk.publication import is_published, require_published
from platemark.desk.withdrawal import withdraw
from platemark.errors import PlatemarkError, PublicationRefused
from platemark.studio import Studio
from platemark.verifying.verifier import Verifier
from platemark_provenance.digest import sha256_file
from platemark_provenance.ledger.event import EventType, NewEvent

AUTHOR = "김지우"
DECOMPOSED = unicodedata.normalize("NFD", AUTHOR)
ONE_PERSON = (AUTHOR, DECOMPOSED, f" {AUTHOR} ", "Desk Byline", "desk byline")
KINDS = (EventType.CLIP_APPROVED, EventType.CLIP_PUBLISHED, EventType.MANIFEST_SIGNED, EventType.REVIEW_APPLIED)


@pytest.fixture(scope="module")
def newsroom(pristine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with the gate on and one draft in it, copied for each sequence."""
    folder = tmp_path_factory.mktemp("sequences")
    shutil.copytree(pristine_home, folder / "home")
    config = folder / "home" / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("gate = false", "gate = true"), "utf-8")
    with Studio.open(folder / "home") as studio:
        studio.generate(
            "a calm blue sea", model="testcard", seconds=0.5, size="128x128", out=folder / "draft.mp4",
            actor=AUTHOR, byline="Desk Byline",
        )  # fmt: skip
    yield folder


class Newsroom(RuleBasedStateMachine):
    """One person with every command, and the ledger itself; at times a second person."""

    source: Path
    second_person_allowed: bool

    @initialize()
    def open(self) -> None:
        self.close = ExitStack()
        self.folder = Path(self.close.enter_context(TemporaryDirectory()))
        shutil.copytree(self.source, self.folder, dirs_exist_ok=True)
        self.studio = self.close.enter_context(Studio.open(self.folder / "home"))
        self.draft = self.folder / "draft.mp4"
        self.draft_sha256 = sha256_file(self.draft)
        record = self.studio.ledger.registry.record_for_file(self.draft_sha256)
        assert record is not None
        self.clip_id, self.approved_by_second = record.clip_id, False
        self.copies: list[Path] = []
        self.stamped: list[Path] = []
        self.count = 0

    @rule(approver=st.sampled_from(ONE_PERSON), byline=st.sampled_from(("", "Other Name")))
    def author_tries_to_approve(self, approver: str, byline: str) -> None:
        with pytest.raises(PublicationRefused):
            self.studio.publish(self.draft, approver=approver, reason="mine", byline=byline)

    @rule(kind=st.sampled_from(KINDS), person=st.sampled_from((AUTHOR, DECOMPOSED, None)))
    def author_writes_into_the_log(self, kind: EventType, person: str | None) -> None:
        facts = {"sha256": self.draft_sha256, "label": "x"}
        self.studio.ledger.append(NewEvent(kind, clip=self.clip_id, actor=person, facts=facts))

    @rule(person=st.sampled_from((AUTHOR, DECOMPOSED, None)))
    def author_writes_a_whole_approval_into_the_log(self, person: str | None) -> None:
        for kind in (EventType.CLIP_APPROVED, EventType.CLIP_PUBLISHED):
            facts = {"sha256": self.draft_sha256}
            self.studio.ledger.append(NewEvent(kind, clip=self.clip_id, actor=person, facts=facts))

    @rule()
    def author_makes_a_second_row_for_the_file(self) -> None:
        registry, job = self.studio.ledger.registry, f"job-{len(self.studio.ledger.trace(self.clip_id))}"
        name = self.folder / f"{job}.mp4"
        with suppress(PlatemarkError):
            edition = registry.reserve_again(self.clip_id, job)
            registry.intend_output(job, clip_id=edition, final_path=name, part_path=name)
            registry.publish_output(job, self.draft_sha256)

    @rule()
    def author_starts_again(self) -> None:
        self.studio.close()
        self.studio = self.close.enter_context(Studio.open(self.folder / "home"))

    @rule()
    def somebody_withdraws(self) -> None:
        withdraw(self.studio.ledger, self.clip_id, reason="Wrong date", actor="Lee Sora")

    @rule(by=st.sampled_from((AUTHOR, "Lee Sora")), reason=st.sampled_from(("Wrong date", "Wrong city")))
    def somebody_corrects(self, by: str, reason: str) -> None:
        with suppress(PlatemarkError):
            done = self.studio.correct(self.draft, by=by, reason=reason, out=self._new("corrected"))
            assert done.path is not None
            self.copies.append(done.path)

    @rule(approver=st.sampled_from(ONE_PERSON))
    def author_tries_to_approve_a_corrected_copy(self, approver: str) -> None:
        for copy in self.copies[-1:]:
            with pytest.raises(PublicationRefused):
                self.studio.publish(copy, approver=approver, reason="mine", out=self._new("mine"))

    @rule()
    def author_stamps_the_draft(self) -> None:
        """Hand the draft in as if it had been made elsewhere, under one's own name: another draft, if anything."""
        with suppress(PlatemarkError):
            stamped = self.studio.stamp(
                self.draft, generator="elsewhere", actor=AUTHOR, byline="Desk Byline", out=self._new("stamped")
            )
            self.stamped.append(stamped.path)

    @rule(form=st.sampled_from(("ninjs", "mos")))
    def author_exports(self, form: str) -> None:
        withdrawn = self.studio.ledger.registry.record_for_file(self.draft_sha256)
        assert withdrawn is not None
        with suppress(PublicationRefused):
            self.studio.export(self.clip_id, form, reader=AUTHOR)
            assert self.approved_by_second or withdrawn.withdrawn is not None

    def _new(self, word: str) -> Path:
        self.count += 1
        return self.folder / f"{word}-{self.count}.mp4"

    @rule()
    def a_second_person_approves(self) -> None:
        if not self.second_person_allowed:
            return
        with suppress(PlatemarkError):
            self.studio.publish(self.draft, approver="Lee Sora", reason="checked")
            self.approved_by_second = True

    @invariant()
    def published_only_with_a_second_person(self) -> None:
        assert is_published(self.studio.ledger, self.clip_id) == self.approved_by_second
        out = self.approved_by_second
        with suppress(PublicationRefused):
            require_published(self.studio.home, self.studio.ledger, self.clip_id)
            assert out

    @invariant()
    def the_draft_is_whole_and_never_verifies_as_published(self) -> None:
        assert sha256_file(self.draft) == self.draft_sha256
        with Verifier.open(self.folder / "home") as verifier:
            report = verifier.examine_manifest(self.draft)
        assert (report.verdict, report.publication) == ("trusted", "draft")

    @invariant()
    def a_stamped_copy_of_it_is_a_draft_of_its_own(self) -> None:
        with Verifier.open(self.folder / "home") as verifier:
            reports = [verifier.examine_manifest(path) for path in self.stamped[-1:]]
        assert all(report.publication == "draft" for report in reports)

    @invariant()
    def a_corrected_copy_is_what_its_file_was(self) -> None:
        with Verifier.open(self.folder / "home") as verifier:
            reports = [verifier.examine_manifest(path) for path in self.copies[-1:]]
        assert all((report.verdict, report.publication) == ("trusted", "draft") for report in reports)
        assert all(report.corrections for report in reports)

    def teardown(self) -> None:
        self.close.close()


QUICK = settings(
    max_examples=8,
    stateful_step_count=9,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=(Phase.generate,),
)


@pytest.mark.parametrize("second", [False, True], ids=["alone", "with a second person"])
def test_no_command_sequence_publishes_without_a_second_person(newsroom: Path, second: bool) -> None:
    machine = type("ThisNewsroom", (Newsroom,), {"source": newsroom, "second_person_allowed": second})

    run_state_machine_as_test(machine, settings=QUICK)
