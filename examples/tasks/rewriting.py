"""A prompt put into the model's own words, in both languages, and what is lost. The new words are screened again.

Run: python examples/tasks/rewriting.py HOME FOLDER
"""

import sys
from pathlib import Path

import platemark

home, folder = sys.argv[1], Path(sys.argv[2])

with platemark.Studio.open(home) as studio:
    clip = studio.generate(
        "a lighthouse above a sea", rewrite=True, seconds=1, size="256x256", seed=7, out=folder / "rewritten.mp4"
    )

rewritten = clip.making.rewritten or {}
print(rewritten["en"], "/", rewritten["ko"])
print("not expressed:", rewritten["not_expressed"])
print("screened:", [(each["text"], each["verdict"]) for each in clip.making.screened])
