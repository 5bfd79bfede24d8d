"""A key in a token signs without leaving it, and every way a token can fail is said in plain words."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.pki import DEVELOPMENT_ALGORITHMS, DevelopmentPki
from platemark_provenance.signers.claim_signer import ClaimSigner, KeyMismatch, prove_key_matches
from platemark_provenance.signers.uri import STANDARD_SIGNERS, SignerRequest

PIN = b"4711"


@pytest.fixture
def open_key(soft_token: Any, pki_for: Callable[[str], DevelopmentPki]) -> Callable[..., ClaimSigner]:
    """Open a key of the token: `open_key(uri attributes, alg=…, pin=…)`."""

    def opened(key: str, *, alg: str = "es256", pin: bytes = PIN) -> ClaimSigner:
        request = SignerRequest(pki_for(alg).leaf_chain_pem, alg, ask_secret=lambda _: pin)
        return STANDARD_SIGNERS.open(soft_token.uri(key), request)

    return opened


@pytest.fixture(scope="session")
def filled_token(soft_token: Any, pki_for: Callable[[str], DevelopmentPki], stranger_pki: DevelopmentPki) -> Any:
    """The token with the leaf key of each development PKI, labelled with its algorithm, and two called `twin`."""
    for number, alg in enumerate(DEVELOPMENT_ALGORITHMS):
        soft_token.load(pki_for(alg).leaf_key_pem, alg, f"1{number}")
    soft_token.load(stranger_pki.leaf_key_pem, "other", "30")
    soft_token.load(pki_for("es256").leaf_key_pem, "twin", "20")
    soft_token.load(pki_for("es384").leaf_key_pem, "twin", "21")
    return soft_token


@pytest.mark.usefixtures("filled_token")
@pytest.mark.parametrize("alg", DEVELOPMENT_ALGORITHMS)
def test_a_key_in_a_token_proves_itself(alg: str, open_key: Callable[..., ClaimSigner]) -> None:
    signer = open_key(f"object={alg}", alg=alg)

    prove_key_matches(signer)

    assert signer.alg == alg


@pytest.mark.usefixtures("filled_token")
@pytest.mark.parametrize("key", ["id=%10", "object=es256;id=%10", "object=twin;id=%20"])
def test_a_key_is_found_by_its_id_its_label_or_both(key: str, open_key: Callable[..., ClaimSigner]) -> None:
    prove_key_matches(open_key(key))


@pytest.mark.usefixtures("filled_token")
@pytest.mark.parametrize(("key", "count"), [("object=nowhere", 0), ("object=twin", 2)])
def test_a_uri_that_names_no_key_or_two_is_refused(key: str, count: int, open_key: Callable[..., ClaimSigner]) -> None:
    with pytest.raises(KeyUnavailable, match=f"must name one key on the token; {count} fit"):
        open_key(key)


@pytest.mark.usefixtures("filled_token")
def test_the_key_of_another_certificate_is_a_mismatch(open_key: Callable[..., ClaimSigner]) -> None:
    with pytest.raises(KeyMismatch):
        open_key("object=other", alg="es256")


@pytest.mark.usefixtures("filled_token")
def test_a_wrong_pin_is_tried_once_and_never_shown(open_key: Callable[..., ClaimSigner]) -> None:
    with pytest.raises(KeyUnavailable, match=r"refused the PIN \(PinIncorrect\); it was tried once") as refused:
        open_key("object=es256", pin=b"0000-wrong")

    assert "0000" not in str(refused.value)
    prove_key_matches(open_key("object=es256"))


@pytest.mark.usefixtures("filled_token")
def test_a_pin_that_is_no_text_is_refused_and_not_quoted(open_key: Callable[..., ClaimSigner]) -> None:
    with pytest.raises(KeyUnavailable, match="UTF-8") as refused:
        open_key("object=es256", pin=b"\xff\xfe")

    assert refused.value.__cause__ is None


def test_a_token_without_anybody_to_ask_for_its_pin_says_what_to_set(soft_token: Any, pki: DevelopmentPki) -> None:
    with pytest.raises(KeyUnavailable, match="is locked") as refused:
        STANDARD_SIGNERS.open(soft_token.uri("object=x"), SignerRequest(pki.leaf_chain_pem, "es256"))

    assert "secret" in refused.value.fix


@pytest.mark.parametrize("attribute", ["serial=nowhere", "model=nowhere", "manufacturer=nowhere", "slot-id=999999"])
def test_a_token_that_is_not_there_is_said_to_be_missing(attribute: str, open_key: Callable[..., ClaimSigner]) -> None:
    with pytest.raises(KeyUnavailable, match="must name one token; 0 of"):
        open_key(f"{attribute};object=es256")


def test_a_library_that_is_not_there_is_named(pki: DevelopmentPki) -> None:
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")

    with pytest.raises(KeyUnavailable, match=r"no PKCS#11 library at /nowhere/token\.so"):
        STANDARD_SIGNERS.open(
            "pkcs11:object=x?module-path=/nowhere/token.so", SignerRequest(pki.leaf_chain_pem, "es256")
        )


def test_a_file_that_is_no_library_is_refused(pki: DevelopmentPki, tmp_path: Path) -> None:
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
    (tmp_path / "token.so").write_bytes(b"no library")

    with pytest.raises(KeyUnavailable, match="could not be used"):
        STANDARD_SIGNERS.open(
            f"pkcs11:object=x?module-path={tmp_path}/token.so", SignerRequest(pki.leaf_chain_pem, "es256")
        )


@pytest.mark.usefixtures("filled_token")
def test_many_threads_sign_with_one_token(open_key: Callable[..., ClaimSigner]) -> None:
    signers = [open_key("object=es256"), open_key("id=%10")] * 8

    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda signer: prove_key_matches(signer), signers))

    assert done == [None] * 16


@pytest.mark.usefixtures("filled_token")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_worker_signs_with_the_signer_of_its_parent(open_key: Callable[..., ClaimSigner]) -> None:
    signer = open_key("object=es256")
    worker = multiprocessing.get_context("fork").Process(target=prove_key_matches, args=(signer,))

    worker.start()
    worker.join(30)

    assert worker.exitcode == 0


@pytest.mark.usefixtures("filled_token")
def test_a_signer_does_not_show_its_pin(open_key: Callable[..., ClaimSigner]) -> None:
    assert PIN.decode() not in repr(open_key("object=es256"))
