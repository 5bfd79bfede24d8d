"""AdamW with its schedule, and the average of the weights that is kept in the end.

One rule: the rate at a step follows from the step and the progress of the run, so nothing about it needs saving.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from platemark.training.config import Optimiser


def learning_rate(settings: Optimiser, *, step: int, progress: float) -> float:
    """Give the rate: a linear warm-up, a flat stretch, a linear fall to a fiftieth.

    Args:
        settings: the schedule.
        step: taken so far.
        progress: of the whole training, 0 to 1.

    Source: Hu et al., "MiniCPM", 2024, section 4 (warm-up, stable, decay).
    """
    warm = min(1.0, (step + 1) / settings.warmup) if settings.warmup else 1.0
    fall = min(1.0, max(0.02, (1 - progress) / settings.anneal)) if settings.anneal else 1.0
    return settings.rate * warm * fall


class Adam:
    """AdamW on a network: matrices of blocks decay, everything else does not.

    Args:
        network: whose parameters are moved.
        settings: the schedule.
        without: names of parameters that something else moves.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.
    """

    def __init__(self, network: nn.Module, settings: Optimiser, *, without: frozenset[str] = frozenset()) -> None:
        self._settings = settings
        self._named = {n: p for n, p in network.named_parameters() if p.requires_grad and n not in without}
        decayed = [p for name, p in self._named.items() if _decays(name, p)]
        others = [p for name, p in self._named.items() if not _decays(name, p)]
        self._adam = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": settings.decay}, {"params": others, "weight_decay": 0.0}],
            lr=settings.rate,
            betas=(0.9, settings.momentum),
            foreach=True,
        )

    def step(self, loss: Tensor, *, step: int, progress: float, cut: Sequence[nn.Parameter] | None = None) -> float:
        """Take one step down a loss; give the norm of its gradient before it was cut.

        Args:
            loss: to go down.
            step: taken so far.
            progress: of the whole training, 0 to 1.
            cut: the parameters whose gradient is cut to the settings' largest norm; left out, those moved here.
        """
        rate = learning_rate(self._settings, step=step, progress=progress)
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships no type for it
        norm = torch.nn.utils.clip_grad_norm_(cut or list(self._named.values()), self._settings.clip)
        self._adam.step()
        return float(norm)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Give the state by name, for saving."""
        for name, parameter in self._named.items():
            for key, value in sorted(self._adam.state.get(parameter, {}).items()):
                yield f"{name}|{key}", value

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back a state that `tensors` gave."""
        for name, parameter in self._named.items():
            kept = {key.rpartition("|")[2]: value for key, value in tensors.items() if key.rpartition("|")[0] == name}
            if kept:
                self._adam.state[parameter] = {
                    key: value.clone() if key == "step" else value.to(parameter.device).clone()
                    for key, value in kept.items()
                }


def _decays(name: str, parameter: Tensor) -> bool:
    return parameter.ndim == 2 and name.startswith("blocks.") and "modulation" not in name


class Average:
    """A running average of a network's weights: smoother than the weights, and better.

    Source: Karras et al., "Analyzing and Improving the Training Dynamics of Diffusion Models", 2024, section 3.
    """

    def __init__(self, network: nn.Module, *, keep: float) -> None:
        self._network = network
        self._keep = keep
        self.weights = {name: p.detach().clone() for name, p in network.named_parameters()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step; early on the average follows them closely."""
        share = 1 - min(self._keep, (1 + step) / (10 + step))
        live = dict(self._network.named_parameters())
        for name, weight in self.weights.items():
            weight.lerp_(live[name].detach(), share)

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back an average that was saved."""
        for name, weight in self.weights.items():
            weight.copy_(tensors[name])
