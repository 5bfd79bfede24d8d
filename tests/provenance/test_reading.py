"""Reports of the C2PA library are turned into axes; only positive proof makes a file intact or a signer
trusted."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.axes import AiUse, IdentityTrust, Integrity, SignerTrust, TimestampTrust
from platemark_provenance.reading import ProvenanceReading, Reports, has_identity, has_time_stamp, interpret
from platemark_provenance.report_json import Store

LABEL, PARENT = "urn:c2pa:active", "urn:c2pa:parent"
SIGNATURE = f"self#jumbf=/c2pa/{LABEL}/c2pa.signature"
PATH = Path("clip.mp4")
Json = dict[str, object]

GOOD = (
    "signingCredential.trusted",
    "claimSignature.validated",
    "assertion.hashedURI.match",
    "assertion.bmffHash.match",
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


def _codes(*codes: str, url: str = SIGNATURE) -> list[Json]:
    return [{"code": code, "url": url, "explanation": ""} for code in codes]


def _report(
    *failure: str,
    success: tuple[str, ...] = GOOD,
    informational: tuple[str, ...] = (),
    state: str = "Trusted",
    **active: object,
) -> Json:
    manifest: Json = {
        "label": LABEL,
        "claim_version": 2,
        "claim_generator_info": [{"name": "camera", "version": "3"}],
        "assertions": [],
        "signature_info": {"issuer": "Example News", "common_name": "Signer"},
        **active,
    }
    groups = {"success": _codes(*success), "informational": _codes(*informational), "failure": _codes(*failure)}
    return {
        "active_manifest": LABEL,
        "manifests": {LABEL: manifest},
        "validation_results": {"activeManifest": groups, "ingredientDeltas": []},
        "validation_state": state,
    }


def _read(
    signer: Json, *, time: Json | None = None, identity: Json | None = None, leaf_expired: bool = False
) -> ProvenanceReading:
    asked, named = (None if each is None else Store(each) for each in (time, identity))
    return interpret(PATH, Reports(Store(signer), asked, named, leaf_expired=leaf_expired))


def _actions(*source_types: str | None) -> list[Json]:
    actions = [{"action": "c2pa.created", "digitalSourceType": each} for each in source_types]
    return [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]


# Integrity


def test_a_good_report_is_intact_and_trusted() -> None:
    reading = _read(_report())

    assert (reading.integrity, reading.signer) == ("intact", "trusted")


@pytest.mark.parametrize(
    "code",
    [
        "assertion.bmffHash.mismatch",
        "assertion.dataHash.mismatch",
        "assertion.hashedURI.mismatch",
        "assertion.missing",
        "assertion.action.malformed",
        "claimSignature.mismatch",
        "claimSignature.missing",
        "claim.malformed",
        "general.error",
        "algorithm.unsupported",
        "a.code.of.the.future",
    ],
)
def test_a_failure_of_anything_hashed_is_tampering(code: str) -> None:
    assert _read(_report(code)).integrity == "tampered"


def test_a_failure_without_a_code_is_tampering() -> None:
    report = _report()
    report["validation_results"] = {"activeManifest": {"success": _codes(*GOOD), "failure": [{"url": 7}]}}

    reading = _read(report)

    assert (reading.integrity, reading.codes) == ("tampered", ("platemark.code.missing",))


@pytest.mark.parametrize(
    ("success", "integrity"),
    [
        (GOOD, "intact"),
        (("claimSignature.validated", "assertion.dataHash.match"), "intact"),
        (("claimSignature.validated", "assertion.boxesHash.match"), "intact"),
        (("claimSignature.validated", "assertion.hashedURI.match"), "unknown"),
        (("assertion.bmffHash.match",), "unknown"),
        ((), "unknown"),
    ],
)
def test_intact_needs_proof_of_signature_and_content(success: tuple[str, ...], integrity: Integrity) -> None:
    assert _read(_report(success=success, state="Valid")).integrity == integrity


@pytest.mark.parametrize("state", ["Invalid", "", "Splendid"])
def test_a_bad_summary_that_nothing_explains_is_not_overruled(state: str) -> None:
    assert _read(_report(state=state)).integrity == "unknown"


def test_a_bad_summary_explained_by_the_certificate_is_not_tampering() -> None:
    success = ("claimSignature.validated", "assertion.bmffHash.match")

    reading = _read(_report("signingCredential.expired", success=success, state="Invalid"))

    assert (reading.integrity, reading.signer) == ("intact", "expired")


@given(
    st.dictionaries(
        st.sampled_from(["active_manifest", "manifests", "validation_results", "validation_state"]), ANY_JSON
    )
)
def test_no_report_makes_the_reader_stumble_or_trust(report: dict[str, object]) -> None:
    reading = _read(report, time=report, identity=report)

    assert (reading.integrity, reading.signer) != ("intact", "trusted")


# Signer


@pytest.mark.parametrize(
    ("failure", "signer"),
    [
        (("signingCredential.untrusted",), "untrusted"),
        (("signingCredential.invalid",), "untrusted"),
        (("signingCredential.a.code.of.the.future",), "untrusted"),
        (("signingCredential.expired",), "expired"),
        (("signingCredential.untrusted", "signingCredential.expired"), "expired"),
        (("signingCredential.revoked",), "revoked"),
        (("signingCredential.ocsp.revoked", "signingCredential.expired"), "revoked"),
        (("signingCredential.ocsp.unknown",), "revocation_unknown"),
        ((), "trusted"),
    ],
)
def test_what_fails_about_a_certificate_decides_the_signer(failure: tuple[str, ...], signer: SignerTrust) -> None:
    assert _read(_report(*failure)).signer == signer


def test_a_signer_is_trusted_only_when_the_library_says_so() -> None:
    assert _read(_report(success=GOOD[1:], state="Valid")).signer == "untrusted"


def test_a_signature_that_does_not_hold_has_no_signer() -> None:
    reading = _read(_report("claimSignature.mismatch", success=("signingCredential.trusted",)))

    assert (reading.signer, reading.signer_name, reading.ai) == ("not_checked", None, "unknown")


def test_a_revocation_that_could_not_be_asked_about_is_unknown() -> None:
    assert _read(_report(informational=("signingCredential.ocsp.inaccessible",))).signer == "revocation_unknown"


def test_an_expired_leaf_without_a_trusted_time_is_expired() -> None:
    assert _read(_report(), leaf_expired=True).signer == "expired"


def test_an_untrusted_signer_is_not_called_expired_as_well() -> None:
    assert _read(_report("signingCredential.untrusted"), leaf_expired=True).signer == "untrusted"


# Time-stamp

STAMPED = (*GOOD, "timeStamp.validated")


def test_without_a_time_stamp_there_is_none() -> None:
    assert _read(_report()).timestamp == "none"


@pytest.mark.parametrize(
    ("time", "timestamp"),
    [
        (_report(success=(*STAMPED, "timeStamp.trusted")), "trusted"),
        (_report(success=STAMPED, informational=("timeStamp.untrusted",)), "untrusted"),
        (_report(success=GOOD, informational=("timeStamp.mismatch",)), "untrusted"),
        ({}, "untrusted"),
        (None, "untrusted"),
    ],
    ids=["trusted", "untrusted", "mismatch", "second read failed", "never asked"],
)
def test_a_time_stamp_is_judged_by_the_read_made_for_it(time: Json | None, timestamp: TimestampTrust) -> None:
    assert _read(_report(success=STAMPED), time=time).timestamp == timestamp


def test_the_signers_own_read_does_not_make_a_time_stamp_trusted() -> None:
    signer = _report(success=(*STAMPED, "timeStamp.trusted"))

    assert _read(signer, time=_report(success=STAMPED)).timestamp == "untrusted"


def test_a_time_stamp_of_another_manifest_does_not_count() -> None:
    time = {**_report(success=(*STAMPED, "timeStamp.trusted")), "active_manifest": PARENT}

    assert _read(_report(success=STAMPED), time=time).timestamp == "untrusted"


def test_a_trusted_time_saves_an_expired_leaf() -> None:
    stamped = _report(success=(*STAMPED, "timeStamp.trusted"))

    assert _read(stamped, time=stamped, leaf_expired=True).signer == "trusted"


def test_the_time_stamp_of_an_old_claim_is_not_trusted_because_nobody_checked_its_authority() -> None:
    old = _report(success=(*STAMPED, "timeStamp.trusted"), claim_version=1)

    reading = _read(old, time=old)

    assert (reading.timestamp, reading.signer) == ("untrusted", "trusted")


def test_an_expired_leaf_under_an_old_claim_with_a_time_stamp_is_legacy_trusted() -> None:
    old = _report(success=(*STAMPED, "timeStamp.trusted"), claim_version=1)

    assert _read(old, time=old, leaf_expired=True).signer == "legacy_trusted"


def test_an_expired_leaf_under_an_old_claim_without_a_time_stamp_is_expired() -> None:
    assert _read(_report(claim_version=1), leaf_expired=True).signer == "expired"


# Identity

IDENTIFIED = [{"label": "cawg.identity", "data": {}}]


@pytest.mark.parametrize(
    ("failure", "success", "identity"),
    [
        ((), ("cawg.identity.well-formed", "cawg.x509.credential.trusted"), "trusted"),
        ((), ("cawg.identity.well-formed",), "untrusted"),
        (("cawg.x509.credential.untrusted",), ("cawg.identity.well-formed",), "untrusted"),
        (("cawg.identity.hard_binding_missing",), ("cawg.x509.credential.trusted",), "invalid"),
        (("cawg.identity.cbor.invalid",), (), "invalid"),
        ((), (), "invalid"),
    ],
)
def test_an_identity_is_judged_by_the_read_made_for_it(
    failure: tuple[str, ...], success: tuple[str, ...], identity: IdentityTrust
) -> None:
    asked = _report(*failure, success=(*GOOD, *success), assertions=IDENTIFIED)

    reading = _read(_report("cawg.x509.credential.untrusted", assertions=IDENTIFIED), identity=asked)

    assert reading.identity == identity
    assert (reading.integrity, reading.signer) == ("intact", "trusted")


def test_an_identity_trusted_by_a_manifest_anchor_alone_is_not_trusted() -> None:
    signer = _report(success=(*GOOD, "cawg.x509.credential.trusted"), assertions=IDENTIFIED)
    asked = _report("cawg.x509.credential.untrusted", success=(*GOOD, "cawg.identity.well-formed"))

    assert _read(signer, identity=asked).identity == "untrusted"


def test_an_identity_whose_read_failed_is_invalid() -> None:
    assert _read(_report(assertions=IDENTIFIED), identity={}).identity == "invalid"


def test_reads_are_asked_for_only_where_there_is_something_to_judge() -> None:
    plain, stamped = Store(_report()), Store(_report(informational=("timeStamp.mismatch",)))
    named, found = Store(_report(assertions=IDENTIFIED)), Store(_report("cawg.identity.malformed"))

    assert [has_time_stamp(each) for each in (plain, stamped)] == [False, True]
    assert [has_identity(each) for each in (plain, named, found)] == [False, True, True]


# Made by a model


@pytest.mark.parametrize(
    ("source_types", "ai"),
    [
        (("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",), "fully"),
        ((" http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia ",), "fully"),
        (("trainedAlgorithmicMedia", "http://x/algorithmicMedia"), "fully"),
        (("http://x/compositeWithTrainedAlgorithmicMedia",), "partly"),
        (("http://x/trainedAlgorithmicMedia", "http://x/compositeWithTrainedAlgorithmicMedia"), "partly"),
        (("http://x/digitalCapture",), "none_declared"),
        ((None,), "none_declared"),
        ((), "none_declared"),
    ],
)
def test_the_declared_source_types_say_how_much_a_model_made(source_types: tuple[str | None, ...], ai: AiUse) -> None:
    assert _read(_report(assertions=_actions(*source_types))).ai == ai


def test_a_changed_file_declares_nothing() -> None:
    report = _report("assertion.bmffHash.mismatch", assertions=_actions("http://x/trainedAlgorithmicMedia"))

    assert _read(report).ai == "unknown"


# What is shown


@pytest.mark.parametrize(
    ("signature", "name"),
    [
        ({"issuer": "News", "common_name": "Desk"}, "News"),
        ({"common_name": "Desk"}, "Desk"),
        ({"issuer": "N\u202eews\x00"}, "News"),
        ({"issuer": "\u200b"}, None),
        ({"issuer": 7}, None),
        ({}, None),
    ],
)
def test_the_signer_is_named_in_plain_text(signature: Mapping[str, object], name: str | None) -> None:
    assert _read(_report(signature_info=signature)).signer_name == name


@pytest.mark.parametrize(
    ("active", "generator"),
    [
        ({"claim_generator_info": [{"name": "camera", "version": "3"}]}, "camera 3"),
        ({"claim_generator_info": [{"name": "camera"}]}, "camera"),
        ({"claim_generator_info": [], "claim_generator": "old camera/2"}, "old camera/2"),
        ({"claim_generator_info": [{"name": "x" * 500}]}, "x" * 119 + "…"),
        ({"claim_generator_info": None}, None),
    ],
)
def test_the_generator_is_named_in_plain_text(active: dict[str, Any], generator: str | None) -> None:
    assert _read(_report(**active)).generator == generator


@pytest.mark.parametrize(
    ("stamp", "claimed", "signed_at"),
    [
        ("2026-01-02T03:04:05+00:00", "2020-01-01T00:00:00Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (None, "2020-01-01T00:00:00Z", datetime(2020, 1, 1, tzinfo=UTC)),
        ("yesterday", None, None),
        (None, "2020-01-01T00:00:00", None),
        (7, 7, None),
    ],
)
def test_the_time_is_the_stamp_or_else_the_claim(stamp: object, claimed: object, signed_at: datetime | None) -> None:
    actions = [{"label": "c2pa.actions.v2", "data": {"actions": [{"action": "c2pa.created", "when": claimed}]}}]

    assert _read(_report(signature_info={"time": stamp}, assertions=actions)).signed_at == signed_at


def test_codes_are_given_once_failures_first() -> None:
    report = _report(
        "signingCredential.untrusted",
        "signingCredential.untrusted",
        informational=("signingCredential.ocsp.skipped", "signingCredential.untrusted"),
    )

    assert _read(report).codes == ("signingCredential.untrusted", "signingCredential.ocsp.skipped")


def test_the_failed_manifest_is_the_one_whose_content_broke() -> None:
    report = _report("signingCredential.untrusted")
    report["validation_results"] = {
        "activeManifest": {"success": _codes(*GOOD)},
        "ingredientDeltas": [
            {
                "validationDeltas": {
                    "failure": _codes("assertion.hashedURI.mismatch", url=f"self#jumbf=/c2pa/{PARENT}/x")
                }
            }
        ],
    }

    reading = _read(report)

    assert (reading.failed_manifest, reading.ingredient_fault) == (PARENT, "tampered")


def test_a_manifest_read_without_its_content_is_never_more_than_unknown() -> None:
    report = _report("assertion.bmffHash.mismatch", success=GOOD[:3], state="Invalid")
    reports = Reports(Store(report), None, None, leaf_expired=False, content_at_hand=False)

    assert interpret(PATH, reports).integrity == "unknown"
    assert interpret(PATH, replace(reports, content_at_hand=True)).integrity == "tampered"


def test_interpreting_leaves_the_report_as_it_was() -> None:
    report = _report("signingCredential.untrusted", assertions=_actions("x"))
    before = deepcopy(report)

    _read(report)

    assert report == before
