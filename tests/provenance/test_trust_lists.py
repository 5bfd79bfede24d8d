"""What is stored is what was given, what was changed by hand is not used, and every kind stays what it is for."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platemark_provenance.errors import VerificationError
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.trust_lists import (
    KINDS,
    MOST_LISTS,
    NewList,
    TrustFiles,
    add_list,
    import_list,
    is_trust_kind,
    load_trust,
    read_pem,
    remove_list,
    stored_lists,
    suggest_name,
)

SPRING, SUMMER = date(2026, 3, 14), date(2026, 8, 21)
GOOD_NAMES = ["c2pa", "c2pa.2026-08", "a", "9", "x" * 64]
BAD_NAMES = ["", ".", "..", "-a", "a-", "a/b", "../keys/root", "A", "a b", "x" * 65, "a\n", "목록", "a\x00"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trust folder that does not exist yet."""
    return tmp_path / "trust"


@pytest.fixture
def stored(folder: Path, pki: DevelopmentPki) -> Path:
    """The file of a stored manifest list with our root."""
    add_list(folder, pki.root_pem, facts=NewList("ours", "manifest", SPRING))
    return folder / "ours.pem"


def make_root(name: str) -> bytes:
    """A self-signed root with any name, as an attacker may call it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(days=9000))
    signed = builder.add_extension(x509.BasicConstraints(True, None), critical=True).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_comes_back_as_it_was_stored_and_serves_its_kind_alone(
    folder: Path, pki: DevelopmentPki, kind: str
) -> None:
    assert is_trust_kind(kind)
    made = add_list(folder, b"# a comment\n" + pki.root_pem, facts=NewList("ours", kind, SPRING))

    trust = load_trust(folder)

    assert stored_lists(folder) == (made,)
    assert (made.facts.kind, made.facts.snapshot, made.facts.certificates) == (kind, SPRING, 1)
    anchors = {each: getattr(trust, f"{each}_anchors") for each in KINDS}
    assert {each for each, pems in anchors.items() if pems} == {kind}
    assert anchors[kind] == (pki.root_pem,)
    assert trust.lists == (made.facts,)


def test_a_list_as_json_names_its_roots(folder: Path, pki: DevelopmentPki) -> None:
    shown = add_list(folder, pki.root_pem, facts=NewList("ours", "manifest", SPRING)).to_json()

    assert (shown["name"], shown["kind"], shown["snapshot"], shown["certificates"]) == (
        "ours", "manifest", "2026-03-14", 1,
    )  # fmt: skip
    assert "Example News" in str(shown["roots"])


def test_the_same_root_twice_is_stored_once(folder: Path, pki: DevelopmentPki) -> None:
    assert add_list(folder, pki.root_pem * 3, facts=NewList("ours", "tsa", SPRING)).facts.certificates == 1


def test_openssl_and_people_can_read_a_stored_list(stored: Path, pki: DevelopmentPki) -> None:
    content = stored.read_bytes()

    assert content.startswith(b"# platemark trust list 1\n# name: ours\n# kind: manifest\n# snapshot: 2026-03-14\n")
    assert x509.load_pem_x509_certificate(content) == x509.load_pem_x509_certificate(pki.root_pem)


def test_files_named_for_one_occasion_join_the_stored_lists(
    stored: Path, stranger_pki: DevelopmentPki, tmp_path: Path
) -> None:
    (tmp_path / "root.pem").write_bytes(stranger_pki.root_pem)
    extra = tmp_path / "root.pem"

    trust = load_trust(stored.parent, TrustFiles(manifest=(extra,), tsa=(extra,), cawg=(extra,), legacy=(extra,)))

    assert len(trust.manifest_anchors) == 2
    assert trust.tsa_anchors == trust.cawg_anchors == trust.legacy_anchors == (stranger_pki.root_pem,)
    assert [each.name for each in trust.lists] == ["ours"]


@pytest.mark.parametrize("place", [None, Path("nowhere")])
def test_without_a_folder_nobody_is_trusted(place: Path | None) -> None:
    assert load_trust(place).manifest_anchors == ()


# What is refused


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_be_no_plain_file_name_is_refused(name: str, folder: Path) -> None:
    with pytest.raises(VerificationError, match="name"):
        NewList(name, "manifest", SPRING)
    with pytest.raises(VerificationError, match="There is no trust list"):
        remove_list(folder, name)


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_plain_name_is_kept(name: str) -> None:
    assert NewList(name, "manifest", SPRING).name == name


@given(st.text(max_size=300))
def test_a_name_made_from_any_file_name_is_a_good_one(stem: str) -> None:
    assert NewList(suggest_name(Path(stem.replace("\x00", "") + ".pem")), "manifest", SPRING)


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(VerificationError, match="manifest, tsa, cawg, legacy"):
        NewList("ours", "signer", SPRING)  # type: ignore[arg-type]


def test_a_second_list_of_the_same_name_is_refused(stored: Path, stranger_pki: DevelopmentPki) -> None:
    with pytest.raises(VerificationError, match="already"):
        add_list(stored.parent, stranger_pki.root_pem, facts=NewList("ours", "manifest", SUMMER))

    assert stored_lists(stored.parent)[0].facts.snapshot == SPRING


def test_a_signers_own_certificate_is_refused_with_what_to_ask_for(folder: Path, pki: DevelopmentPki) -> None:
    with pytest.raises(VerificationError, match="Ask the signer for the root"):
        add_list(folder, pki.leaf_chain_pem, facts=NewList("ours", "manifest", SPRING))

    assert not folder.exists()


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", bytes(99)]
)
def test_what_is_no_certificate_is_never_stored(folder: Path, content: bytes) -> None:
    with pytest.raises(VerificationError):
        add_list(folder, content, facts=NewList("ours", "manifest", SPRING))

    assert not folder.exists()


def test_a_private_key_is_never_stored(folder: Path, pki: DevelopmentPki) -> None:
    with pytest.raises(VerificationError, match="private key"):
        add_list(folder, pki.root_pem + pki.root_key_pem, facts=NewList("ours", "manifest", SPRING))


@pytest.mark.parametrize("name", ["-----BEGIN CERTIFICATE-----", "PRIVATE KEY", "a\nb", "\u202egpj", "x" * 64])
def test_a_root_may_be_called_anything_and_breaks_nothing(folder: Path, name: str) -> None:
    add_list(folder, make_root(name), facts=NewList("odd", "manifest", SPRING))

    (found,) = stored_lists(folder)
    assert "\n" not in str(found.to_json()["roots"])


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path, pki: DevelopmentPki) -> None:
    (tmp_path / "trust").write_text("a file")

    with pytest.raises(VerificationError, match=r"cannot be (written|read)"):
        add_list(tmp_path / "trust", pki.root_pem, facts=NewList("ours", "manifest", SPRING))


# What was changed since


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"kind: manifest", b"kind: legacy"),
        (b"kind: manifest", b"kind: nothing"),
        (b"2026-03-14", b"2026-03-15"),
        (b"2026-03-14", b"2026-99-99"),
        (b"name: ours", b"name: yours"),
        (b"# sha256: ", b"# sha256:  "),
        (b"trust list 1", b"trust list 2"),
        (b"-----BEGIN", b"----BEGIN"),
        (b"-----END CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n\n"),
    ],
)
def test_a_list_changed_by_hand_stops_everything(stored: Path, old: bytes, new: bytes) -> None:
    stored.write_bytes(stored.read_bytes().replace(old, new))

    with pytest.raises(VerificationError, match=r"changed after it was stored|not a trust list"):
        load_trust(stored.parent)


def test_a_root_slipped_into_a_list_stops_everything(stored: Path, stranger_pki: DevelopmentPki) -> None:
    stored.write_bytes(stored.read_bytes() + stranger_pki.root_pem)

    with pytest.raises(VerificationError, match="platemark trust remove ours"):
        load_trust(stored.parent)


def test_a_file_that_was_only_put_there_stops_everything(stored: Path, stranger_pki: DevelopmentPki) -> None:
    (stored.parent / "mine.pem").write_bytes(stranger_pki.root_pem)

    with pytest.raises(VerificationError, match="not a trust list that"):
        load_trust(stored.parent)


def test_a_list_under_another_name_stops_everything(stored: Path) -> None:
    stored.rename(stored.with_name("yours.pem"))

    with pytest.raises(VerificationError, match="not a trust list that"):
        load_trust(stored.parent)


def test_hidden_files_such_as_an_interrupted_write_are_not_lists(stored: Path) -> None:
    (stored.parent / ".other.pem.part").write_bytes(b"half")

    assert len(stored_lists(stored.parent)) == 1


def test_too_many_files_stop_everything(folder: Path) -> None:
    folder.mkdir()
    list(map(Path.touch, (folder / f"{number}.pem" for number in range(MOST_LISTS + 1))))

    with pytest.raises(VerificationError, match=f"at most {MOST_LISTS}"):
        load_trust(folder)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_flipped_bit_in_a_stored_list_goes_unnoticed(stored: Path, data: st.DataObject) -> None:
    content = stored.read_bytes()
    at = data.draw(st.integers(0, len(content) * 8 - 1))
    changed = bytearray(content)
    changed[at // 8] ^= 1 << at % 8
    stored.write_bytes(changed)

    with pytest.raises(VerificationError):
        load_trust(stored.parent)
    stored.write_bytes(content)


@given(content=st.binary(max_size=400))
def test_any_bytes_in_the_folder_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("trust")
    (folder / "list.pem").write_bytes(content)

    with pytest.raises(VerificationError):
        load_trust(folder)


# New editions


def test_importing_a_new_edition_says_what_came_and_went(
    stored: Path, pki: DevelopmentPki, stranger_pki: DevelopmentPki
) -> None:
    done = import_list(stored.parent, stranger_pki.root_pem, facts=NewList("ours", "manifest", SUMMER))

    assert ["Stranger" in each for each in done.added] == [True]
    assert ["Example News" in each for each in done.removed] == [True]
    assert load_trust(stored.parent).manifest_anchors == (stranger_pki.root_pem,)


def test_importing_a_list_that_is_new_adds_it(folder: Path, pki: DevelopmentPki) -> None:
    done = import_list(folder, pki.root_pem, facts=NewList("c2pa", "manifest", SPRING))

    assert (len(done.added), done.removed) == (1, ())


def test_an_older_edition_does_not_replace_a_newer_one(folder: Path, pki: DevelopmentPki) -> None:
    import_list(folder, pki.root_pem, facts=NewList("c2pa", "manifest", SUMMER))

    with pytest.raises(VerificationError, match="older"):
        import_list(folder, pki.root_pem, facts=NewList("c2pa", "manifest", SPRING))


def test_a_list_never_changes_its_kind(stored: Path, pki: DevelopmentPki) -> None:
    with pytest.raises(VerificationError, match="cannot replace"):
        import_list(stored.parent, pki.root_pem, facts=NewList("ours", "tsa", SUMMER))


def test_a_refused_edition_leaves_the_old_one(stored: Path, pki: DevelopmentPki) -> None:
    with pytest.raises(VerificationError):
        import_list(stored.parent, b"nonsense", facts=NewList("ours", "manifest", SUMMER))

    assert load_trust(stored.parent).manifest_anchors == (pki.root_pem,)


def test_a_removed_list_is_gone_and_the_others_stay(stored: Path, pki: DevelopmentPki) -> None:
    add_list(stored.parent, pki.root_pem, facts=NewList("second", "cawg", SPRING))

    remove_list(stored.parent, "ours")

    assert [each.facts.name for each in stored_lists(stored.parent)] == ["second"]


def test_a_damaged_list_can_be_removed(stored: Path) -> None:
    stored.write_bytes(b"damaged")

    remove_list(stored.parent, "ours")

    assert stored_lists(stored.parent) == ()


def test_removing_what_is_not_there_names_what_is(stored: Path) -> None:
    with pytest.raises(VerificationError, match="There are: ours"):
        remove_list(stored.parent, "yours")


@pytest.mark.parametrize("name", ["missing.pem", "."])
def test_a_file_of_certificates_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(VerificationError, match="cannot be read"):
        read_pem(tmp_path / name)


def test_a_file_of_certificates_is_bounded(tmp_path: Path, write_copy: Callable[[bytes], Path]) -> None:
    with pytest.raises(VerificationError, match="smaller"):
        read_pem(write_copy(bytes(5 * 1024 * 1024)))
