"""A clip longer than the model's window: made window after window, and how far its look drifts on the way.

Run: python examples/tasks/long_clip.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark

home, folder = sys.argv[1], Path(sys.argv[2])
PROMPT = "a calm blue sea at sunset"

with platemark.Studio.open(home) as studio:
    plan = studio.plan(PROMPT, seconds=6, size="256x256", seed=7)
    clip = studio.generate(PROMPT, seconds=6, size="256x256", seed=7, out=folder / "long.mp4")
    print("passes through the model:", plan.plan.cost.forwards)
    print("largest drift from the first second, in levels of 255:", (clip.making.measured or {})["drift"])
