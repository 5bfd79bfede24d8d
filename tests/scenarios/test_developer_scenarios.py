"""What a newsroom developer comes to do; each test is named by its scenario."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from foreign_clips import sign_foreign
from odd_clips import write_clip

import platemark
from platemark.errors import VerificationError
from platemark.webhooks.signature import read_secret, verify_message

SMALL = {"model": "testcard", "seconds": 0.5, "size": "128x128", "seed": 7}


# D1: eight lines, sync and async


def test_d1_eight_lines_make_verify_and_trace_a_clip(newsroom: Any, tmp_path: Path) -> None:
    with platemark.Studio.open(newsroom.home) as studio:
        clip = studio.generate("city lights at night", out=tmp_path / "d1.mp4", actor="jw.kim", **SMALL)
        events = [event.type for event in studio.ledger.query(clip=clip.clip_id)]
    report = platemark.verify(clip.path, home=newsroom.home)

    assert (report.verdict, report.exit_code) == ("trusted", 0)
    assert "clip.published" in events


def test_d1_the_same_with_asyncio(newsroom: Any, tmp_path: Path) -> None:
    async def make() -> platemark.Clip:
        async with await platemark.AsyncStudio.open(newsroom.home) as studio:
            return await studio.generate("city lights at night", out=tmp_path / "d1.mp4", **SMALL)

    clip = asyncio.run(make())

    assert platemark.verify(clip.path, home=newsroom.home).verdict == "trusted"


# D3: five formats


@pytest.mark.parametrize("form", ["ninjs", "newsml-g2", "vmh", "mos", "json-ld"])
def test_d3_a_clip_is_exported_in_each_format_with_its_source_type_and_no_names(newsroom: Any, form: str) -> None:
    answer = newsroom.ask("export", newsroom.made["clip_id"], "--format", form)

    document = answer.object["document"]
    assert answer.code == 0
    assert newsroom.made["clip_id"] in document
    assert "trainedalgorithmicmedia" in document.lower()
    assert "AI 생성 영상" in document
    assert "jw.kim" not in document
    assert "Kim Ji-woo" not in document


def test_d3_what_was_handed_out_stands_in_the_log(newsroom: Any) -> None:
    answer = newsroom.ask("export", newsroom.clip, "--format", "ninjs")

    (event,) = newsroom.ask("audit", "query", "--type", "audit.exported").objects
    assert event["facts"]["asked"]["sha256"] == answer.object["sha256"]


# D4: a clip made elsewhere


def test_d4_a_clip_made_elsewhere_goes_through_everything_and_keeps_its_manifest(newsroom: Any, tmp_path: Path) -> None:
    other = sign_foreign(write_clip(tmp_path / "other.mp4"), newsroom.home)

    answer = newsroom.ask("stamp", other, "--generator", "veo", "--out", newsroom.folder / "stamped.mp4")
    told = newsroom.ask("verify", newsroom.folder / "stamped.mp4").object

    (parent,) = told["history"]["manifest"]["ingredients"]
    assert answer.code == 0
    assert (told["verdict"], parent["relationship"], parent["state"]) == ("trusted", "parentOf", "present")
    assert answer.object["label"]["text"]


# D5: webhooks


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A system on this machine that is told what happens."""
    taken: list[tuple[dict[str, str], bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", taken
        server.shutdown()


def test_d5_a_change_of_state_is_told_signed_and_a_replay_is_noticed(
    newsroom: Any, receiver: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    url, taken = receiver
    config = newsroom.home / "platemark.toml"
    text = config.read_text("utf-8").replace('url = ""', f'url = "{url}"', 1)
    config.write_text(text.replace("hosts = []", 'hosts = ["127.0.0.1"]', 1), "utf-8")
    newsroom.ask("webhooks", "deliver")
    secret = read_secret(newsroom.ask("webhooks", "secret").object["secret"])

    newsroom.ask("withdraw", newsroom.clip, "--reason", "Wrong date")
    newsroom.ask("webhooks", "deliver")

    headers, body = taken[-1]
    now = datetime.now(UTC)
    assert json.loads(body)["type"] == "clip.withdrawn"
    assert verify_message(body, headers, secret, now=now).body == body
    with pytest.raises(VerificationError, match="replay"):
        verify_message(body, headers, secret, now=now + timedelta(hours=1))
    with pytest.raises(VerificationError, match="does not fit"):
        verify_message(body + b" ", headers, secret, now=now)
