"""Explanations say what was found, what was checked and what was not, in both languages, and never too
much."""

from itertools import product
from string import Formatter

import pytest

from platemark_provenance.axes import Axes, Verdict
from platemark_provenance.explanation import ENGLISH, KOREAN, Findings, explain

NOTHING = Axes("absent", "unknown", "not_checked", "none", "none", "none", "unknown", "not_checked")
GOOD = Axes("present", "intact", "trusted", "none", "none", "none", "fully", "not_checked")
RICH = Axes("present", "intact", "trusted", "trusted", "untrusted", "failed", "partly", "absent")


def _fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences() -> None:
    assert ENGLISH.keys() == KOREAN.keys()


def test_both_languages_fill_in_the_same_values() -> None:
    english = {key: _fields(sentence) for key, sentence in ENGLISH.items()}
    korean = {key: _fields(sentence) for key, sentence in KOREAN.items()}

    assert english == korean


@pytest.mark.parametrize(
    ("manifest", "watermark"), list(product(["absent", "remote_only"], ["matched", "absent", "not_checked"]))
)
def test_finding_nothing_is_always_said_to_prove_nothing(manifest: str, watermark: str) -> None:
    axes = Axes(manifest, "unknown", "not_checked", "none", "none", "none", "unknown", watermark)  # type: ignore[arg-type]

    said = explain(Findings(Verdict.NONE, axes))

    assert "proves nothing" in said.en
    assert "아무것도 증명하지 않습니다" in said.ko


@pytest.mark.parametrize("verdict", list(Verdict))
def test_no_verdict_claims_that_what_is_shown_is_true(verdict: Verdict) -> None:
    said = explain(Findings(verdict, GOOD))

    assert said.en.splitlines()[-1].startswith("Not checked:")
    assert "whether what is shown is true" in said.en.splitlines()[-1]
    assert "보이는 내용이 사실인지" in said.ko.splitlines()[-1]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_no_verdict_uses_the_word_authentic(verdict: Verdict) -> None:
    assert "authentic" not in explain(Findings(verdict, GOOD)).en.lower()


def test_a_trusted_file_names_its_signer() -> None:
    said = explain(Findings(Verdict.TRUSTED, GOOD, signer="Example News"))

    assert "as Example News signed it" in said.en
    assert "Example News" in said.ko


def test_a_signer_without_a_name_is_said_to_have_none() -> None:
    assert "(no name given)" in explain(Findings(Verdict.TRUSTED, GOOD)).en


def test_a_manifest_never_goes_without_saying_that_revocation_was_not_asked_about() -> None:
    said = explain(Findings(Verdict.TRUSTED, GOOD))

    assert "whether a certificate was revoked since" in said.en
    assert "폐기" in said.ko


def test_without_a_manifest_revocation_is_not_mentioned() -> None:
    assert "revoked" not in explain(Findings(Verdict.NONE, NOTHING)).en


@pytest.mark.parametrize(
    ("watermark", "line"), [("not_checked", "Not checked"), ("absent", "Checked"), ("matched", "Checked")]
)
def test_the_watermark_is_listed_where_it_belongs(watermark: str, line: str) -> None:
    axes = Axes("absent", "unknown", "not_checked", "none", "none", "none", "unknown", watermark)  # type: ignore[arg-type]

    (listed,) = (each for each in explain(Findings(Verdict.NONE, axes)).en.splitlines() if "the watermark" in each)

    assert listed.startswith(line)


def test_a_time_without_a_trusted_stamp_is_the_signers_own_word() -> None:
    said = explain(Findings(Verdict.TRUSTED, GOOD, signed_at="2026-01-02 03:04 UTC"))

    assert "2026-01-02 03:04 UTC; that is the signer's own word" in said.en


def test_a_time_with_a_trusted_stamp_is_confirmed() -> None:
    said = explain(Findings(Verdict.TRUSTED, RICH, signed_at="2026-01-02 03:04 UTC"))

    assert "A trusted authority confirms that it was signed by 2026-01-02 03:04 UTC." in said.en


@pytest.mark.parametrize(
    "signer", ["untrusted", "expired", "legacy_trusted", "revoked", "revocation_unknown", "trusted"]
)
def test_an_intact_file_says_why_it_is_not_trusted(signer: str) -> None:
    axes = Axes("present", "intact", signer, "none", "none", "failed", "fully", "not_checked")  # type: ignore[arg-type]

    headline = explain(Findings(Verdict.INTACT, axes, signer="Example News")).en.splitlines()[0]

    assert headline.startswith("Intact:")
    assert ", but " in headline


@pytest.mark.parametrize(
    ("fault", "words"),
    [("tampered", "broken or missing"), ("recorded", "itself recorded"), ("untrusted", "not trusted here")],
)
def test_a_failed_ingredient_says_how_it_failed(fault: str, words: str) -> None:
    said = explain(Findings(Verdict.INTACT, RICH, ingredient_fault=fault))  # type: ignore[arg-type]

    assert words in said.en


@pytest.mark.parametrize(
    ("ai", "words"), [("fully", "all of it"), ("partly", "part of it"), ("none_declared", "no use of a model")]
)
def test_what_is_declared_about_models_is_the_signers_declaration(ai: str, words: str) -> None:
    axes = Axes("present", "intact", "trusted", "none", "none", "none", ai, "not_checked")  # type: ignore[arg-type]

    said = explain(Findings(Verdict.TRUSTED, axes)).en

    assert f"The signer declares {words}" in said or f"a model made {words}" in said


def test_a_declared_watermark_that_was_not_found_is_pointed_out() -> None:
    assert "no watermark was found" in explain(Findings(Verdict.TRUSTED, RICH, declares_watermark=True)).en
    assert "no watermark was found" not in explain(Findings(Verdict.TRUSTED, RICH)).en


def test_a_manifest_on_a_server_is_said_not_to_have_been_fetched() -> None:
    axes = Axes("remote_only", "unknown", "not_checked", "none", "none", "none", "unknown", "not_checked")

    said = explain(Findings(Verdict.NONE, axes)).en

    assert "it was not fetched" in said
    assert "the manifest on the server" in said.splitlines()[-1]


def test_unreadable_media_and_unreadable_manifests_are_told_apart() -> None:
    damaged = explain(Findings(Verdict.UNREADABLE, NOTHING)).en
    foreign = explain(Findings(Verdict.UNREADABLE, NOTHING, media_recognised=False)).en

    assert "manifest that is damaged" in damaged
    assert "not a media file" in foreign


def test_a_broken_ingredient_is_told_apart_from_changed_content() -> None:
    changed = Axes("present", "tampered", "trusted", "none", "none", "none", "unknown", "not_checked")

    assert "do not fit each other" in explain(Findings(Verdict.TAMPERED, changed)).en
    assert "material this file was made from" in explain(Findings(Verdict.TAMPERED, RICH)).en


def test_names_with_braces_are_shown_as_they_are() -> None:
    said = explain(Findings(Verdict.TRUSTED, GOOD, signer="{clip} {0}"))

    assert "{clip} {0}" in said.en
    assert "{clip} {0}" in said.ko
