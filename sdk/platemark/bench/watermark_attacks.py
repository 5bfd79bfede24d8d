"""What happens to clips out there: encoders, crops, turns, banners; and how good a marked clip still looks.

One rule: every attack is FFmpeg's own work, run as a program on raw frames, so that it is nobody's model of a codec.
"""

import io
import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from platemark.bench.watermark_clips import FPS
from platemark.errors import RequestError
from platemark.media.video import YuvFrame

Luma = NDArray[np.uint8]


def _h264(crf: int) -> tuple[str, ...]:
    return ("-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-crf", str(crf))


_HEVC = ("-c:v", "libx265", "-preset", "fast", "-x265-params", "log-level=none:pools=1", "-crf")
_VP9 = ("-c:v", "libvpx-vp9", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "8", "-crf")
_AV1 = ("-c:v", "libsvtav1", "-preset", "10", "-svtav1-params", "lp=1", "-crf")
_BANNER = (
    "drawbox=x=iw*0.02:y=ih*0.03:w=iw*0.22:h=ih*0.16:color=red:t=fill,"
    "drawbox=x=0:y=ih*0.82:w=iw:h=ih*0.14:color=navy:t=fill"
)


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing that is done to a marked clip.

    Attributes:
        name: what it is, for people.
        target: the least share of clips whose exact id must come back, in percent; None where nothing is promised.
        filters: FFmpeg filters before the encoder.
        codec: FFmpeg's arguments for the encoder; none leaves the frames as they are.
        fps: frames a second afterwards, where that changes.
        seconds: how much is kept from the middle, where that is less than all.
        jpeg: the quality of a JPEG of the middle frame, where that is all that is left.
    """

    name: str
    target: float | None
    filters: str = ""
    codec: tuple[str, ...] = ()
    fps: int | None = None
    seconds: float | None = None
    jpeg: int | None = None


ATTACKS = (
    Attack("nothing", 100),
    Attack("H.264 CRF 28", None, codec=_h264(28)),
    Attack("H.264 CRF 30", 100, codec=_h264(30)),
    Attack("H.264 CRF 35", None, codec=_h264(35)),
    Attack("H.264 CRF 40", 90, codec=_h264(40)),
    Attack("H.264 CRF 45", 60, codec=_h264(45)),
    Attack("H.264 CRF 50", None, codec=_h264(50)),
    Attack("crop .71, half as bright, CRF 40", 60, "crop=iw*.71:ih*.71,lutyuv=y=16+(val-16)/2", _h264(40)),
    Attack("one frame as JPEG 50", 95, jpeg=50),
    Attack("crop to a quarter of the area", 97, "crop=iw*.5:ih*.5:iw*.3:ih*.2", _h264(28)),
    Attack("rotation by 5 degrees", 97, "rotate=5*PI/180", _h264(28)),
    Attack("rotation by 10 degrees", 97, "rotate=10*PI/180", _h264(28)),
    Attack("mirror", 97, "hflip", _h264(28)),
    Attack("crop to 9:16", 97, "crop=ih*9/16:ih", _h264(28)),
    Attack("squeeze to 4:3", 97, "scale=trunc(ih*4/3/2)*2:ih", _h264(28)),
    Attack("half scale", 97, "scale=iw/2:ih/2", _h264(28)),
    Attack("letterbox", 97, "pad=iw:ih*4/3:0:(oh-ih)/2", _h264(28)),
    Attack("logo and banner", 97, _BANNER, _h264(28)),
    Attack("25 to 15 frames a second", 97, codec=_h264(28), fps=15),
    Attack("one second of it", 97, codec=_h264(28), seconds=1.0),
    Attack("grain", 97, "noise=alls=12:allf=t", _h264(28)),
    Attack("blur", 97, "gblur=sigma=1.5", _h264(28)),
    Attack("HEVC CRF 30", 97, codec=(*_HEVC, "30")),
    Attack("VP9 CRF 36", 97, codec=(*_VP9, "36")),
    Attack("AV1 CRF 38", 97, codec=(*_AV1, "38")),
)
QUICK = ("nothing", "H.264 CRF 30", "H.264 CRF 40", "one frame as JPEG 50", "mirror", "half scale")


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """What an attack leaves: luma planes, kilobits a second, and with chroma where it went through a codec."""

    frames: tuple[Luma, ...]
    kbps: float
    pictures: tuple[YuvFrame, ...] = ()


@dataclass(frozen=True, slots=True)
class Quality:
    """How a marked clip compares with its original."""

    psnr_db: float
    ssim: float
    vmaf: float


def make_copy(attack: Attack, frames: Sequence[YuvFrame]) -> Copy:
    """Do to a clip what the attack does.

    Raises:
        RequestError: FFmpeg is missing or fails.
    """
    if attack.seconds is not None:
        start = len(frames) // 3
        frames = frames[start : start + max(1, round(attack.seconds * FPS))]
    if attack.jpeg is not None:
        return Copy((_as_jpeg(frames[len(frames) // 2].y, attack.jpeg),), 0.0)
    if not attack.codec:
        return Copy(tuple(frame.y for frame in frames), 0.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.mkv"
        filters = ",".join(filter(None, (attack.filters, "scale=trunc(iw/2)*2:trunc(ih/2)*2")))
        rate = [] if attack.fps is None else ["-r", str(attack.fps)]
        _ffmpeg([*_raw(frames), "-i", "-", "-vf", filters, *rate, *attack.codec, str(path)], _packed(frames))
        kbps = path.stat().st_size * 8 / 1000 / (len(frames) / FPS)
        pictures = _decode(path)
        return Copy(tuple(frame.y for frame in pictures), kbps, pictures)


def compare(original: Sequence[YuvFrame], marked: Sequence[YuvFrame], *, every: int = 10) -> Quality:
    """Compare two clips with FFmpeg's libvmaf; PSNR is of the luma, over all frames.

    Raises:
        RequestError: FFmpeg is missing, or was built without libvmaf.
    """
    squared = [np.square(a.y.astype(np.float32) - b.y) for a, b in zip(original, marked, strict=True)]
    error = float(np.mean([plane.mean() for plane in squared]))
    with tempfile.TemporaryDirectory() as folder:
        one, other, log = (Path(folder) / name for name in ("original.yuv", "marked.yuv", "log.json"))
        one.write_bytes(_packed(original))
        other.write_bytes(_packed(marked))
        wanted = f"libvmaf=log_fmt=json:log_path={log}:n_threads=1:n_subsample={every}:feature=name=float_ssim"
        raw = _raw(original)
        _ffmpeg([*raw, "-i", str(other), *raw, "-i", str(one), "-lavfi", wanted, "-f", "null", "-"])
        pooled = json.loads(log.read_text(encoding="utf-8"))["pooled_metrics"]
    psnr = 10 * np.log10(255**2 / max(error, 1e-9))
    return Quality(float(psnr), float(pooled["float_ssim"]["mean"]), float(pooled["vmaf"]["mean"]))


def _as_jpeg(luma: Luma, quality: int) -> Luma:
    packed = io.BytesIO()
    Image.fromarray(luma).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed).convert("L"))


def _raw(frames: Sequence[YuvFrame]) -> list[str]:
    height, width = frames[0].y.shape
    return ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", str(FPS)]


def _packed(frames: Sequence[YuvFrame]) -> bytes:
    return b"".join(plane.tobytes() for frame in frames for plane in (frame.y, frame.u, frame.v))


def _decode(path: Path) -> tuple[YuvFrame, ...]:
    told = _ffmpeg(["-i", str(path), "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"])
    width, height = _picture_size(path)
    planes = np.frombuffer(told, np.uint8).reshape(-1, height * width * 3 // 2)
    return tuple(_unpack(frame, width, height) for frame in planes)


def _unpack(packed: Luma, width: int, height: int) -> YuvFrame:
    luma, blue, red = np.split(packed, [height * width, height * width * 5 // 4])
    half = (height // 2, width // 2)
    return YuvFrame(luma.reshape(height, width), blue.reshape(half), red.reshape(half))


def _picture_size(path: Path) -> tuple[int, int]:
    told = subprocess.run([_program(), "-hide_banner", "-i", str(path)], capture_output=True, text=True, check=False)
    found = re.search(r"Video:.* (\d+)x(\d+)", told.stderr)
    if found is None:
        raise RequestError("FFmpeg did not say how large the copy is.", fix="Report this with FFmpeg's version.")
    return int(found[1]), int(found[2])


def _ffmpeg(arguments: list[str], given: bytes | None = None) -> bytes:
    ended = subprocess.run(
        [_program(), "-loglevel", "error", "-y", *arguments], input=given, capture_output=True, check=False
    )
    if ended.returncode:
        raise RequestError(
            f"FFmpeg failed: {ended.stderr.decode(errors='replace')[-300:].strip()}",
            fix="Install a build with libx264, libx265, libvpx, SVT-AV1 and libvmaf.",
        )
    return ended.stdout


def _program() -> str:
    try:
        return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except ImportError as error:
        raise RequestError(
            "This benchmark needs the FFmpeg program.", fix="Install it: pip install imageio-ffmpeg"
        ) from error
