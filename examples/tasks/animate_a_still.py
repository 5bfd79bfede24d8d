"""A still that begins to move, and stills that a clip goes through. The given frames are kept exactly.

Run: python examples/tasks/animate_a_still.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    still = studio.generate("a calm blue sea at sunset", seed=7, size="256x256", out=folder / "sea.png")
    other = studio.generate("a rough blue sea at sunset", seed=8, size="256x256", out=folder / "rough.png")

    animated = studio.generate("a calm blue sea at sunset", images=[still.path], seconds=1, out=folder / "animated.mp4")
    print("animated:", *animated.making.conditions, sep="\n  ")

    keys = [f"{still.path}@0", f"{other.path}@0.5s", f"{still.path}@end"]
    through = studio.generate("a calm blue sea at sunset", images=keys, seconds=1, out=folder / "keyframes.mp4")
    print("keyframes:", *through.making.conditions, sep="\n  ")
