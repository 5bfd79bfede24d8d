"""What is sealed about a person can be made to go, whole and for good, and the log still holds."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from platemark_provenance.errors import KeyUnavailable, LedgerCorrupt, LedgerRequestError, SubjectHeld
from platemark_provenance.ledger.event import Event, EventType, NewEvent, SealedState
from platemark_provenance.ledger.sealing import Sealer
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.subject_keys import KEY_BYTES, SecretWrapper
from platemark_provenance.ledger.tables import sealed_part, sealed_payload, search_word, subject_key

PROMPT = "an unmistakable prompt about umbrellas"
BYLINE = "Kim Unmistakable"


@pytest.fixture
def searching(url: str, settings: LedgerSettings) -> Iterator[Ledger]:
    """A ledger that keeps words, with two people and a clip of nobody's."""
    with Ledger.open(url, settings=replace(settings, keeps_words=True)) as ledger:
        ledger.append_all(
            [
                submitted("clip-a", "jw.unmistakable", PROMPT, BYLINE),
                submitted("clip-b", "other", "another prompt", "Lee Other"),
                submitted("clip-c", None, "nobody's prompt", ""),
                submitted("clip-d", "other", "one for two people", BYLINE),
            ]
        )
        yield ledger


def submitted(clip: str, actor: str | None, prompt: str, byline: str) -> NewEvent:
    sealed = {"prompt": prompt, "byline": byline}
    return NewEvent(EventType.PROMPT_SUBMITTED, clip=clip, actor=actor, sealed=sealed)


def only(ledger: Ledger, clip: str) -> Event:
    (event,) = [each for each in ledger.trace(clip) if each.type == EventType.PROMPT_SUBMITTED]
    return event


def raw_bytes(directory: Path) -> bytes:
    """Everything that lies in the ledger's directory, whatever it is called."""
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def wrapped_keys(ledger: Ledger, subject: str) -> list[bytes]:
    with ledger.keys.database.read() as connection:
        rows = connection.execute(select(subject_key.c.wrapped).where(subject_key.c.subject == subject))
        return [bytes(row) for row in rows.scalars()]


def ciphertexts(ledger: Ledger, event_id: str) -> list[bytes]:
    with ledger.keys.database.read() as connection:
        rows = connection.execute(select(sealed_payload.c.ciphertext).where(sealed_payload.c.event_id == event_id))
        return [bytes(row) for row in rows.scalars()]


def test_what_was_erased_reads_as_erased_and_the_rest_as_before(searching: Ledger) -> None:
    searching.subjects.erase("jw.unmistakable", reason="a request")

    assert only(searching, "clip-a").sealed_state is SealedState.ERASED
    assert only(searching, "clip-a").actor_name is None
    assert only(searching, "clip-b").sealed == {"prompt": "another prompt", "byline": "Lee Other"}


def test_the_log_is_whole_after_an_erasure_and_its_earlier_root_still_holds(searching: Ledger) -> None:
    before = searching.checkpoint()

    erased = searching.subjects.erase("jw.unmistakable", reason="a request")

    assert searching.verify(against=before).ok
    assert searching.head().size == erased.recorded.seq + 1
    assert searching.verify().checkpoint == 4


def test_no_byte_of_prompt_name_key_or_ciphertext_is_left_in_any_file(searching: Ledger, tmp_path: Path) -> None:
    event = only(searching, "clip-a")
    (wrapped,) = wrapped_keys(searching, str(event.actor))
    (ciphertext,) = ciphertexts(searching, event.event_id)
    assert {b"unmistakable", wrapped, ciphertext, b"umbrellas"} == {
        each for each in (b"unmistakable", wrapped, ciphertext, b"umbrellas") if each in raw_bytes(tmp_path)
    }

    erased = searching.subjects.erase("jw.unmistakable", reason="a request")
    searching.subjects.erase(BYLINE, reason="a request")

    left = raw_bytes(tmp_path)
    assert erased.log_emptied
    assert [each for each in (b"unmistakable", b"umbrella", wrapped, ciphertext, wrapped[12:44]) if each in left] == []


