"""Cutting video and latents into patches and putting them together again.

One rule: every pair of functions here is exact: joining what was cut gives back every number, at any size.
"""

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional


def patchify(latents: Tensor, *, patch: int) -> Tensor:
    """Turn latents into tokens of `patch` by `patch` positions; sides that do not divide are padded with zeros.

    Args:
        latents: (b, t, h, w, c).
        patch: side of a token in latent positions.

    Returns:
        Tokens (b, t, n, patch * patch * c), row by row, n = ceil(h / patch) * ceil(w / patch).

    Source: Peebles and Xie, "Scalable Diffusion Models with Transformers", 2023, section 3.2 (Patchify).
    """
    height, width = latents.shape[2:4]
    padded = functional.pad(latents, (0, 0, 0, -width % patch, 0, -height % patch))
    return rearrange(padded, "b t (h p) (w q) c -> b t (h w) (p q c)", p=patch, q=patch)


def unpatchify(tokens: Tensor, *, patch: int, height: int, width: int) -> Tensor:
    """Put tokens back in their places; the inverse of `patchify`.

    Args:
        tokens: (b, t, n, patch * patch * c).
        patch: side of a token in latent positions.
        height: rows of the latents that were cut, before padding.
        width: columns of the latents that were cut, before padding.

    Returns:
        Latents (b, t, height, width, c).
    """
    rows = grid_side(height, patch)
    joined = rearrange(tokens, "b t (h w) (p q c) -> b t (h p) (w q) c", h=rows, p=patch, q=patch)
    return joined[:, :, :height, :width]


def grid_side(side: int, patch: int) -> int:
    """Count the patches that cover `side` positions."""
    return -(-side // patch)


def group_frames(video: Tensor, *, group: int) -> Tensor:
    """Gather frames into groups of equal length; the first frame fills a group alone, the last is repeated to fill up.

    A first group made of one frame repeated lets one encoder serve stills, clips and streams alike.

    Args:
        video: (b, t, h, w, c), any t >= 1.
        group: frames in one group.

    Returns:
        Groups (b, g, group, h, w, c), g = 1 + ceil((t - 1) / group).
    """
    missing = -(video.shape[1] - 1) % group
    head = video[:, :1].expand(-1, group - 1, -1, -1, -1)
    tail = video[:, -1:].expand(-1, missing, -1, -1, -1)
    whole = torch.cat([head, video, tail], dim=1)  # (b, g * group, h, w, c)
    return rearrange(whole, "b (g s) h w c -> b g s h w c", s=group)


def ungroup_frames(groups: Tensor, *, frames: int) -> Tensor:
    """Lay groups end to end; the inverse of `group_frames`.

    Args:
        groups: (b, g, group, h, w, c), the first group holding the first frame repeated.
        frames: length of the clip that was grouped.

    Returns:
        Video (b, frames, h, w, c).
    """
    whole = rearrange(groups, "b g s h w c -> b (g s) h w c")
    start = groups.shape[2] - 1
    return whole[:, start : start + frames]


def pad_to_multiple(video: Tensor, *, multiple: int) -> Tensor:
    """Repeat the last row and column until both sides divide by `multiple`.

    Args:
        video: (b, t, h, w, c).
        multiple: what both sides shall divide by.

    Returns:
        Video (b, t, h', w', c) with the smallest such h' >= h and w' >= w.
    """
    height, width = video.shape[2:4]
    rows = torch.arange(height + -height % multiple, device=video.device).clamp(max=height - 1)
    columns = torch.arange(width + -width % multiple, device=video.device).clamp(max=width - 1)
    return video[:, :, rows][:, :, :, columns]
