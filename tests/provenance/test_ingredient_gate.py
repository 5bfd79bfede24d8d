"""All ingredients are read, and all that speaks against them is found, in their order."""

from pathlib import Path

import pytest
from small_media import write_still

from platemark_provenance.errors import SigningError, VerificationError
from platemark_provenance.ingredient_gate import find_objections
from platemark_provenance.manifest_facts import Ingredient
from platemark_provenance.trust import TrustStore

TRUST = TrustStore()


def ingredient(path: Path, name: str) -> Ingredient:
    return Ingredient(path, "Given still", "inputTo", name, fed_to_model=True)


def test_what_nobody_signed_is_welcome(tmp_path: Path) -> None:
    files = [ingredient(write_still(tmp_path / f"{n}.png", seed=n), f"still-{n}") for n in (1, 2)]

    assert find_objections(files, TRUST, chain_pem=b"") == ()


def test_nothing_has_no_objections() -> None:
    assert find_objections((), TRUST, chain_pem=b"not even a certificate") == ()


def test_each_bad_file_is_named_in_the_order_they_came(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("not a picture")
    (tmp_path / "c.png").write_text("nor this")
    good = write_still(tmp_path / "b.png")
    files = [ingredient(tmp_path / "a.png", "a"), ingredient(good, "b"), ingredient(tmp_path / "c.png", "c")]

    found = find_objections(files, TRUST, chain_pem=b"")

    assert [(each.ingredient.name, each.kind) for each in found] == [("a", "unreadable"), ("c", "unreadable")]


def test_a_list_that_no_manifest_can_have_is_refused(tmp_path: Path) -> None:
    file = write_still(tmp_path / "a.png")

    with pytest.raises(SigningError, match="name of its own"):
        find_objections([ingredient(file, "a"), ingredient(file, "a")], TRUST, chain_pem=b"")


def test_a_missing_file_is_an_error_and_no_objection(tmp_path: Path) -> None:
    with pytest.raises(VerificationError):
        find_objections([ingredient(tmp_path / "gone.png", "a")], TRUST, chain_pem=b"")
