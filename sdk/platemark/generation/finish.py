"""The last stretch from decoded groups to finished frames: even out, smooth, blend in time, fit, enlarge.

One rule: a stream. At most two latent frames and two native frames are held, whatever the clip's length.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from platemark.generation.plan import ClipPlan
from platemark.generation.resize import RGB, Picture, resize

_RIPPLE_RADIUS = 2
_RIPPLE_SPREAD = 1.5
"""Pixels: decoder ripples are two to four pixels long."""
_EDGE_RAMP = 6
"""Pixels over which a drawn-out background passes from the frame's own edge to its smoothed colour."""


def even_out_groups(groups: Iterable[Picture], *, strength: float) -> Iterator[Picture]:
    """Spread the step from one group of frames to the next over both groups.

    Groups are decoded without seeing one another, so what should change slowly jumps at their borders (measured: four
    to eight times the change inside a group). The mean picture of the groups is interpolated in time; what moves inside
    a group stays as it is.

    Args:
        groups: (s, h, w, 3) float32 each, in order; the first holds one frame.
        strength: 0 leaves the frames alone, 1 makes the means pass linearly.

    Yields:
        Frames (h, w, 3).
    """
    stream = iter(groups)
    before: Picture | None = None
    current = next(stream, None)
    while current is not None:
        after = next(stream, None)
        yield from _evened(current, before, after, strength)
        before, current = current, after


def _evened(current: Picture, before: Picture | None, after: Picture | None, strength: float) -> Iterator[Picture]:
    mean, count = current.mean(axis=0), len(current)
    for index, frame in enumerate(current):
        offset = index - (count - 1) / 2  # frames from the middle of its own group
        other = before if offset < 0 else after
        if other is None or offset == 0:
            yield frame
            continue
        distance = (count + len(other)) / 2
        evened: Picture = frame + np.float32(strength * abs(offset) / distance) * (other.mean(axis=0) - mean)
        yield evened


def smooth_ripples(picture: Picture, *, ripple: float) -> Picture:
    """Smooth differences of about `ripple` levels and keep larger ones.

    Source: Tomasi and Manduchi, "Bilateral Filtering for Gray and Color Images", 1998, equations 5 and 6.
    """
    h, w = picture.shape[:2]
    reach = range(2 * _RIPPLE_RADIUS + 1)
    padded = np.pad(picture, ((_RIPPLE_RADIUS,) * 2, (_RIPPLE_RADIUS,) * 2, (0, 0)), mode="edge")
    total, weights = np.zeros_like(picture), np.zeros((h, w, 1), np.float32)
    for dy in reach:
        for dx in reach:
            shifted = padded[dy : dy + h, dx : dx + w]
            far = ((dy - _RIPPLE_RADIUS) ** 2 + (dx - _RIPPLE_RADIUS) ** 2) / (2 * _RIPPLE_SPREAD**2)
            unlike = np.mean((shifted - picture) ** 2, axis=2, keepdims=True) / (2 * ripple**2)
            weight = np.exp(-far - unlike).astype(np.float32)
            total += weight * shifted
            weights += weight
    smoothed: Picture = total / weights
    return smoothed


def blend_in_time(frames: Iterable[Picture], plan: ClipPlan) -> Iterator[Picture]:
    """Give the picture at the native position of each frame that comes out, mixed from two neighbours where needed.

    Args:
        frames: native frames in order; read no further than the plan needs.
        plan: says where each frame that comes out lies.

    Yields:
        `plan.frames` pictures.
    """
    return blend_at(frames, (plan.position(frame) for frame in range(plan.frames)))


def blend_at(frames: Iterable[Picture], positions: Iterable[float]) -> Iterator[Picture]:
    """Give the pictures at some places in native frames, mixed from two neighbours where needed.

    Args:
        frames: native frames in order; read no further than needed.
        positions: rising.

    Yields:
        A picture for each position.
    """
    stream = iter(frames)
    lower = upper = next(stream)
    reached = 0  # index of the native frame in `upper`
    for position in positions:
        while reached < position:
            lower, upper = upper, next(stream)
            reached += 1
        share = np.float32(reached - position)
        yield np.asarray(upper + share * (lower - upper), np.float32)


def fit_frame(picture: Picture, plan: ClipPlan, *, width: int, height: int) -> RGB:
    """Bring a native picture to the size that comes out.

    Returns:
        (height, width, 3) uint8.
    """
    if plan.fit == "background":
        picture = draw_out_background(picture, width=width, height=height)
    h, w = picture.shape[:2]
    scale = max(width / w, height / h)
    enlarged_width, enlarged_height = max(width, round(w * scale)), max(height, round(h * scale))
    enlarged = resize(picture, height=enlarged_height, width=enlarged_width)
    top, left = (enlarged_height - height) // 2, (enlarged_width - width) // 2
    cut = enlarged[top : top + height, left : left + width]
    frame: RGB = np.rint(cut.clip(0, 255)).astype(np.uint8)
    return frame


def draw_out_background(picture: Picture, *, width: int, height: int) -> Picture:
    """Continue the edges of a picture with an even background until it has the aspect ratio of width to height."""
    h, w = picture.shape[:2]
    ratio = width / height
    if ratio >= w / h:
        return _widen(picture, (round(h * ratio) - w + 1) // 2)
    upright = picture.transpose(1, 0, 2)
    return _widen(upright, (round(w / ratio) - h + 1) // 2).transpose(1, 0, 2)


def _widen(picture: Picture, columns: int) -> Picture:
    left = _margin(picture[:, :2], picture[:, 0], columns)[:, ::-1]
    right = _margin(picture[:, -2:], picture[:, -1], columns)
    return np.concatenate([left, picture, right], axis=1)


def _margin(border: Picture, edge: Picture, columns: int) -> Picture:
    """Draw `columns` columns outward from an edge, passing from its pixels to their average along it."""
    line = border.mean(axis=1)  # (h, 3)
    padded = np.pad(line, ((8, 8), (0, 0)), mode="edge")
    smooth = np.stack([padded[i : i + 17].mean(axis=0) for i in range(len(line))])
    share = np.minimum((np.arange(columns, dtype=np.float32) + 1) / np.float32(_EDGE_RAMP), np.float32(1))
    margin: Picture = edge[:, None] + share[None, :, None] * (smooth - edge)[:, None]
    return margin
