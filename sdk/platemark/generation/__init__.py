"""Generation: from a prompt to frames, with a model that is open from its data to its weights.

One rule: importing this package, its registry, a model card or the test card never loads torch.
"""
