"""How good the embedded model's clips are: what an oracle reads from their pixels, beside what it reads from real ones.

One rule: every score of made clips stands beside the same score of real clips through the autoencoder, the ceiling,
and of real clips. Combinations of attributes are held out: none was trained on.
"""

from dataclasses import dataclass

import torch

from platemark.bench.claims import Claim, Options
from platemark.clip import Size
from platemark.generation.actions import action_shares
from platemark.generation.backend import GenerationRequest
from platemark.generation.backends.embedded import CARD, WEIGHTS, EmbeddedGenerator
from platemark.generation.card import ModelCard, read_card
from platemark.generation.checkpoint import Networks, load_networks
from platemark.generation.drift import measure_seam
from platemark.generation.given import Conditioning
from platemark.training.config import PRESETS
from platemark.training.consistency import Compared, measure_permanence, measure_reprojection
from platemark.training.evaluate import Asked, Question, evaluate, generate
from platemark.training.fidelity import measure_fidelity
from platemark.training.likeness import measure_frechet, measure_memorisation
from platemark.training.oracle import Scores
from platemark.training.probe import published_probe
from platemark.training.rates import Rate
from platemark.training.steering import measure_actions
from platemark.training.world.attributes import SLOT_SIZES
from platemark.training.world.clips import ClipShape, Part, World

