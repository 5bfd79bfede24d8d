"""More of a clip after its end and before its start, a passage between two clips, and frames made anew inside one.

Run: python examples/tasks/go_on_from_a_clip.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark

SEA, SKY = "a calm blue sea at sunset", "many clouds drifting left in a sky at sunset"

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    sea = studio.generate(SEA, seconds=0.5, size="256x256", seed=7, out=folder / "source-sea.mp4").path
    sky = studio.generate(SKY, seconds=0.5, size="256x256", seed=7, out=folder / "source-sky.mp4").path

    made = (
        studio.generate(SEA, clips=[sea], seconds=0.5, out=folder / "longer.mp4"),
        studio.generate(SEA, task="extend-backward", clips=[sea], seconds=0.5, out=folder / "earlier.mp4"),
        studio.generate(SKY, clips=[sea, sky], seconds=0.5, out=folder / "connected.mp4"),
        studio.generate(SEA, clips=[sea], fill="2-3", out=folder / "filled.mp4"),
    )
    for clip in made:
        print(f"{clip.request.task}:", *clip.making.conditions, sep="\n  ")
