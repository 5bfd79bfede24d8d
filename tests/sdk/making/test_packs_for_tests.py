"""A pack for tests is stamped into the manifest, shown by verify for ever, and never gets past the publish gate."""

import json
from pathlib import Path

import pytest

import platemark
from platemark.clip import Clip
from platemark.errors import PublicationRefused
from platemark.homes.home import open_home
from platemark.homes.pack_installing import install_pack
from platemark.homes.pack_keys import pack_signing_key
from platemark.studio import Studio
from platemark_policy.pack_signing import sign_pack
from platemark_policy.rules import load_pack

PERMISSIVE = """\
id: lenient
version: "1"
permissive: true
rules:
  - id: T1
    category: fruit
    action: review
    overridable: true
    when: {words: [durian]}
    reason: {en: No durians., ko: 두리안 금지.}
    source: test
    examples: {match: [a durian], no_match: [a pear]}
"""


def install(home_path: Path, tmp_path: Path) -> None:
    home, pack = open_home(home_path), tmp_path / "lenient.yaml"
    pack.write_text(PERMISSIVE, "utf-8")
    signature = sign_pack(load_pack(pack).pack_id, pack_signing_key(home.keys))
    pack.with_name("lenient.yaml.sig").write_bytes(signature.to_bytes())
    install_pack(home, pack)


def make(home_path: Path, out: Path) -> Clip:
    with Studio.open(home_path) as studio:
        return studio.generate(
            "a calm blue sea",
            model="testcard",
            seconds=0.5,
            size="128x128",
            seed=7,
            out=out,
            actor="jw.kim",
            byline="Kim Ji-woo",
        )


@pytest.fixture
def lenient(home_path: Path, tmp_path: Path) -> Clip:
    """A clip made under a pack for tests."""
    install(home_path, tmp_path)
    return make(home_path, tmp_path / "lenient.mp4")


def test_verify_says_so_in_both_languages_and_in_json(lenient: Clip, home_path: Path) -> None:
    report = platemark.verify(lenient.path, home=home_path)

    assert report.for_tests_only
    assert "tests only" in report.explain("en")
    assert "시험용" in report.explain("ko")
    assert json.loads(json.dumps(report.to_json()))["for_tests_only"] is True


def test_a_stranger_to_the_home_is_told_as_well(lenient: Clip) -> None:
    assert platemark.verify(lenient.path).for_tests_only


def test_a_clip_under_ordinary_rules_says_nothing_of_tests(clip: Clip, home_path: Path) -> None:
    report = platemark.verify(clip.path, home=home_path)

    assert not report.for_tests_only
    assert "tests only" not in report.explain("en")


def test_the_decision_in_the_log_says_so_too(lenient: Clip, home_path: Path) -> None:
    with open_home(home_path).open_ledger() as ledger:
        decided = [event.facts["decision"] for event in ledger.trace(lenient.clip_id) if "decision" in event.facts]

    assert decided
    assert all(isinstance(each, dict) and each["is_permissive"] is True for each in decided)


def test_the_gate_does_not_publish_it(gated_path: Path, tmp_path: Path) -> None:
    install(gated_path, tmp_path)
    draft = make(gated_path, tmp_path / "draft.mp4")

    with Studio.open(gated_path) as studio, pytest.raises(PublicationRefused, match="tests only"):
        studio.publish(draft.path, approver="editor", reason="looks fine")
