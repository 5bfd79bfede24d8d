"""A home whose log is on a PostgreSQL server lives as one with a file does, from the first clip to an erasure."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cli_session import Run
from postgres_server import run_on_server, shared_server

import platemark_migrations


@pytest.fixture
def on_server(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty ledger on the server, which every home of this test uses."""
    name, server = "h" + uuid4().hex, shared_server()
    run_on_server(server, f"CREATE DATABASE {name}")
    url = server.set(database=name).render_as_string(hide_password=False)
    platemark_migrations.upgrade(url)
    monkeypatch.setenv("PLATEMARK_LEDGER__URL", url)
    return url


@pytest.fixture
def made_there(on_server: str, home_path: Path, made: dict[str, Any]) -> dict[str, Any]:
    """A clip made in a home whose log is on the server."""
    (home_path / "ledger.sqlite3").unlink(missing_ok=True)
    return made


def test_a_clip_is_made_verified_traced_exported_reported_bundled_and_its_maker_erased(
    run: Run, home_path: Path, made_there: dict[str, Any], tmp_path: Path
) -> None:
    clip, home = made_there["clip_id"], ("--home", home_path)
    month = datetime.now(UTC).strftime("%Y-%m")

    codes = {
        "verify": run("verify", made_there["path"], *home).code,
        "query": run("audit", "query", "--clip", clip, *home, "--json").code,
        "jsonl": run("audit", "export", "--format", "jsonl", "--out", tmp_path / "e.jsonl", *home).code,
        "ocsf": run("audit", "export", "--format", "ocsf", "--out", tmp_path / "e.ocsf", *home).code,
        "report": run("audit", "report", "--month", month, "--out", tmp_path / "report", *home).code,
        "bundle": run("audit", "bundle", clip, "--out", tmp_path / "e.zip", "--reader", "dpo", *home).code,
        "checked": run(
            "audit", "verify-bundle", tmp_path / "e.zip", "--key", home_path / "keys" / "ledger.pub.pem"
        ).code,
        "receipt": run("audit", "receipt", clip, *home).code,
        "tiles": run("audit", "tiles", tmp_path / "tiles", *home).code,
        "erase": run("audit", "erase", "jw.kim", "--reason", "request 17", "--actor", "dpo", *home).code,
        "whole": run("audit", "verify", "--against", made_there["receipt"], *home).code,
    }
    trace = run("audit", "trace", clip, *home, "--json")

    assert codes == dict.fromkeys(codes, 0)
    assert (trace.objects[0]["sealed_state"], trace.objects[0]["actor_name"]) == ("erased", None)
    assert not (home_path / "ledger.sqlite3").exists()
    assert clip.encode() in (tmp_path / "e.jsonl").read_bytes()


def test_a_held_request_waits_on_the_server_and_is_decided_there(
    run: Run, home_path: Path, on_server: str, tmp_path: Path
) -> None:
    home = ("--home", home_path, "--json")

    listed = run("review", "list", *home)
    unknown = run("review", "show", "no-such-ticket", *home)

    assert (listed.code, listed.objects) == (0, [])
    assert unknown.code == 2
