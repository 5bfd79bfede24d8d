"""What the log and the given files say counts in the pipeline: records, earlier refusals, and looks at pictures."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from platemark.errors import PromptHeld, PromptRefused
from platemark.homes.home import Home
from platemark.homes.records import NewRecord
from platemark.homes.refusals import history_of
from platemark.inputs import GivenImage, Inputs
from platemark.making import looking, surroundings
from platemark.making.looking import FrameWatch, look_at
from platemark.making.material import inspect
from platemark.studio import GenerateOptions, Studio
from platemark_policy import nudity
from platemark_policy.errors import PolicyError
from platemark_policy.frames import RGB
from platemark_policy.history import Limits
from platemark_policy.nudity import CERTAIN
from platemark_provenance.digest import sha256_file

SHORT: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "128x128", "seed": 7}
NAMED = "Watercolour of Angela Merkel in a garden"
REFUSED = "no label and no watermark, strip the C2PA so that nobody knows it is AI"
"""Refused under the newsroom pack, and nobody may overrule it."""


def make(studio: Studio, prompt: str, out: Path, *, actor: str = "jw.kim", image: Path | None = None) -> object:
    given: GenerateOptions = {"images": (image,), "model": "embedded", "steps": 2} if image is not None else {}
    return studio.generate(prompt, **{**SHORT, **given}, actor=actor, out=out)


def decisions(studio: Studio, of: str) -> list[dict[str, object]]:
    found = [event.facts for event in studio.ledger.query(type="policy.decided") if event.facts.get("of") == of]
    return [dict(facts["decision"]) for facts in found]  # type: ignore[call-overload]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "clip.mp4"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.full((128, 128, 3), 90, dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Make every look at a picture give one score."""

    def give(score: float) -> None:
        monkeypatch.setattr(looking, "look_for_nudity", lambda picture: score)

    return give


def record(studio: Studio, *, keeper: str = "editor", **what: object) -> str:
    home: Home = studio.home
    until = datetime.now(UTC) + timedelta(days=9)
    new = NewRecord(reason="form", until=until, **what)  # type: ignore[arg-type]
    return home.record_book(studio.ledger, home.policy_engine()).add(new, keeper=keeper).id


def test_a_record_of_consent_lets_a_held_prompt_go_on_and_stands_in_its_decision(studio: Studio, out: Path) -> None:
    with pytest.raises(PromptHeld):
        make(studio, NAMED, out)
    added = record(studio, kind="consent", names=("Angela Merkel", "Merkel"))

    make(studio, NAMED, out)

    assert out.exists()
    assert decisions(studio, "prompt")[0]["consent_ids"] == [added]


def test_a_record_that_the_asker_added_does_not(studio: Studio, out: Path) -> None:
    record(studio, kind="consent", names=("Angela Merkel", "Merkel"), keeper="jw.kim")

    with pytest.raises(PromptHeld):
        make(studio, NAMED, out)


def test_the_country_of_the_publisher_is_what_calendars_are_read_for(studio: Studio, out: Path) -> None:
    make(studio, "a calm sea", out)

    assert decisions(studio, "prompt")[0]["jurisdiction"] == "kr"


def test_frames_that_look_like_nudity_are_not_published(
    studio: Studio, out: Path, sees: Callable[[float], None]
) -> None:
    sees(CERTAIN)

    with pytest.raises(PromptRefused) as refused:
        make(studio, "a calm sea", out)

    assert [finding.rule_id for finding in refused.value.decision.findings] == ["V05"]
    assert not out.exists()


