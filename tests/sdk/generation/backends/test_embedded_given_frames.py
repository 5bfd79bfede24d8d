"""The shipped weights around given frames, from a given clip, as loops and as stills."""

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch

from platemark.clip import Size
from platemark.errors import Cancelled, RequestError
from platemark.generation.backend import CancelToken, GenerationRequest, Progress
from platemark.generation.backends.embedded import EmbeddedGenerator
from platemark.generation.checkpoint import Networks
from platemark.generation.drift import DriftMeter, measure_seam
from platemark.generation.given import Conditioning, Controls, Footage
from platemark.generation.resize import RGB
from platemark.generation.synthesis import decode, encode_first, encode_later

SMALL = Size(128, 128)
SHAPES = {"1:1": (256, 256), "16:9": (256, 144), "9:16": (144, 256), "4:3": (256, 192), "2.39:1": (306, 128)}


def request(
    prompt: str, frames: int, conditioning: Conditioning | None = None, *, size: Size = SMALL, **more: Any
) -> GenerationRequest:
    values: dict[str, Any] = {"fps": 12, "seed": 3, "steps": 6} | more
    return GenerationRequest(
        prompt=prompt, size=size, frames=frames, conditioning=conditioning or Conditioning(), **values
    )


def make(generator: EmbeddedGenerator, asked: GenerationRequest, **options: Any) -> RGB:
    return np.stack(list(generator.generate(generator.resolve(asked), **options)))


def steps(frames: RGB) -> list[float]:
    pairs = itertools.pairwise(frames.astype(np.float32))
    return [float(np.abs(after - before).mean()) for before, after in pairs]


@pytest.fixture(scope="module")
def sky(embedded: EmbeddedGenerator) -> RGB:
    """A second of clouds."""
    return make(embedded, request("clouds drifting right in a sky", 12))


@pytest.fixture(scope="module")
def ball(embedded: EmbeddedGenerator) -> RGB:
    """A red ball that crosses a white ground."""
    return make(embedded, request("a red circle moving right on a white background", 17))


# -- the mechanism ---------------------------------------------------------------------------------------------------


def test_a_guide_from_mid_clip_is_encoded_as_in_its_clip(networks: Networks, ball: RGB) -> None:
    pictures = [frame[::2, ::2].astype(np.float32) for frame in ball]
    video = torch.from_numpy(np.stack(pictures) / np.float32(127.5) - 1)[None]

    whole = networks.autoencoder.encode(video)
    guide = encode_later(networks, pictures[9:13])

    assert torch.allclose(guide[:, 0], whole[:, 3], atol=1e-5)


def test_a_guide_placed_mid_clip_decodes_as_given(networks: Networks, ball: RGB) -> None:
    pictures = [frame[::2, ::2].astype(np.float32) for frame in ball[9:13]]

    guide = decode(networks, encode_later(networks, pictures)[0, 0])
    as_first = decode(networks, encode_first(networks, pictures[3])[0, 0])

    lost = np.abs(guide - np.stack(pictures)).mean(axis=(1, 2, 3))
    assert lost.max() < 4  # levels of 255
    assert np.abs(as_first[0] - pictures[0]).mean() > 2 * lost[0]  # without the spare frame its motion is gone


def test_a_still_decodes_to_a_group_that_stands_still(networks: Networks, sky: RGB) -> None:
    group = decode(networks, encode_first(networks, sky[0, ::2, ::2].astype(np.float32))[0, 0])

    assert max(np.abs(np.diff(group, axis=0)).mean(axis=(1, 2, 3))) < 1.5


@pytest.mark.parametrize(
    ("places", "frames"),
    [([0], 20), ([12], 24), ([0, 24], 36), ([5, 23], 40), ([30], 42)],
    ids=["forward", "backward", "connect", "both and around", "far back"],
)
def test_given_clips_come_out_bit_for_bit(
    embedded: EmbeddedGenerator, sky: RGB, places: list[int], frames: int
) -> None:
    given = tuple(Footage(place, sky) for place in places)

    clip = make(embedded, request("clouds in a sky", frames, Conditioning(given=given), steps=3))

    assert len(clip) == frames
    assert all(np.array_equal(clip[each.first : each.stop], sky) for each in given)


@pytest.mark.parametrize("place", [0, 1, 5, 6, 11])
def test_a_keyframe_stands_exactly_where_it_was_placed(embedded: EmbeddedGenerator, sky: RGB, place: int) -> None:
    given = Conditioning(given=(Footage(place, sky[4:5]),))

    clip = make(embedded, request("clouds in a sky", 12, given, steps=3))

    assert [bool(np.array_equal(frame, sky[4])) for frame in clip] == [index == place for index in range(12)]


