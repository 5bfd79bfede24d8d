"""What may become part of a clip: whole, trusted, free to be used, or let in by a person with a reason."""

from pathlib import Path
from typing import Any

import pytest

from platemark_provenance.errors import SigningError
from platemark_provenance.ingredient_check import (
    MAX_REASON_CHARACTERS,
    Evidence,
    IngredientOverride,
    Objection,
    list_objections,
    override_statement,
    read_reserved_uses,
    settle_objections,
)
from platemark_provenance.manifest_facts import Ingredient
from platemark_provenance.manifest_parts import TRAINED_ALGORITHMIC_MEDIA
from platemark_provenance.reading import ProvenanceReading
from platemark_provenance.report_json import Store

FILE = Path("input.png")
GOOD: dict[str, Any] = {"state": "present", "integrity": "intact", "signer": "trusted", "signer_name": "Agency"}


def _ingredient(**changes: Any) -> Ingredient:
    return Ingredient(**{"path": FILE, "title": "Input", "relationship": "inputTo", "name": "input-1", **changes})


def _kind(reading: dict[str, Any], *, store: Store | None = None, **ingredient: Any) -> str | None:
    evidence = Evidence(ProvenanceReading(path=FILE, **reading), store or Store({}))
    objection = next(iter(list_objections(_ingredient(**ingredient), evidence, organisation="Example News")), None)
    return None if objection is None else objection.kind


def _store(*manifests: dict[str, Any]) -> Store:
    """A chain of manifests, each the parent of the one before it; the entries are those about training and mining."""
    chain = {
        f"m{at}": {
            "assertions": [{"label": "cawg.training-mining", "data": {"entries": entries}}] if entries else [],
            "ingredients": [{"relationship": "parentOf", "active_manifest": f"m{at + 1}"}],
        }
        for at, entries in enumerate(manifests)
    }
    return Store({"active_manifest": "m0", "manifests": chain})


def _use(permission: str, use: str = "cawg.ai_inference") -> dict[str, Any]:
    return {use: {"use": permission}}


def test_a_file_without_a_manifest_claims_nothing_and_is_welcome() -> None:
    assert _kind({"state": "absent"}) is None


def test_a_whole_file_of_a_trusted_signer_is_welcome() -> None:
    assert _kind(GOOD) is None


@pytest.mark.parametrize(
    ("reading", "kind"),
    [
        ({"state": "absent", "media_recognised": False}, "unreadable"),
        ({"state": "malformed"}, "tampered"),
        ({**GOOD, "integrity": "tampered"}, "tampered"),
        ({**GOOD, "integrity": "unknown"}, "tampered"),
        ({**GOOD, "ingredient_fault": "tampered"}, "tampered"),
        ({**GOOD, "ingredient_fault": "recorded"}, "tampered"),
        ({**GOOD, "ingredient_fault": "untrusted"}, "untrusted"),
        ({**GOOD, "signer": "untrusted"}, "untrusted"),
        ({**GOOD, "signer": "expired"}, "untrusted"),
        ({**GOOD, "signer": "revoked"}, "untrusted"),
        ({**GOOD, "signer": "revocation_unknown"}, "untrusted"),
        ({**GOOD, "signer": "not_checked"}, "untrusted"),
        ({"state": "remote_only"}, "untrusted"),
        ({**GOOD, "integrity": "tampered", "signer": "untrusted"}, "tampered"),
    ],
)
def test_a_file_with_a_flaw_is_refused_for_that_flaw(reading: dict[str, Any], kind: str) -> None:
    assert _kind(reading) == kind


def test_a_signer_of_an_old_list_is_trusted_enough_for_an_ingredient() -> None:
    assert _kind({**GOOD, "signer": "legacy_trusted"}) is None


def test_a_file_without_a_manifest_may_be_declared_to_be_something() -> None:
    assert _kind({"state": "absent"}, source_type=TRAINED_ALGORITHMIC_MEDIA) is None


def test_nothing_may_be_declared_about_a_file_that_speaks_for_itself() -> None:
    assert _kind(GOOD, source_type=TRAINED_ALGORITHMIC_MEDIA) == "misdeclared"


@pytest.mark.parametrize("odd", ["trainedAlgorithmicMedia", "http://example.org/real", ""])
def test_a_made_up_source_type_is_refused(odd: str) -> None:
    assert _kind({"state": "absent"}, source_type=odd) == "misdeclared"


@pytest.mark.parametrize("use", ["cawg.ai_inference", "c2pa.ai_inference"])
@pytest.mark.parametrize("permission", ["notAllowed", "constrained", "", "perhaps"])
def test_what_its_owner_keeps_from_models_is_not_shown_to_one(use: str, permission: str) -> None:
    assert _kind(GOOD, store=_store(_use(permission, use)), fed_to_model=True) == "reserved"


