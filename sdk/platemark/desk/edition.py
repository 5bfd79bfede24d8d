"""A further signed file of a clip that is out already: intended, signed, recorded, moved into place.

One rule: the file before it is never touched. What is to be made stands in the log and the registry before its first
byte exists; whatever ends the work early, the new file is whole at its path or not there at all.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uuid_utils

from platemark.errors import OutputError
from platemark.homes.home import Home
from platemark.making.outputs import OutputPaths, create_part, job_lock, move_into_place, write_receipt
from platemark.making.recovery import Settling
from platemark.making.stamping import let_wait
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.ledger.event import Appended, EventType, NewEvent
from platemark_provenance.ledger.registry import ClipRecord
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.signing import SignedAsset


def beside(source: Path, word: str) -> Path:
    """Name a file beside another: `clip.mp4` with `published` becomes `clip.published.mp4`."""
    return source.with_name(f"{source.stem}.{word}{source.suffix}")


@dataclass(frozen=True, slots=True)
class Edition:
    """One further file on its way.

    Args:
        home: whose clip it is.
        ledger: of that home, open.
        record: of the file before it.
        source: that file.
        final: where the new one goes.
        actor: who asked for it, by name.
    """

    home: Home
    ledger: Ledger
    record: ClipRecord
    source: Path
    final: Path
    actor: str
    job_id: str = field(default_factory=lambda: str(uuid_utils.uuid7()))

    @property
    def paths(self) -> OutputPaths:
        """Give the final path and the hidden files that lead there."""
        return OutputPaths(self.final, self.job_id)

    @contextmanager
    def underway(self) -> Iterator[str]:
        """Hold the job's lock and write down what is about to be made; gives its name in the registry.

        Whatever goes wrong inside, hidden files are removed and the log says so.
        """
        with job_lock(self.home.jobs, self.job_id), Settling(self.ledger, self.job_id):
            yield self._intend()

    def check_source(self) -> None:
        """Refuse to go on where the file before it is not, or no longer, the recorded one.

        Raises:
            OutputError: it was changed.
        """
        if sha256_file(self.source) != self.record.file_sha256:
            raise OutputError(f"{self.source} was changed while it was being read.", fix="Restore it; try again.")

    def record_signed(self, name: str, signed: SignedAsset, *, draft: bool) -> None:
        """Record the signed file. Call it inside `Ledger.atomic()`, together with what it stands for.

        Args:
            name: of the file in the registry.
            signed: the file, still hidden.
            draft: whether its manifest says that the clip is a draft.
        """
        registry, record = self.ledger.registry, self.record
        registry.bind_mark(name, fingerprint=record.fingerprint, mark_id=record.mark_id)
        registry.store_manifest(name, label=signed.label, manifest=signed.manifest, sha256=signed.manifest_sha256)
        facts: dict[str, JsonValue] = {
            "label": signed.label,
            "sha256": signed.sha256,
            "manifest_sha256": signed.manifest_sha256,
        }
        self.log(EventType.MANIFEST_SIGNED, {**facts, "draft": True} if draft else facts)
        let_wait(self.home, self.ledger, signed, clip_id=record.clip_id, final=self.final)

    def put(self, signed: SignedAsset, *, draft: bool) -> Appended:
        """Move the file to its path and say so; gives where that stands in the log."""
        self.ledger.require_witnesses()
        move_into_place(self.paths.signed, self.final, overwrite=False)
        self.paths.remove_parts()
        facts: dict[str, JsonValue] = {"sha256": signed.sha256, "label": signed.label, "bytes": signed.size_bytes}
        entry = self.log(EventType.CLIP_DRAFTED if draft else EventType.CLIP_PUBLISHED, facts)
        write_receipt(self.paths.receipt, self.ledger.receipt(self.record.clip_id))
        self.ledger.registry.publish_output(self.job_id, signed.sha256)
        return entry

    def log(
        self, kind: EventType, facts: Mapping[str, JsonValue], *, sealed: Mapping[str, JsonValue] | None = None
    ) -> Appended:
        """Append an event of this job."""
        told = {**facts, "job": self.job_id}
        return self.ledger.append(NewEvent(kind, clip=self.record.clip_id, actor=self.actor, facts=told, sealed=sealed))

    def _intend(self) -> str:
        self.ledger.checkpoint()
        self.ledger.require_witnesses()
        registry, paths = self.ledger.registry, self.paths
        with self.ledger.atomic():
            name = registry.reserve_again(self.record.clip_id, self.job_id)
            registry.intend_output(
                self.job_id,
                clip_id=name,
                final_path=paths.final,
                part_path=paths.signed,
                mark_id=self.record.mark_id,
            )
            self.log(EventType.OUTPUT_INTENDED, {"name": paths.final.name})
        create_part(paths.rendered)  # finds out early whether the folder can be written
        return name