def test_an_erasure_is_an_event_with_who_why_and_how_much(searching: Ledger) -> None:
    searching.subjects.erase("jw.unmistakable", reason="request 17", actor="dpo")

    (event,) = searching.query(type=EventType.SUBJECT_ERASED)
    assert event.actor_name == "dpo"
    assert event.facts == {
        "subject": searching.pseudonym("jw.unmistakable"), "payloads": 1, "jobs": 0, "reason": "request 17",
    }  # fmt: skip
    assert b"unmistakable" not in event.body


@pytest.mark.parametrize("how", ["name", "pseudonym"])
def test_a_person_may_be_named_by_name_or_by_pseudonym(searching: Ledger, how: str) -> None:
    subject = {"name": "other", "pseudonym": searching.pseudonym("other")}[how]

    assert searching.subjects.erase(subject, reason="a request").payloads == 2


def test_a_person_who_is_only_named_in_it_can_be_erased_too(searching: Ledger) -> None:
    searching.subjects.erase(BYLINE, reason="a request")

    assert only(searching, "clip-a").sealed_state is SealedState.ERASED
    assert only(searching, "clip-d").sealed_state is SealedState.ERASED
    assert only(searching, "clip-b").sealed_state is SealedState.OPENED


@pytest.mark.parametrize("clip", ["clip-a", "clip-c"])
def test_everything_sealed_about_one_clip_can_be_erased(searching: Ledger, clip: str) -> None:
    assert searching.subjects.erase(f"clip:{clip}", reason="a request").payloads == 1
    assert only(searching, clip).sealed_state is SealedState.ERASED


def test_words_are_found_until_they_are_erased(searching: Ledger) -> None:
    before = [event.clip for event in searching.query(words="umbrellas unmistakable")]

    searching.subjects.erase("jw.unmistakable", reason="a request")

    assert before == ["clip-a"]
    assert list(searching.query(words="umbrellas")) == []
    with searching.keys.database.read() as connection:
        assert "umbrellas" not in set(connection.execute(select(search_word.c.word)).scalars())


def test_where_no_index_is_kept_no_word_is_stored(ledger: Ledger) -> None:
    ledger.append(submitted("clip-a", "x", PROMPT, BYLINE))

    assert list(ledger.query(words="umbrellas")) == []


@pytest.mark.parametrize("subject", ["nobody", "p-aaaaaaaaaaaaaaaa", "clip:nowhere"])
def test_a_subject_that_is_not_known_is_refused_and_nothing_is_logged(searching: Ledger, subject: str) -> None:
    before = searching.head()

    with pytest.raises(LedgerRequestError, match="Nothing sealed"):
        searching.subjects.erase(subject, reason="a request")

    assert searching.head() == before


@pytest.mark.parametrize(("subject", "reason"), [("", "x"), ("x" * 300, "x"), ("other", ""), ("other", "a\nb")])
def test_an_impossible_erasure_is_refused(searching: Ledger, subject: str, reason: str) -> None:
    with pytest.raises(LedgerRequestError):
        searching.subjects.erase(subject, reason=reason)


def test_erasing_twice_says_that_nothing_is_left(searching: Ledger) -> None:
    searching.subjects.erase("jw.unmistakable", reason="a request")

    with pytest.raises(LedgerRequestError, match="Nothing sealed"):
        searching.subjects.erase("jw.unmistakable", reason="again")


def test_somebody_who_was_erased_gets_a_new_key_when_they_come_back(searching: Ledger) -> None:
    name = searching.pseudonym("other")
    old = wrapped_keys(searching, name)
    searching.subjects.erase("other", reason="a request")

    searching.append(submitted("clip-e", "other", "again", ""))

    assert only(searching, "clip-e").sealed == {"prompt": "again", "byline": ""}
    assert wrapped_keys(searching, name) != old


def test_a_retry_of_an_event_that_was_erased_is_still_the_same_event(searching: Ledger) -> None:
    new = replace(submitted("clip-x", "retrier", "once", ""), event_id="01890000-0000-7000-8000-000000000001")
    first = searching.append(new)
    searching.subjects.erase("retrier", reason="a request")

    assert searching.append(new).seq == first.seq


