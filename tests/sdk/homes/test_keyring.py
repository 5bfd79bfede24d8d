"""Keys are requested, installed and rotated with every check made first and every change written down."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from platemark.config import CONFIG_NAME
from platemark.errors import KeyUnavailable, LedgerError, RequestError, SchemaMismatch, SigningError
from platemark.homes import keyring
from platemark.homes.home import Home, open_home
from platemark.homes.key_folder import pending_key, retired_sets
from platemark.homes.key_status import key_status, lint_home
from platemark.studio import Studio
from platemark.verifying.verifier import Verifier
from platemark_provenance.keys import write_private_file
from platemark_provenance.ledger.event import Event
from platemark_provenance.new_keys import new_claim_key, private_pem
from platemark_provenance.pki import DEVELOPMENT_ALGORITHMS, DevelopmentPki, Subject, certify, create_development_pki
from platemark_provenance.signers.claim_signer import KeyMismatch


@pytest.fixture
def home(home_path: Path) -> Home:
    """A fresh home."""
    return open_home(home_path)


@pytest.fixture
def authority(home: Home) -> DevelopmentPki:
    """A real authority, as far as this home can tell."""
    return create_development_pki("Real Authority", now=home.clock())


@pytest.fixture
def answer(home: Home, authority: DevelopmentPki, tmp_path: Path) -> Callable[..., Path]:
    """Let the authority answer the home's request: gives the file of the chain."""

    def issue(**options: timedelta) -> Path:
        csr = x509.load_pem_x509_csr(keyring.request(home).pem)
        now = home.clock() - options.get("ago", timedelta())
        subject = Subject("Daily Example")
        key = csr.public_key()
        chain = certify(key, authority.intermediate_pem, authority.intermediate_key_pem, subject=subject, now=now)  # type: ignore[arg-type]  # the request is for a key that signs
        (tmp_path / "chain.pem").write_bytes(chain)
        return tmp_path / "chain.pem"

    return issue


@pytest.fixture
def root(authority: DevelopmentPki, tmp_path: Path) -> Path:
    """The file of the authority's root."""
    (tmp_path / "root.pem").write_bytes(authority.root_pem)
    return tmp_path / "root.pem"


def events(home: Home) -> list[Event]:
    """The events about keys since the home was made."""
    with home.open_ledger() as ledger:
        found = [event for event in ledger.query() if event.type.startswith("key.")]
    return sorted(found, key=lambda event: event.seq)[2:]


def whole(home: Home) -> dict[Path, bytes]:
    """Every file of the key folder."""
    return {path: path.read_bytes() for path in home.keys.rglob("*") if path.is_file()}


def test_a_new_home_writes_down_the_keys_it_was_made_with(home: Home) -> None:
    with home.open_ledger() as ledger:
        made = [event for event in ledger.query() if event.type == "key.created"]

    assert sorted(str(event.facts["purpose"]) for event in made) == ["claim-signing", "ledger"]


def test_rotation_puts_a_new_key_in_force_and_says_so_in_the_ledger(home: Home) -> None:
    before = home.claim_signer().chain_pem

    done = keyring.rotate_leaf(home, actor="jw.kim")

    (event,) = events(home)
    assert home.claim_signer().chain_pem != before
    assert (done.retired / "signing.chain.pem").read_bytes() == before
    assert (event.type, event.facts["how"], event.actor is None) == ("key.rotated", "rotate", False)
    assert (event.facts["old_sha256"], event.facts["new_sha256"]) == (done.old.sha256, done.new.sha256)
    assert lint_home(home) == ()


@pytest.mark.parametrize("alg", DEVELOPMENT_ALGORITHMS)
def test_rotation_may_change_the_algorithm(home: Home, alg: str) -> None:
    keyring.rotate_leaf(home, alg=alg)

    assert home.claim_signer().alg == alg


def test_rotation_keeps_the_algorithm_where_none_is_named(home: Home) -> None:
    keyring.rotate_leaf(home, alg="ed25519")

    assert keyring.rotate_leaf(home).new.alg == "ed25519"


def test_a_new_authority_leaves_the_old_root_trusted(home: Home) -> None:
    old = (home.keys / "root.pem").read_bytes()

    keyring.rotate_authority(home)

    anchors = home.trust_store().manifest_anchors
    assert (home.keys / "root.pem").read_bytes() != old
    assert anchors == ((home.keys / "root.pem").read_bytes(), old)
    assert events(home)[0].facts["how"] == "rotate-authority"