@pytest.mark.parametrize("place", [0, 12], ids=["forward", "backward"])
def test_what_is_added_to_a_clip_goes_on_without_a_jump(embedded: EmbeddedGenerator, sky: RGB, place: int) -> None:
    given = Conditioning(given=(Footage(place, sky),))

    clip = make(embedded, request("clouds drifting right in a sky", 24, given, steps=16))

    assert steps(clip)[11] <= 2 * max(steps(sky))


def test_what_connects_two_clips_leads_from_one_to_the_other(embedded: EmbeddedGenerator, sky: RGB) -> None:
    other = make(embedded, request("clouds drifting right in a sky", 12, seed=8))
    given = Conditioning(given=(Footage(0, sky), Footage(24, other)))

    clip = make(embedded, request("clouds drifting right in a sky", 36, given, steps=16))

    cut = float(np.abs(sky[-1].astype(np.float32) - other[0]).mean())
    assert max(steps(clip)[11:25]) < 0.6 * cut


def test_given_frames_shape_what_is_made(embedded: EmbeddedGenerator, sky: RGB) -> None:
    one, other = (
        make(embedded, request("clouds in a sky", 6, Conditioning(given=(Footage(0, frame[None]),)), steps=3))
        for frame in (sky[0], sky[0][:, ::-1].copy())
    )

    assert np.abs(one[-1].astype(float) - other[-1]).mean() > 1


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_still_of_any_aspect_ratio_is_animated(embedded: EmbeddedGenerator, shape: tuple[int, int]) -> None:
    size = Size(*shape)
    still = make(embedded, request("a calm sea at sunset", 1, size=size, steps=2))

    clip = make(
        embedded, request("a calm sea at sunset", 5, Conditioning(given=(Footage(0, still),)), size=size, steps=4)
    )

    assert clip.shape == (5, size.height, size.width, 3)
    assert np.array_equal(clip[0], still[0])
    assert max(steps(clip)) < 30


def test_the_same_seed_fills_alike_and_another_does_not(embedded: EmbeddedGenerator, sky: RGB) -> None:
    given = Conditioning(given=(Footage(0, sky[:1]),))

    one, same, other = (make(embedded, request("clouds", 6, given, seed=seed, steps=2)) for seed in (5, 5, 6))

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_two_holes_have_noise_of_their_own(embedded: EmbeddedGenerator, sky: RGB) -> None:
    given = Conditioning(given=tuple(Footage(place, sky[:1]) for place in (0, 13)))

    clip = make(embedded, request("clouds in a sky", 26, given, steps=4))

    assert not np.array_equal(clip[6], clip[19])


def test_filling_reports_its_steps_and_groups(embedded: EmbeddedGenerator, sky: RGB) -> None:
    heard = list[Progress]()

    make(embedded, request("clouds", 6, Conditioning(given=(Footage(0, sky[:1]),)), steps=2), on_progress=heard.append)

    assert heard[:3] == [Progress("text", 1, 1), Progress("denoise", 1, 2), Progress("denoise", 2, 2)]
    assert {event.stage for event in heard[3:]} == {"decode"}


def test_filling_is_cancelled_between_steps(embedded: EmbeddedGenerator, sky: RGB) -> None:
    token, heard = CancelToken(), list[Progress]()

    def cancel_at_first_step(event: Progress) -> None:
        heard.append(event)
        {"denoise": token.cancel}.get(event.stage, lambda: None)()

    with pytest.raises(Cancelled):
        make(
            embedded,
            request("clouds", 6, Conditioning(given=(Footage(0, sky[:1]),)), steps=50),
            on_progress=cancel_at_first_step,
            cancel=token,
        )

    assert heard[-1] == Progress("denoise", 1, 50)


# -- from a given clip -----------------------------------------------------------------------------------------------


def test_without_strength_a_clip_stays_what_it_was(embedded: EmbeddedGenerator, ball: RGB) -> None:
    source = Conditioning(source=Footage(0, ball), strength=0.0)

    changed = make(embedded, request("a blue square on a yellow background", 17, source))

    assert np.abs(changed.astype(float) - ball).mean() < 6


def test_a_changed_clip_follows_the_prompt_and_keeps_the_layout(embedded: EmbeddedGenerator, ball: RGB) -> None:
    source = Conditioning(source=Footage(0, ball), strength=0.85)

    changed = make(embedded, request("a blue circle moving right on a yellow background", 17, source, steps=16))

    where = (ball[..., 1] < 128).mean(axis=0) > 0.3  # the ball was here for a third of the time
    red, green, blue = changed[:, :20, :20].mean(axis=(0, 1, 2))
    assert red > 200 > blue + 80
    assert green > blue + 80
    assert changed[:, where][..., 2].mean() > changed[:, ~where][..., 2].mean() + 10


