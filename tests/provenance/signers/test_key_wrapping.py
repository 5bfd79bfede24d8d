"""The key that wraps other keys: in a file, a token, a program or a key service; bound to its subject everywhere."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.ledger.subject_keys import KeyWrapper
from platemark_provenance.new_keys import new_secret
from platemark_provenance.signers.wrapping import (
    LONGEST_WRAPPED,
    STANDARD_WRAPPERS,
    CallbackWrapper,
    LazyWrapper,
    WrapperRequest,
    WrapperTable,
    wrapper_name,
)

KEY = bytes(range(32))
WRAP_PROGRAM = f"""#!{sys.executable}
import base64, json, sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
asked = json.loads(sys.stdin.readline())
data, subject, box = base64.b64decode(asked["data"]), asked["subject"].encode(), AESGCM(b"k" * 32)
nonce = b"n" * 12
done = box.encrypt(nonce, data, subject) if asked["do"] == "wrap" else box.decrypt(nonce, data, subject)
sys.stdout.buffer.write(done)
"""


@pytest.fixture
def in_file(tmp_path: Path) -> KeyWrapper:
    """A key in a file."""
    path = tmp_path / "kek.key"
    path.write_bytes(new_secret())
    path.chmod(0o600)
    return STANDARD_WRAPPERS.open("file:kek.key", WrapperRequest(tmp_path))


@pytest.fixture
def in_token(soft_token: Any) -> KeyWrapper:
    """An AES key in a software token that is never shown."""
    import pkcs11

    pin = "4711"
    token = pkcs11.lib(soft_token.module).get_token(token_label="news room")
    with token.open(rw=True, user_pin=pin) as session:
        wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY, pkcs11.Attribute.LABEL: "kek"}
        if not list(session.get_objects(wanted)):
            session.generate_key(pkcs11.KeyType.AES, 256, label="kek", store=True)
    return STANDARD_WRAPPERS.open(soft_token.uri("object=kek"), WrapperRequest(ask_secret=lambda what: pin.encode()))


@pytest.fixture
def in_program(program: Callable[[str], Path]) -> KeyWrapper:
    """A key that another program has."""
    return STANDARD_WRAPPERS.open(f"exec:{program(WRAP_PROGRAM)}", WrapperRequest())


@pytest.fixture
def in_service(key_service: Any) -> KeyWrapper:
    """A key in a cloud key service, through two functions of the caller."""
    key_id = key_service.create_key()["KeyMetadata"]["KeyId"]

    def wrap(key: bytes, subject: str) -> bytes:
        asked = key_service.encrypt(KeyId=key_id, Plaintext=key, EncryptionContext={"subject": subject})
        return bytes(asked["CiphertextBlob"])

    def unwrap(wrapped: bytes, subject: str) -> bytes:
        return bytes(key_service.decrypt(CiphertextBlob=wrapped, EncryptionContext={"subject": subject})["Plaintext"])

    table = STANDARD_WRAPPERS.with_scheme("kms", lambda uri, request: CallbackWrapper(wrapper_name(uri), wrap, unwrap))
    return table.open(f"kms:{key_id}", WrapperRequest())


EVERY = pytest.mark.parametrize("place", ["in_file", "in_token", "in_program", "in_service"])


@EVERY
def test_a_key_comes_back_for_its_subject(place: str, request: pytest.FixtureRequest) -> None:
    wrapper: KeyWrapper = request.getfixturevalue(place)

    wrapped = wrapper.wrap(KEY, "p-someone")

    assert KEY not in wrapped
    assert wrapper.unwrap(wrapped, "p-someone") == KEY


@EVERY
def test_a_key_does_not_come_back_for_another_subject(place: str, request: pytest.FixtureRequest) -> None:
    wrapper: KeyWrapper = request.getfixturevalue(place)
    wrapped = wrapper.wrap(KEY, "p-someone")

    with pytest.raises(KeyUnavailable):
        wrapper.unwrap(wrapped, "p-other")


@EVERY
def test_a_wrapped_key_that_was_changed_does_not_come_back(place: str, request: pytest.FixtureRequest) -> None:
    wrapper: KeyWrapper = request.getfixturevalue(place)
    wrapped = bytearray(wrapper.wrap(KEY, "p-someone"))
    wrapped[-1] ^= 1

    with pytest.raises(KeyUnavailable):
        wrapper.unwrap(bytes(wrapped), "p-someone")


@EVERY
def test_its_name_tells_no_secret_and_is_short(place: str, request: pytest.FixtureRequest) -> None:
    name = request.getfixturevalue(place).name

    assert len(name) < 60
    assert "4711" not in name


def test_a_wrong_pin_is_said_without_it(soft_token: Any, in_token: KeyWrapper) -> None:
    with pytest.raises(KeyUnavailable, match="refused the PIN") as refused:
        STANDARD_WRAPPERS.open(soft_token.uri("object=kek"), WrapperRequest(ask_secret=lambda what: b"0815"))

    assert "0815" not in str(refused.value)


def test_a_token_without_a_secret_to_ask_is_refused(soft_token: Any) -> None:
    with pytest.raises(KeyUnavailable, match="kek_secret"):
        STANDARD_WRAPPERS.open(soft_token.uri("object=kek"), WrapperRequest())


def test_a_private_key_wraps_nothing(soft_token: Any) -> None:
    with pytest.raises(KeyUnavailable, match="type must be secret-key"):
        STANDARD_WRAPPERS.open(soft_token.uri("object=kek;type=private"), WrapperRequest())


def test_a_key_that_is_not_in_the_token_is_refused(soft_token: Any) -> None:
    with pytest.raises(KeyUnavailable, match="must name one key"):
        STANDARD_WRAPPERS.open(soft_token.uri("object=nobody"), WrapperRequest(ask_secret=lambda what: b"4711"))


@pytest.mark.parametrize(
    "answer",
    [
        "print('', end='')",
        "import sys; sys.stdout.buffer.write(b'x' * 5000)",
        "raise SystemExit(3)",
        "import sys; sys.stdout.buffer.write(b'x' * 60)",
    ],
)
def test_a_program_that_wraps_nothing_is_refused(program: Callable[[str], Path], answer: str) -> None:
    path = program(f"#!{sys.executable}\n{answer}\n")

    with pytest.raises(KeyUnavailable):
        STANDARD_WRAPPERS.open(f"exec:{path}", WrapperRequest())


def test_a_program_that_answers_with_what_it_was_given_is_refused(program: Callable[[str], Path]) -> None:
    echo = program(
        f"#!{sys.executable}\nimport base64, json, sys\n"
        "sys.stdout.buffer.write(base64.b64decode(json.loads(sys.stdin.readline())['data']))\n"
    )

    with pytest.raises(KeyUnavailable, match="the key itself"):
        STANDARD_WRAPPERS.open(f"exec:{echo}", WrapperRequest())


@pytest.mark.parametrize(
    ("wrap", "sentence"),
    [
        (lambda key, subject: b"", "nothing"),
        (lambda key, subject: b"x" * (LONGEST_WRAPPED + 1), "too much"),
        (lambda key, subject: b"{" + key + b"}", "the key itself"),
        (lambda key, subject: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_function_that_does_not_wrap_is_refused(wrap: Callable[[bytes, str], bytes], sentence: str) -> None:
    wrapper = CallbackWrapper("kms:x", wrap, lambda wrapped, subject: KEY)

    with pytest.raises(KeyUnavailable, match=sentence):
        wrapper.wrap(KEY, "p-someone")


@pytest.mark.parametrize("given", [b"", b"short", b"x" * 33])
def test_a_function_that_gives_no_key_is_refused(given: bytes) -> None:
    wrapper = CallbackWrapper("kms:x", lambda key, subject: b"wrapped", lambda wrapped, subject: given)

    with pytest.raises(KeyUnavailable, match="a key has 32"):
        wrapper.unwrap(b"wrapped", "p-someone")


def test_a_wrapper_that_gives_another_key_back_never_leaves_the_table() -> None:
    table = WrapperTable({}).with_scheme(
        "odd", lambda uri, request: CallbackWrapper("odd:x", lambda key, subject: b"w", lambda w, subject: bytes(32))
    )

    with pytest.raises(KeyUnavailable, match="does not give back"):
        table.open("odd:x", WrapperRequest())


@pytest.mark.parametrize("uri", ["", "kek.key", "nobody:x", "FILE:x"])
def test_a_key_that_nobody_knows_is_refused(uri: str) -> None:
    with pytest.raises(KeyUnavailable):
        STANDARD_WRAPPERS.open(uri, WrapperRequest())


def test_a_scheme_keeps_its_meaning() -> None:
    with pytest.raises(KeyUnavailable, match="is taken"):
        STANDARD_WRAPPERS.with_scheme("file", lambda uri, request: CallbackWrapper("x", lambda k, s: k, lambda k, s: k))


def test_a_lazy_wrapper_is_opened_once_and_when_it_is_needed(in_file: KeyWrapper) -> None:
    opened: list[str] = []

    def opener(uri: str, request: WrapperRequest) -> KeyWrapper:
        opened.append(uri)
        return in_file

    lazy = LazyWrapper("own:x", WrapperRequest(), WrapperTable({"own": opener}))
    before = list(opened)
    wrapped = lazy.wrap(KEY, "p-someone")

    assert before == []
    assert lazy.unwrap(wrapped, "p-someone") == KEY
    assert opened == ["own:x"]
    assert lazy.name == wrapper_name("own:x")
