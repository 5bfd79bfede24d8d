"""The [signing] section: which key, whose certificates, which time-stamps; and never a secret."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form

from platemark.config import CONFIG_NAME, default_config_text, read_config
from platemark.errors import HomeError, KeyUnavailable
from platemark.homes.home import open_home
from platemark_provenance.keys import write_private_file
from platemark_provenance.signers.callback import CallbackSigner
from platemark_provenance.signers.claim_signer import ClaimSigner, KeyMismatch
from platemark_provenance.signers.uri import STANDARD_SIGNERS, SignerRequest


def config_in(folder: Path, lines: str) -> Path:
    (folder / CONFIG_NAME).write_text(f"[signing]\n{lines}\n", encoding="utf-8")
    return folder


def test_a_new_home_signs_with_its_own_file_and_without_time_stamps(tmp_path: Path) -> None:
    text = default_config_text(organisation="Daily Example", country="KR", language="auto")
    (tmp_path / CONFIG_NAME).write_text(text, encoding="utf-8")

    signing = read_config(tmp_path).signing

    assert (signing.key, signing.chain) == ("file:keys/signing.key", "keys/signing.chain.pem")
    assert (signing.algorithm, signing.timestamp, signing.secret) == ("auto", "off", "")


@pytest.mark.parametrize(
    "lines",
    [
        'key = "pkcs11:token=news;object=claims?module-path=/usr/lib/token.so"\nsecret = "prompt"',
        """key = 'exec:["/usr/local/bin/sign", "--key", "a b"]'""",
        'key = "kms:alias/newsroom"\nalgorithm = "es384"\nsecret = "env:NEWSROOM_PIN"',
        'timestamp = "require"\ntsa_url = "http://tsa.example.com:3161/tsr"',
        'timestamp = "best-effort"\ntsa_url = "https://[2001:db8::1]/"',
        'tsa_url = "https://tsa.example.com"',
    ],
)
def test_what_a_platform_engineer_writes_is_accepted(tmp_path: Path, lines: str) -> None:
    assert read_config(config_in(tmp_path, lines)).signing.chain == "keys/signing.chain.pem"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ('key = "keys/signing.key"', "signing.key is not valid"),
        ('key = "pkcs11:object=a;pin-value=1234?module-path=/x.so"', "PIN never stands in a configuration"),
        ('key = "pkcs11:object=a?module-path=/x.so&pin-source=/pin"', "PIN never stands in a configuration"),
        ('secret = "1234"', "signing.secret is not valid"),
        ('secret = "env:"', "signing.secret is not valid"),
        ('secret = "env:A B"', "signing.secret is not valid"),
        ('algorithm = "rs256"', "signing.algorithm is not valid"),
        ('chain = ""', "signing.chain is not valid"),
        ('timestamp = "on"', "signing.timestamp is not valid"),
        ('timestamp = "require"', 'timestamp = "require" needs tsa_url'),
        ('timestamp = "best-effort"', "needs tsa_url"),
        ('tsa_url = "tsa.example.com"', "must be like http"),
        ('tsa_url = "ftp://tsa.example.com"', "must be like http"),
        ('tsa_url = "http://user:word@tsa.example.com"', "without a name or password"),
        ('tsa_url = "http://tsa.example.com/a b"', "must be like http"),
        ('tsa_url = "http://tsa.example.com:99999"', "must be like http"),
        ('tsa_url = "http:///path"', "must be like http"),
        ('tsa = "http://tsa.example.com"', "unknown key 'signing.tsa'"),
    ],
)
def test_what_would_go_wrong_is_refused_and_named(tmp_path: Path, lines: str, sentence: str) -> None:
    with pytest.raises(HomeError, match=sentence):
        read_config(config_in(tmp_path, lines))


def test_a_pin_in_the_configuration_is_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(HomeError) as refused:
        read_config(config_in(tmp_path, 'key = "pkcs11:object=a;pin-value=8642?module-path=/x.so"'))

    assert "8642" not in str(refused.value)


def signing_lines(home: Path, lines: str) -> Path:
    """Write lines into the [signing] section of a home's configuration."""
    text = (home / CONFIG_NAME).read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith(("key =", "secret =", "algorithm ="))]
    (home / CONFIG_NAME).write_text("\n".join(kept).replace("[signing]", f"[signing]\n{lines}"), encoding="utf-8")
    return home


def test_the_configured_key_signs(home_path: Path, tmp_path: Path) -> None:
    (home_path / "keys" / "signing.key").rename(tmp_path / "elsewhere.key")

    home = open_home(signing_lines(home_path, f'key = "file:{tmp_path}/elsewhere.key"'))

    assert len(home.claim_signer().sign(b"content")) == 64


def test_a_key_service_that_a_program_brings_along_signs(home_path: Path) -> None:
    inner = open_home(home_path).claim_signer()

    def open_kms(uri: str, request: SignerRequest) -> ClaimSigner:
        return CallbackSigner(request.alg, request.chain_pem, inner.sign)

    table = STANDARD_SIGNERS.with_scheme("kms", open_kms)
    home = open_home(signing_lines(home_path, 'key = "kms:newsroom"'), signers=table)

    assert isinstance(home.claim_signer(), CallbackSigner)


def test_an_algorithm_that_is_not_the_certificates_is_refused(home_path: Path) -> None:
    home = open_home(signing_lines(home_path, 'key = "file:keys/signing.key"\nalgorithm = "es384"'))

    with pytest.raises(KeyMismatch, match="ECDSA P-384"):
        home.claim_signer()


def lock_signing_key(home: Path) -> None:
    """Lock a home's signing key with a passphrase."""
    path = home / "keys" / "signing.key"
    key = form.load_pem_private_key(path.read_bytes(), None)
    path.unlink()
    locked = form.BestAvailableEncryption(b"open sesame")
    write_private_file(path, key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked))


def test_a_locked_key_opens_with_the_variable_that_the_configuration_names(
    home_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_signing_key(home_path)
    monkeypatch.setenv("NEWSROOM_PASSPHRASE", "open sesame")

    home = open_home(signing_lines(home_path, 'key = "file:keys/signing.key"\nsecret = "env:NEWSROOM_PASSPHRASE"'))

    assert home.claim_signer().alg == "es256"


def test_a_locked_key_opens_with_what_the_calling_program_says(home_path: Path) -> None:
    lock_signing_key(home_path)

    assert open_home(home_path, ask_secret=lambda _: b"open sesame").claim_signer().alg == "es256"


def test_a_locked_key_that_nobody_opens_says_what_to_set(home_path: Path) -> None:
    lock_signing_key(home_path)

    with pytest.raises(KeyUnavailable, match="is locked") as refused:
        open_home(home_path).claim_signer()

    assert "[signing] secret" in refused.value.fix


def test_a_wrong_answer_is_forgotten(home_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_signing_key(home_path)
    answers = iter(["wrong", "open sesame"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    home = open_home(signing_lines(home_path, 'key = "file:keys/signing.key"\nsecret = "prompt"'))

    with pytest.raises(KeyUnavailable):
        home.claim_signer()

    assert [home.claim_signer().alg, home.claim_signer().alg] == ["es256", "es256"]