def test_more_strength_goes_further(embedded: EmbeddedGenerator, sky: RGB) -> None:
    far = [
        float(np.abs(make(embedded, request("a sky at night", 12, source, steps=8)).astype(float) - sky).mean())
        for source in (Conditioning(source=Footage(0, sky), strength=strength) for strength in (0.1, 0.4, 0.8))
    ]

    assert far == sorted(far)


# -- loops -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prompt", ["a rough sea at sunset", "clouds in a sky", "a turning globe", "city in heavy snow", "a spinning square"]
)
def test_the_seam_of_a_loop_is_not_above_its_median_step(embedded: EmbeddedGenerator, prompt: str) -> None:
    loop = make(embedded, request(prompt, 24, Conditioning(shape="loop"), steps=16))

    seam = measure_seam(loop)

    assert seam.step <= seam.median


@pytest.mark.parametrize(("fps", "frames"), [(8, 12), (15, 20), (24, 48), (60, 75)])
def test_a_loop_is_seamless_at_other_rates_too(embedded: EmbeddedGenerator, fps: int, frames: int) -> None:
    loop = make(embedded, request("clouds in a sky", frames, Conditioning(shape="loop"), fps=fps, steps=4))

    seam = measure_seam(loop)

    assert len(loop) == frames
    assert seam.step <= seam.median


def test_a_straight_clip_does_have_a_seam(embedded: EmbeddedGenerator) -> None:
    seam = measure_seam(make(embedded, request("clouds in a sky", 24)))

    assert seam.step > 1.5 * seam.median


# -- stills ----------------------------------------------------------------------------------------------------------


def test_a_still_of_a_shape_shows_it_whole(embedded: EmbeddedGenerator) -> None:
    (still,) = make(embedded, request("a red circle on a white background", 1, Conditioning(shape="still")))

    red = (still[..., 0] > 150) & (still[..., 1] < 110)
    rows, columns = np.nonzero(red)
    assert red.mean() > 0.02
    assert 20 < rows.mean() < 108
    assert 20 < columns.mean() < 108


def test_a_still_of_a_chart_shows_its_bars_at_full_height(embedded: EmbeddedGenerator) -> None:
    still, first = (
        make(embedded, request("a bar chart rising", 1, Conditioning(shape=shape)))[0] for shape in ("still", "clip")
    )

    assert (still[..., 0] < 100).mean() > 2 * (first[..., 0] < 100).mean()


def test_the_largest_still_is_made_in_bounded_memory(embedded: EmbeddedGenerator) -> None:
    asked = request("clouds in a sky", 1, Conditioning(shape="still"), size=Size(2048, 2048), steps=1)
    tracemalloc.start()

    (still,) = make(embedded, asked)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert still.shape == (2048, 2048, 3)
    assert peak < 256 * 2**20


# -- controls and drift ----------------------------------------------------------------------------------------------


def test_heun_is_another_walk_at_about_twice_the_cost(embedded: EmbeddedGenerator) -> None:
    euler, heun = (request("a sea", 2, controls=Controls(method=method)) for method in ("euler", "heun"))

    costs = [embedded.estimate(embedded.resolve(each)).forwards for each in (euler, heun)]

    assert costs == [6, 11]
    assert not np.array_equal(make(embedded, euler), make(embedded, heun))


@pytest.mark.parametrize("controls", [Controls(shift=4.0), Controls(negative_prompt="cyan")])
def test_controls_change_the_clip(embedded: EmbeddedGenerator, controls: Controls) -> None:
    usual = make(embedded, request("a blue sea", 2))

    assert not np.array_equal(usual, make(embedded, request("a blue sea", 2, controls=controls)))


def test_the_shift_of_the_card_is_the_usual_one(embedded: EmbeddedGenerator) -> None:
    usual = make(embedded, request("a blue sea", 2))

    assert np.array_equal(usual, make(embedded, request("a blue sea", 2, controls=Controls(shift=2.0))))


def test_a_negative_prompt_changes_what_was_left_open(embedded: EmbeddedGenerator) -> None:
    resolved = embedded.resolve(request("clouds in a sky", 2, controls=Controls(negative_prompt="daylight, trees")))

    assert resolved.assumed["time"] != "day"
    assert resolved.ignored_words == ("trees",)


def test_a_negative_prompt_against_the_prompt_is_refused(embedded: EmbeddedGenerator) -> None:
    with pytest.raises(RequestError, match="asks for"):
        embedded.resolve(request("a red circle", 2, controls=Controls(negative_prompt="red")))


def test_a_long_clip_drifts_little(embedded: EmbeddedGenerator) -> None:
    meter = DriftMeter(4)

    list(map(meter.feed, make(embedded, request("clouds in a sky", 32, fps=4, steps=16))))

    assert meter.drift.seconds == 8
    assert meter.drift.levels < 24
