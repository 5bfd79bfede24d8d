"""The README's program: make a clip in a home, list its events, and verify it.

Run: python examples/first_clip.py HOME OUT.mp4
"""

import sys

import platemark

home, out = sys.argv[1:3]

with platemark.Studio.open(home) as studio:
    clip = studio.generate(
        "city lights at night, light rain",
        seconds=2,
        seed=7,
        actor="jw.kim",
        byline="Kim Ji-woo",
        desk="weather",
        out=out,
        on_progress=print,
    )
    for event in studio.ledger.query(clip=clip.clip_id):
        print(event.seq, event.type)

report = platemark.verify(out, home=home)
print(report.verdict, report.explain("ko"))