def test_clips_from_before_and_after_a_new_authority_are_both_trusted(home_path: Path, tmp_path: Path) -> None:
    clips = [tmp_path / "before.mp4", tmp_path / "after.mp4"]
    make = {"model": "testcard", "seconds": 0.5, "size": "256x256", "seed": 7}
    with Studio.open(home_path) as studio:
        studio.generate("a calm blue sea at sunset", out=clips[0], **make)  # type: ignore[arg-type]
        keyring.rotate_authority(studio.home)
        studio.generate("a calm blue sea at sunset", out=clips[1], **make)  # type: ignore[arg-type]

    with Verifier.open(home_path) as verifier:
        verdicts = [verifier.examine(clip).verdict for clip in clips]

    assert verdicts == ["trusted", "trusted"]


def test_rotation_without_a_ledger_does_not_happen(home: Home) -> None:
    (home.path / "ledger.sqlite3").rename(home.path / "elsewhere.sqlite3")
    before = whole(home)

    with pytest.raises((LedgerError, SchemaMismatch)):
        keyring.rotate_leaf(home)

    assert whole(home) == before
    assert retired_sets(home.keys) == ()


def test_an_algorithm_that_no_development_key_has_is_refused(home: Home) -> None:
    with pytest.raises(SigningError, match=r"es256, es384, ps256, ed25519; got 'rs256'"):
        keyring.rotate_leaf(home, alg="rs256")


@pytest.mark.parametrize("change", [keyring.rotate_leaf, keyring.rotate_authority])
def test_a_key_that_is_kept_elsewhere_is_not_replaced_here(home: Home, change: Callable[[Home], object]) -> None:
    signing = home.config.signing.model_copy(update={"key": "kms:newsroom"})
    elsewhere = replace(home, config=home.config.model_copy(update={"signing": signing}))

    with pytest.raises(RequestError, match="kept outside this home"):
        change(elsewhere)


def kept_at(home: Home, uri: str) -> Home:
    """The home, with its signing key somewhere else."""
    signing = home.config.signing.model_copy(update={"key": uri})
    return replace(home, config=home.config.model_copy(update={"signing": signing}))


def test_a_key_kept_elsewhere_asks_for_its_next_certificate_itself(home: Home) -> None:
    (home.keys / "signing.key").rename(home.path / "service.key")
    before = whole(home)

    made = keyring.request(kept_at(home, f"file:{home.path / 'service.key'}"))

    csr = x509.load_pem_x509_csr(made.pem)
    leaf = x509.load_pem_x509_certificate(home.signing_chain())
    assert csr.is_signature_valid
    assert (csr.public_key(), made.outside, made.alg) == (leaf.public_key(), True, "es256")
    assert (whole(home), events(home)) == (before, [])


def test_a_new_key_kept_elsewhere_is_named_by_its_public_half_and_its_answer_installed(
    home: Home, authority: DevelopmentPki, root: Path, tmp_path: Path
) -> None:
    key = new_claim_key("es384")
    write_private_file(home.path / "service.key", private_pem(key))
    half = tmp_path / "service.pub.pem"
    half.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    elsewhere = kept_at(home, f"file:{home.path / 'service.key'}")

    made = keyring.request(elsewhere, keyring.RequestOptions(public_key=half))
    asked = x509.load_pem_x509_csr(made.pem).public_key()
    issued = certify(
        asked,  # type: ignore[arg-type]  # the request is for a key that signs
        authority.intermediate_pem,
        authority.intermediate_key_pem,
        subject=Subject("Daily Example"),
        now=home.clock(),
    )
    (tmp_path / "chain.pem").write_bytes(issued)
    keyring.install(elsewhere, tmp_path / "chain.pem", root=root)

    assert (asked, made.alg) == (key.public_key(), "es384")
    assert elsewhere.claim_signer().alg == "es384"


