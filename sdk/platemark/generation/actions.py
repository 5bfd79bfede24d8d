"""What a camera can be told to do, frame by frame, and how the transformer reads it.

One rule: a latent frame knows only the share of each action in its own frames; the order of the actions is part of the
weights trained on it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from platemark.errors import RequestError
from platemark.generation.patches import group_frames

ACTIONS = ("none", "forward", "turn left", "turn right", "jump")
"""What can be done in one frame; "none" in every scene but a flight over blocks."""


def action_indices(actions: Sequence[str]) -> tuple[int, ...]:
    """Give the number of each action.

    Raises:
        RequestError: one is not known.
    """
    unknown = next((action for action in actions if action not in ACTIONS), None)
    if unknown is not None:
        raise RequestError(
            f"There is no action {unknown[:40]!r}.", fix=f"Choose for each frame from: {', '.join(ACTIONS[1:])}."
        )
    return tuple(ACTIONS.index(action) for action in actions)


def action_shares(actions: Tensor, *, group: int) -> Tensor:
    """Tell what part of each latent frame goes to each action.

    Args:
        actions: (b, t) int64, numbered as `ACTIONS`, one for each frame from a clip's first.
        group: frames in one latent frame; the first frame is a latent frame of its own.

    Returns:
        (b, g, len(ACTIONS)) float32; "none" has no share, so a clip without actions is all nought.
    """
    each = torch.nn.functional.one_hot(actions, len(ACTIONS)).float()[:, :, None, None]  # (b, t, 1, 1, a)
    shares = group_frames(each, group=group)[:, :, :, 0, 0].mean(dim=2)
    shares[..., 0] = 0
    return shares
