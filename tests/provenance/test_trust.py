"""Trust lists are parsed here, failures are loud, and no setting ever opens the network."""

import pytest

from platemark_provenance.errors import VerificationError
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.trust import ACCEPTED_EKUS, BIG_FILE_BYTES, MAX_ANCHOR_BYTES, Settings, TrustStore, for_size

KINDS = ["manifest_anchors", "tsa_anchors", "cawg_anchors"]


def _part(settings: Settings, name: str) -> dict[str, object]:
    part = settings[name]
    assert isinstance(part, dict)
    return part


def _anchors(settings: Settings) -> list[dict[str, str]]:
    anchors = _part(settings, "trust").get("anchors", [])
    assert isinstance(anchors, list)
    return anchors


@pytest.fixture
def full(pki: DevelopmentPki, stranger_pki: DevelopmentPki) -> TrustStore:
    """Different roots for signers, time-stamps and identities."""
    return TrustStore(
        manifest_anchors=(pki.root_pem,), tsa_anchors=(stranger_pki.root_pem,), cawg_anchors=(pki.intermediate_pem,)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"nonsense",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----",
        bytes(100),
    ],
    ids=["empty", "nonsense", "garbled", "cut off", "zeros"],
)
def test_a_garbled_anchor_is_refused(kind: str, garbage: bytes) -> None:
    with pytest.raises(VerificationError, match="certificates"):
        TrustStore(**{kind: (garbage,)})


@pytest.mark.parametrize("kind", KINDS)
def test_a_garbled_anchor_after_a_good_one_is_refused(kind: str, pki: DevelopmentPki) -> None:
    with pytest.raises(VerificationError, match="anchor 2"):
        TrustStore(**{kind: (pki.root_pem, b"nonsense")})