def test_the_public_half_of_another_key_is_a_mismatch(home: Home, tmp_path: Path) -> None:
    half = tmp_path / "other.pub.pem"
    half.write_bytes(new_claim_key("es256").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (home.keys / "signing.key").rename(home.path / "service.key")

    with pytest.raises(KeyMismatch):
        keyring.request(kept_at(home, f"file:{home.path / 'service.key'}"), keyring.RequestOptions(public_key=half))


def test_a_key_kept_elsewhere_signs_with_its_own_algorithm_only(home: Home) -> None:
    (home.keys / "signing.key").rename(home.path / "service.key")

    with pytest.raises(RequestError, match="signs with es256; ps256 was asked for"):
        keyring.request(kept_at(home, f"file:{home.path / 'service.key'}"), keyring.RequestOptions(alg="ps256"))


def test_a_public_half_is_refused_where_the_key_lies_in_the_home(home: Home, root: Path) -> None:
    with pytest.raises(RequestError, match="lies in this home"):
        keyring.request(home, keyring.RequestOptions(public_key=root))


def test_a_request_names_the_publisher_and_the_usages_that_the_profile_wants(home: Home) -> None:
    options = keyring.RequestOptions(common_name="Weather desk", email="signing@example.com")

    made = keyring.request(home, options)

    csr = x509.load_pem_x509_csr(made.pem)
    usages = csr.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == "CN=Weather desk,O=Daily Example,C=KR"
    assert {usage.dotted_string for usage in usages} == {"1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4"}
    assert names.get_values_for_type(x509.RFC822Name) == ["signing@example.com"]


def test_a_request_makes_a_key_that_waits_and_writes_it_down(home: Home) -> None:
    before = home.claim_signer().chain_pem

    made = keyring.request(home, keyring.RequestOptions(alg="es384", actor="jw.kim"))

    (event,) = events(home)
    assert (event.type, event.facts["public_key_sha256"]) == ("key.created", made.public_key_sha256)
    assert made.alg == "es384"
    assert home.claim_signer().chain_pem == before


def test_asked_again_the_same_key_is_used(home: Home) -> None:
    first, second = keyring.request(home), keyring.request(home)

    assert first.public_key_sha256 == second.public_key_sha256
    assert (first.fresh, second.fresh, len(events(home))) == (True, False, 1)


def test_a_waiting_key_for_another_algorithm_is_not_thrown_away(home: Home) -> None:
    keyring.request(home)

    with pytest.raises(RequestError, match="waits for its certificate already") as refused:
        keyring.request(home, keyring.RequestOptions(alg="ps256"))

    assert "pending.key" in refused.value.fix


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (keyring.RequestOptions(common_name="x" * 65), "1 to 64"),
        (keyring.RequestOptions(common_name="a\u202eb"), "printable"),
        (keyring.RequestOptions(common_name="가" * 22), "64 bytes in UTF-8"),
        (keyring.RequestOptions(email="nobody"), "e-mail address"),
        (keyring.RequestOptions(email="열@example.com"), "e-mail address"),
    ],
)
def test_a_request_with_an_impossible_name_makes_no_key(
    home: Home, options: keyring.RequestOptions, sentence: str
) -> None:
    with pytest.raises(SigningError, match=sentence):
        keyring.request(home, options)

    assert pending_key(home.keys) is None


def test_a_key_that_cannot_be_written_down_is_not_kept(home: Home) -> None:
    (home.path / "ledger.sqlite3").unlink()

    with pytest.raises((LedgerError, SchemaMismatch)):
        keyring.request(home)

    assert pending_key(home.keys) is None


def test_the_authoritys_answer_is_put_in_force(home: Home, answer: Callable[..., Path], root: Path) -> None:
    done = keyring.install(home, answer(), root=root)

    assert home.claim_signer().chain_pem == (root.parent / "chain.pem").read_bytes()
    assert home.trust_store().manifest_anchors[0] == root.read_bytes()
    assert len(home.trust_store().manifest_anchors) == 2
    assert "Real Authority" in done.new.issuer
    assert [event.facts.get("how") for event in events(home)] == [None, "install"]
    assert pending_key(home.keys) is None


def test_an_answer_under_no_trusted_root_is_refused(home: Home, answer: Callable[..., Path]) -> None:
    chain, before = answer(), whole(home)

    with pytest.raises(SigningError, match="leads to no root that this home trusts") as refused:
        keyring.install(home, chain)

    assert "--root" in refused.value.fix
    assert whole(home) == before


def test_an_answer_that_breaks_a_rule_is_refused_and_the_rule_named(
    home: Home, answer: Callable[..., Path], root: Path
) -> None:
    chain = answer(ago=timedelta(days=400))

    with pytest.raises(SigningError, match=r"leaf\.expired"):
        keyring.install(home, chain, root=root)


def test_an_answer_for_another_key_is_refused(home: Home, authority: DevelopmentPki, root: Path) -> None:
    keyring.request(home)
    (root.parent / "other.pem").write_bytes(authority.leaf_chain_pem)
    before = whole(home)

    with pytest.raises(KeyMismatch):
        keyring.install(home, root.parent / "other.pem", root=root)

    assert whole(home) == before


