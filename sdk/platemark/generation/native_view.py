"""How a model sees a given frame: on its own grid.

One rule: the exact inverse of how a native picture is fitted to the size that comes out, so that a given frame and a
made one lie on one another.
"""

import numpy as np

from platemark.generation.plan import ClipPlan
from platemark.generation.resize import RGB, Picture, resize


def native_view(frame: RGB, plan: ClipPlan) -> Picture:
    """Bring a frame of the size that comes out to the model's grid.

    Where the model's picture is wider or higher than the frame, the frame is mirrored at its edges. Where the even
    background of the model's picture is drawn out, only the frame's middle is seen.

    Args:
        frame: (h, w, 3) uint8.
        plan: says the grid and how it is fitted.

    Returns:
        (plan.native_height, plan.native_width, 3) float32 in [0, 255].
    """
    height, width = frame.shape[:2]
    if plan.fit == "background":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        seen = frame[top : top + side, left : left + side]
    else:
        scale = max(width / plan.native_width, height / plan.native_height)
        wide = max(width, round(plan.native_width * scale))
        high = max(height, round(plan.native_height * scale))
        top, left = (high - height) // 2, (wide - width) // 2
        beside = ((top, high - height - top), (left, wide - width - left), (0, 0))
        seen = np.pad(frame, beside, mode="symmetric")
    return resize(seen.astype(np.float32), height=plan.native_height, width=plan.native_width).clip(0, 255)