# -- legal holds


def test_a_hold_blocks_and_its_release_lets_go(searching: Ledger) -> None:
    hold = searching.subjects.set_hold("jw.unmistakable", reason="case 17", actor="legal")
    with pytest.raises(SubjectHeld, match="case 17"):
        searching.subjects.erase("jw.unmistakable", reason="a request")
    assert only(searching, "clip-a").sealed_state is SealedState.OPENED

    searching.subjects.release_hold(hold.hold_id, reason="closed")

    assert searching.subjects.holds() == ()
    assert searching.subjects.erase("jw.unmistakable", reason="a request").payloads == 1


def test_a_hold_on_a_clip_blocks_the_erasure_of_its_people(searching: Ledger) -> None:
    searching.subjects.set_hold("clip:clip-d", reason="case 18")

    with pytest.raises(SubjectHeld):
        searching.subjects.erase("other", reason="a request")

    assert searching.subjects.erase("jw.unmistakable", reason="a request").payloads == 1


def test_of_two_holds_one_is_enough_to_block(searching: Ledger) -> None:
    first = searching.subjects.set_hold("other", reason="one")
    searching.subjects.set_hold("other", reason="two")
    searching.subjects.release_hold(first.hold_id, reason="closed")

    with pytest.raises(SubjectHeld, match="two"):
        searching.subjects.erase("other", reason="a request")


def test_holds_stand_in_the_log_with_a_pseudonym(searching: Ledger) -> None:
    hold = searching.subjects.set_hold("other", reason="case", actor="legal")

    (event,) = searching.query(type=EventType.LEGAL_HOLD_SET)
    assert event.facts == {"hold": hold.hold_id, "subject": searching.pseudonym("other"), "reason": "case"}
    assert [each.hold_id for each in searching.subjects.holds()] == [hold.hold_id]


@pytest.mark.parametrize("hold_id", ["", "nothing", "01890000-0000-7000-8000-000000000001"])
def test_a_hold_that_does_not_stand_cannot_be_released(searching: Ledger, hold_id: str) -> None:
    with pytest.raises(LedgerRequestError, match="No hold"):
        searching.subjects.release_hold(hold_id, reason="x")


# -- keys


def test_each_person_has_a_key_of_their_own(searching: Ledger) -> None:
    with searching.keys.database.read() as connection:
        subjects = set(connection.execute(select(subject_key.c.subject)).scalars())

    assert subjects == {searching.pseudonym("jw.unmistakable"), searching.pseudonym("other"), "clip:clip-c"}


def test_a_key_destroyed_elsewhere_is_not_used_again(searching: Ledger, url: str, settings: LedgerSettings) -> None:
    old = wrapped_keys(searching, searching.pseudonym("other"))
    with Ledger.open(url, settings=settings) as elsewhere:
        elsewhere.subjects.erase("other", reason="a request")

    searching.append(submitted("clip-e", "other", "later", ""))

    assert wrapped_keys(searching, searching.pseudonym("other")) != old


def test_a_part_cannot_be_kept_under_a_key_that_is_gone(searching: Ledger) -> None:
    row = {"event_id": "x", "subject": "y", "key_id": "destroyed"}

    with pytest.raises(LedgerCorrupt), searching.keys.database.write() as connection:
        connection.execute(insert(sealed_part).values(**row))


def test_with_another_wrapping_key_a_part_reads_as_unreadable_and_the_log_stays_whole(
    searching: Ledger, url: str, settings: LedgerSettings
) -> None:
    searching.close()
    first, other = SecretWrapper(b"k" * KEY_BYTES, "first"), SecretWrapper(bytes(KEY_BYTES), "other")
    with Ledger.open(url, settings=replace(settings, wrapper=first)) as ledger:
        ledger.keys.rewrap()
        assert only(ledger, "clip-a").sealed_state is SealedState.OPENED
    with Ledger.open(url, settings=replace(settings, wrapper=other)) as ledger:
        assert only(ledger, "clip-a").sealed_state is SealedState.UNREADABLE
        assert ledger.verify().ok