def test_what_its_owner_keeps_from_models_may_still_be_stamped() -> None:
    assert _kind(GOOD, store=_store(_use("notAllowed"))) is None


@pytest.mark.parametrize("use", ["cawg.data_mining", "cawg.ai_training", "cawg.ai_generative_training"])
def test_rights_that_a_model_does_not_touch_are_not_in_the_way(use: str) -> None:
    assert _kind(GOOD, store=_store(_use("notAllowed", use)), fed_to_model=True) is None


def test_what_we_signed_ourselves_is_ours_to_use() -> None:
    ours = {**GOOD, "signer_name": "Example News"}

    assert _kind(ours, store=_store(_use("notAllowed")), fed_to_model=True) is None


def test_who_only_calls_himself_by_our_name_is_not_us() -> None:
    evidence = {**GOOD, "signer": "legacy_trusted", "signer_name": "Example News"}

    assert _kind(evidence, store=_store(_use("notAllowed")), fed_to_model=True) == "reserved"


def test_a_reservation_outlives_an_edit_that_says_nothing() -> None:
    assert read_reserved_uses(_store({}, {}, _use("notAllowed"))) == {"cawg.ai_inference"}


def test_what_the_latest_manifest_says_about_a_use_counts() -> None:
    assert read_reserved_uses(_store(_use("allowed"), _use("notAllowed"))) == frozenset()


def test_a_history_that_runs_in_a_circle_is_read_once() -> None:
    around = {"assertions": [], "ingredients": [{"relationship": "parentOf", "active_manifest": "m0"}]}

    assert read_reserved_uses(Store({"active_manifest": "m0", "manifests": {"m0": around}})) == frozenset()


@pytest.mark.parametrize("odd", [None, [], "x", {"entries": 3}, {"entries": {"cawg.ai_inference": 3}}])
def test_odd_entries_never_make_the_check_stumble(odd: object) -> None:
    manifest = {"assertions": [{"label": "cawg.training-mining", "data": odd}], "ingredients": odd}

    read_reserved_uses(Store({"active_manifest": "m0", "manifests": {"m0": manifest}}))


# Overrides


def _objection(kind: Any) -> Objection:
    return Objection(_ingredient(title="Agency\u202e photo"), kind, "it is so")


def test_nothing_to_object_to_needs_no_override() -> None:
    settle_objections([], None)


@pytest.mark.parametrize("kind", ["tampered", "untrusted", "reserved"])
def test_an_objection_without_an_override_is_final_and_names_the_way_out(kind: str) -> None:
    with pytest.raises(SigningError, match=f"it is so.*override '{kind}' with a reason"):
        settle_objections([_objection(kind)], None)


def test_an_override_covers_what_it_names_and_nothing_else() -> None:
    override = IngredientOverride("Licence 2026-114", frozenset({"reserved"}))

    settle_objections([_objection("reserved")], override)
    with pytest.raises(SigningError):
        settle_objections([_objection("reserved"), _objection("tampered")], override)


@pytest.mark.parametrize("kind", ["unreadable", "misdeclared"])
def test_what_is_simply_wrong_cannot_be_overridden(kind: str) -> None:
    everything = IngredientOverride("because", frozenset({"tampered", "untrusted", "reserved"}))

    with pytest.raises(SigningError, match="Use another file, or correct"):
        settle_objections([_objection(kind)], everything)


@pytest.mark.parametrize("reason", ["", " \u200b", "a" * (MAX_REASON_CHARACTERS + 1)])
def test_an_override_gives_its_reason(reason: str) -> None:
    with pytest.raises(SigningError, match="gives its reason"):
        IngredientOverride(reason, frozenset({"tampered"}))


@pytest.mark.parametrize("allows", [set(), {"unreadable"}, {"tampered", "anything"}])
def test_an_override_covers_only_what_can_be_covered(allows: set[str]) -> None:
    with pytest.raises(SigningError, match="covers one or more"):
        IngredientOverride("because", frozenset(allows))


def test_an_override_is_written_down_with_what_it_covered() -> None:
    statement = override_statement(
        [_objection("tampered")], IngredientOverride("Only copy left", frozenset({"tampered"}))
    )

    assert statement == {
        "label": "org.platemark.ingredient-override",
        "data": {
            "schema": 1,
            "reason": "Only copy left",
            "ingredients": [{"name": "input-1", "title": "Agency photo", "finding": "tampered"}],
        },
    }
