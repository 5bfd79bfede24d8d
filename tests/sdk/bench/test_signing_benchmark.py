"""The signing benchmark counts what it says it counts, and its damage is damage."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from platemark.bench import signing_damage as damage
from platemark.bench import signing_desk as desks
from platemark_provenance.verification import ProvenanceReading

CASES = 25


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> desks.Desk:
    return desks.open_desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def signed(desk: desks.Desk) -> Path:
    clip = desks.make_clip(desk.folder / "plain.mp4", size_bytes=300_000)
    path: Path = desk.sign(clip, "signed.mp4").path
    return path


def test_flipped_bits_in_media_are_all_tampering(desk: desks.Desk, signed: Path) -> None:
    tally = damage.run_campaign(desk, signed, damage.flip_media, cases=CASES)

    assert (tally.cases, tally.tampered, tally.escaped) == (CASES, CASES, 0)


@pytest.mark.parametrize("how", ["flip_manifest", "truncate", "add_box"])
def test_no_damage_stops_the_verifier_or_changes_what_a_trusted_clip_says(
    desk: desks.Desk, signed: Path, how: str
) -> None:
    tally = damage.run_campaign(desk, signed, getattr(damage, how), cases=CASES)

    assert (tally.changed_and_trusted, tally.crashed) == ((), ())


@pytest.mark.parametrize("how", ["flip_media", "flip_manifest", "truncate", "add_box"])
def test_damage_changes_the_file_and_can_be_made_again(signed: Path, how: str) -> None:
    content, harm = signed.read_bytes(), getattr(damage, how)

    once, again = harm(random.Random(7), content), harm(random.Random(7), content)

    assert once == again
    assert once != content


def test_a_change_of_meaning_that_is_believed_is_counted(
    desk: desks.Desk, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Callable[..., ProvenanceReading] = damage.read_provenance
    titles = iter(["as signed", "changed", "as signed"])
    monkeypatch.setattr(damage, "read_provenance", lambda *_: replace(read(signed, desk.trust), generator=next(titles)))

    tally = damage.run_campaign(desk, signed, lambda _, content: content, cases=1)

    assert tally.changed_and_trusted == (0,)


def test_an_exception_is_counted_and_named(desk: desks.Desk, signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, answers = damage.read_provenance(signed, desk.trust), iter([True, False])

    def read(*_: object) -> ProvenanceReading:
        found = good if next(answers) else None
        assert found is not None, "out of order"
        return found

    monkeypatch.setattr(damage, "read_provenance", read)

    tally = damage.run_campaign(desk, signed, lambda _, content: content, cases=1, first_seed=9)

    assert [(seed, text.split(":")[0]) for seed, text in tally.crashed] == [(9, "AssertionError")]
