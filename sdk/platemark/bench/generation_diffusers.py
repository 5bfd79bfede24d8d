"""The embedded model beside itself in diffusers: the same weights, size, steps and seed, in turns.

One rule: diffusers gets what it would get from anybody: a saved folder, `from_pretrained`, its own scheduler and loop.
The networks are the same code on both sides, so the ratio is that of the loops around them.
"""

import statistics
import tempfile
import time
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
from platemark.generation.sampler import Guidance, Walk, sample

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
    from platemark.generation.backends.diffusers_pipeline import load_pipeline

    card = read_card(CARD)
    networks, pipeline = load_networks(card, WEIGHTS), load_pipeline(str(folder))
    slots, noise = pipeline.encode_prompt(PROMPT), pipeline.prepare_latents(7)
    steps, guidance = card.sampler.steps, card.sampler.guidance
    walk = Walk(card.sampler, Guidance(*(networks.transformer.encode_slots(each) for each in slots)))
    # The first of each is not counted, and gives the frames that are compared.
    mine = _sampled(networks, noise, walk)
    other = pipeline.denoise(noise, slots, steps=steps, guidance=guidance)
    ours, theirs = [], []
    for _ in range(turns):
        start = time.perf_counter()
        _sampled(networks, noise, walk)
        middle = time.perf_counter()
        pipeline.denoise(noise, slots, steps=steps, guidance=guidance)
        ours.append(middle - start)
        theirs.append(time.perf_counter() - middle)
    with torch.inference_mode():
        error = float((networks.autoencoder.decode(mine) - pipeline.vae.decode(other)).abs().max())
    rate = steps * (1 if guidance == 1 else 2) / statistics.median(ours)
    return [
        Claim("frames of the exported folder, largest difference", error, "", 1e-5, peer="ours, -1 to 1"),
        Claim(
            f"forwards a second, median of {turns} turns",
            rate,
            "/s",
            1.1,
            "diffusers",
            statistics.median(theirs) / statistics.median(ours),
            least=True,
        ),
    ]


def _sampled(networks: Networks, noise: Tensor, walk: Walk) -> Tensor:
    return sample(networks.transformer, noise, torch.arange(noise.shape[1])[None], walk)