def test_a_wrapped_key_opens_for_its_own_subject_only() -> None:
    wrapper = SecretWrapper(b"w" * KEY_BYTES)
    wrapped = wrapper.wrap(b"k" * KEY_BYTES, "p-one")

    assert wrapper.unwrap(wrapped, "p-one") == b"k" * KEY_BYTES
    with pytest.raises(KeyUnavailable):
        wrapper.unwrap(wrapped, "p-two")


def test_a_wrapping_key_is_not_shown() -> None:
    assert "ww" not in repr(SecretWrapper(b"w" * KEY_BYTES))


def test_a_part_sealed_before_subjects_had_keys_opens_and_can_be_erased(
    ledger: Ledger, settings: LedgerSettings
) -> None:
    put = ledger.append(submitted("clip-a", "jw.kim", PROMPT, BYLINE))
    as_before(ledger, put.event_id, Sealer(settings.payload_key))

    assert only(ledger, "clip-a").sealed == {"prompt": PROMPT, "byline": BYLINE}
    assert ledger.subjects.erase("jw.kim", reason="a request").payloads == 1
    assert only(ledger, "clip-a").sealed_state is SealedState.ERASED


def as_before(ledger: Ledger, event_id: str, sealer: Sealer) -> None:
    """Put the ciphertext of revision r0001 in the place of the one there (the leaf's digest is then another's)."""
    old = sealer.seal(event_id, {"prompt": PROMPT, "byline": BYLINE})
    with ledger.keys.database.write() as connection:
        connection.execute(sealed_part.delete())
        change = sealed_payload.update().where(sealed_payload.c.event_id == event_id)
        connection.execute(change.values(nonce=old.nonce, ciphertext=old.ciphertext))


# -- interrupted

KILLED = """
import os, signal, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from datetime import UTC, datetime
from pathlib import Path
from platemark_provenance.ledger import erasure, database
from platemark_provenance.ledger.store import Ledger, LedgerSettings

url, state, at = sys.argv[1:]
settings = LedgerSettings(
    origin="news.example/provenance",
    signing_key=Ed25519PrivateKey.from_private_bytes(b"a ledger signing key for tests  "),
    payload_key=b"a payload key for tests, 32 byte",
    clock=lambda: datetime(2026, 3, 14, 12, tzinfo=UTC),
    state_path=Path(state),
)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

ledger = Ledger.open(url, settings=settings)
if at == "before":
    delete = erasure._delete
    erasure._delete = lambda *arguments: (delete(*arguments), die())
else:
    database.Database.empty_write_ahead_log = die
ledger.subjects.erase("jw.unmistakable", reason="a request")
"""


@pytest.mark.parametrize(("at", "state"), [("before", SealedState.OPENED), ("after", SealedState.ERASED)])
def test_an_erasure_that_is_killed_was_done_wholly_or_not_at_all(
    searching: Ledger, url: str, settings: LedgerSettings, tmp_path: Path, at: str, state: SealedState
) -> None:
    words = [sys.executable, "-c", KILLED, url, str(settings.state_path), at]
    ended = subprocess.run(words, env=dict(os.environ), check=False)

    assert ended.returncode == -signal.SIGKILL
    assert only(searching, "clip-a").sealed_state is state
    assert searching.verify().ok


def test_after_a_kill_the_next_try_empties_what_was_left(
    searching: Ledger, url: str, settings: LedgerSettings, tmp_path: Path
) -> None:
    words = [sys.executable, "-c", KILLED, url, str(settings.state_path), "after"]
    subprocess.run(words, env=dict(os.environ), check=False)
    searching.subjects.erase(BYLINE, reason="a request")

    with pytest.raises(LedgerRequestError, match="Nothing sealed"):
        searching.subjects.erase("jw.unmistakable", reason="a request")

    assert b"unmistakable" not in raw_bytes(tmp_path)