def test_frames_that_nobody_could_look_at_block_although_the_network_is_there(
    studio: Studio, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(picture: RGB) -> float:
        raise PolicyError("broken")

    monkeypatch.setattr(looking, "look_for_nudity", fail)

    with pytest.raises(PromptRefused) as refused:
        make(studio, "a calm sea", out)

    assert [finding.rule_id for finding in refused.value.decision.findings] == ["V06"]


def test_without_the_network_the_decision_says_that_nobody_looked(
    studio: Studio, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "can_look", lambda: False)

    make(studio, "a calm sea", out)

    assert decisions(studio, "frames")[0]["degraded"] == ["vision pictures: not looked at"]


def test_a_home_that_requires_looks_publishes_nothing_without_the_network(
    home_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("[policy]", '[policy]\npictures = "required"'), "utf-8")
    monkeypatch.setattr(looking, "can_look", lambda: False)

    with Studio.open(home_path) as studio, pytest.raises(PromptRefused):
        make(studio, "a calm sea", out)


def test_a_given_picture_is_looked_at_before_the_model_runs(
    studio: Studio, out: Path, photo: Path, sees: Callable[[float], None]
) -> None:
    sees(CERTAIN)

    with pytest.raises(PromptRefused) as refused:
        make(studio, "a calm sea", out, image=photo)

    assert [finding.rule_id for finding in refused.value.decision.findings] == ["V01"]
    assert "generation.started" not in [event.type for event in studio.ledger.query()]


def test_a_calm_picture_goes_on_and_its_decision_is_logged(studio: Studio, out: Path, photo: Path) -> None:
    make(studio, "a calm sea", out, image=photo)

    (decided,) = decisions(studio, "still-1")
    assert (decided["verdict"], decided["degraded"]) == ("allow", [])


def test_where_rights_are_required_a_picture_needs_its_record(home_path: Path, out: Path, photo: Path) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("[policy]", '[policy]\nrights = "required"'), "utf-8")

    with Studio.open(home_path) as studio:
        with pytest.raises(PromptHeld) as held:
            make(studio, "a calm sea", out, image=photo)
        record(studio, kind="rights", files=(sha256_file(photo),))
        make(studio, "a calm sea", out, image=photo)

    assert [finding.rule_id for finding in held.value.decision.findings] == ["V04"]
    assert out.exists()


def refuse(studio: Studio, prompt: str, out: Path, actor: str) -> None:
    with pytest.raises(PromptRefused):
        make(studio, prompt, out, actor=actor)


def test_refusals_are_counted_for_each_person_from_the_log(studio: Studio, out: Path) -> None:
    refuse(studio, REFUSED, out, "jw.kim")
    refuse(studio, REFUSED, out, "jw.kim")
    refuse(studio, REFUSED, out, "other")

    now = datetime.now(UTC)
    counts = [
        len(history_of(studio.ledger, actor=actor, at=now, limits=Limits()).refusals)
        for actor in ("jw.kim", "other", "nobody", "")
    ]
    assert counts == [2, 1, 0, 0]


def test_after_too_many_refusals_a_persons_next_prompt_waits(home_path: Path, out: Path) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("[policy]", "[policy]\nrefusals_an_hour = 2"), "utf-8")
    with Studio.open(home_path) as studio:
        refuse(studio, REFUSED, out, "jw.kim")
        refuse(studio, REFUSED, out, "jw.kim")

        with pytest.raises(PromptHeld) as held:
            make(studio, "a calm sea", out, actor="jw.kim")
        make(studio, "a calm sea", out, actor="other")

    assert [finding.rule_id for finding in held.value.decision.findings] == ["L01"]


def test_a_refusal_is_remembered_by_its_sketch_and_categories_alone(studio: Studio, out: Path) -> None:
    refuse(studio, REFUSED, out, "jw.kim")

    (past,) = history_of(studio.ledger, actor="jw.kim", at=datetime.now(UTC), limits=Limits()).refusals

    assert past.categories == {"evasion"}
    assert len(past.sketch) == 32


def test_what_was_refused_later_is_not_known_before(studio: Studio, out: Path) -> None:
    before = datetime.now(UTC)
    refuse(studio, REFUSED, out, "jw.kim")

    assert history_of(studio.ledger, actor="jw.kim", at=before, limits=Limits()).refusals == ()


def test_a_still_is_looked_at_once(photo: Path) -> None:
    material = inspect(Inputs(images=(GivenImage(photo),)))

    looks = look_at(material.images[0], lambda picture: 0.25)

    assert looks is not None
    assert (looks.places, looks.scores) == ((0,), (0.25,))


def test_without_the_network_nobody_looks(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "can_look", lambda: False)

    assert look_at(inspect(Inputs(images=(GivenImage(photo),))).images[0]) is None


def test_a_watch_sees_what_the_screen_and_the_network_see() -> None:
    watch = FrameWatch(fps=4, look=lambda frame: float(frame.mean()) / 255)
    watch.feed(np.zeros((16, 16, 3), np.uint8))
    watch.feed(np.full((16, 16, 3), 255, np.uint8))

    seen = watch.seen()

    assert seen.facts.frames == 2
    assert seen.looks is not None
    assert seen.looks.scores == (0.0, 1.0)


def test_the_network_is_found_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nudity.can_look()
    monkeypatch.setattr(nudity, "find_spec", lambda name: None)
    assert not nudity.can_look()
    assert surroundings is not None
