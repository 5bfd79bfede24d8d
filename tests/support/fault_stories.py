"""Programs that append and publish, for faults to be injected into, and what must be true of what they leave.

Run as a script it is a server: a line of JSON names a story, a folder and a fault; a child is forked, strace takes hold
of it, and what became of it is answered in a line. A fork costs a fraction of a start.
"""

import gc
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark.making.outputs import OutputPaths, create_part, is_running, job_lock, move_into_place, write_receipt
from platemark.making.recovery import settle
from platemark_provenance.digest import sha256_bytes
from platemark_provenance.errors import PlatemarkError
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings

CLIP = "clip-of-the-story"
CONTENT = b"a finished, signed clip " * 400
_HANG_S = 40


def opened(folder: Path) -> Ledger:
    """Open the ledger of a folder."""
    settings = LedgerSettings(
        origin="news.example/provenance",
        signing_key=Ed25519PrivateKey.from_private_bytes(b"a ledger signing key for tests  "),
        payload_key=b"a payload key for tests, 32 byte",
        clock=lambda: datetime.now(UTC),
        state_path=folder / "signed-head",
        busy_timeout_s=2,
    )
    return Ledger.open(f"sqlite:///{folder}/ledger.db", settings=settings)


def event(number: int) -> NewEvent:
    """An event with a sealed part."""
    return NewEvent(
        EventType.PROMPT_SUBMITTED,
        clip=f"clip-{number}",
        actor="jw.kim",
        facts={"n": number},
        sealed={"prompt": "rain"},
    )


def append_story(ledger: Ledger, folder: Path, say: Callable[..., None]) -> None:
    """One event, five at once, two in a block with the registry, and a signed head; each may be refused."""

    def _block() -> list[int]:
        with ledger.atomic():
            seqs = [ledger.append(event(number)).seq for number in (6, 7)]
            ledger.registry.reserve_mark(b"12345678", CLIP, request_sha256="ab" * 32)
        return seqs

    def _five() -> list[int]:
        return [item.seq for item in ledger.append_all([event(number) for number in range(1, 6)])]

    def _sign() -> list[int]:
        ledger.checkpoint()
        return []

    for step in (lambda: [ledger.append(event(0)).seq], _five, _block, _sign):
        _try(step, say)


def publish_story(ledger: Ledger, folder: Path, say: Callable[..., None]) -> None:
    """Intent, hidden file, signature in the log, one rename, publication, receipt: the steps of a clip."""
    paths = OutputPaths(folder / "clip.mp4", "job-of-the-story")
    sha256 = sha256_bytes(CONTENT)

    def _publish() -> list[int]:
        with job_lock(folder / "jobs", paths.job_id):
            with ledger.atomic():
                ledger.append(NewEvent(EventType.OUTPUT_INTENDED, clip=CLIP))
                ledger.registry.intend_output(
                    paths.job_id, clip_id=CLIP, final_path=paths.final, part_path=paths.signed, mark_id=b"12345678"
                )
            create_part(paths.signed)
            with paths.signed.open("r+b") as file:
                file.write(CONTENT)
                file.flush()
                os.fsync(file.fileno())
            ledger.append(NewEvent(EventType.MANIFEST_SIGNED, clip=CLIP, facts={"sha256": sha256}))
            move_into_place(paths.signed, paths.final, overwrite=False)
            with ledger.atomic():
                seq = ledger.append(NewEvent(EventType.CLIP_PUBLISHED, clip=CLIP, facts={"sha256": sha256})).seq
                ledger.registry.publish_output(paths.job_id, sha256)
            write_receipt(paths.receipt, ledger.receipt(CLIP))
        return [seq]

    try:
        _try(_publish, say)
    except OSError as error:
        say("refused", type(error).__name__)


STORIES = {"append": append_story, "publish": publish_story}


def _try(step: Callable[[], list[int]], say: Callable[..., None]) -> None:
    try:
        say("kept", *step())
    except PlatemarkError as error:
        say("refused", type(error).__name__)


def watched(folder: Path) -> list[Path]:
    """The paths whose system calls faults are injected into."""
    names = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "signed-head", "clip.mp4", "clip.mp4.tlog-proof", "jobs")
    hidden = OutputPaths(folder / "clip.mp4", "job-of-the-story").signed
    return [folder, *(folder / name for name in names), hidden, folder / "jobs" / "job-of-the-story.lock"]


