"""The controls of the sampler, and that the same request gives the same frames.

Run: python examples/tasks/sampling.py HOME FOLDER
"""

import sys
from pathlib import Path

import numpy as np

import platemark
from platemark.media.video import read_frames_rgb

PROMPT = "a calm blue sea at sunset"

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    steered = studio.generate(
        PROMPT,
        seconds=1,
        size="256x256",
        seed=7,
        steps=6,
        sampler="heun",
        guidance=3.0,
        shift=2.0,
        negative="rough",
        out=folder / "steered.mp4",
    )
    first = studio.generate(PROMPT, seconds=1, size="256x256", seed=7, steps=4, out=folder / "first.mp4")
    second = studio.generate(PROMPT, seconds=1, size="256x256", seed=7, steps=4, out=folder / "second.mp4")

same = all(map(np.array_equal, read_frames_rgb(first.path), read_frames_rgb(second.path)))
print(f"{steered.path.name}: {steered.making.steps} steps at guidance {steered.making.guidance}")
print("the same request twice, the same frames:", same)
