"""A simulated world: the camera goes where each frame's move tells it, if the model's weights follow moves.

Run: python examples/tasks/world.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark
from platemark.errors import RequestError

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    try:
        clip = studio.generate(
            "flying over green hills of blocks by day",
            actions="forward*8,left*8,jump*8",
            size="256x256",
            seed=7,
            out=folder / "world.mp4",
        )
        print(clip.making.conditions[0])
    except RequestError as refusal:
        print("refused:", refusal)
