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

    def teardown(self) -> None:
        self.close.close()


QUICK = settings(
    max_examples=12,
    stateful_step_count=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=(Phase.generate,),
)


@pytest.mark.parametrize("second", [False, True], ids=["alone", "with a second person"])
def test_no_command_sequence_publishes_without_a_second_person(newsroom: Path, second: bool) -> None:
    machine = type("ThisNewsroom", (Newsroom,), {"source": newsroom, "second_person_allowed": second})

    run_state_machine_as_test(machine, settings=QUICK)
