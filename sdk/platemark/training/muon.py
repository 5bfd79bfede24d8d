"""Muon: the matrices of a transformer's blocks are moved by the nearest orthogonal matrix to their momentum.

One rule: everything that is not such a matrix is moved by AdamW, at the same rate.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from einops import rearrange
from torch import Tensor, nn

from platemark.training.config import Optimiser
from platemark.training.optimisation import Adam, learning_rate

MOMENTUM = 0.95
_SIZE = 0.2
"""Root mean square of an update, over the rate: AdamW's is about this, so one rate serves both (Liu et al., 2025)."""
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


def orthogonal(matrices: Tensor) -> Tensor:
    """Move the singular values of matrices near 1 (0.7 to 1.2): (n, rows, columns), any float type, to the same shape.

    Source: Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024 (the quintic Newton-Schulz
    iteration and its coefficients).
    """
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    found = (matrices.mT if tall else matrices).to(torch.bfloat16)
    found = found / (found.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        square = found @ found.mT
        found = a * found + (b * square + c * square @ square) @ found
    result: Tensor = (found.mT if tall else found).to(matrices.dtype)
    return result


class Muon:
    """Muon on a transformer's blocks, AdamW on the rest of it.

    Source: Liu et al., "Muon is Scalable for LLM Training", 2025, section 2.2 (weight decay, and updates of the size of
    AdamW's).
    """

    def __init__(self, network: nn.Module, settings: Optimiser) -> None:
        self._settings = settings
        every = {name: p for name, p in network.named_parameters() if p.requires_grad}
        self._matrices = {name: p for name, p in every.items() if _is_block_matrix(name, p)}
        self._momentum = {name: torch.zeros_like(p) for name, p in self._matrices.items()}
        self._everything = list(every.values())
        self._rest = Adam(network, settings, without=frozenset(self._matrices))

    def step(self, loss: Tensor, *, step: int, progress: float) -> float:
        """Take one step down a loss; give the norm of its gradient before it was cut."""
        for parameter in self._matrices.values():
            parameter.grad = None
        norm = self._rest.step(loss, step=step, progress=progress, cut=self._everything)
        rate = learning_rate(self._settings, step=step, progress=progress)
        for names in self._alike():
            self._move(names, rate)
        return norm

    def _alike(self) -> list[list[str]]:
        groups: dict[torch.Size, list[str]] = {}
        for name, parameter in self._matrices.items():
            groups.setdefault(parameter.shape, []).append(name)
        return list(groups.values())

    @torch.no_grad()
    def _move(self, names: Sequence[str], rate: float) -> None:
        wanted = []
        for name in names:
            gradient, momentum = self._matrices[name].grad, self._momentum[name]
            if gradient is None:
                return
            momentum.lerp_(gradient, 1 - MOMENTUM)
            wanted.append(gradient.lerp(momentum, MOMENTUM))
        rows, columns = wanted[0].shape
        parts = rows // columns if names[0].endswith("attention_in.weight") else 1  # query, key and value by themselves
        stacked = rearrange(torch.stack(wanted), "n (k r) c -> (n k) r c", k=parts)
        updates = rearrange(orthogonal(stacked), "(n k) r c -> n (k r) c", k=parts)
        size = _SIZE * max(rows // parts, columns) ** 0.5
        for name, update in zip(names, updates, strict=True):
            weight = self._matrices[name]
            weight.mul_(1 - rate * self._settings.decay).add_(update, alpha=-rate * size)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Give the state by name, for saving."""
        yield from self._rest.tensors()
        for name, momentum in self._momentum.items():
            yield f"{name}|muon", momentum

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back a state that `tensors` gave."""
        self._rest.load(tensors)
        for name, momentum in self._momentum.items():
            if f"{name}|muon" in tensors:
                momentum.copy_(tensors[f"{name}|muon"])


def descent(network: nn.Module, settings: Optimiser) -> Adam | Muon:
    """Make the optimiser that settings name."""
    return Muon(network, settings) if settings.method == "muon" else Adam(network, settings)


def _is_block_matrix(name: str, parameter: Tensor) -> bool:
    return parameter.ndim == 2 and name.startswith("blocks.") and "modulation" not in name
