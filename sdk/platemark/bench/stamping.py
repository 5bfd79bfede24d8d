"""What stamping a 1080p clip costs: memory at its peak, and CPU seconds for each second of clip, stage by stage.

One rule: processor time, not the clock, so that a busy machine changes nothing; memory from a process of its own, with
everything in it: the interpreter, the libraries, and the picture screen where it is installed.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from platemark.bench.claims import Claim, Options
from platemark.clip import Size
from platemark.homes.home import init
from platemark.making.stamp_rendering import CRF, LOOKAHEAD, PRESET
from platemark.media.label import LabelSpec, render_label
from platemark.media.overlay import LabelOverlay
from platemark.media.video import (
    EncodeSettings,
    YuvFrame,
    map_luma,
    read_frames_as_coded,
    write_video,
)
from platemark.studio import Studio
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.keys import derive_keys, derive_mark_id

_SIZE, _FPS = Size(1920, 1080), 25
_MOST_MEMORY = 400
_MOST_CPU = 4.0
"""Half of real time on two cores."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Seconds of clip."""

    seconds: int


FULL, QUICK = Amounts(20), Amounts(2)


def measure(options: Options) -> list[Claim]:
    """Measure everything in a folder of its own."""
    amounts = QUICK if options.quick else FULL
    with tempfile.TemporaryDirectory(prefix="platemark-stamping-") as name:
        folder = Path(name)
        source = make_clip(folder / "source.mp4", frames=amounts.seconds * _FPS)
        memory, cpu = _stamp_apart(folder, source)
        claims = [
            Claim("memory of a process that stamps 1080p, at its peak", memory, "MiB", _MOST_MEMORY),
            Claim("CPU seconds for a second of 1080p25, all of it", cpu / amounts.seconds, "s", _MOST_CPU),
        ]
        stages = _by_stage(source, folder / "stages.mp4")
        return [*claims, *(Claim(f"of it: {stage}", cost / amounts.seconds, "s", None) for stage, cost in stages)]


def make_clip(path: Path, *, frames: int, size: Size = _SIZE) -> Path:
    """Write a moving, slightly noisy picture: waves that drift, and grain."""
    write_video(_pictures(frames, size), path, settings=EncodeSettings(Fraction(_FPS), crf=16, preset="superfast"))
    return path


def _pictures(frames: int, size: Size) -> Iterator[YuvFrame]:
    rng = np.random.default_rng(9)
    y, x = np.mgrid[0 : size.height, 0 : size.width + 4 * frames].astype(np.float32)
    waves = 120 + 60 * np.sin(x / 37 + y / 53) + 30 * np.sin(x / 7 - y / 11)
    grain = rng.normal(0, 2, (8, *waves.shape)).astype(np.float32)
    grey = np.full((size.height // 2, size.width // 2), 128, np.uint8)
    for index in range(frames):
        window = np.s_[:, 4 * index : 4 * index + size.width]
        luma = np.clip(waves[window] + grain[index % 8][window], 16, 235).astype(np.uint8)
        yield YuvFrame(luma, grey, grey)


def _stamp_apart(folder: Path, source: Path) -> tuple[float, float]:
    """Stamp in a new process: its memory at the peak in MiB, and the CPU seconds it took beyond starting."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=_stamp_once, args=(folder, source, answers))
    process.start()
    process.join()
    memory, cpu = answers.get()
    return memory, cpu


def _stamp_once(folder: Path, source: Path, answers: "multiprocessing.SimpleQueue[tuple[float, float]]") -> None:
    init(folder / "home", organisation="Benchmark News")
    with Studio.open(folder / "home") as studio:
        start = time.process_time()
        studio.stamp(source, generator="Benchmark", out=folder / "stamped.mp4")
        cpu = time.process_time() - start
    answers.put((_peak(), cpu))


def _peak() -> float:
    """Give this process's memory at its peak in MiB; `getrusage` would count the parent it was forked from."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _by_stage(source: Path, path: Path) -> list[tuple[str, float]]:
    """Run the road up to each stage, and give what each adds in CPU seconds."""
    keys = derive_keys(bytes(32))
    overlay = LabelOverlay(render_label(LabelSpec.standard("en"), _SIZE))

    def decoded() -> Iterator[YuvFrame]:
        return read_frames_as_coded(source)

    def labelled() -> Iterator[YuvFrame]:
        return map(overlay.draw, decoded())

    def marked() -> Iterator[YuvFrame]:
        return map_luma(labelled(), Embedder(keys, derive_mark_id(keys, b"benchmark")).mark)

    settings = EncodeSettings(Fraction(_FPS), crf=CRF, preset=PRESET, lookahead=LOOKAHEAD)
    road: list[tuple[str, Callable[[], object]]] = [
        ("decoding", lambda: _drain(decoded())),
        ("the label", lambda: _drain(labelled())),
        ("the mark", lambda: _drain(marked())),
        ("encoding", lambda: write_video(marked(), path, settings=settings)),
    ]
    before = 0.0
    stages: list[tuple[str, float]] = []
    for name, work in road:
        start = time.process_time()
        work()
        cost = time.process_time() - start
        stages.append((name, cost - before))
        before = cost
    return stages


def _drain(frames: Iterator[YuvFrame]) -> None:
    for _ in frames:
        pass
