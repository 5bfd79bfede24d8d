"""Every kind of manifest keeps every rule of the conformance programme, and an independent verifier agrees."""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import conformance_rules as rules
import pytest
from c2pa import Context, Reader
from conformance_rules import RULES, Rule
from small_media import still_bytes, write_still
from time_authority import Authority, open_time_authority

from platemark_provenance.digest import JsonValue
from platemark_provenance.keys import ClaimSigner
from platemark_provenance.manifest import (
    TRAINED_ALGORITHMIC_MEDIA,
    Change,
    Ingredient,
    ManifestFacts,
    PictureFacts,
    build_edit_manifest,
    build_image_to_video_manifest,
    build_stamp_manifest,
    build_still_manifest,
    build_text_to_video_manifest,
)
from platemark_provenance.manifest_metadata import PersonalFacts, with_personal_metadata
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.resigning import Resigner, add_time_stamp, redact_personal
from platemark_provenance.signing import SignedAsset, SigningOptions, Thumbnail, TimeStampPolicy, sign_file
from platemark_provenance.trust import TrustStore

KINDS = [
    "text-to-video",
    "text-to-video, in place",
    "image-to-video",
    "image-to-video from a signed still",
    "edit",
    "join",
    "stamp",
    "still",
    "time-stamped",
    "time-stamped later",
    "redacted",
]


@dataclass(frozen=True)
class Bench:
    """Everything that is needed to make one file of each kind."""

    folder: Path
    clip: Path
    facts: ManifestFacts
    resigner: Resigner
    policy: TimeStampPolicy

    def sign(self, name: str, manifest: Mapping[str, JsonValue], *used: Ingredient, **more: Any) -> SignedAsset:
        source = more.pop("source", self.clip)
        return sign_file(
            source,
            self.folder / f"{name}{source.suffix}",
            manifest=manifest,
            signer=self.resigner.signer,
            trust=self.resigner.trust,
            options=SigningOptions(ingredients=used, **more),
        )


@pytest.fixture(scope="module")
def authority(moment: datetime) -> Iterator[Authority]:
    with open_time_authority(moment) as running:
        yield running


@pytest.fixture(scope="module")
def assets(
    plain_clip: Path,
    other_clip: Path,
    facts: ManifestFacts,
    pki: DevelopmentPki,
    signer: ClaimSigner,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, SignedAsset]:
    """One signed file of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))
    policy = TimeStampPolicy("require", authority.url)
    bench = Bench(folder, plain_clip, facts, Resigner(signer, trust, "0.1.0"), policy)
    return {**_made(bench), **_changed(bench, other_clip)}


def _made(bench: Bench) -> dict[str, SignedAsset]:
    facts = bench.facts
    made = build_text_to_video_manifest(facts)
    still_facts = replace(facts, picture=PictureFacts((64, 64), (64, 64), Fraction(1), 1))
    plain = write_still(bench.folder / "plain.png")
    still = bench.sign("still", build_still_manifest(still_facts), source=plain)
    shown = Ingredient(plain, "First frame", "inputTo", "input-1", fed_to_model=True)
    ours = replace(shown, path=still.path)
    thumbnail = Thumbnail("image/jpeg", still_bytes(".jpg"))
    return {
        "text-to-video": bench.sign("t2v", made, thumbnail=thumbnail),
        "text-to-video, in place": _in_place(lambda: bench.sign("t2v-in-place", made, thumbnail=thumbnail)),
        "image-to-video": bench.sign("i2v", build_image_to_video_manifest(facts, [shown]), shown),
        "image-to-video from a signed still": bench.sign("i2vs", build_image_to_video_manifest(facts, [ours]), ours),
        "still": still,
        "time-stamped": bench.sign("stamped", made, time_stamp=bench.policy),
    }


def _in_place(sign: Callable[[], SignedAsset]) -> SignedAsset:
    """Sign as clips are signed that are too big for these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platemark_provenance.claim_in_place.BIG_FILE_BYTES", 0)
        return sign()


def _changed(bench: Bench, other_clip: Path) -> dict[str, SignedAsset]:
    facts = bench.facts
    first = bench.sign("first", with_personal_metadata(build_text_to_video_manifest(facts), PersonalFacts("a city")))
    parent = Ingredient(first.path, "Earlier clip", "parentOf", "parent")
    foreign = Ingredient(other_clip, "Foreign clip", "parentOf", "parent", source_type=TRAINED_ALGORITHMIC_MEDIA)
    second = Ingredient(other_clip, "Second clip", "componentOf", "part-2")
    changes = [Change("trimmed"), Change("extended", "Two seconds more.")]
    joined = build_edit_manifest(facts, parent, changes=[Change("joined")], components=[second])
    later, redacted = bench.folder / "later.mp4", bench.folder / "redacted.mp4"
    return {
        "edit": bench.sign("edit", build_edit_manifest(facts, parent, changes=changes), parent),
        "join": bench.sign("join", joined, parent, second),
        "stamp": bench.sign("stamp", build_stamp_manifest(facts, foreign), foreign),
        "time-stamped later": add_time_stamp(first.path, later, resigner=bench.resigner, policy=bench.policy),
        "redacted": redact_personal(first.path, redacted, resigner=bench.resigner),
    }


