"""A log's key follows another only by the log's own word, and old signatures stay good for what they covered."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerUnavailable, VerificationError
from platemark_provenance.ledger.checkpoint import Checkpoint, LogKey, LogKeys, open_checkpoint, sign_checkpoint
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.note import ED25519, VerifierKey
from platemark_provenance.ledger.receipt import verify_receipt
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.succession import (
    LARGEST_SUCCESSION_BYTES,
    MOST_LINKS,
    KeyLink,
    Succession,
    follow,
    leading_to,
)

SECOND = Ed25519PrivateKey.from_private_bytes(b"the second key of the log       ")
THIRD = Ed25519PrivateKey.from_private_bytes(b"the third key of the log        ")
PUBLISHED = NewEvent(EventType.CLIP_PUBLISHED, clip="clip-a", facts={"sha256": "ab" * 32})
ORIGIN = "news.example/provenance"

Open = Callable[[Ed25519PrivateKey, Succession], AbstractContextManager[Ledger]]


@pytest.fixture
def opened(url: str, settings: LedgerSettings) -> Open:
    """Open the ledger with a key and what led to it."""

    @contextmanager
    def opener(key: Ed25519PrivateKey, succession: Succession) -> Iterator[Ledger]:
        with Ledger.open(url, settings=replace(settings, signing_key=key, succession=succession)) as ledger:
            yield ledger

    return opener


@pytest.fixture
def first_receipt(ledger: Ledger) -> bytes:
    """A receipt that the first key signed, before anything changed."""
    ledger.append(PUBLISHED)
    return ledger.receipt("clip-a")


@pytest.fixture
def link(first_receipt: bytes, ledger: Ledger) -> KeyLink:
    """The second key, announced."""
    return ledger.announce_key(SECOND, actor="chief")


@pytest.fixture
def two(link: KeyLink) -> Succession:
    """From the first key to the second."""
    return Succession((link,))


def test_the_old_key_names_the_new_one_under_a_checkpoint_of_both(
    link: KeyLink, signing_key: Ed25519PrivateKey
) -> None:
    note = link.receipt.partition(b"\n\n")[2]

    heads = {open_checkpoint(note, key.public_key()) for key in (signing_key, SECOND)}

    assert {head.size for head in heads} == {2}
    assert b'"purpose":"ledger"' in verify_receipt(link.receipt, None, signing_key.public_key()).event


def test_announcing_the_same_key_again_is_one_event(link: KeyLink, ledger: Ledger) -> None:
    again = ledger.announce_key(SECOND, actor="chief")

    assert ledger.head().size == 2
    assert (again.old, again.new) == (link.old, link.new)


def test_the_old_key_signs_nothing_after_that(link: KeyLink, ledger: Ledger) -> None:
    ledger.append(PUBLISHED)

    with pytest.raises(LedgerUnavailable, match="Another key has followed"):
        ledger.checkpoint()


def test_a_change_of_another_key_does_not_stop_the_log(ledger: Ledger) -> None:
    ledger.append(NewEvent(EventType.KEY_ROTATED, facts={"purpose": "claim-signing", "how": "rotate"}))

    assert ledger.checkpoint()


def test_the_log_goes_on_under_the_new_key(two: Succession, opened: Open) -> None:
    with opened(SECOND, two) as ledger:
        ledger.append(PUBLISHED)
        note = ledger.checkpoint()
        report = ledger.verify()

    assert open_checkpoint(note, SECOND.public_key()).size == 3
    assert report.ok, report.reason


def test_the_log_does_not_open_under_the_new_key_without_the_proof(link: KeyLink, opened: Open) -> None:
    with opened(SECOND, Succession()) as ledger:
        assert not ledger.verify().ok


def test_the_log_does_not_open_under_a_key_that_nobody_named(two: Succession, opened: Open) -> None:
    with pytest.raises(VerificationError, match="none of them"), opened(THIRD, two):
        pass


def test_the_log_does_not_open_under_a_key_that_was_replaced(
    two: Succession, opened: Open, signing_key: Ed25519PrivateKey
) -> None:
    with pytest.raises(VerificationError, match="was replaced"), opened(signing_key, two):
        pass


def test_an_old_receipt_holds_for_whoever_knows_the_old_key(
    first_receipt: bytes, link: KeyLink, signing_key: Ed25519PrivateKey
) -> None:
    assert verify_receipt(first_receipt, None, signing_key.public_key()).index == 0


def test_an_old_receipt_holds_for_whoever_knows_only_the_new_key(first_receipt: bytes, two: Succession) -> None:
    assert verify_receipt(first_receipt, None, follow(SECOND.public_key(), two)).index == 0


def test_a_new_receipt_holds_for_whoever_knows_only_the_old_key(
    two: Succession, opened: Open, signing_key: Ed25519PrivateKey
) -> None:
    with opened(SECOND, two) as ledger:
        ledger.append(NewEvent(EventType.PROMPT_SUBMITTED, clip="clip-b"))
        receipt = ledger.receipt("clip-a")

    keys = follow(signing_key.public_key(), two)
    assert verify_receipt(receipt, None, keys).index == 0
    with pytest.raises(VerificationError, match="not signed by"):
        verify_receipt(receipt, None, signing_key.public_key())


def test_until_the_log_grows_a_receipt_holds_for_whoever_knows_either_key(
    two: Succession, opened: Open, signing_key: Ed25519PrivateKey
) -> None:
    with opened(SECOND, two) as ledger:
        receipt = ledger.receipt("clip-a")

    assert [verify_receipt(receipt, None, key.public_key()).index for key in (signing_key, SECOND)] == [0, 0]


def test_three_keys_in_a_row_lead_from_any_to_any(
    two: Succession, opened: Open, signing_key: Ed25519PrivateKey
) -> None:
    with opened(SECOND, two) as ledger:
        three = two.followed_by(ledger.announce_key(THIRD))
    with opened(THIRD, three) as ledger:
        ledger.append(PUBLISHED)
        note, report = ledger.checkpoint(), ledger.verify()

    assert report.ok, report.reason
    heads = {open_checkpoint(note, follow(key.public_key(), three)).size for key in (signing_key, SECOND, THIRD)}
    assert heads == {4}


def test_a_stolen_old_key_does_not_speak_for_what_came_later(two: Succession, signing_key: Ed25519PrivateKey) -> None:
    forged = sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), signing_key)

    with pytest.raises(VerificationError, match="replaced when the log had 2 events"):
        open_checkpoint(forged, follow(signing_key.public_key(), two))


def test_what_an_old_key_signed_up_to_its_end_is_good(two: Succession, signing_key: Ed25519PrivateKey) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 2, bytes(32)), signing_key)

    assert open_checkpoint(note, follow(SECOND.public_key(), two)).size == 2


def test_a_broken_signature_of_any_known_key_spoils_the_note(signing_key: Ed25519PrivateKey) -> None:
    keys = LogKeys((LogKey(signing_key.public_key(), until=10), LogKey(SECOND.public_key())))
    both = sign_checkpoint(Checkpoint(ORIGIN, 2, bytes(32)), signing_key, SECOND)
    other = sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), signing_key)
    mixed = both.replace(both.splitlines()[-2], other.splitlines()[-1])

    with pytest.raises(VerificationError, match="does not match"):
        open_checkpoint(mixed, keys)


def test_a_succession_reads_back(two: Succession) -> None:
    assert Succession.parse(two.to_bytes()) == two


@pytest.mark.parametrize(
    "change",
    [
        lambda link: replace(link, receipt=b""),
        lambda link: replace(link, receipt=link.receipt[:-60]),
        lambda link: replace(link, receipt=link.receipt.replace(b"index 1", b"index 0")),
        lambda link: replace(link, new=VerifierKey(ORIGIN, ED25519, THIRD.public_key().public_bytes_raw())),
        lambda link: replace(link, old=VerifierKey(ORIGIN, ED25519, THIRD.public_key().public_bytes_raw())),
        lambda link: replace(link, new=link.old, old=link.new),
        lambda link: replace(link, new=VerifierKey("other.example", ED25519, link.new.key)),
    ],
)
def test_a_link_with_one_flaw_is_refused(link: KeyLink, change: Callable[[KeyLink], KeyLink]) -> None:
    with pytest.raises(VerificationError, match="does not hold"):
        follow(SECOND.public_key(), Succession((change(link),)))


def test_a_receipt_about_another_event_makes_no_link(first_receipt: bytes, link: KeyLink, ledger: Ledger) -> None:
    wrong = replace(link, receipt=first_receipt)

    with pytest.raises(VerificationError, match="does not hold"):
        follow(SECOND.public_key(), Succession((wrong,)))


def test_links_that_do_not_meet_are_refused(link: KeyLink) -> None:
    with pytest.raises(VerificationError, match="another key than the one before"):
        follow(SECOND.public_key(), Succession((link, link)))


def test_without_links_there_is_the_known_key(signing_key: Ed25519PrivateKey) -> None:
    assert len(leading_to(signing_key.public_key(), Succession()).keys) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"format": "org.platemark.key-succession/2", "links": []}',
        b'{"format": "org.platemark.key-succession/1", "links": {}}',
        b'{"format": "org.platemark.key-succession/1", "links": [1]}',
        b'{"format": "org.platemark.key-succession/1", "links": [{"old": "x", "new": "y", "receipt": "z"}]}',
        json.dumps({"format": "org.platemark.key-succession/1", "links": [{}] * (MOST_LINKS + 1)}).encode(),
        b"[" * 100_000,
        b" " * (LARGEST_SUCCESSION_BYTES + 1),
    ],
)
def test_what_is_no_succession_is_refused(content: bytes) -> None:
    with pytest.raises(VerificationError):
        Succession.parse(content)


def test_half_a_surrogate_pair_in_a_receipt_is_refused(two: Succession) -> None:
    spoiled = json.loads(two.to_bytes())
    spoiled["links"][0]["receipt"] = "\ud800"

    with pytest.raises(VerificationError, match="no text"):
        Succession.parse(json.dumps(spoiled).encode())


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail_in_another_way(content: bytes) -> None:
    with pytest.raises(VerificationError):
        Succession.parse(content)


def test_the_key_of_a_log_on_a_server_is_followed_too(server_url: str, settings: LedgerSettings) -> None:
    wanted = replace(settings, busy_timeout_s=10)
    with Ledger.open(server_url, settings=wanted) as ledger:
        two = Succession((ledger.announce_key(SECOND),))
        with pytest.raises(LedgerUnavailable, match="Another key"):
            ledger.checkpoint()

    with Ledger.open(server_url, settings=replace(wanted, signing_key=SECOND, succession=two)) as ledger:
        ledger.checkpoint()
        assert ledger.verify().ok
