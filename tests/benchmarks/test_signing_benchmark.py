"""The signing benchmark counts what it says it counts, and its damage is damage."""

import importlib.util
import json
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from platemark_provenance.verification import ProvenanceReading

FOLDER = Path(__file__).parents[2] / "benchmarks"
CASES = 25


def _load(name: str) -> ModuleType:
    """Import a module of the benchmarks, which lie outside every package."""
    found = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert found is not None and found.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


claims = _load("claims")
desks = _load("signing_desk")
damage = _load("signing_damage")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return desks.open_desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def signed(desk: Any) -> Path:
    clip = desks.make_clip(desk.folder / "plain.mp4", size_bytes=300_000)
    path: Path = desk.sign(clip, "signed.mp4").path
    return path


def test_flipped_bits_in_media_are_all_tampering(desk: Any, signed: Path) -> None:
    tally = damage.run_campaign(desk, signed, damage.flip_media, cases=CASES)

    assert (tally.cases, tally.tampered, tally.escaped) == (CASES, CASES, 0)


@pytest.mark.parametrize("how", ["flip_manifest", "truncate", "add_box"])
def test_no_damage_stops_the_verifier_or_changes_what_a_trusted_clip_says(desk: Any, signed: Path, how: str) -> None:
    tally = damage.run_campaign(desk, signed, getattr(damage, how), cases=CASES)

    assert (tally.changed_and_trusted, tally.crashed) == ((), ())


@pytest.mark.parametrize("how", ["flip_media", "flip_manifest", "truncate", "add_box"])
def test_damage_changes_the_file_and_can_be_made_again(signed: Path, how: str) -> None:
    content, harm = signed.read_bytes(), getattr(damage, how)

    once, again = harm(random.Random(7), content), harm(random.Random(7), content)

    assert once == again
    assert once != content


def test_a_change_of_meaning_that_is_believed_is_counted(
    desk: Any, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Callable[..., ProvenanceReading] = damage.read_provenance
    titles = iter(["as signed", "changed", "as signed"])
    monkeypatch.setattr(damage, "read_provenance", lambda *_: replace(read(signed, desk.trust), generator=next(titles)))

    tally = damage.run_campaign(desk, signed, lambda _, content: content, cases=1)

    assert tally.changed_and_trusted == (0,)


def test_an_exception_is_counted_and_named(desk: Any, signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, answers = damage.read_provenance(signed, desk.trust), iter([True, False])

    def read(*_: object) -> ProvenanceReading:
        found = good if next(answers) else None
        assert found is not None, "out of order"
        return found

    monkeypatch.setattr(damage, "read_provenance", read)

    tally = damage.run_campaign(desk, signed, lambda _, content: content, cases=1, first_seed=9)

    assert [(seed, text.split(":")[0]) for seed, text in tally.crashed] == [(9, "AssertionError")]


@pytest.mark.parametrize(
    ("value", "ratio", "least", "holds"),
    [
        (3.0, None, False, False),
        (2.0, None, False, True),
        (9.0, 1.9, False, True),
        (9.0, 2.1, False, False),
        (3.0, None, True, True),
    ],
)
def test_a_claim_holds_by_its_ratio_where_it_has_one(
    value: float, ratio: float | None, least: bool, holds: bool
) -> None:
    claim = claims.Claim("it is quick", value, "s", 2.0, ratio=ratio, least=least)

    assert claim.holds is holds
    assert claim.to_json()["ok"] is holds


def test_the_result_is_one_object_with_the_fields_of_the_contract(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = claims.parse_options("A benchmark.", ["--json", "--quick", "--plot", str(tmp_path)])
    claim = claims.Claim("a < b", 1.0, "s", 2.0)

    code = claims.hand_over("example", [claim], options)

    result = json.loads(capsys.readouterr().out)
    assert code == 0
    assert set(result) == {"name", "machine", "claims"}
    assert set(result["claims"][0]) == {"claim", "value", "unit", "target", "peer", "ratio", "ok"}
    assert "a &lt; b" in (tmp_path / "example.svg").read_text(encoding="utf-8")


def test_a_claim_that_does_not_hold_makes_the_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    options = claims.parse_options("A benchmark.", [])

    code = claims.hand_over("example", [claims.Claim("too slow", 3.0, "s", 2.0)], options)

    assert code == 1
    assert capsys.readouterr().out.startswith("RED too slow: 3 s (target <= 2)")
