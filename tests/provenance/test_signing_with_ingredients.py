"""What a clip was made from is verified before anything is signed, and its history is never dropped."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from c2pa import Context, Reader
from small_media import write_still

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError, VerificationError
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.manifest import (
    TRAINED_ALGORITHMIC_MEDIA,
    Change,
    ManifestFacts,
    build_edit_manifest,
    build_image_to_video_manifest,
    build_stamp_manifest,
    build_still_manifest,
)
from platemark_provenance.signing import (
    Ingredient,
    IngredientOverride,
    SignedAsset,
    SigningOptions,
    sign_file,
)
from platemark_provenance.trust import TrustStore
from platemark_provenance.verdict import Verdict, judge
from platemark_provenance.verification import ProvenanceReading, read_provenance

Leaf = tuple[bytes, bytes]
Sign = Callable[..., SignedAsset]
SignForeign = Callable[..., bytes]
CAPTURED: dict[str, JsonValue] = {
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
                    }
                ]
            },
        }
    ]
}


def _reserving(use: str) -> dict[str, JsonValue]:
    entries: JsonValue = {"cawg.ai_inference": {"use": use}}
    mining: JsonValue = {"label": "cawg.training-mining", "data": {"entries": entries}}
    assertions = CAPTURED["assertions"]
    assert isinstance(assertions, list)
    return {"assertions": [*assertions, mining]}


@pytest.fixture
def sign(plain_clip: Path, tmp_path: Path, signer: ClaimSigner, trust: TrustStore) -> Sign:
    """Sign the plain clip, or another source, with ingredients."""

    def sign_with(
        manifest: dict[str, JsonValue], *ingredients: Ingredient, source: Path = plain_clip, **more: Any
    ) -> SignedAsset:
        options = SigningOptions(ingredients=ingredients, **more)
        out = tmp_path / f"out{source.suffix}"
        return sign_file(source, out, manifest=manifest, signer=signer, trust=trust, options=options)

    return sign_with


@pytest.fixture
def read(trust: TrustStore) -> Callable[[SignedAsset], ProvenanceReading]:
    """Read what was signed."""
    return lambda asset: read_provenance(asset.path, trust)


Read = Callable[[SignedAsset], ProvenanceReading]


def _parent(path: Path, **changes: Any) -> Ingredient:
    return Ingredient(
        **{"path": path, "title": "Earlier clip", "relationship": "parentOf", "name": "parent", **changes}
    )


def _input(path: Path, **changes: Any) -> Ingredient:
    facts = {"title": "First frame", "relationship": "inputTo", "name": "input-1", "fed_to_model": True}
    return Ingredient(**{"path": path, **facts, **changes})


def _ingredients(asset: SignedAsset, trust: TrustStore) -> list[dict[str, Any]]:
    with Context.from_dict(trust.settings_for_signer()) as context, Reader(str(asset.path), context=context) as reader:
        active = reader.get_active_manifest()
    assert active is not None
    return list(active["ingredients"])


# Histories


def test_a_clip_made_from_a_picture_carries_that_picture_as_input(
    sign: Sign, read: Read, facts: ManifestFacts, tmp_path: Path, trust: TrustStore
) -> None:
    still = _input(write_still(tmp_path / "still.png"))

    asset = sign(build_image_to_video_manifest(facts, [still]), still)

    (found,) = _ingredients(asset, trust)
    assert (found["relationship"], found["title"]) == ("inputTo", "First frame")
    assert (read(asset).ingredients, read(asset).ai) == ("ok", "fully")


def test_an_edited_clip_keeps_the_clip_it_came_from(
    sign: Sign, read: Read, facts: ManifestFacts, signed_clip: SignedAsset, trust: TrustStore
) -> None:
    parent = _parent(signed_clip.path)

    asset = sign(build_edit_manifest(facts, parent, changes=[Change("extended")]), parent)

    (found,) = _ingredients(asset, trust)
    assert (found["relationship"], found["active_manifest"]) == ("parentOf", signed_clip.label)
    assert judge(read(asset)).verdict is Verdict.TRUSTED


def test_a_signed_clip_may_be_signed_again_with_itself_as_its_parent(
    sign: Sign, read: Read, facts: ManifestFacts, signed_clip: SignedAsset
) -> None:
    parent = _parent(signed_clip.path)

    asset = sign(build_edit_manifest(facts, parent, changes=[Change("transcoded")]), parent, source=signed_clip.path)

    assert (read(asset).signer, read(asset).ingredients) == ("trusted", "ok")


def test_a_copy_of_the_signed_clip_is_as_good_a_parent(
    sign: Sign, read: Read, facts: ManifestFacts, signed_clip: SignedAsset, write_copy: Callable[[bytes], Path]
) -> None:
    parent = _parent(write_copy(signed_clip.path.read_bytes()))

    asset = sign(build_edit_manifest(facts, parent, changes=[Change("transcoded")]), parent, source=signed_clip.path)

    assert read(asset).signer == "trusted"


def test_another_clip_as_parent_does_not_keep_the_history_of_this_one(
    sign: Sign, facts: ManifestFacts, signed_clip: SignedAsset, other_clip: Path
) -> None:
    parent = _parent(other_clip)

    with pytest.raises(SigningError, match="carries a manifest already"):
        sign(build_edit_manifest(facts, parent, changes=[Change("trimmed")]), parent, source=signed_clip.path)


def test_the_clip_as_its_own_input_does_not_keep_its_history_either(
    sign: Sign, facts: ManifestFacts, signed_clip: SignedAsset
) -> None:
    shown = _input(signed_clip.path, fed_to_model=False)

    with pytest.raises(SigningError, match="carries a manifest already"):
        sign(build_image_to_video_manifest(facts, [shown]), shown, source=signed_clip.path)


@pytest.mark.parametrize(("declared", "ai"), [(TRAINED_ALGORITHMIC_MEDIA, "fully"), (None, "none_declared")])
def test_a_stamped_clip_is_ai_as_far_as_somebody_declares_it(
    sign: Sign, read: Read, facts: ManifestFacts, plain_clip: Path, declared: str | None, ai: str
) -> None:
    parent = _parent(plain_clip, source_type=declared)

    asset = sign(build_stamp_manifest(facts, parent), parent)

    assert (read(asset).signer, read(asset).ai) == ("trusted", ai)


def test_a_filmed_clip_that_a_model_extended_is_partly_ai(
    sign: Sign,
    read: Read,
    facts: ManifestFacts,
    plain_clip_bytes: bytes,
    own_leaf: Leaf,
    sign_foreign: SignForeign,
    write_copy: Callable[[bytes], Path],
) -> None:
    filmed = _parent(write_copy(sign_foreign(plain_clip_bytes, own_leaf, CAPTURED)))

    asset = sign(build_edit_manifest(facts, filmed, changes=[Change("extended")]), filmed)

    assert read(asset).ai == "partly"


def test_a_filmed_clip_that_was_only_cut_is_not_ai(
    sign: Sign,
    read: Read,
    facts: ManifestFacts,
    plain_clip_bytes: bytes,
    own_leaf: Leaf,
    sign_foreign: SignForeign,
    write_copy: Callable[[bytes], Path],
) -> None:
    filmed = _parent(write_copy(sign_foreign(plain_clip_bytes, own_leaf, CAPTURED)))

    asset = sign(build_edit_manifest(facts, filmed, changes=[Change("trimmed")]), filmed)

    assert read(asset).ai == "none_declared"


def test_joined_clips_are_all_on_record(
    sign: Sign, read: Read, facts: ManifestFacts, signed_clip: SignedAsset, other_clip: Path, trust: TrustStore
) -> None:
    parent = _parent(signed_clip.path)
    second = Ingredient(other_clip, "Second clip", "componentOf", "part-2")
    manifest = build_edit_manifest(facts, parent, changes=[Change("joined")], components=[second])

    asset = sign(manifest, parent, second)

    assert [each["relationship"] for each in _ingredients(asset, trust)] == ["parentOf", "componentOf"]


def test_a_still_made_from_a_still_is_signed(sign: Sign, read: Read, facts: ManifestFacts, tmp_path: Path) -> None:
    made, shown = write_still(tmp_path / "made.png", seed=2), _input(write_still(tmp_path / "shown.webp"))
    still_facts = replace(facts, picture=replace(facts.picture, native_size=(64, 64), size=(64, 64), frames=1))

    asset = sign(build_still_manifest(still_facts, [shown]), shown, source=made)

    assert (read(asset).signer, read(asset).ingredients, read(asset).ai) == ("trusted", "ok", "fully")


def test_an_ingredient_of_a_kind_the_library_does_not_know_is_kept_by_its_hash(
    sign: Sign, read: Read, facts: ManifestFacts, plain_clip_bytes: bytes, tmp_path: Path
) -> None:
    odd = tmp_path / "clip.ts"
    odd.write_bytes(plain_clip_bytes)

    asset = sign(build_image_to_video_manifest(facts, [_input(odd)]), _input(odd))

    assert read(asset).ingredients == "ok"


# Refusals


@pytest.fixture
def tampered(signed_clip: SignedAsset, write_copy: Callable[[bytes], Path]) -> Path:
    """The signed clip with one bit of its media changed."""
    content = bytearray(signed_clip.path.read_bytes())
    content[-1000] ^= 1
    return write_copy(bytes(content))


@pytest.fixture
def stranger(
    plain_clip_bytes: bytes, stranger_leaf: Leaf, sign_foreign: SignForeign, write_copy: Callable[[bytes], Path]
) -> Path:
    """A whole clip signed by somebody nobody here trusts."""
    return write_copy(sign_foreign(plain_clip_bytes, stranger_leaf, CAPTURED))


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    """A file that is no picture and no clip."""
    (tmp_path / "nothing.mp4").write_bytes(b"no film at all\n" * 20)
    return tmp_path / "nothing.mp4"


@pytest.mark.parametrize(
    ("flaw", "why"),
    [
        ("tampered", "changed after it was signed"),
        ("stranger", "signer is untrusted"),
        ("nothing", "no picture or clip"),
    ],
)
def test_a_bad_parent_is_refused_and_nothing_is_written(
    sign: Sign, facts: ManifestFacts, tmp_path: Path, request: pytest.FixtureRequest, flaw: str, why: str
) -> None:
    parent = _parent(request.getfixturevalue(flaw))

    with pytest.raises(SigningError, match=why):
        sign(build_stamp_manifest(facts, parent), parent)

    assert not (tmp_path / "out.mp4").exists()


def test_a_parent_whose_own_parent_was_tampered_with_is_refused(
    sign: Sign,
    facts: ManifestFacts,
    tampered: Path,
    own_leaf: Leaf,
    plain_clip_bytes: bytes,
    sign_foreign: SignForeign,
    write_copy: Callable[[bytes], Path],
) -> None:
    described: dict[str, JsonValue] = {"title": "t", "relationship": "parentOf"}
    laundered = sign_foreign(
        plain_clip_bytes, own_leaf, {"assertions": []}, ingredients=((described, tampered.read_bytes()),), edit=True
    )
    parent = _parent(write_copy(laundered))

    with pytest.raises(SigningError, match="something it was made from had been changed"):
        sign(build_stamp_manifest(facts, parent), parent)


def test_a_missing_ingredient_is_named(sign: Sign, facts: ManifestFacts, tmp_path: Path) -> None:
    missing = _parent(tmp_path / "gone.mp4")

    with pytest.raises(VerificationError, match=r"gone\.mp4"):
        sign(build_stamp_manifest(facts, missing), missing)


@pytest.mark.parametrize("use", ["notAllowed", "constrained"])
def test_a_picture_whose_owner_keeps_it_from_models_is_refused_with_that_reason(
    sign: Sign,
    facts: ManifestFacts,
    plain_clip_bytes: bytes,
    stranger_leaf: Leaf,
    sign_foreign: SignForeign,
    write_copy: Callable[[bytes], Path],
    plain_clip: Path,
    tmp_path: Path,
    signer: ClaimSigner,
    pki: Any,
    stranger_pki: Any,
    use: str,
) -> None:
    shown = _input(write_copy(sign_foreign(plain_clip_bytes, stranger_leaf, _reserving(use))))
    both = TrustStore(manifest_anchors=(pki.root_pem, stranger_pki.root_pem))
    manifest = build_image_to_video_manifest(facts, [shown])

    with pytest.raises(SigningError, match=r"does not allow it to be shown to a model \(cawg\.ai_inference\)"):
        sign_file(
            plain_clip,
            tmp_path / "out.mp4",
            manifest=manifest,
            signer=signer,
            trust=both,
            options=SigningOptions(ingredients=(shown,)),
        )


def test_our_own_clip_may_be_shown_to_our_own_model(
    sign: Sign, read: Read, facts: ManifestFacts, signed_clip: SignedAsset
) -> None:
    shown = _input(signed_clip.path)

    asset = sign(build_image_to_video_manifest(facts, [shown]), shown)

    assert read(asset).signer == "trusted"


# Overrides


@pytest.mark.parametrize(("flaw", "kind"), [("tampered", "tampered"), ("stranger", "untrusted")])
def test_an_editor_may_use_a_bad_parent_for_a_reason_that_everybody_can_read(
    sign: Sign, read: Read, facts: ManifestFacts, request: pytest.FixtureRequest, flaw: str, kind: str
) -> None:
    parent = _parent(request.getfixturevalue(flaw))
    override = IngredientOverride("Only copy of a public document.", frozenset({kind}))

    asset = sign(build_stamp_manifest(facts, parent), parent, override=override)

    reading = read(asset)
    assert [each.kind for each in asset.overridden] == [kind]
    assert reading.own is not None
    assert reading.own.override_reason == "Only copy of a public document."


def test_a_clip_over_a_tampered_parent_is_never_shown_as_having_good_ingredients(
    sign: Sign, read: Read, facts: ManifestFacts, tampered: Path
) -> None:
    override = IngredientOverride("Only copy.", frozenset({"tampered"}))

    reading = read(sign(build_stamp_manifest(facts, _parent(tampered)), _parent(tampered), override=override))

    assert (reading.integrity, reading.ingredients) == ("intact", "failed")
    assert judge(reading).verdict is not Verdict.TRUSTED


def test_an_override_for_one_flaw_does_not_let_in_another(sign: Sign, facts: ManifestFacts, tampered: Path) -> None:
    override = IngredientOverride("We know them.", frozenset({"untrusted"}))

    with pytest.raises(SigningError, match="changed after it was signed"):
        sign(build_stamp_manifest(facts, _parent(tampered)), _parent(tampered), override=override)


def test_an_override_that_was_not_needed_leaves_no_trace(
    sign: Sign, read: Read, facts: ManifestFacts, signed_clip: SignedAsset
) -> None:
    override = IngredientOverride("In case.", frozenset({"tampered"}))
    parent = _parent(signed_clip.path)

    asset = sign(build_edit_manifest(facts, parent, changes=[Change("trimmed")]), parent, override=override)

    own = read(asset).own
    assert own is not None
    assert (own.override_reason, asset.overridden) == (None, ())


def test_an_ingredient_that_no_action_speaks_of_is_still_on_record(
    sign: Sign, manifest: dict[str, JsonValue], tmp_path: Path, trust: TrustStore
) -> None:
    silent = _input(write_still(tmp_path / "still.jpg"))

    asset = sign(manifest, silent)

    assert [each["relationship"] for each in _ingredients(asset, trust)] == ["inputTo"]


def test_an_action_that_speaks_of_a_missing_ingredient_is_refused(
    sign: Sign, facts: ManifestFacts, tmp_path: Path
) -> None:
    still = _input(write_still(tmp_path / "still.png"))

    with pytest.raises(SigningError):
        sign(build_image_to_video_manifest(facts, [still]))

    assert not (tmp_path / "out.mp4").exists()
