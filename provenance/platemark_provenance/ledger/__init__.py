"""The append-only log of what happened to each clip, with its proofs, and the registry beside it."""
