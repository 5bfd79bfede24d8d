"""A second opinion can only raise the verdict, its failure waits for an editor, and prompts go nowhere else."""

import socket
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from platemark_policy.decision import Verdict
from platemark_policy.engine import Engine
from platemark_policy.errors import PolicyError
from platemark_policy.guard import ModerationService
from platemark_policy.pack import RulePack

CALM = b'{"results": [{"flagged": false, "categories": {"violence": false}}]}'
FLAGGED = b'{"results": [{"flagged": true, "categories": {"violence": true, "hate": false}}]}'


class Service(HTTPServer):
    """A moderation service that answers what it is told to."""

    answer, status = CALM, 200


class Handler(BaseHTTPRequestHandler):
    """Answer every question alike."""

    server: Service

    def do_POST(self) -> None:
        """Read the question and answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def guard_at(server: Service) -> ModerationService:
    return ModerationService(f"http://127.0.0.1:{server.server_port}/v1/moderations")


def decide(pack: RulePack, guard: ModerationService, text: str, at: datetime) -> tuple[Verdict, tuple[str, ...]]:
    decision = Engine(pack, input_key=b"k" * 32, guards=(guard,)).screen_prompt(text, at=at, decision_id="d")
    return decision.verdict, decision.degraded


@pytest.mark.parametrize(
    ("answer", "text", "verdict"),
    [
        (CALM, "a calm sea", Verdict.ALLOW),
        (FLAGGED, "a calm sea", Verdict.REVIEW),
        (CALM, "참수 장면", Verdict.BLOCK),
        (FLAGGED, "참수 장면", Verdict.BLOCK),
    ],
)
def test_a_guard_can_only_raise_the_verdict(
    newsroom: RulePack, service: Service, at: datetime, answer: bytes, text: str, verdict: Verdict
) -> None:
    service.answer = answer

    assert decide(newsroom, guard_at(service), text, at) == (verdict, ())


@pytest.mark.parametrize(
    "answer",
    [b"", b"{", b"[]", b"null", b'{"results": []}', b'{"results": [{"flagged": "no"}]}', b"x" * 70_000, b"[" * 60_000],
)
def test_a_guard_that_answers_nonsense_makes_a_prompt_wait(
    newsroom: RulePack, service: Service, at: datetime, answer: bytes
) -> None:
    service.answer = answer

    assert decide(newsroom, guard_at(service), "a calm sea", at) == (Verdict.REVIEW, ("guard 1: PolicyError",))


@pytest.mark.parametrize("status", [302, 401, 500])
def test_a_guard_that_refuses_makes_a_prompt_wait(
    newsroom: RulePack, service: Service, at: datetime, status: int
) -> None:
    service.status = status

    assert decide(newsroom, guard_at(service), "a calm sea", at)[0] is Verdict.REVIEW


def test_a_guard_that_is_not_there_makes_a_prompt_wait(newsroom: RulePack, at: datetime) -> None:
    assert decide(newsroom, ModerationService("http://127.0.0.1:9/"), "sea", at)[0] is Verdict.REVIEW


def test_every_objection_is_named(service: Service) -> None:
    service.answer = FLAGGED

    assert guard_at(service).objections("text \ud800") == ("violence",)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/v1/moderations",
        "https://example.com/",
        "http://allowed.example/",
        "file:///etc/passwd",
        "http://127.0.0.1.example.com/",
        "http://user@127.0.0.1/",
        "",
    ],
)
def test_a_prompt_is_sent_nowhere_else(url: str) -> None:
    with pytest.raises(PolicyError, match="on this machine"):
        ModerationService(url, allowed_hosts=frozenset({"allowed.example"}))


def test_an_allowed_host_is_asked_over_https() -> None:
    assert ModerationService("https://allowed.example/", allowed_hosts=frozenset({"allowed.example"})).timeout_s > 0


@pytest.mark.parametrize("address", ["10.1.2.3", "169.254.169.254", "127.0.0.1"])
def test_an_allowed_name_that_leads_inside_is_not_sent_a_prompt(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: found)
    monkeypatch.setattr(socket, "create_connection", None)
    guard = ModerationService("https://guard.example/v1", allowed_hosts=frozenset({"guard.example"}))

    with pytest.raises(PolicyError, match="private network"):
        guard.objections("a calm sea")