def test_a_root_that_is_no_authority_is_refused(home: Home, answer: Callable[..., Path]) -> None:
    chain = answer()

    with pytest.raises(SigningError, match="not a certificate of an authority"):
        keyring.install(home, chain, root=chain)


def test_the_certificate_in_force_is_not_installed_again(home: Home, tmp_path: Path) -> None:
    (tmp_path / "same.pem").write_bytes(home.signing_chain())

    with pytest.raises(RequestError, match="in force already"):
        keyring.install(home, tmp_path / "same.pem")


def test_a_renewed_certificate_for_the_key_in_force_needs_no_request(home: Home, tmp_path: Path) -> None:
    leaf = x509.load_pem_x509_certificates(home.signing_chain())[0]
    issuer = (home.keys / "intermediate.pem").read_bytes(), (home.keys / "intermediate.key").read_bytes()
    renewed = certify(leaf.public_key(), *issuer, subject=Subject("Daily Example"), now=home.clock())  # type: ignore[arg-type]
    (tmp_path / "renewed.pem").write_bytes(renewed)
    key = (home.keys / "signing.key").read_bytes()

    keyring.install(home, tmp_path / "renewed.pem")

    assert home.claim_signer().chain_pem == renewed
    assert (home.keys / "signing.key").read_bytes() == key


@pytest.mark.parametrize("change", [keyring.rotate_leaf, keyring.rotate_authority])
def test_an_outside_authoritys_certificate_is_not_replaced_by_a_development_one(
    home: Home, answer: Callable[..., Path], root: Path, change: Callable[[Home], object]
) -> None:
    keyring.install(home, answer(), root=root)

    with pytest.raises(RequestError, match="outside authority") as refused:
        change(home)

    assert "keys csr" in refused.value.fix


def test_certificates_kept_outside_the_home_are_not_written(
    home: Home, answer: Callable[..., Path], root: Path, tmp_path: Path
) -> None:
    chain = answer()
    (tmp_path / "kept.pem").write_bytes(home.signing_chain())
    text = (home.path / CONFIG_NAME).read_text().replace("keys/signing.chain.pem", str(tmp_path / "kept.pem"))
    (home.path / CONFIG_NAME).write_text(text)

    with pytest.raises(RequestError, match="not the home's own file"):
        keyring.install(open_home(home.path), chain, root=root)


def test_a_missing_chain_is_named(home: Home) -> None:
    with pytest.raises(KeyUnavailable, match=r"nowhere\.pem"):
        keyring.install(home, Path("nowhere.pem"))


def test_the_status_lists_every_key_and_shows_no_secret(home: Home) -> None:
    keyring.request(home)
    keyring.rotate_leaf(home)

    keys = key_status(home)

    names = ["claim signing", "intermediate", "root", "waiting for a certificate", "ledger", "watermark", "payload"]
    assert [each.name for each in keys] == [*names, "retired"]
    assert all(each.ok for each in keys)
    assert keys[0].days_left == 364
    assert (home.keys / "watermark.key").read_text() not in str([each.to_json() for each in keys])


@pytest.mark.parametrize(("days", "state"), [(334, "ok"), (335, "ok"), (336, "expires-soon"), (366, "expired")])
def test_a_certificate_is_warned_about_from_thirty_days_on(home: Home, days: int, state: str) -> None:
    later = replace(home, clock=lambda: home.clock() + timedelta(days=days, hours=-1))

    signing = key_status(later)[0]

    assert (signing.state, signing.ok) == (state, state != "expired")
    assert bool(signing.fix) == (state != "ok")


@pytest.mark.parametrize(
    ("name", "file"), [("claim signing", "signing.key"), ("ledger", "ledger.key"), ("watermark", "watermark.key")]
)
def test_a_garbled_key_is_unusable_and_the_others_are_still_listed(home: Home, name: str, file: str) -> None:
    (home.keys / file).write_bytes(b"5ecret")

    keys = key_status(home)

    assert [each.name for each in keys if not each.ok] == [name]
    assert "5ecret" not in str(keys)


def test_a_key_of_another_certificate_is_a_finding_with_its_rule(home: Home, authority: DevelopmentPki) -> None:
    (home.keys / "signing.key").write_bytes(authority.leaf_key_pem)

    assert [each.rule for each in lint_home(home)] == ["key.mismatch"]


def test_a_key_that_is_gone_is_a_finding_with_its_rule(home: Home) -> None:
    (home.keys / "signing.key").unlink()

    assert [each.rule for each in lint_home(home)] == ["key.unavailable"]
