"""A clip changed towards another prompt. `strength` says how far: 0 keeps it, 1 forgets it.

Run: python examples/tasks/edit.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    sea = studio.generate("a calm blue sea at sunset", seconds=1, size="256x256", seed=7, out=folder / "before.mp4")
    for strength in (0.3, 0.85):
        clip = studio.generate(
            "a rough green sea at night", clips=[sea.path], strength=strength, out=folder / f"edited-{strength}.mp4"
        )
        print(clip.path.name, *clip.making.conditions)
