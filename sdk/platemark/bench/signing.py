"""How fast signing and verifying are, in how much memory, and how they stand up to damage.

One rule: a time is compared with SHA-256 over the same file in the same run, the median of alternating turns, so that
a busy machine slows both. Each memory figure comes from a process of its own.
"""

import hashlib
import multiprocessing
import multiprocessing.connection
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platemark.bench import signing_damage as damage
from platemark.bench.claims import Claim, Options
from platemark.bench.signing_desk import Desk, make_clip, open_desk
from platemark_provenance.verification import read_provenance

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much one run does."""

    big_bytes: int
    turns: int
    small_turns: int
    cold_turns: int
    media_flips: int
    manifest_flips: int
    truncations: int
    boxes: int


FULL = Amounts(500_000_000, 5, 200, 15, 1000, 1500, 500, 500)
QUICK = Amounts(100_000_000, 3, 40, 5, 60, 60, 30, 30)


def measure(options: Options) -> list[Claim]:
    """Measure everything in a folder of its own."""
    amounts = QUICK if options.quick else FULL
    with tempfile.TemporaryDirectory(prefix="platemark-signing-") as name:
        desk = open_desk(Path(name))
        return [
            *small_file(desk, amounts),
            *big_file(desk, amounts),
            *damaged(desk, amounts),
            *cold_start(desk, amounts),
        ]


def small_file(desk: Desk, amounts: Amounts) -> list[Claim]:
    """Verify a clip of one megabyte in a process that has done so before."""
    signed = desk.sign(make_clip(desk.folder / "small.mp4", size_bytes=1_000_000), "small-signed.mp4").path
    times = [_seconds(lambda: read_provenance(signed, desk.trust)) for _ in range(amounts.small_turns)]
    return [Claim("verify a 1 MB clip in-process, median", statistics.median(times) * 1000, "ms", 15)]


def big_file(desk: Desk, amounts: Amounts) -> list[Claim]:
    """Sign and verify a big clip, against SHA-256 over the same bytes."""
    source = make_clip(desk.folder / "big.mp4", size_bytes=amounts.big_bytes)
    name = f"{amounts.big_bytes // 1_000_000} MB"
    signed = desk.folder / "signed.mp4"
    hashing, signing, verifying = [], [], []
    for _ in range(amounts.turns):
        hashing.append(_seconds(lambda: _sha256(source)))
        signing.append(_seconds(lambda: desk.sign(source, "signed.mp4")))
        verifying.append(_seconds(lambda: read_provenance(signed, desk.trust)))
        signed.unlink()
    base = statistics.median(hashing)
    sign, verify = statistics.median(signing), statistics.median(verifying)
    peer = f"SHA-256 over the same file ({base:.3f} s)"
    claims = [
        Claim(f"verify {name}", verify, "s", 1.3, peer, verify / base),
        Claim(f"sign {name}", sign, "s", 4.0, peer, sign / base),
        Claim(f"memory to sign {name}, above base", _memory(_sign_big, desk.folder), "MiB", 64),
        Claim(f"memory to verify {name}, above base", _memory(_verify_big, desk.folder), "MiB", 64),
    ]
    source.unlink()
    signed.unlink()
    return claims


def damaged(desk: Desk, amounts: Amounts) -> list[Claim]:
    """Read damaged copies of a clip of one megabyte."""
    signed = desk.folder / "small-signed.mp4"
    media = damage.run_campaign(desk, signed, damage.flip_media, cases=amounts.media_flips)
    missed = media.cases - media.tampered
    claims = [Claim(f"{media.cases} bit flips in media data: not called tampered", missed, "copies", 0)]
    for what, how, cases in (
        ("bit flips in the manifest box", damage.flip_manifest, amounts.manifest_flips),
        ("truncations", damage.truncate, amounts.truncations),
        ("random boxes", damage.add_box, amounts.boxes),
    ):
        tally = damage.run_campaign(desk, signed, how, cases=cases)
        claims.append(Claim(f"{cases} {what}: crashed, or trusted with another meaning", tally.escaped, "copies", 0))
    return claims


def cold_start(desk: Desk, amounts: Amounts) -> list[Claim]:
    """Run `platemark verify` from the shell: in a home, which looks for marks and reads a ledger, and without one."""
    home, own = desk.folder / "home", desk.folder / "own.mp4"
    _run("init", home, "--org", "Benchmark News")
    _run(
        "generate",
        "a calm blue sea",
        "--model",
        "testcard",
        "--seconds",
        2,
        "--size",
        "512x512",
        "--out",
        own,
        "--home",
        home,
    )
    other = ("verify", desk.folder / "small-signed.mp4", "--trust", desk.folder / "desk" / "keys" / "root.pem")
    alone = {"HOME": str(desk.folder), "XDG_DATA_HOME": str(desk.folder), "PLATEMARK_HOME": ""}

    def median(*words: object, **environment: str) -> float:
        """Give the median seconds of a command."""
        _run(*words, **environment)  # reads the program from disk once
        return statistics.median(_seconds(lambda: _run(*words, **environment)) for _ in range(amounts.cold_turns))

    return [
        Claim("platemark verify, cold, own clip in its home, median", median("verify", own, "--home", home), "s", 0.6),
        Claim("platemark verify, cold, 1 MB clip, in a home, median", median(*other, "--home", home), "s", 0.6),
        Claim("platemark verify, cold, 1 MB clip, without a home, median", median(*other, **alone), "s", 0.6),
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _run(*words: object, **environment: str) -> None:
    command = [sys.executable, "-m", "platemark", *map(str, words), "--quiet"]
    there = environment.get("HOME")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | environment, cwd=there)


def _memory(work: Callable[[Path], None], folder: Path) -> float:
    """Give how many MiB the peak lies above what a new process held before, having done the same on a small clip."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(work, folder, sender))
    process.start()
    before, after = receiver.recv()
    process.join()
    return max(0.0, float(after - before) / MEBIBYTE)


def _measured(work: Callable[[Path], None], folder: Path, sender: multiprocessing.connection.Connection) -> None:
    desk = open_desk(folder)
    desk.sign(folder / "small.mp4", "warm.mp4")
    read_provenance(folder / "warm.mp4", desk.trust)
    (folder / "warm.mp4").unlink()
    before = _resident_bytes()
    work(folder)
    sender.send((before, _peak_bytes()))


def _sign_big(folder: Path) -> None:
    open_desk(folder).sign(folder / "big.mp4", "signed.mp4")


def _verify_big(folder: Path) -> None:
    read_provenance(folder / "signed.mp4", open_desk(folder).trust)


def _resident_bytes() -> int:
    return _status_bytes("VmRSS") or _peak_bytes()


def _peak_bytes() -> int:
    """Give the most memory this process ever held. What `getrusage` says on Linux includes the parent's peak."""
    unit = 1 if sys.platform == "darwin" else 1024
    return _status_bytes("VmHWM") or int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def _status_bytes(field: str) -> int:
    """Read a figure that Linux keeps about this process; 0 elsewhere."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)
