"""Any usual shape and length. What was asked for and what came out are both written down.

Run: python examples/tasks/shapes_and_lengths.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark

SHAPES = {"1:1": "256x256", "16:9": "448x252", "9:16": "252x448", "4:3": "320x240", "2.39:1": "612x256"}

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    for index, (shape, size) in enumerate(SHAPES.items()):
        clip = studio.generate(
            "a city in heavy snow at night", seconds=0.5 + 0.03 * index, size=size, seed=7, out=folder / f"{size}.mp4"
        )
        fields = clip.to_json()
        print(f"{shape}: asked {fields['requested_seconds']} s, made {fields['seconds']:.3f} s at {fields['size']}")
        print(f"  {clip.making.resampling}")
