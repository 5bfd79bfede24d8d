"""A webhook message counts only with its signature, near its time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import VerificationError
from platemark.webhooks.signature import Message, read_secret, show_secret, verify_message

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = bytes(range(32))
GOOD = Message("msg-1", NOW, b'{"type":"clip.published"}')


@given(st.binary(max_size=300), st.binary(min_size=24, max_size=64))
def test_what_is_signed_is_verified(body: bytes, secret: bytes) -> None:
    message = Message("msg-1", NOW, body)

    assert verify_message(body, message.headers(secret), secret, now=NOW) == message


def test_the_example_of_the_specification_gives_its_signature() -> None:
    secret = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    message = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}')

    assert message.headers(secret)["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("body", "changed", "told"),
    [
        (b'{"type":"clip.withdrawn"}', {}, "does not fit"),
        (GOOD.body, {"webhook-id": "msg-2"}, "does not fit"),
        (GOOD.body, {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}, "does not fit"),
        (GOOD.body, {"webhook-signature": "v1,AAAA"}, "does not fit"),
        (GOOD.body, {"webhook-signature": "v2,AAAA"}, "does not fit"),
        (GOOD.body, {"webhook-signature": ""}, "lacks"),
        (GOOD.body, {"webhook-signature": "v1," + "A" * 5000}, "lacks"),
        (GOOD.body, {"webhook-id": ""}, "lacks"),
        (GOOD.body, {"webhook-timestamp": "noon"}, "lacks"),
        (GOOD.body, {"webhook-timestamp": "9" * 13}, "lacks"),
        (GOOD.body, {"webhook-timestamp": "-5"}, "lacks"),
    ],
)
def test_one_change_makes_a_message_count_for_nothing(body: bytes, changed: dict[str, str], told: str) -> None:
    headers = {**GOOD.headers(SECRET), **changed}

    with pytest.raises(VerificationError, match=told):
        verify_message(body, headers, SECRET, now=NOW)


@pytest.mark.parametrize("away", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)])
def test_a_message_far_from_its_time_may_be_a_replay(away: timedelta) -> None:
    with pytest.raises(VerificationError, match="replay"):
        verify_message(GOOD.body, GOOD.headers(SECRET), SECRET, now=NOW + away)


def test_another_secret_does_not_fit() -> None:
    with pytest.raises(VerificationError):
        verify_message(GOOD.body, GOOD.headers(SECRET), bytes(32), now=NOW)


def test_one_of_several_signatures_is_enough_and_names_of_headers_have_no_case() -> None:
    headers = {name.upper(): value for name, value in GOOD.headers(SECRET).items()}
    headers["WEBHOOK-SIGNATURE"] = "v1,old= " + headers["WEBHOOK-SIGNATURE"]

    assert verify_message(GOOD.body, headers, SECRET, now=NOW).id == "msg-1"


@given(st.binary(min_size=24, max_size=80))
def test_a_secret_is_written_down_and_read_back(secret: bytes) -> None:
    assert read_secret(show_secret(secret)) == secret


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "secret", "whsec_!!!", show_secret(bytes(32))[6:]])
def test_anything_else_is_no_secret(text: str) -> None:
    with pytest.raises(VerificationError):
        read_secret(text)