@pytest.fixture(scope="module")
def report(assets: dict[str, SignedAsset], trust: TrustStore) -> Callable[[str], dict[str, Any]]:
    """Give the crJSON report on the active manifest of one kind."""

    def read(kind: str) -> dict[str, Any]:
        path = str(assets[kind].path)
        with Context.from_dict(trust.settings_for_signer()) as context, Reader(path, context=context) as reader:
            return dict(json.loads(reader.crjson())["manifests"][0])

    return read


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_manifest_keeps_every_rule(
    report: Callable[[str], dict[str, Any]], kind: str, rule: Rule
) -> None:
    assert rule(report(kind)) == []


def _without(manifest: dict[str, Any], *path: str) -> None:
    for step in path[:-1]:
        manifest = manifest[step]
    del manifest[path[-1]]


BREAKS: dict[Rule, Callable[[dict[str, Any]], object]] = {
    rules.names_the_specification: lambda m: m["claim.v2"].update(claim_generator_info=[{"name": "x"}]),
    rules.lists_all_actions: lambda m: _without(m, "assertions", "c2pa.actions.v2", "allActionsIncluded"),
    rules.begins_with_its_inception: lambda m: m["assertions"]["c2pa.actions.v2"]["actions"].reverse(),
    rules.says_what_was_created: lambda m: m["assertions"]["c2pa.actions.v2"].update(
        actions=[{"action": "c2pa.created"}]
    ),
    rules.says_what_was_seen_to_change: lambda m: m["assertions"]["c2pa.actions.v2"].update(
        actions=[{"action": "c2pa.trimmed"}]
    ),
    rules.opens_one_parent: lambda m: m["assertions"]["c2pa.actions.v2"].update(actions=[{"action": "c2pa.opened"}]),
    rules.uses_current_labels: lambda m: m["assertions"].update({"c2pa.actions": {}}),
    rules.uses_current_actions: lambda m: m["assertions"]["c2pa.actions.v2"].update(
        actions=[{"action": "c2pa.watermarked"}]
    ),
    rules.describes_its_ingredients: lambda m: m["assertions"].update({"c2pa.ingredient.v3": {"relationship": "seen"}}),
    rules.has_a_current_name: lambda m: m.update(label="urn:uuid:1"),
    rules.has_no_failures: lambda m: m["validationResults"].update(failure=[{"code": "claim.malformed"}]),
    rules.has_no_old_fields: lambda m: m["claim.v2"].update(specVersion="2.4.0"),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_notices_what_breaks_it(report: Callable[[str], dict[str, Any]], rule: Rule) -> None:
    broken = deepcopy(report("text-to-video"))

    BREAKS[rule](broken)

    assert rule(broken) != []


# An independent verifier


@pytest.fixture(scope="module")
def ask_another(pki: DevelopmentPki, authority: Authority) -> Callable[[bytes, str], dict[str, Any]]:
    """Ask encypher-c2pa, which shares no code with the library we use; offline and without telemetry."""
    pytest.importorskip("encypher_c2pa", reason="encypher-c2pa is not installed (pip install encypher-c2pa)")
    other = importlib.import_module("encypher_c2pa")
    options = {
        "trust_pem": pki.root_pem.decode(),
        "tsa_trust_pem": authority.root_pem.decode(),
        "no_default_trust": True,
        "online": False,
        "expected_seek_positions": [],
        "telemetry": {"enabled": False, "endpoint": None, "sdk_name": "python"},
    }
    return lambda content, media_type: dict(json.loads(other.verify_bytes(content, media_type, json.dumps(options))))


def _media_type(asset: SignedAsset) -> str:
    return {".png": "image/png"}.get(asset.path.suffix, "video/mp4")


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "redacted"])
def test_an_independent_verifier_trusts_what_we_sign(
    assets: dict[str, SignedAsset], ask_another: Callable[[bytes, str], dict[str, Any]], kind: str
) -> None:
    asset = assets[kind]

    answer = ask_another(asset.path.read_bytes(), _media_type(asset))

    assert (answer["integrity"], answer["hard_binding"], answer["validation_state"]) == ("valid", "match", "Trusted")
    assert answer["validation_results"]["failure"] == []


def test_an_independent_verifier_only_misses_the_box_that_the_library_takes_out_to_redact(
    assets: dict[str, SignedAsset], ask_another: Callable[[bytes, str], dict[str, Any]]
) -> None:
    answer = ask_another(assets["redacted"].path.read_bytes(), "video/mp4")

    assert (answer["signature"], answer["hard_binding"]) == ("valid", "match")
    assert [each["code"] for each in answer["validation_results"]["failure"]] == ["assertion.action.redactionMismatch"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_independent_verifier_sees_one_changed_bit_too(
    assets: dict[str, SignedAsset], ask_another: Callable[[bytes, str], dict[str, Any]], kind: str
) -> None:
    content = bytearray(assets[kind].path.read_bytes())
    media = {".png": b"IDAT"}.get(assets[kind].path.suffix, b"mdat")
    content[content.rindex(media) + 1000] ^= 1

    answer = ask_another(bytes(content), _media_type(assets[kind]))

    assert (answer["hard_binding"], answer["validation_state"]) == ("mismatch", "Invalid")
