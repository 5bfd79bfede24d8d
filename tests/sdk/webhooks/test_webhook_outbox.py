"""Messages arrive once each and in order, are tried again when the receiver is away, and are never lost silently."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from platemark.errors import HomeError, PromptRefused, RequestError
from platemark.homes.home import Home, open_home
from platemark.studio import Studio
from platemark.webhooks.outbox import MOST_ATTEMPTS, Outbox
from platemark.webhooks.sending import check_address, send
from platemark.webhooks.signature import verify_message
from platemark.webhooks.telling import Telling
from platemark_provenance.ledger.event import Event, EventType, NewEvent, SealedState
from platemark_provenance.ledger.store import Ledger

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = bytes(range(32))


def event(seq: int, kind: str = "clip.published") -> Event:
    return Event(
        seq=seq,
        event_id=f"e-{seq}",
        at=NOW,
        type=kind,
        clip="c-1",
        actor="p-abc",
        actor_name="Kim Ji-woo",
        desk="news",
        decision=None,
        model="testcard",
        facts={"sha256": "ab"},
        sealed_state=SealedState.OPENED,
        sealed={"prompt": "secret words"},
        body=b"{}",
    )


@dataclass
class Receiver:
    """Takes messages, or says why not."""

    problem: str = ""
    bodies: list[bytes] = field(default_factory=list)
    tries: int = 0

    def take(self, body: bytes, headers: dict[str, str]) -> str:
        self.tries += 1
        sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        verify_message(body, headers, SECRET, now=sent_at)
        if not self.problem:
            self.bodies.append(body)
        return self.problem


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def box(tmp_path: Path, receiver: Receiver, clock: Clock | None = None) -> Outbox:
    return Outbox(tmp_path / "webhooks", SECRET, clock or Clock(), receiver.take)


def test_events_are_told_once_each_and_in_order(tmp_path: Path) -> None:
    receiver = Receiver()
    outbox = box(tmp_path, receiver)

    first = outbox.deliver([event(0), event(1), event(2)])
    second = outbox.deliver([event(0), event(1), event(2), event(3)])

    assert (first.sent, second.sent) == (3, 1)
    assert [json.loads(body)["data"]["seq"] for body in receiver.bodies] == [0, 1, 2, 3]


def test_nothing_sealed_and_no_name_is_told(tmp_path: Path) -> None:
    receiver = Receiver()

    box(tmp_path, receiver).deliver([event(0)])

    assert b"secret words" not in receiver.bodies[0]
    assert b"Kim" not in receiver.bodies[0]
    assert b"p-abc" not in receiver.bodies[0]


def test_other_kinds_of_event_are_passed_over(tmp_path: Path) -> None:
    receiver = Receiver()

    done = box(tmp_path, receiver).deliver([event(0, "generation.started"), event(1, "an.unknown.kind")])

    assert (receiver.tries, done.place.next_seq) == (0, 2)


def test_an_event_that_is_not_taken_holds_up_those_behind_it_until_it_is(tmp_path: Path) -> None:
    receiver, clock = Receiver(problem="away"), Clock()
    outbox = box(tmp_path, receiver, clock)

    failed = outbox.deliver([event(0), event(1)])
    too_soon = outbox.deliver([event(0), event(1)])
    receiver.problem, clock.now = "", NOW + timedelta(seconds=5)
    done = outbox.deliver([event(0), event(1)])

    assert (failed.waiting, failed.problem, too_soon.waiting) == (True, "away", True)
    assert (receiver.tries, done.sent) == (3, 2)


def test_after_eight_tries_the_letter_is_dead_is_kept_and_the_next_one_goes(tmp_path: Path) -> None:
    receiver, clock = Receiver(problem="refused"), Clock()
    outbox = box(tmp_path, receiver, clock)

    def try_again() -> int:
        clock.now = outbox.place().not_before or NOW
        return outbox.deliver([event(0)]).dead

    dead = [try_again() for _ in range(MOST_ATTEMPTS)]

    assert dead == [0] * (MOST_ATTEMPTS - 1) + [1]
    assert clock.now - NOW == timedelta(seconds=5 * (2 ** (MOST_ATTEMPTS - 1) - 1))
    assert [path.name for path in outbox.dead_letters()] == ["000000000000.json"]
    assert json.loads(outbox.dead_letters()[0].read_bytes())["data"]["event_id"] == "e-0"
    assert outbox.place().next_seq == 1


@pytest.mark.parametrize("content", [b"", b"{}", b'{"next_seq": -1, "attempts": 0, "not_before": null}', b"x" * 70_000])
def test_a_damaged_memory_is_told_and_nothing_is_sent(tmp_path: Path, content: bytes) -> None:
    receiver = Receiver()
    outbox = box(tmp_path, receiver)
    outbox.start_at(0)
    (tmp_path / "webhooks/state.json").write_bytes(content)

    with pytest.raises(HomeError, match="does not say how far"):
        outbox.deliver([event(0)])

    assert receiver.tries == 0


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://cms.example/x", "https://host/path"),
        ("https://user:pw@cms.example/x", "https://host/path"),
        ("https://evil.example/x", "not an allowed one"),
        ("https://cms.example.evil.example/x", "not an allowed one"),
        ("https://cms.example:0/x", "https://host/path"),
        ("https://cms.example/a b", "https://host/path"),
        ("http://cms.example/x", "https://host/path"),
        ("https://[::1", "https://host/path"),
        ("", "https://host/path"),
    ],
)
def test_an_address_that_is_not_allowed_is_refused(url: str, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        check_address(url, hosts=("cms.example",))


def resolving_to(*addresses: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Let every name lead to some addresses, and note where a connection is made; none gets through."""
    asked: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], **more: object) -> None:
        asked.append(address)
        raise ConnectionRefusedError

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: found)
    monkeypatch.setattr(socket, "create_connection", connect)
    return asked


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.9", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "fe80::1"]
)
def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving_to("93.184.216.34", address, monkeypatch=monkeypatch)

    with pytest.raises(RequestError, match="private network"):
        send(check_address("https://cms.example/x", hosts=("cms.example",)), b"{}", {})

    assert asked == []


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving_to("93.184.216.34", monkeypatch=monkeypatch)

    problem = send(check_address("https://CMS.example/x", hosts=("cms.EXAMPLE",)), b"{}", {})

    assert (asked, "cannot be reached" in problem) == ([("93.184.216.34", 443)], True)


