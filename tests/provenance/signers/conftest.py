"""Four places a signing key can be in, each with the same certificate authority above it.

The token needs SoftHSM 2 and the key service needs moto; tests that use them are skipped, with the reason, without.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from platemark_provenance.keys import write_private_file
from platemark_provenance.new_keys import ClaimPublicKey
from platemark_provenance.pki import DevelopmentPki, Subject, certify, create_development_pki
from platemark_provenance.signers.algorithms import algorithm_named
from platemark_provenance.signers.callback import CallbackSigner
from platemark_provenance.signers.claim_signer import ClaimSigner
from platemark_provenance.signers.uri import STANDARD_SIGNERS, SignerRequest

PIN = b"4711"
TOKEN = "news room"
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
SIGN_PROGRAM = """#!{python}
import sys
from pathlib import Path
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = serialization.load_pem_private_key(Path(sys.argv[1]).read_bytes(), None)
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))
"""


@dataclass
class AskedFor:
    """Answers with one secret and remembers what it was asked for."""

    secret: bytes
    questions: list[str] = field(default_factory=list)

    def __call__(self, what: str) -> bytes:
        self.questions.append(what)
        return self.secret


@dataclass(frozen=True)
class SoftToken:
    """A software token on disk; `load` puts a key into it, `uri` names one."""

    module: str
    folder: Path

    def load(self, key_pem: bytes, label: str, key_id: str) -> None:
        pem = self.folder / f"{label}-{key_id}.pem"
        pem.write_bytes(key_pem)
        self._run("--import", str(pem), "--token", TOKEN, "--label", label, "--id", key_id, "--pin", PIN.decode())

    def uri(self, key: str) -> str:
        return f"pkcs11:token=news%20room;{key}?module-path={self.module}"

    def _run(self, *words: str) -> None:
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)


@pytest.fixture(scope="session")
def soft_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftToken]:
    """An empty software token."""
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed: pip install 'platemark[pkcs11]'")
    module = next((each for each in MODULES if Path(each).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM 2 is not installed (Debian: softhsm2, Fedora: softhsm, Homebrew: softhsm)")
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    token = SoftToken(module, folder)
    token._run("--init-token", "--free", "--label", TOKEN, "--so-pin", "12345678", "--pin", PIN.decode())
    yield token
    os.environ.pop("SOFTHSM2_CONF")
    os.environ.update({} if before is None else {"SOFTHSM2_CONF": before})


@pytest.fixture(scope="session")
def key_service() -> Iterator[Any]:
    """A key service in this process with the interface of AWS KMS."""
    moto = pytest.importorskip("moto", reason="moto is not installed: it stands in for AWS KMS")
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    secrets = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    before = {name: os.environ.get(name) for name in secrets}
    os.environ.update(secrets)
    with moto.mock_aws():
        yield boto3.client("kms", region_name="ap-northeast-2")
    for name, value in before.items():
        os.environ.pop(name)
        os.environ.update({} if value is None else {name: value})


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """Write an executable program and give its path; `#!` says what runs it."""

    def write(text: str) -> Path:
        path = tmp_path / f"program-{len(list(tmp_path.iterdir()))}"
        path.write_text(text)
        path.chmod(stat.S_IRWXU)
        return path

    return write


@pytest.fixture(scope="session")
def pki_for(moment: datetime) -> Callable[[str], DevelopmentPki]:
    """Give a development PKI for an algorithm, made once for each."""
    made: dict[str, DevelopmentPki] = {}

    def give(alg: str) -> DevelopmentPki:
        if alg not in made:
            made[alg] = create_development_pki("Example News", now=moment, alg=alg)
        return made[alg]

    return give


@pytest.fixture
def open_from(
    request: pytest.FixtureRequest, pki: DevelopmentPki, tmp_path: Path, program: Callable[[str], Path]
) -> Callable[[str], ClaimSigner]:
    """Open an ES256 signer under `pki` whose key is in a file, a token, a key service, or with a program."""

    def in_file() -> ClaimSigner:
        write_private_file(tmp_path / "leaf.key", pki.leaf_key_pem)
        return STANDARD_SIGNERS.open("file:leaf.key", SignerRequest(pki.leaf_chain_pem, "es256", tmp_path))

    def in_token() -> ClaimSigner:
        token: SoftToken = request.getfixturevalue("soft_token")
        token.load(pki.leaf_key_pem, "agree", "a0")
        return STANDARD_SIGNERS.open(
            token.uri("object=agree;id=%A0"), SignerRequest(pki.leaf_chain_pem, "es256", ask_secret=AskedFor(PIN))
        )

    def with_program() -> ClaimSigner:
        (tmp_path / "leaf.pem").write_bytes(pki.leaf_key_pem)
        words = [str(program(SIGN_PROGRAM.format(python=sys.executable))), str(tmp_path / "leaf.pem")]
        return STANDARD_SIGNERS.open(f"exec:{json.dumps(words)}", SignerRequest(pki.leaf_chain_pem, "es256"))

    def in_key_service() -> ClaimSigner:
        return open_in_key_service(request.getfixturevalue("key_service"), pki, "es256")

    places = {"file": in_file, "pkcs11": in_token, "exec": with_program, "kms": in_key_service}
    return lambda place: places[place]()


@pytest.fixture
def open_in_service(key_service: Any, pki: DevelopmentPki) -> Callable[[str], ClaimSigner]:
    """Make a key for an algorithm in the key service and open it."""
    return lambda alg: open_in_key_service(key_service, pki, alg)


KMS_SPECS = {
    "es256": ("ECC_NIST_P256", "ECDSA_SHA_256"),
    "es384": ("ECC_NIST_P384", "ECDSA_SHA_384"),
}


def open_in_key_service(client: Any, pki: DevelopmentPki, alg: str) -> ClaimSigner:
    """Make a key in the service, certify it under the development intermediate, and open it as `kms:ID`."""
    spec, signing = KMS_SPECS[alg]
    key_id = client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    public_key = load_der_public_key(client.get_public_key(KeyId=key_id)["PublicKey"])
    assert isinstance(public_key, ClaimPublicKey)
    now = claim_certificate_time(pki)
    subject = Subject("Example News")
    chain = certify(public_key, pki.intermediate_pem, pki.intermediate_key_pem, subject=subject, now=now)

    def open_kms(uri: str, request: SignerRequest) -> ClaimSigner:
        def sign(content: bytes) -> bytes:
            answer = client.sign(
                KeyId=uri.removeprefix("kms:"), Message=content, MessageType="RAW", SigningAlgorithm=signing
            )
            signature: bytes = answer["Signature"]
            return signature

        return CallbackSigner(request.alg, request.chain_pem, sign)

    table = STANDARD_SIGNERS.with_scheme("kms", open_kms)
    return table.open(f"kms:{key_id}", SignerRequest(chain, algorithm_named(alg).name))


def claim_certificate_time(pki: DevelopmentPki) -> datetime:
    """Give a moment at which the PKI's certificates are valid."""
    return x509.load_pem_x509_certificate(pki.intermediate_pem).not_valid_before_utc + timedelta(hours=1)
