"""What is said of a clip: the same facts to the manifest and to the caller, and never the prompt or a name."""

import dataclasses
import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from platemark.clip import Clip, ClipId, ClipRequest, Size
from platemark.generation.backend import open_generator
from platemark.homes.home import Home, open_home
from platemark.making.description import MadeFacts, describe, manifest_facts, manifest_for
from platemark.making.outputs import OutputPaths
from platemark.making.screening import Screened
from platemark.media.label import LabelSpec, render_label
from platemark.tasks.text_to_video import TextToVideo, plan_text_to_video
from platemark_policy.engine import Engine
from platemark_policy.rules import load_pack
from platemark_provenance.digest import Sha256Hex
from platemark_provenance.ledger.event import Appended
from platemark_provenance.ledger.store import TreeHead
from platemark_provenance.manifest import build_text_to_video_manifest
from platemark_provenance.signing import SignedAsset
from platemark_provenance.watermark.payload import WatermarkId

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HEAD = TreeHead("platemark.local/daily-example", 41, "ab" * 32)
SECRETS = ("a lighthouse that nobody may read about", "jw.kim", "Kim Ji-woo", "weather")
APPENDED = Appended(seq=40, event_id="01930000-0000-7000-8000-0123456789ab", root="cd" * 32, size=41)


@pytest.fixture
def home(home_path: Path) -> Home:
    """A home whose clock stands still."""
    return open_home(home_path, clock=lambda: NOW)


@pytest.fixture(scope="module")
def made() -> MadeFacts:
    """A clip that was made from a prompt with names attached."""
    prompt, actor, byline, desk = SECRETS
    request = ClipRequest(
        prompt=prompt,
        seconds=1.04,
        size=Size(320, 256),
        fps=24,
        seed=2**63 - 1,
        model="testcard",
        label_language="ko",
        actor=actor,
        byline=byline,
        desk=desk,
    )
    generator = open_generator("testcard")
    task = TextToVideo(prompt=prompt, seconds=1.04, size=request.size, fps=24, seed=request.seed)
    plan = plan_text_to_video(generator, task)
    resolved = dataclasses.replace(plan.resolved, native_width=112, native_height=80)
    engine = Engine(load_pack(None), input_key=bytes(32))
    return MadeFacts(
        clip_id=ClipId("01930000-0000-7000-8000-0123456789ab"),
        request=request,
        generator=generator.info,
        plan=dataclasses.replace(plan, resolved=resolved),
        label=render_label(LabelSpec.standard("ko"), request.size),
        mark_id=WatermarkId(bytes.fromhex("00112233445566aa")),
        screened=Screened(engine.screen_prompt("a calm sea", at=NOW, decision_id="decision-1"), prompt),
    )


@pytest.fixture
def described(made: MadeFacts, tmp_path: Path) -> Clip:
    """The same clip as its caller sees it."""
    signed = SignedAsset(
        path=tmp_path / "part.mp4",
        label="urn:c2pa:label",
        manifest=b"manifest",
        manifest_sha256=Sha256Hex("ef" * 32),
        sha256=Sha256Hex("12" * 32),
        size_bytes=8,
    )
    paths = OutputPaths(tmp_path / "clip.mp4", "01930000-0000-7000-8000-0123456789ab")
    return describe(made, signed, APPENDED, paths=paths, timings={"sign": 0.123456789})


def test_the_manifest_says_when_by_whom_and_with_what(made: MadeFacts, home: Home) -> None:
    facts = manifest_facts(made, home, HEAD)

    assert (facts.created_at, facts.organisation) == (NOW, "Daily Example")
    assert (facts.generator.model_name, facts.generator.model_weights_sha256) == ("testcard", None)
    assert (facts.ledger.origin, facts.ledger.size, facts.ledger.root) == (HEAD.origin, 41, HEAD.root)


def test_the_manifest_tells_the_models_own_size_from_the_clips(made: MadeFacts, home: Home) -> None:
    picture = manifest_facts(made, home, HEAD).picture

    assert (picture.native_size, picture.size) == ((112, 80), (320, 256))
    assert (picture.fps, picture.frames) == (Fraction(24), 25)


def test_the_manifest_names_the_mark_and_the_label_as_drawn(made: MadeFacts, home: Home) -> None:
    facts = manifest_facts(made, home, HEAD)

    assert (facts.watermark_id, facts.watermark_alg) == ("00112233445566aa", "org.platemark.watermark.1")
    assert (facts.label.text, facts.label.language) == ("AI 생성 영상", "ko")
    assert facts.label.box == tuple(made.label.box)


def test_the_manifest_names_the_decision_and_the_pack_that_made_it(made: MadeFacts, home: Home) -> None:
    policy = manifest_facts(made, home, HEAD).policy

    assert (policy.decision_id, policy.verdict, policy.pack_id) == ("decision-1", "allow", "newsroom")


def test_the_manifest_tells_what_was_asked_for_from_what_came_out(made: MadeFacts, home: Home) -> None:
    text = json.dumps(manifest_for(made, home, HEAD))

    assert '"requested": {"task": "text-to-video", "size": {"width": 320, "height": 256}, "seconds": "1.04"' in text
    assert '"frames": 25' in text


def test_neither_the_prompt_nor_a_name_is_in_the_manifest(made: MadeFacts, home: Home) -> None:
    text = json.dumps(build_text_to_video_manifest(manifest_facts(made, home, HEAD)), ensure_ascii=False)

    assert [secret for secret in SECRETS if secret in text] == []


def test_the_title_is_the_clips_identifier(made: MadeFacts, home: Home) -> None:
    assert manifest_facts(made, home, HEAD).title == f"platemark clip {made.clip_id}"


def test_the_caller_gets_the_final_path_and_not_the_hidden_one(described: Clip, tmp_path: Path) -> None:
    assert (described.path, described.receipt) == (tmp_path / "clip.mp4", tmp_path / "clip.mp4.tlog-proof")


def test_a_model_without_weights_has_an_empty_digest(described: Clip) -> None:
    assert described.model.weights_sha256 == ""


def test_the_json_has_lengths_in_whole_frames_and_the_length_asked_for(described: Clip) -> None:
    fields = described.to_json()

    assert (fields["frames"], fields["fps"]) == (25, 24)
    assert fields["seconds"] == pytest.approx(25 / 24)
    assert fields["requested_seconds"] == 1.04


def test_a_seed_too_large_for_json_numbers_is_text(described: Clip) -> None:
    assert described.to_json()["seed"] == "9223372036854775807"


def test_the_json_survives_a_round_trip_and_holds_neither_prompt_nor_names(described: Clip) -> None:
    text = json.dumps(described.to_json(), ensure_ascii=False)

    assert json.loads(text) == described.to_json()
    assert [secret for secret in SECRETS[:3] if secret in text] == []


def test_the_json_names_sizes_as_they_are_asked_for(described: Clip) -> None:
    fields = described.to_json()

    assert (fields["size"], fields["native_size"]) == ("320x256", "112x80")


def test_timings_are_rounded_and_copied(described: Clip) -> None:
    assert described.to_json()["timings"] == {"sign": 0.1235}