def test_an_in_house_receiver_is_told_where_that_was_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving_to("10.1.2.3", monkeypatch=monkeypatch)

    send(check_address("https://cms.internal/x", hosts=("cms.internal",), private_network=True), b"{}", {})

    assert asked == [("10.1.2.3", 443)]


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0"])
def test_this_machine_and_its_neighbours_are_never_an_in_house_receiver(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving_to(address, monkeypatch=monkeypatch)

    with pytest.raises(RequestError):
        send(check_address("https://cms.internal/x", hosts=("cms.internal",), private_network=True), b"{}", {})

    assert asked == []


@contextmanager
def listening(status: int = 204, *, location: str = "") -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A receiver on this machine."""
    taken: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append((dict(self.headers), body))
            self.send_response(status)
            self.send_header("location", location)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_real_receiver_gets_body_and_headers() -> None:
    with listening() as (url, taken):
        problem = send(check_address(url, hosts=("127.0.0.1",)), b"{}", {"webhook-id": "m-1"})

    assert problem == ""
    assert taken[0][1] == b"{}"
    assert taken[0][0]["webhook-id"] == "m-1"


def test_a_redirect_is_not_followed() -> None:
    with listening() as (other, taken), listening(302, location=other) as (url, _):
        problem = send(check_address(url, hosts=("127.0.0.1",)), b"{}", {})

    assert problem == "the receiver answered 302"
    assert taken == []


def test_a_receiver_that_is_not_there_is_a_problem_and_no_error() -> None:
    assert "cannot be reached" in send(check_address("http://127.0.0.1:9/x", hosts=("127.0.0.1",)), b"{}", {})


@pytest.fixture
def configured(home_path: Path) -> Iterator[tuple[Home, list[tuple[dict[str, str], bytes]]]]:
    with listening() as (url, taken):
        config = (home_path / "platemark.toml").read_text(encoding="utf-8")
        config = config.replace('url = ""', f'url = "{url}"').replace("hosts = []", 'hosts = ["127.0.0.1"]')
        (home_path / "platemark.toml").write_text(config, encoding="utf-8")
        yield open_home(home_path), taken


def ledger_of(home: Home) -> Ledger:
    return home.open_ledger()


def test_a_published_clip_and_a_refusal_are_told_and_the_signature_fits(
    configured: tuple[Home, list[tuple[dict[str, str], bytes]]], tmp_path: Path
) -> None:
    home, taken = configured
    with ledger_of(home) as ledger:
        Telling(home, ledger).deliver()

    with Studio.open(home.path) as studio:
        studio.generate(
            "a calm blue sea at sunset", model="testcard", seconds=0.5, size="256x256", out=tmp_path / "c.mp4"
        )
        with pytest.raises(PromptRefused):
            studio.generate("no label and no watermark, strip the C2PA so that nobody knows it is AI", model="testcard")

    types = [json.loads(body)["type"] for _, body in taken]
    assert types == ["policy.decided", "policy.decided", "clip.published", "policy.decided"]
    headers, body = taken[-1]
    assert verify_message(body, headers, home.webhook_secret(), now=home.clock()).body == body


def test_a_receiver_that_is_away_fails_no_clip(home_path: Path, tmp_path: Path) -> None:
    config = (home_path / "platemark.toml").read_text(encoding="utf-8")
    config = config.replace('url = ""', 'url = "http://127.0.0.1:9/x"').replace("hosts = []", 'hosts = ["127.0.0.1"]')
    (home_path / "platemark.toml").write_text(config, encoding="utf-8")

    with Studio.open(home_path) as studio:
        clip = studio.generate("a calm blue sea", model="testcard", seconds=0.5, size="256x256", out=tmp_path / "c.mp4")

    assert clip.path.is_file()


def test_the_first_time_only_what_happens_from_then_on_is_told(
    configured: tuple[Home, list[tuple[dict[str, str], bytes]]],
) -> None:
    home, taken = configured
    with ledger_of(home) as ledger:
        ledger.append(NewEvent(EventType.CLIP_WITHDRAWN, clip="c-0", facts={"reason": "old"}))
        Telling(home, ledger).deliver()
        ledger.append(NewEvent(EventType.CLIP_WITHDRAWN, clip="c-1", facts={"reason": "new"}))
        done = Telling(home, ledger).deliver()

    assert (done.sent, len(taken)) == (1, 1)
    assert json.loads(taken[0][1])["data"]["clip_id"] == "c-1"


def test_without_an_address_delivering_is_refused(home_path: Path) -> None:
    home = open_home(home_path)

    with ledger_of(home) as ledger, pytest.raises(RequestError, match="No webhook is configured"):
        Telling(home, ledger).deliver()
