"""The generation benchmark measures what it says, in processes of their own, with the ceiling beside each figure."""

import math
from dataclasses import replace

import pytest
import torch

from platemark.bench import generation_cost as cost
from platemark.bench import generation_quality as quality
from platemark.bench import generation_sameness as sameness
from platemark.bench.claims import Claim, Options
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.backends.embedded import CARD, WEIGHTS
from platemark.generation.card import read_card
from platemark.generation.checkpoint import Networks, load_networks
from platemark.generation.config import SamplerConfig
from platemark.generation.transformer import VideoTransformer
from platemark.training.config import PRESETS
from platemark.training.consistency import Compared, Consistency
from platemark.training.evaluate import Evaluation, Question
from platemark.training.oracle import Scores
from platemark.training.rates import Rate
from platemark.training.world.clips import ClipShape, World

QUICK = Options(quick=True)


def test_a_process_says_what_memory_it_took_and_not_what_its_parent_holds() -> None:
    held = bytearray(200 << 20)

    small = cost.run_alone("x = bytearray(1)").peak_bytes
    large = cost.run_alone("x = bytearray(150 << 20)").peak_bytes

    assert len(held) > large - small > 100 << 20


def test_a_process_that_fails_is_no_measurement() -> None:
    with pytest.raises(Exception, match="exit status"):
        cost.run_alone("raise SystemExit(3)")


def test_decoding_is_measured_with_the_shipped_weights_and_stays_in_bounds() -> None:
    spent = cost.run_alone(cost._DECODE, 512, 1)

    assert 100 << 20 < spent.peak_bytes < 2 << 30


def test_warm_figures_have_their_targets_and_name_the_method_of_energy() -> None:
    wall, first, energy = cost._warm(QUICK)

    assert (wall.target, first.target, energy.target) == (6, 3, None)
    assert 0 < first.value <= wall.value
    assert "CPU seconds" in energy.claim or "RAPL" in energy.claim


def test_other_ways_to_compute_are_near_the_plain_one() -> None:
    half, tiled = sameness.measure_sameness(QUICK)

    assert 0 < half.value <= 0.02
    assert 0 <= tiled.value <= 1e-5


def test_a_relative_error_is_one_for_nothing_and_nought_for_the_same() -> None:
    right = torch.tensor([3.0, -4.0])

    assert sameness.relative_error(right, right) == 0
    assert sameness.relative_error(torch.zeros(2), right) == pytest.approx(1)


def test_the_seam_of_a_loop_is_compared_with_its_median_step() -> None:
    claim = quality._seam("a calm blue sea", 1.0)

    assert claim.peer == "the median step"
    assert claim.ratio is not None
    assert claim.target == 1.0


def test_a_model_of_another_vocabulary_is_a_claim_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "SLOT_SIZES", (2, 2))
    monkeypatch.setattr(quality, "LOOPS", ())

    (claim,) = quality.measure_quality(QUICK)

    assert "knows every attribute" in claim.claim
    assert not claim.holds


def test_every_figure_of_the_world_is_asked_for_where_the_vocabulary_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    card = read_card(CARD)
    monkeypatch.setattr(quality, "SLOT_SIZES", card.architecture.transformer.slot_sizes)
    monkeypatch.setattr(quality, "LOOPS", ())
    monkeypatch.setattr(quality, "_world_figures", lambda *_: [Claim("measured", 1.0, "", None)])

    assert [claim.claim for claim in quality.measure_quality(QUICK)][-1] == "measured"


def scores(hits: int) -> Scores:
    return Scores({"colour": Rate(hits, 20)}, {"sea": Rate(hits, 20)})


@pytest.fixture(scope="module")
def networks() -> Networks:
    return load_networks(read_card(CARD), WEIGHTS)


def test_scores_stand_beside_the_ceiling_and_real_clips(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Evaluation(scores(19), scores(18), scores(10), {}, 1.5, 1.0)
    monkeypatch.setattr(quality, "evaluate", lambda *_: found)
    claims = quality._oracle(networks, Question(20, ClipShape(64, 64, 17)))

    assert [claim.value for claim in claims] == [0.5, 0.5, 0.5, 1.5]
    assert claims[0].peer == "95 % interval 0.30 to 0.70, the autoencoder's ceiling 0.90, real clips 0.95"


def test_what_could_not_be_seen_is_counted(networks: Networks) -> None:
    seen = Consistency(6, 2, 0.25, 0.1)

    value, missing = quality._consistency("change", Compared(seen, replace(seen, mean=0.1), replace(seen, mean=0.05)))

    assert value.peer == "the autoencoder's ceiling 0.100, real clips 0.050"
    assert missing.value == 0.25


def test_what_was_seen_in_no_clip_is_no_number_and_not_a_good_one() -> None:
    nothing = Consistency(0, 4, math.nan, math.nan)

    value, missing = quality._consistency("change", Compared(nothing, nothing, nothing))

    assert value.to_json()["value"] is None
    assert missing.value == 1.0


def test_untrained_networks_get_every_figure_and_none_that_is_good() -> None:
    card = read_card(CARD)
    known = replace(card.architecture.transformer, slot_sizes=tuple(quality.SLOT_SIZES), depth=1)
    untrained = Networks(
        VideoAutoencoder(card.architecture.autoencoder).eval().requires_grad_(False),
        VideoTransformer(known).eval().requires_grad_(False),
    )

    named = replace(card, sampler=SamplerConfig(1, 1.0), training={"data": {"seeds": {"world": 5}}})

    claims = quality._world_figures(named, untrained, QUICK)

    found = {claim.claim: claim for claim in claims}
    everything = found["everything right in 16 held-out clips"]
    assert everything.value < 0.2
    assert (everything.peer or "").endswith("real clips 1.00")
    assert found["autoencoder on all families"].value < 20
    assert {"flicker of made clips", "actions read back from flights"} <= set(found)
    assert any("Frechet" in name for name in found)
    assert any("nearest of 256 training clips" in name for name in found)


@pytest.mark.parametrize(
    ("training", "found"),
    [
        ({"data": {"seeds": {"world": 5}}}, quality.TrainedOn(World(5), 9)),
        ({"data": {"seeds": {"world": 5}, "clips_drawn": 4}}, quality.TrainedOn(World(5), 4)),
        (
            {"data": {"seeds": {"world": 2}}, "preset": "nano"},
            quality.TrainedOn(World(2, mixture=PRESETS["nano"].mixture), 9),
        ),
        ({"data": {"seeds": {"world": 5}}, "preset": "unheard of"}, quality.TrainedOn(World(5), 9)),
        ({"data": {"seeds": {"world": "5"}}}, quality.TrainedOn(None, 0)),
        ({"data": {}}, quality.TrainedOn(None, 0)),
        ({}, quality.TrainedOn(None, 0)),
    ],
)
def test_training_clips_are_those_that_the_card_names(training: dict[str, object], found: quality.TrainedOn) -> None:
    card = replace(read_card(CARD), training=training)

    assert quality.trained_on(card, at_most=9) == found


def test_without_a_training_seed_nothing_is_said_of_memorising(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "generate", lambda *_: torch.zeros(2, 17, 64, 64, 3, dtype=torch.uint8))
    monkeypatch.setattr(quality, "measure_memorisation", None)

    frechet, memory = quality._likeness(networks, Question(2, ClipShape(64, 64, 17)), quality.TrainedOn(None, 0))

    assert frechet.value > 0
    assert math.isnan(memory.value)
    assert "not measured" in memory.claim
