"""What is given with a request is checked where it is made."""

from typing import Any

import numpy as np
import pytest

from platemark.clip import Size
from platemark.errors import RequestError
from platemark.generation import given as given_module
from platemark.generation.backend import GenerationRequest
from platemark.generation.given import Conditioning, Controls, Footage
from platemark.generation.resize import RGB
from platemark_provenance.digest import canonical_json


def frames(count: int, *, level: int = 9, width: int = 128, height: int = 128) -> RGB:
    return np.full((count, height, width, 3), level, np.uint8)


def request(conditioning: Conditioning, *, count: int = 8) -> GenerationRequest:
    return GenerationRequest(prompt="sea", size=Size(128, 128), frames=count, fps=12, seed=1, conditioning=conditioning)


def test_footage_ends_after_its_last_frame() -> None:
    assert Footage(3, frames(4)).stop == 7


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((1, 8, 8, 3), np.uint16),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((1, 8, 8, 4), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
        np.zeros((1, 0, 8, 3), np.uint8),
    ],
    ids=["16 bit", "one picture", "four channels", "no frame", "no rows"],
)
def test_pixels_of_another_form_are_refused(pixels: Any) -> None:
    with pytest.raises(RequestError, match="uint8"):
        Footage(0, pixels)


def test_footage_before_the_clip_is_refused() -> None:
    with pytest.raises(RequestError, match="got -1"):
        Footage(-1, frames(1))


def test_footage_over_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_module, "MAX_GIVEN_BYTES", 128 * 128 * 3)

    assert Footage(0, frames(1)).stop == 1
    with pytest.raises(RequestError, match="MiB"):
        Footage(0, frames(2))


def test_equal_footage_compares_equal_by_its_digest() -> None:
    assert Footage(0, frames(2)) == Footage(0, frames(2))
    assert hash(Footage(0, frames(2))) == hash(Footage(0, frames(2)))


@pytest.mark.parametrize("other", [Footage(1, frames(2)), Footage(0, frames(2, level=8)), Footage(0, frames(1))])
def test_footage_that_differs_in_place_pixels_or_length_does_not(other: Footage) -> None:
    assert Footage(0, frames(2)) != other


def test_a_picture_turned_on_its_side_has_another_digest() -> None:
    assert Footage(0, frames(1, width=64)).sha256 != Footage(0, frames(1, height=64)).sha256


def test_a_view_that_is_not_contiguous_has_the_digest_of_its_copy() -> None:
    wide = np.arange(2 * 4 * 8 * 3, dtype=np.uint8).reshape(2, 4, 8, 3)

    assert Footage(0, wide[:, :, ::2]).sha256 == Footage(0, wide[:, :, ::2].copy()).sha256


def test_pixels_are_not_printed() -> None:
    assert "array" not in repr(Footage(0, frames(1)))


@pytest.mark.parametrize(
    ("conditioning", "kind"),
    [
        (Conditioning(), "none"),
        (Conditioning(given=(Footage(0, frames(1)),)), "given"),
        (Conditioning(source=Footage(0, frames(8)), strength=0.5), "source"),
        (Conditioning(shape="loop"), "loop"),
        (Conditioning(shape="still"), "still"),
    ],
)
def test_the_kind_is_what_is_used(conditioning: Conditioning, kind: str) -> None:
    assert conditioning.kind == kind


@pytest.mark.parametrize(
    "mixed",
    [
        {"given": (Footage(0, frames(1)),), "shape": "loop"},
        {"given": (Footage(0, frames(1)),), "source": Footage(0, frames(8))},
        {"source": Footage(0, frames(8)), "shape": "still"},
    ],
)
def test_kinds_are_not_mixed(mixed: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="at once"):
        Conditioning(**mixed)


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan")])
def test_a_strength_out_of_bounds_is_refused(strength: float) -> None:
    with pytest.raises(RequestError, match="strength"):
        Conditioning(strength=strength)


@pytest.mark.parametrize("places", [(2, 2), (0, 1), (5, 4), (1, 0)])
def test_frames_given_twice_are_refused(places: tuple[int, int]) -> None:
    with pytest.raises(RequestError, match="given twice"):
        Conditioning(given=tuple(Footage(place, frames(2)) for place in places))


def test_runs_may_touch() -> None:
    assert Conditioning(given=(Footage(2, frames(2)), Footage(0, frames(2)))).kind == "given"


@pytest.mark.parametrize(
    ("conditioning", "named"),
    [
        (Conditioning(given=(Footage(8, frames(1)),)), "Frame 8 is given"),
        (Conditioning(given=(Footage(6, frames(3)),)), "Frame 8 is given"),
        (Conditioning(given=(Footage(0, frames(1, width=130)),)), "130x128"),
        (Conditioning(source=Footage(0, frames(7))), "7 frames"),
        (Conditioning(source=Footage(1, frames(7))), "8 frames"),
    ],
)
def test_what_does_not_fit_the_clip_is_refused(conditioning: Conditioning, named: str) -> None:
    with pytest.raises(RequestError, match=named):
        request(conditioning)


def test_the_last_frame_of_a_clip_may_be_given() -> None:
    assert request(Conditioning(given=(Footage(7, frames(1)),))).conditioning.given[0].first == 7


def test_the_log_gets_digests_and_never_pictures() -> None:
    logged = Conditioning(given=(Footage(2, frames(1)),)).to_json()

    assert len(canonical_json(logged)) < 300
    assert logged["given"] == [{"first": 2, "frames": 1, "sha256": Footage(2, frames(1)).sha256}]


def test_the_log_tells_strengths_apart() -> None:
    one, other = (Conditioning(source=Footage(0, frames(8)), strength=strength) for strength in (0.5, 0.6))

    assert one.to_json() != other.to_json()


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"method": "rk4"}, "euler or heun"),
        ({"shift": 0.0}, "shift"),
        ({"shift": 21.0}, "shift"),
        ({"shift": float("inf")}, "shift"),
        ({"negative_prompt": "  "}, "empty"),
        ({"negative_prompt": "night\u202e"}, "U\\+202E"),
    ],
)
def test_impossible_controls_are_refused(values: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestError, match=named):
        Controls(**values)


def test_controls_are_left_alone_by_default() -> None:
    assert request(Conditioning()).controls == Controls(method="euler", shift=None, negative_prompt="")
