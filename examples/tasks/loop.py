"""A clip whose last frame leads into its first, and how well it closes once it is labelled and marked.

Run: python examples/tasks/loop.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    clip = studio.generate(
        "clouds drifting left in a sky at sunset",
        task="loop",
        seconds=1,
        size="256x256",
        seed=7,
        out=folder / "loop.mp4",
    )
    print("seam and median step, in levels of 255:", (clip.making.measured or {})["seam"])
