"""Spacetime latent patches: frames become groups, latents become tokens, and all of it comes back whole at odd sizes.

Run: python examples/tasks/latent_patches.py
"""

import torch

from platemark.generation.patches import group_frames, patchify, ungroup_frames, unpatchify

video = torch.randn(1, 10, 15, 21, 3)  # batch, frames, height, width, channels
groups = group_frames(video, group=4)
print("frames", tuple(video.shape), "in groups", tuple(groups.shape))
print("whole again:", torch.equal(ungroup_frames(groups, frames=10), video))

latents = torch.randn(1, 4, 7, 9, 16)
tokens = patchify(latents, patch=2)
print("latents", tuple(latents.shape), "as tokens", tuple(tokens.shape))
print("whole again:", torch.equal(unpatchify(tokens, patch=2, height=7, width=9), latents))
