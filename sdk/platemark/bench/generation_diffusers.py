"""The embedded model beside diffusers: the same weights, size, steps and seed, in turns.

One rule: diffusers gets what it would get from anybody: a saved folder, `from_pretrained`, its own scheduler and loop.
There are two peers: the folder that we export, whose networks are our code, and the same weights in diffusers' own
blocks. Processor time on one thread is compared, since a busy machine stretches the other.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from platemark.bench.claims import Claim, Options
from platemark.bench.generation_cost import MEBIBYTE, PROMPT, run_alone
from platemark.generation.backends.embedded import CARD, WEIGHTS
from platemark.generation.card import read_card
from platemark.generation.checkpoint import Networks, load_networks
from platemark.generation.exporting import NEEDED, export_model
from platemark.generation.packed import pack
from platemark.generation.sampler import Guidance, Walk, sample
from platemark.generation.threads import torch_threads

PEERS = ("diffusers' own blocks", "the folder we export, in diffusers")

_ASKED = "import sys, torch; torch.set_num_threads(1); torch.set_grad_enabled(False); "
_THEIRS = (
    _ASKED + "from platemark.generation.backends.diffusers_pipeline import load_pipeline; "
    "load_pipeline(sys.argv[1])(sys.argv[2], seed=7)"
)
_OURS = (
    _ASKED + "from platemark.clip import Size; from platemark.generation.backend import GenerationRequest; "
    "from platemark.generation.backends.embedded import EmbeddedGenerator, generator_info; "
    "generator = EmbeddedGenerator(threads=1); native = generator_info().card['native']; "
    "asked = GenerationRequest(prompt=sys.argv[2], size=Size(128, 128), frames=native['frames'], "
    "fps=native['fps'], seed=7); list(generator.generate(generator.resolve(asked)))"
)


def measure_diffusers(options: Options) -> list[Claim]:
    """Measure parity, the time of equal forwards, and memory, against diffusers."""
    missing = [part for part in NEEDED if find_spec(part) is None]
    if missing:
        return [Claim(f"against diffusers: {', '.join(missing)} not installed", float("nan"), "", 1e-5)]
    with tempfile.TemporaryDirectory(prefix="platemark-diffusers-") as name:
        folder = export_model("embedded", Path(name) / "embedded")
        theirs, ours = (run_alone(code, folder, PROMPT).peak_bytes / MEBIBYTE for code in (_THEIRS, _OURS))
        return [
            *_sampling(folder, turns=3 if options.quick else 15),
            Claim("peak memory of a clip, its process with all imports", ours, "MiB", 1.0, "diffusers", ours / theirs),
        ]


def _sampling(folder: Path, *, turns: int) -> list[Claim]:
    from platemark.generation.backends.diffusers_peer import peer_of
    from platemark.generation.backends.diffusers_pipeline import as_pipeline, load_pipeline

    card = read_card(CARD)
    networks, exported = load_networks(card, WEIGHTS), load_pipeline(str(folder))
    peer = as_pipeline(card, load_networks(card, WEIGHTS))
    peer.register_modules(transformer=peer_of(networks.transformer, dict(exported.transformer.config.native)))
    pack(networks.transformer)
    slots, noise = exported.encode_prompt(PROMPT), exported.prepare_latents(7)
    steps, guidance = card.sampler.steps, card.sampler.guidance
    walk = Walk(card.sampler, Guidance(*(networks.transformer.encode_slots(each) for each in slots)))
    ways: list[Callable[[], Tensor]] = [
        partial(_sampled, networks, noise, walk),
        partial(peer.denoise, noise, slots, steps=steps, guidance=guidance),
        partial(exported.denoise, noise, slots, steps=steps, guidance=guidance),
    ]
    with torch_threads(1):
        mine, *others = [way() for way in ways]  # not counted; gives the frames that are compared
        ours, *theirs = in_turns(ways, turns=turns)
        with torch.inference_mode():
            frames = networks.autoencoder.decode(mine)
            errors = [float((frames - exported.vae.decode(other)).abs().max()) for other in others]
    forwards = steps * (1 if guidance == 1 else 2)
    return [
        claim
        for peer_name, error, spent in zip(PEERS, errors, theirs, strict=True)
        for claim in (
            Claim(f"frames beside {peer_name}, largest difference", error, "", 1e-5, peer="ours, -1 to 1"),
            Claim(
                f"forwards a second of processor time, median of {turns} turns",
                *(forwards / ours, "/s", 1.1, peer_name, spent / ours),
                least=True,
            ),
        )
    ]


def in_turns(ways: Sequence[Callable[[], object]], *, turns: int) -> list[float]:
    """Run each way after the other, again and again, and give the median processor seconds of each."""
    spent: list[list[float]] = [[] for _ in ways]
    for _ in range(turns):
        for times, way in zip(spent, ways, strict=True):
            start = time.process_time()
            way()
            times.append(time.process_time() - start)
    return [statistics.median(times) for times in spent]


def _sampled(networks: Networks, noise: Tensor, walk: Walk) -> Tensor:
    return sample(networks.transformer, noise, torch.arange(noise.shape[1])[None], walk)
