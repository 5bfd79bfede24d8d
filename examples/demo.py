"""The guided tour: make a clip, verify it, lose its manifest, find it again, and read its audit trail.

Run: python examples/demo.py [DIRECTORY]   (or: make demo)
"""

import sys
import time
from pathlib import Path

from platemark.cli import main
from platemark.media.reencoding import reencode
from platemark.media.sheet import contact_sheet
from platemark.media.still import write_still
from platemark.media.video import read_frames_rgb, remux_without_metadata

PROMPT = "city lights at night, light rain"


def run(*words: str) -> None:
    """Run one command as a user would, and stop the tour if it does not end well."""
    print("\n$ platemark " + " ".join(f'"{word}"' if " " in word else word for word in words), flush=True)
    code = main(words)
    if code:
        sys.exit(f"platemark {words[0]} ended with exit code {code}")


def tour(folder: Path) -> None:
    """Walk the whole road once, in `folder`."""
    started = time.monotonic()
    home, stamp = str(folder / "newsroom"), time.strftime("%H%M%S")
    clip, sheet = folder / f"clip-{stamp}.mp4", folder / f"clip-{stamp}.png"
    remuxed, reencoded = folder / f"clip-{stamp}-remuxed.mp4", folder / f"clip-{stamp}-crf28.mp4"
    run("init", home, "--org", "Daily Example")
    run("generate", PROMPT, "--seconds", "2", "--seed", "7", "--desk", "weather", "--out", str(clip), "--home", home)
    run("verify", str(clip), "--home", home)
    print("\n# The manifest is lost: once by copying the streams alone, once by encoding again.")
    remux_without_metadata(clip, remuxed)
    reencode(clip, reencoded, crf=28)
    run("verify", str(remuxed), str(reencoded), "--home", home)
    run("audit", "trace", str(clip), "--home", home)
    run("audit", "verify", "--home", home)
    write_still(contact_sheet(read_frames_rgb(clip)), sheet)
    print(f"\nThe clip:          {clip}\nIts contact sheet: {sheet}\n{time.monotonic() - started:.0f} s in all.")


if __name__ == "__main__":
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "demo").absolute()
    directory.mkdir(parents=True, exist_ok=True)
    tour(directory)
