"""A clip from a prompt, in English and in Korean; and what the model could not express.

Run: python examples/tasks/text_to_video.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    for name, prompt in (("city", "a city in light rain at night"), ("sea", "해질녘의 잔잔한 바다와 등대")):
        clip = studio.generate(prompt, seconds=1, size="256x256", seed=7, out=folder / f"text-{name}.mp4")
        print(f"{clip.path.name}: {clip.making.frames} frames; not expressed: {', '.join(clip.ignored_words) or '-'}")