LOOPS = ("a calm blue sea", "clouds at sunset")


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What weights were trained on, as far as their card tells.

    Attributes:
        world: its seed, and the mixture of the preset; none where the card names no seed.
        clips: how many of its clips to search, from the first.
    """

    world: World | None
    clips: int


def trained_on(card: ModelCard, *, at_most: int) -> TrainedOn:
    """Read in a card which clips its weights were trained on."""
    data = card.training.get("data", {})
    seed = data.get("seeds", {}).get("world")
    if not isinstance(seed, int):
        return TrainedOn(None, 0)
    preset = PRESETS.get(str(card.training.get("preset")))
    drawn = data.get("clips_drawn", at_most)
    return TrainedOn(World(seed, mixture=preset.mixture if preset else ()), min(at_most, drawn))


def measure_quality(options: Options) -> list[Claim]:
    """Measure loops, and the world's own figures where the model speaks the world's vocabulary."""
    card = read_card(CARD)
    known = tuple(card.architecture.transformer.slot_sizes) == tuple(SLOT_SIZES)
    speaks = Claim("the shipped model knows every attribute of the world", float(known), "", 1, least=True)
    seams = [_seam(prompt, 1.0 if options.quick else 4.0) for prompt in LOOPS]
    if not known:
        return [*seams, speaks]
    networks = load_networks(card, WEIGHTS)
    return [*seams, speaks, *_world_figures(card, networks, options)]


def _world_figures(card: ModelCard, networks: Networks, options: Options) -> list[Claim]:
    shape = ClipShape(card.native.height, card.native.width, card.native.frames)
    question = Question(16 if options.quick else 144, shape, card.sampler)
    few = Question(4 if options.quick else 48, shape, card.sampler)
    return [
        *_oracle(networks, question),
        *_fidelity(networks, shape, clips=1 if options.quick else 16),
        *_consistency("change of a shape behind a column", _permanence(networks, few)),
        *_consistency("error of a cube under an orbiting camera", _reprojection(networks, few)),
        *_actions(networks, few),
        *_likeness(networks, question, trained_on(card, at_most=256 if options.quick else 5_000)),
    ]


def _seam(prompt: str, seconds: float) -> Claim:
    generator = EmbeddedGenerator()
    request = GenerationRequest(
        prompt=prompt, size=Size(128, 128), frames=round(12 * seconds), fps=12, seed=7,
        conditioning=Conditioning(shape="loop"),
    )  # fmt: skip
    seam = measure_seam(list(generator.generate(generator.resolve(request))))
    ratio = seam.step / seam.median if seam.median else float("inf")
    return Claim(f"a loop of {prompt!r}, its seam", seam.step, "levels", 1.0, "the median step", ratio)


def _oracle(networks: Networks, question: Question) -> list[Claim]:
    found = evaluate(networks.autoencoder, networks.transformer, question)
    made, ceiling, real = _named(found.generated), _named(found.autoencoder), _named(found.real)
    claims = [
        Claim(
            f"{name} right in {rate.of} held-out clips",
            rate.share,
            "",
            None,
            peer=f"{_interval(rate)}, the autoencoder's ceiling {ceiling[name].share:.2f}, "
            f"real clips {real[name].share:.2f}",
            least=True,
        )
        for name, rate in made.items()
    ]
    return [*claims, Claim("flicker of made clips", found.flicker, "x", None, peer="real clips, 1")]


def _named(scores: Scores) -> dict[str, Rate]:
    families = {f"everything in {family}": rate for family, rate in scores.families.items()}
    return {"everything": scores.all_right, **scores.slots, **families}


def _interval(rate: Rate) -> str:
    low, high = rate.interval
    return f"95 % interval {low:.2f} to {high:.2f}"


def _fidelity(networks: Networks, shape: ClipShape, *, clips: int) -> list[Claim]:
    report = measure_fidelity(networks.autoencoder, clips=clips, shape=shape)
    rows = [("all families", report.overall), *report.by_family.items()]
    return [
        Claim(f"autoencoder on {name}", one.psnr, "dB", None, peer=f"SSIM {one.ssim:.3f}", least=True)
        for name, one in rows
    ]


def _permanence(networks: Networks, question: Question) -> Compared:
    return measure_permanence(networks.autoencoder, networks.transformer, question)


def _reprojection(networks: Networks, question: Question) -> Compared:
    return measure_reprojection(networks.autoencoder, networks.transformer, question)


def _consistency(what: str, found: Compared) -> list[Claim]:
    beside = f"the autoencoder's ceiling {found.autoencoder.mean:.3f}, real clips {found.real.mean:.3f}"
    clips = found.generated.clips + found.generated.missing
    return [
        Claim(what, found.generated.mean, "", None, peer=beside),
        Claim(f"{what}: clips in which it could not be seen", found.generated.missing / max(clips, 1), "", None),
    ]


def _actions(networks: Networks, question: Question) -> list[Claim]:
    found = measure_actions(networks.autoencoder, networks.transformer, question)
    peer = (
        f"{_interval(found.generated)}, the autoencoder's ceiling {found.autoencoder.share:.2f}, "
        f"real clips {found.real.share:.2f}"
    )
    return [Claim("actions read back from flights", found.generated.share, "", None, peer=peer, least=True)]


def _likeness(networks: Networks, question: Question, trained: TrainedOn) -> list[Claim]:
    batch = World(question.seed, Part.HELD_OUT).render(torch.arange(question.clips), question.shape)
    shares = action_shares(batch.actions, group=networks.autoencoder.config.group_frames)
    made = generate(networks.autoencoder, networks.transformer, Asked(batch.slots, shares), question)
    distance = measure_frechet(published_probe(), made, batch, seed=question.seed + 1)
    real = f"real clips {distance.real:.2f}"
    frechet = Claim(f"Frechet distance of {distance.clips} clips", distance.generated, "", None, real)
    if trained.world is None:
        why = (
            "distance to the nearest training clip: not measured, the card does not name the seed of the training clips"
        )
        return [frechet, Claim(why, float("nan"), "levels", None)]
    memory = measure_memorisation(made, batch, trained.world, training_clips=trained.clips)
    return [
        frechet,
        Claim(
            f"distance to the nearest of {memory.training_clips} training clips",
            memory.generated,
            "levels",
            None,
            peer=f"real held-out clips {memory.held_out:.1f}",
            least=True,
        ),
        Claim("made clips nearer to one than any held-out clip is", memory.copies.share, "", None),
    ]
