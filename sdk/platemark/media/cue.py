"""The label's words as a cue in WebVTT, for players and readers that do not see the picture.

One rule: pure functions; the cue stands for exactly as long as the label does.

Source: W3C, WebVTT: The Web Video Text Tracks Format, sections 1.1, 4.1 and 4.2.2.
"""

import math
from fractions import Fraction

from platemark.media.label import LabelSpec

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def label_cue(spec: LabelSpec, duration_s: Fraction) -> bytes:
    """Give a caption file with one cue: the label's words over the whole clip.

    Args:
        spec: what the label says, and in which language.
        duration_s: of the clip; its end is rounded up, so that the last frame has the cue too.

    Returns:
        UTF-8; the language stands in the file's header, where players look for it.
    """
    end = _timestamp(math.ceil(duration_s * 1000))
    words = spec.text.translate(_ESCAPES)
    header = f"WEBVTT\nKind: captions\nLanguage: {spec.language}"
    return f"{header}\n\nai-label\n{_timestamp(0)} --> {end}\n{words}\n".encode()


def _timestamp(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"
