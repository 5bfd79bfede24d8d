"""A PKCS#11 URI says exactly one key, or is refused with the reason."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.signers.pkcs11_uri import MAX_URI_CHARACTERS, TokenAddress, parse_token_uri

MODULE = "?module-path=/usr/lib/token.so"
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=40)


def test_every_attribute_is_read() -> None:
    uri = (
        "pkcs11:token=news%20room;manufacturer=Maker%3B%20Ltd;serial=0a1b;model=M-1;slot-id=12;"
        "object=claims;type=private;id=%01%FF" + MODULE
    )

    assert parse_token_uri(uri) == TokenAddress(
        module=Path("/usr/lib/token.so"),
        token="news room",
        manufacturer="Maker; Ltd",
        serial="0a1b",
        model="M-1",
        slot_id=12,
        label="claims",
        key_id=b"\x01\xff",
    )


def test_what_the_uri_does_not_say_is_left_open() -> None:
    address = parse_token_uri("pkcs11:object=claims" + MODULE)

    assert (address.token, address.serial, address.slot_id, address.key_id) == (None, None, None, None)


def test_the_library_may_have_any_name() -> None:
    assert parse_token_uri("pkcs11:id=1?module-path=/opt/a%20b/기.so".replace("기", quote("기"))).module == Path(
        "/opt/a b/기.so"
    )


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:object=claims;pin-value=1234" + MODULE,
        "pkcs11:object=claims" + MODULE + "&pin-value=1234",
        "pkcs11:object=claims" + MODULE + "&pin-source=file:/etc/pin",
    ],
)
def test_a_pin_in_a_uri_is_refused_and_not_quoted(uri: str) -> None:
    with pytest.raises(KeyUnavailable, match="must not say the PIN") as refused:
        parse_token_uri(uri)

    assert "1234" not in str(refused.value)
    assert "env:NAME" in refused.value.fix


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("pkcs12:object=claims" + MODULE, "start with pkcs11:"),
        ("pkcs11:object=" + "x" * MAX_URI_CHARACTERS + MODULE, "at most 2048"),
        ("pkcs11:object=claims", "which library"),
        ("pkcs11:object=claims?module-path=token.so", "absolute path"),
        ("pkcs11:object=claims?module-name=token" + MODULE.replace("?", "&"), "module-name is not one of"),
        ("pkcs11:token=news" + MODULE, "which key"),
        ("pkcs11:object=claims;type=public" + MODULE, "type must be private"),
        ("pkcs11:object=claims;objekt=x" + MODULE, "objekt is not one of"),
        ("pkcs11:object=claims;object=other" + MODULE, "stands there twice"),
        ("pkcs11:object" + MODULE, "name=value"),
        ("pkcs11:object=a b" + MODULE, "name=value"),
        ("pkcs11:object=%4" + MODULE, "name=value"),
        ("pkcs11:object=%zz" + MODULE, "name=value"),
        ("pkcs11:object=기사" + MODULE, "name=value"),
        ("pkcs11:object=" + MODULE, "object is empty"),
        ("pkcs11:object=%00" + MODULE, "zero byte"),
        ("pkcs11:object=%FF" + MODULE, "not UTF-8"),
        ("pkcs11:object=x;slot-id=one" + MODULE, "decimal number"),
        ("pkcs11:object=x;slot-id=" + "1" * 21 + MODULE, "decimal number"),
        ("pkcs11:object=x?module-path=", "module-path is empty"),
    ],
)
def test_a_uri_with_one_flaw_is_refused_and_the_flaw_named(uri: str, why: str) -> None:
    with pytest.raises(KeyUnavailable, match=why):
        parse_token_uri(uri)


@given(TEXT, TEXT, st.binary(min_size=1, max_size=20))
def test_any_name_survives_being_written_into_a_uri(token: str, label: str, key_id: bytes) -> None:
    uri = f"pkcs11:token={quote(token, safe='')};object={quote(label, safe='')};id={quote(key_id, safe='')}{MODULE}"

    address = parse_token_uri(uri)

    assert (address.token, address.label, address.key_id) == (token, label, key_id)


@given(st.text(max_size=200))
def test_any_text_is_an_address_or_a_refusal(text: str) -> None:
    try:
        address = parse_token_uri(f"pkcs11:{text}")
    except KeyUnavailable:
        return
    assert address.module.is_absolute()
