"""A world follows the moves of its frames through the whole pipeline, or is refused in a plain sentence.

How well the weights that come with platemark follow moves is measured elsewhere; here they are given five strong action
vectors, so that a test of the pipeline does not hang on their training.
"""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file, save_file

import platemark
from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest
from platemark.generation.backends import embedded, testcard
from platemark.generation.backends.embedded import EmbeddedGenerator
from platemark.generation.given import Conditioning
from platemark.media.video import remux_without_metadata
from platemark.studio import GenerateOptions, Studio
from platemark.tasks.conditioning import Sampling
from platemark.tasks.world import SteeredWorld, plan_world

FLIGHT = "flying over green hills of blocks by day"
Exchange = Callable[[float | None, int], None]
SMALL: GenerateOptions = {"model": "embedded", "seed": 7, "steps": 2, "size": "128x128"}


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """Exchange the shipped model for one that follows some share of actions, with strong action vectors."""

    def make(followed: float | None, actions: int) -> None:
        folder, card = tmp_path / "weights", json.loads(embedded.CARD.read_text())
        folder.mkdir()
        ours = card["weights"]["transformer"]["file"]
        for weights in card["weights"].values():
            (folder / weights["file"]).write_bytes((embedded.WEIGHTS / weights["file"]).read_bytes())
        width = card["architecture"]["transformer"]["width"]
        vectors = torch.randn(width, 5, generator=torch.Generator().manual_seed(7)).half()
        kept = {name: each for name, each in load_file(folder / ours).items() if name != "action.weight"}
        save_file(kept | ({"action.weight": vectors} if actions else {}), folder / ours)
        content = (folder / ours).read_bytes()
        card["architecture"]["transformer"]["actions"] = actions
        card["actions_followed"] = followed
        card["weights"]["transformer"] |= {"sha256": sha256(content).hexdigest(), "size_bytes": len(content)}
        (folder / "card.json").write_text(json.dumps(card))
        monkeypatch.setattr(embedded, "WEIGHTS", folder)
        monkeypatch.setattr(embedded, "CARD", folder / "card.json")
        embedded.generator_info.cache_clear()

    yield make
    embedded.generator_info.cache_clear()


@pytest.fixture
def steerable(exchange: Exchange) -> None:
    """Weights that were found to follow every action."""
    exchange(1.0, 5)


def frames_of(*moves: str) -> npt.NDArray[np.int64]:
    world = SteeredWorld(prompt=FLIGHT, moves=moves, sampling=Sampling(seed=7, steps=2), size=platemark.Size(128, 128))
    made = plan_world(EmbeddedGenerator(threads=1), world).frames()
    return np.stack(list(made)).astype(np.int64)


def facts_of(studio: Studio, made: platemark.Clip, event_type: str) -> dict[str, Any]:
    (event,) = (each for each in studio.ledger.trace(made.clip_id) if each.type == event_type)
    return dict(event.facts)


@pytest.mark.usefixtures("steerable")
def test_a_world_goes_through_all_four_layers_and_its_moves_are_in_the_log(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate(FLIGHT, **SMALL, actions="forward*4,left*4", out=tmp_path / "world.mp4")

    assert (made.request.task, made.making.frames) == ("world", 8)
    assert made.making.conditions == ("the camera is told: forward*4,left*4",)
    assert facts_of(studio, made, "generation.started")["conditioning"]["moves"] == "forward*4,left*4"
    remux_without_metadata(made.path, tmp_path / "stripped.mp4")
    whole, stripped = (platemark.verify(path, home=studio.home.path) for path in (made.path, tmp_path / "stripped.mp4"))
    assert (whole.verdict, stripped.recovered_from) == ("trusted", made.clip_id)


@pytest.mark.usefixtures("steerable")
def test_other_moves_are_another_request_with_another_mark(studio: Studio, tmp_path: Path) -> None:
    one, other = (
        studio.generate(FLIGHT, **SMALL, actions=["forward"] * 4 + [last] * 4, out=tmp_path / f"{last}.mp4")
        for last in ("left", "right")
    )

    assert one.watermark_id != other.watermark_id


@pytest.mark.usefixtures("steerable")
def test_other_moves_give_other_frames_and_the_same_moves_the_same() -> None:
    left, again, right = (frames_of(*["forward"] * 9, *[turn] * 8) for turn in ("turn left", "turn left", "turn right"))

    assert np.array_equal(left, again)
    assert np.abs(left - right).mean() > 0.5


@pytest.mark.usefixtures("steerable")
def test_a_world_of_several_windows_is_told_the_moves_of_each() -> None:
    same = ["forward"] * 20
    ahead, turned = frames_of(*same, *["forward"] * 12), frames_of(*same, *["jump"] * 12)

    # The first window ends with native frame 16; all later moves belong to the second.
    assert np.array_equal(ahead[:15], turned[:15])
    assert np.abs(ahead[-4:] - turned[-4:]).mean() > 0.5


@pytest.mark.parametrize(
    ("followed", "actions", "why"),
    [(1.0, 0, "were trained without actions"), (0.3, 5, "30% were found"), (None, 5, "it was never measured")],
)
def test_weights_that_follow_no_actions_refuse_a_world_and_the_log_knows_no_start(
    exchange: Exchange, studio: Studio, tmp_path: Path, followed: float | None, actions: int, why: str
) -> None:
    exchange(followed, actions)

    with pytest.raises(RequestError, match=why):
        studio.generate(FLIGHT, **SMALL, actions="forward*8", out=tmp_path / "world.mp4")

    assert list(studio.ledger.query(type="generation.started")) == []
    assert not (tmp_path / "world.mp4").exists()


@pytest.mark.usefixtures("steerable")
def test_a_scene_that_is_no_flight_is_not_steered(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="Only a flight over hills of blocks follows actions"):
        studio.generate("a calm blue sea", **SMALL, actions="forward*8", out=tmp_path / "world.mp4")

    assert not (tmp_path / "world.mp4").exists()


def test_the_test_card_makes_no_world() -> None:
    request = GenerationRequest(
        prompt=FLIGHT,
        size=platemark.Size(128, 128),
        frames=2,
        fps=12,
        seed=1,
        conditioning=Conditioning(moves=("none",) * 2),
    )
    with pytest.raises(RequestError, match="cannot make a world"):
        testcard.open_generator().resolve(request)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task": "world"}, "needs to know what the camera does"),
        ({"task": "loop", "actions": "jump*8"}, "takes no actions"),
        ({"actions": "jump*8", "seconds": 2.0}, "one for each frame"),
        ({"actions": "jump*8", "task": "world", "strength": 0.5}, "takes no strength"),
        ({"actions": "jump"}, "seconds must be from"),
        ({"actions": "swim"}, "There is no move"),
    ],
)
def test_what_does_not_fit_a_world_is_refused(studio: Studio, options: GenerateOptions, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        studio.plan(FLIGHT, **(SMALL | options))


def test_there_is_one_move_for_each_frame() -> None:
    with pytest.raises(RequestError, match="needs as many moves"):
        Conditioning(moves=("forward",)).check_fits(platemark.Size(128, 128), frames=2)