def faults_left(folder: Path, said: list[list[Any]]) -> list[str]:
    """Open what a story left, as the next start does, and say what is wrong with it; an empty list is a pass."""
    wrong = [str(line) for line in said if line[0] == "crashed"]
    try:
        with opened(folder) as ledger:
            for output in ledger.registry.open_outputs():
                if not is_running(folder / "jobs", output.job_id):
                    settle(ledger, output, reason="interrupted")
            wrong += _wrong(ledger, folder, [seq for line in said if line[0] == "kept" for seq in line[1:]])
            ledger.append(event(99))
            ledger.checkpoint()
            wrong += [] if ledger.verify().ok else ["not whole after the next append"]
    except PlatemarkError as error:
        wrong.append(f"does not open: {type(error).__name__} {error}")
    return wrong


def _wrong(ledger: Ledger, folder: Path, kept: list[int]) -> list[str]:
    events = {each.seq: each for each in ledger.query(order="oldest")}
    report = ledger.verify()
    wrong = [] if report.ok else [f"not whole: {report.reason}"]
    wrong += [f"lost: {seq}" for seq in kept if seq not in events]
    numbers = [each.facts["n"] for each in events.values() if "n" in each.facts]
    wrong += [] if numbers == sorted(set(numbers)) else [f"out of order or twice: {numbers}"]
    for together in ({1, 2, 3, 4, 5}, {6, 7}):
        wrong += [] if together & set(numbers) in (set(), together) else [f"torn: {numbers}"]
    is_reserved = bool(ledger.registry.issued_marks())
    wrong += [] if is_reserved == (6 in numbers) else ["the registry and the log differ"]
    final, types = folder / "clip.mp4", [each.type for each in events.values()]
    published = "clip.published" in types
    wrong += [] if final.exists() == published else [f"published {published}, file {final.exists()}"]
    wrong += [] if not final.exists() or final.read_bytes() == CONTENT else ["the clip is not whole"]
    wrong += [] if not final.exists() or (folder / "clip.mp4.tlog-proof").exists() or kept == [] else ["no receipt"]
    wrong += [f"left behind: {each.name}" for each in folder.glob(".clip*.part*")]
    wrong += [] if not ledger.registry.open_outputs() else ["an output is still open"]
    return wrong


def run_story(story: str, folder: Path, strace: list[str]) -> dict[str, Any]:
    """Fork a child that runs a story with strace upon it, and give how it ended and what is wrong with what it left."""
    tell, told = os.pipe()
    go, wait = os.pipe()
    child = os.fork()
    if child == 0:
        _child(story, folder, told, go)
    os.close(told)
    os.close(go)
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(child), *strace], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert tracer.stderr is not None
    attached = tracer.stderr.readline()
    os.write(wait, b"go")
    os.close(wait)
    said, status = _listen(child, tell)
    rest = tracer.stderr.read()
    tracer.wait()
    lines = [json.loads(line) for line in said.splitlines() if line.endswith("]")]
    wrong = [] if "attached" in attached else [f"strace: {attached}{rest}"[:200]]
    wrong += faults_left(folder, lines)
    if status is None:
        wrong.append("hung")
    return {"status": status, "said": lines, "wrong": wrong}


def _listen(child: int, tell: int) -> tuple[str, int | None]:
    said, status = b"", None
    while True:
        ready, _, _ = select.select([tell], [], [], _HANG_S)
        piece = os.read(tell, 65536) if ready else b""
        if not ready:
            os.kill(child, signal.SIGKILL)
        if not piece:
            break
        said += piece
    os.close(tell)
    _, code = os.waitpid(child, 0)
    status = os.waitstatus_to_exitcode(code) if ready else None
    return said.decode(), status


def _child(story: str, folder: Path, told: int, go: int) -> None:
    def _say(*words: object) -> None:
        os.write(told, json.dumps(words).encode() + b"\n")

    try:
        os.read(go, 2)
        try:
            ledger = opened(folder)
        except PlatemarkError as error:
            _say("refused", type(error).__name__)
        else:
            STORIES[story](ledger, folder, _say)
    finally:
        kind, error, _ = sys.exc_info()
        if kind is not None:
            _say("crashed", kind.__name__, str(error))
        os._exit(0)


def main() -> None:
    """Answer one line after the other."""
    gc.disable()
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(run_story(asked["story"], Path(asked["folder"]), asked["strace"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
