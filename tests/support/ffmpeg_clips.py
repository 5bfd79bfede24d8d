"""Clips that only FFmpeg itself writes: other containers, tracks beside picture and sound, odd ways to be shown."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=192x128:r=12:d=1")
SOUND = ("-f", "lavfi", "-i", "sine=440:r=48000:d=1")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def ffmpeg(*words: str | Path) -> None:
    """Run FFmpeg quietly; what goes wrong is the test's failure."""
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    command = [binary, "-v", "error", "-nostdin", "-y", *map(str, words)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def write_captions(path: Path) -> Path:
    """Write two lines of subtitles."""
    path.write_text("1\n00:00:00,000 --> 00:00:00,400\nfirst\n\n2\n00:00:00,500 --> 00:00:00,900\nsecond\n", "utf-8")
    return path
