"""A still picture with all four layers: label, watermark, manifest, log entry.

Run: python examples/tasks/picture.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    still = studio.generate("해질녘 하늘의 구름", size="1280x720", seed=7, out=folder / "sky.png")

print(still.path.name, still.label.text, platemark.verify(still.path, home=home).verdict)
