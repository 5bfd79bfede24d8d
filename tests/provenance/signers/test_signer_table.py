"""The table of signers knows what it was told, refuses what it was not, and lets no signer out unproved."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from platemark_provenance.errors import KeyUnavailable, SigningError
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.signers import uri as table_module
from platemark_provenance.signers.callback import CallbackSigner
from platemark_provenance.signers.claim_signer import ClaimSigner, KeyMismatch
from platemark_provenance.signers.uri import STANDARD_SIGNERS, SignerOpener, SignerRequest, scheme_of


@dataclass(frozen=True)
class Opener:
    """Opens whatever it was given and remembers the URIs."""

    signer: ClaimSigner
    uris: list[str]

    def __call__(self, uri: str, request: SignerRequest) -> ClaimSigner:
        self.uris.append(uri)
        return self.signer


@pytest.fixture
def asked(pki: DevelopmentPki) -> SignerRequest:
    """A request for the development leaf."""
    return SignerRequest(pki.leaf_chain_pem, "es256")


def test_a_scheme_of_ones_own_opens_signers(signer: ClaimSigner, asked: SignerRequest) -> None:
    opener = Opener(signer, [])

    opened = STANDARD_SIGNERS.with_scheme("kms", opener).open("kms:alias/newsroom?region=x", asked)

    assert opened is signer
    assert opener.uris == ["kms:alias/newsroom?region=x"]


def test_a_longer_table_leaves_the_shorter_one_as_it_was(signer: ClaimSigner, asked: SignerRequest) -> None:
    STANDARD_SIGNERS.with_scheme("kms", Opener(signer, []))

    with pytest.raises(KeyUnavailable, match=r"exec:, file:, pkcs11: or by a scheme that is installed; got kms:"):
        STANDARD_SIGNERS.open("kms:key", asked)


@pytest.mark.parametrize("scheme", ["file", "exec", "pkcs11"])
def test_a_scheme_is_never_given_another_meaning(scheme: str, signer: ClaimSigner) -> None:
    with pytest.raises(SigningError, match="is taken"):
        STANDARD_SIGNERS.with_scheme(scheme, Opener(signer, []))


@pytest.mark.parametrize("scheme", ["", "KMS", "1kms", "k s", "k:s", "k" * 33])
def test_a_scheme_is_a_short_plain_word(scheme: str, signer: ClaimSigner) -> None:
    with pytest.raises(SigningError, match="lower-case letters"):
        STANDARD_SIGNERS.with_scheme(scheme, Opener(signer, []))


@pytest.mark.parametrize("uri", ["", "keys/signing.key", "file:", ":x", "/etc/key", "FILE:x"])
def test_a_key_without_a_scheme_is_refused(uri: str) -> None:
    with pytest.raises(KeyUnavailable, match="has no scheme"):
        scheme_of(uri)


def test_a_signer_with_the_wrong_key_does_not_leave_the_table(
    signer: ClaimSigner, stranger_pki: DevelopmentPki, asked: SignerRequest
) -> None:
    wrong = CallbackSigner("es256", stranger_pki.leaf_chain_pem, signer.sign)

    with pytest.raises(KeyMismatch):
        STANDARD_SIGNERS.with_scheme("kms", Opener(wrong, [])).open("kms:key", asked)


def test_whatever_an_opener_raises_is_chained(asked: SignerRequest) -> None:
    def fail(uri: str, request: SignerRequest) -> ClaimSigner:
        raise ZeroDivisionError(uri)

    with pytest.raises(KeyUnavailable, match="Opening the kms: signing key failed: ZeroDivisionError") as refused:
        STANDARD_SIGNERS.with_scheme("kms", fail).open("kms:key", asked)

    assert isinstance(refused.value.__cause__, ZeroDivisionError)


def install(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Make it look as if a package with one entry point were installed."""
    points = EntryPoints((EntryPoint("kms", value, table_module.ENTRY_POINTS),))
    monkeypatch.setattr(table_module, "entry_points", lambda **names: points.select(**names))


def test_an_installed_package_adds_a_scheme(
    monkeypatch: pytest.MonkeyPatch, signer: ClaimSigner, asked: SignerRequest
) -> None:
    opener: SignerOpener = Opener(signer, [])
    monkeypatch.setattr(table_module, "opener_of_a_package", opener, raising=False)
    install(monkeypatch, f"{table_module.__name__}:opener_of_a_package")

    assert STANDARD_SIGNERS.open("kms:key", asked) is signer


def test_an_installed_package_that_cannot_be_loaded_is_heard(
    monkeypatch: pytest.MonkeyPatch, asked: SignerRequest
) -> None:
    install(monkeypatch, "nowhere.to.be.found:open")

    with pytest.raises(KeyUnavailable, match="Loading the signers of kms: failed: ModuleNotFoundError"):
        STANDARD_SIGNERS.open("kms:key", asked)


def test_an_installed_package_cannot_take_over_a_standard_scheme(
    monkeypatch: pytest.MonkeyPatch, pki: DevelopmentPki, tmp_path: Path, asked: SignerRequest
) -> None:
    monkeypatch.setattr(table_module, "entry_points", lambda **_: pytest.fail("asked for a standard scheme"))

    with pytest.raises(KeyUnavailable, match="no key file"):
        STANDARD_SIGNERS.open("file:missing.key", replace(asked, folder=tmp_path))


def test_the_token_library_is_loaded_for_tokens_alone(
    monkeypatch: pytest.MonkeyPatch, asked: SignerRequest, key_folder: Path
) -> None:
    loaded: list[str] = []
    real: Callable[[str], Any] = table_module.import_module
    monkeypatch.setattr(table_module, "import_module", lambda name: loaded.append(name) or real(name))

    STANDARD_SIGNERS.open(f"file:{key_folder}/leaf.key", asked)

    assert loaded == ["platemark_provenance.signers.key_file"]


def test_without_the_token_library_the_package_to_install_is_named(
    monkeypatch: pytest.MonkeyPatch, asked: SignerRequest
) -> None:
    monkeypatch.delitem(sys.modules, "platemark_provenance.signers.token", raising=False)
    monkeypatch.setitem(sys.modules, "pkcs11", None)

    with pytest.raises(KeyUnavailable, match="python-pkcs11") as refused:
        STANDARD_SIGNERS.open("pkcs11:object=x?module-path=/x.so", asked)

    assert "platemark[pkcs11]" in refused.value.fix