def test_a_certificate_that_cannot_be_read_among_good_ones_is_refused(pki: DevelopmentPki) -> None:
    with pytest.raises(VerificationError):
        TrustStore(manifest_anchors=(pki.root_pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n",))


def test_a_private_key_in_a_trust_list_is_refused_and_not_shown(pki: DevelopmentPki) -> None:
    with pytest.raises(VerificationError, match="private key") as refused:
        TrustStore(manifest_anchors=(pki.root_pem + pki.root_key_pem,))

    assert "BEGIN PRIVATE" not in str(refused.value)


def test_an_oversized_trust_list_is_refused(pki: DevelopmentPki) -> None:
    with pytest.raises(VerificationError, match="at most"):
        TrustStore(manifest_anchors=(pki.root_pem + b"#" * MAX_ANCHOR_BYTES,))


def test_comments_and_several_certificates_are_understood(pki: DevelopmentPki, stranger_pki: DevelopmentPki) -> None:
    store = TrustStore(manifest_anchors=(b"# ours\n" + pki.root_pem + b"\n# theirs\n" + stranger_pki.root_pem,))

    (entry,) = _anchors(store.settings_for_signer())

    assert entry["trust_anchors"].count("BEGIN CERTIFICATE") == 2
    assert "#" not in entry["trust_anchors"]


def test_the_signer_is_judged_by_manifest_anchors_alone(full: TrustStore, pki: DevelopmentPki) -> None:
    (entry,) = _anchors(full.settings_for_signer())

    assert (entry["trust_kind"], entry["trust_anchors"].encode()) == ("manifest", pki.root_pem)


def test_time_is_judged_by_time_and_manifest_anchors(full: TrustStore) -> None:
    (entry,) = _anchors(full.settings_for_time())

    assert (entry["trust_kind"], entry["trust_anchors"].count("BEGIN")) == ("tsa", 2)


def test_identity_is_judged_by_identity_anchors_alone(full: TrustStore, pki: DevelopmentPki) -> None:
    (entry,) = _anchors(full.settings_for_identity())

    assert (entry["trust_kind"], entry["trust_anchors"].encode()) == ("cawg", pki.intermediate_pem)


def test_an_empty_store_trusts_nobody() -> None:
    store = TrustStore()

    assert _anchors(store.settings_for_signer()) == []
    assert _anchors(store.settings_for_time()) == []
    assert _anchors(store.settings_for_identity()) == []


@pytest.mark.parametrize("question", ["settings_for_signer", "settings_for_time", "settings_for_identity"])
@pytest.mark.parametrize("size_bytes", [0, BIG_FILE_BYTES + 1])
def test_no_question_opens_the_network(full: TrustStore, question: str, size_bytes: int) -> None:
    settings = for_size(getattr(full, question)(), size_bytes)

    assert _part(settings, "core")["allowed_network_hosts"] == []
    assert _part(settings, "verify")["remote_manifest_fetch"] is False
    assert _part(settings, "verify")["ocsp_fetch"] is False


@pytest.mark.parametrize("question", ["settings_for_signer", "settings_for_time", "settings_for_identity"])
def test_every_question_accepts_the_official_usage(full: TrustStore, question: str) -> None:
    listed = str(_part(getattr(full, question)(), "trust")["trust_config"]).split()

    assert listed == list(ACCEPTED_EKUS)


def test_memory_is_bounded_for_big_files_only(full: TrustStore) -> None:
    settings = full.settings_for_signer()

    assert for_size(settings, BIG_FILE_BYTES) == settings
    assert _part(for_size(settings, BIG_FILE_BYTES + 1), "core")["merkle_tree_chunk_size_in_kb"] == 1024


def test_a_store_cannot_be_changed(full: TrustStore) -> None:
    with pytest.raises(AttributeError):
        full.manifest_anchors = ()  # type: ignore[misc]


def test_two_stores_joined_trust_what_either_does_and_hold_nothing_twice(
    full: TrustStore, pki: DevelopmentPki, stranger_pki: DevelopmentPki
) -> None:
    other = TrustStore(manifest_anchors=(pki.root_pem, stranger_pki.root_pem), legacy_anchors=(pki.root_pem,))

    joined = full.joined(other)

    assert joined.manifest_anchors == (pki.root_pem, stranger_pki.root_pem)
    assert (joined.tsa_anchors, joined.cawg_anchors) == (full.tsa_anchors, full.cawg_anchors)
    assert joined.legacy_anchors == (pki.root_pem,)
    assert joined.joined(joined) == joined


@pytest.mark.parametrize("question", ["settings_for_signer", "settings_for_time", "settings_for_identity"])
def test_a_legacy_root_is_no_anchor_of_any_ordinary_question(stranger_pki: DevelopmentPki, question: str) -> None:
    assert _anchors(getattr(TrustStore(legacy_anchors=(stranger_pki.root_pem,)), question)()) == []


def test_a_legacy_question_knows_the_legacy_roots_and_no_others_for_signers(
    full: TrustStore, pki: DevelopmentPki, stranger_pki: DevelopmentPki
) -> None:
    legacy = full.joined(TrustStore(legacy_anchors=(stranger_pki.root_pem,))).as_legacy()

    assert legacy is not None
    assert legacy.manifest_anchors == (stranger_pki.root_pem,)
    assert legacy.cawg_anchors == ()
    assert set(legacy.tsa_anchors) == {stranger_pki.root_pem, pki.root_pem}


def test_without_legacy_lists_there_is_no_legacy_question(full: TrustStore) -> None:
    assert full.as_legacy() is None


def test_a_garbled_legacy_anchor_is_refused() -> None:
    with pytest.raises(VerificationError, match="legacy anchor 1"):
        TrustStore(legacy_anchors=(b"nonsense",))


def test_the_same_root_in_two_lists_is_told_to_the_library_once(pki: DevelopmentPki) -> None:
    (entry,) = _anchors(TrustStore(manifest_anchors=(pki.root_pem, b"\n" + pki.root_pem)).settings_for_signer())

    assert entry["trust_anchors"].count("BEGIN") == 1
