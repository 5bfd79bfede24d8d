"""`audit witness` and what `audit verify` says of witnesses, run as a user runs them."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cli_session import Ended, Run
from running_witness import Running, run_witness

from platemark_provenance.ledger.cosignature import Cosigner, open_cosignatures

Generate = Callable[[str], Ended]


@pytest.fixture
def log_key(run: Run, home_path: Path) -> str:
    """The home's log key, as the list prints it for witnesses."""
    ended = run("audit", "witness", "list", "--home", home_path)
    return ended.err.split(": ", 1)[1].strip()


@pytest.fixture
def running(tmp_path: Path, log_key: str) -> Iterator[Running]:
    """A witness that knows the home's log."""
    with run_witness(tmp_path / "partner", log_key) as found:
        yield found


@pytest.fixture
def witnessed(run: Run, home_path: Path, running: Running) -> Running:
    """A witness that was added to the home."""
    assert run("audit", "witness", "add", running.url, running.key, "--home", home_path).code == 0
    return running


@pytest.fixture
def generate(run: Run, home_path: Path, tmp_path: Path) -> Generate:
    """Make a small test-card clip."""

    def make(name: str) -> Ended:
        return run(
            "generate", "a calm blue sea at sunset", "--model", "testcard", "--seconds", "0.5", "--size", "128x128",
            "--seed", "7", "--out", tmp_path / name, "--home", home_path, "--json",
        )  # fmt: skip

    return make


def configure(home: Path, old: str, new: str) -> None:
    config = home / "platemark.toml"
    text = config.read_text("utf-8")
    assert old in text
    config.write_text(text.replace(old, new), "utf-8")


def stop(running: Running) -> None:
    running.server.shutdown()
    running.server.server_close()


def test_a_witness_is_added_listed_and_removed(run: Run, home_path: Path, running: Running) -> None:
    added = run("audit", "witness", "add", running.url, running.key, "--home", home_path, "--json")
    listed = run("audit", "witness", "list", "--home", home_path, "--json").object
    removed = run("audit", "witness", "remove", "partner.example/w1", "--home", home_path, "--json")
    after = run("audit", "witness", "list", "--home", home_path, "--json").objects

    assert added.object == {"name": "partner.example/w1", "url": running.url, "key": running.key}
    assert listed == {**added.object, "size": None, "at": None}
    assert (removed.code, after) == (0, [])


def test_a_change_of_witnesses_stands_in_the_log(run: Run, home_path: Path, witnessed: Running) -> None:
    run("audit", "witness", "remove", "partner.example/w1", "--actor", "chief", "--home", home_path)

    events = run("audit", "query", "--type", "witness.changed", "--home", home_path, "--json").objects

    assert [(event["facts"]["how"], event["facts"]["witness"]) for event in events] == [
        ("remove", "partner.example/w1"),
        ("add", "partner.example/w1"),
    ]


@pytest.mark.parametrize(
    ("flaw", "url", "key", "code"),
    [
        ("no key", "http://127.0.0.1:1", "partner.example/w1", 2),
        ("no address", "partner.example", "", 2),
        ("a password", "http://me:pw@partner.example", "", 2),
    ],
)
def test_what_is_no_witness_is_not_added(
    run: Run, home_path: Path, running: Running, flaw: str, url: str, key: str, code: int
) -> None:
    ended = run("audit", "witness", "add", url, key or running.key, "--home", home_path)

    assert ended.code == code
    assert not (home_path / "witnesses.json").exists()


def test_a_log_s_own_key_is_no_witness(run: Run, home_path: Path, log_key: str) -> None:
    ended = run("audit", "witness", "add", "http://127.0.0.1:1", log_key, "--home", home_path)

    assert ended.code == 2
    assert "no witness's" in ended.err


def test_a_witness_is_added_once(run: Run, home_path: Path, witnessed: Running) -> None:
    again = run("audit", "witness", "add", witnessed.url, witnessed.key, "--home", home_path)

    assert again.code == 2
    assert "already" in again.err


def test_a_witness_that_was_never_added_cannot_be_removed(run: Run, home_path: Path) -> None:
    assert run("audit", "witness", "remove", "nobody.example", "--home", home_path).code == 2


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"name": "x"}]', '[{"name":"x","url":"http://x","key":"x"}]'])
def test_a_list_that_cannot_be_read_stops_everything(run: Run, home_path: Path, content: str) -> None:
    (home_path / "witnesses.json").write_text(content)

    ended = run("audit", "verify", "--home", home_path)

    assert ended.code == 2
    assert "witnesses" in ended.err


def test_a_clip_s_receipt_carries_what_the_witness_signed(generate: Generate, witnessed: Running) -> None:
    clip = generate("clip.mp4").object

    note = Path(clip["receipt"]).read_bytes().partition(b"\n\n")[2]
    assert len(open_cosignatures(note, [Cosigner.parse(witnessed.key)])) == 1


def test_verify_names_the_witness_that_confirms_the_log(
    run: Run, generate: Generate, home_path: Path, witnessed: Running
) -> None:
    generate("clip.mp4")

    ended = run("audit", "verify", "--home", home_path)
    told = run("audit", "verify", "--home", home_path, "--json").object

    assert ended.code == 0
    assert "partner.example/w1 confirms the log up to event" in ended.out
    assert [(each["name"], each["state"]) for each in told["witnesses"]] == [("partner.example/w1", "confirmed")]
    assert told["ok"] is True


def test_verify_says_it_in_korean(run: Run, generate: Generate, home_path: Path, witnessed: Running) -> None:
    generate("clip.mp4")

    assert "이벤트까지 확인합니다" in run("audit", "verify", "--home", home_path, "--lang", "ko").out


def test_verify_offline_goes_by_what_was_given_before(
    run: Run, generate: Generate, home_path: Path, witnessed: Running
) -> None:
    generate("clip.mp4")
    stop(witnessed)

    ended = run("audit", "verify", "--offline", "--home", home_path)

    assert ended.code == 0
    assert "it was not asked now" in ended.out


def test_verify_without_its_witness_is_whole_and_not_confirmed(
    run: Run, generate: Generate, home_path: Path, witnessed: Running
) -> None:
    generate("clip.mp4")
    stop(witnessed)

    ended = run("audit", "verify", "--home", home_path)

    assert ended.code == 6
    assert "could not be asked" in ended.err
    assert "0 of the 1 witnesses" in ended.out


def test_verify_finds_a_home_that_was_put_back_as_a_whole(
    run: Run, generate: Generate, home_path: Path, witnessed: Running, tmp_path: Path
) -> None:
    shutil.copytree(home_path, tmp_path / "backup")
    generate("clip.mp4")
    shutil.rmtree(home_path)
    shutil.copytree(tmp_path / "backup", home_path)

    without = run("audit", "verify", "--offline", "--home", home_path)
    asked = run("audit", "verify", "--home", home_path)
    told = run("audit", "verify", "--home", home_path, "--json")

    assert without.code != 5
    assert asked.code == 5
    assert "ALARM: partner.example/w1 does not have this log: it has signed a tree of" in asked.out
    assert (told.object["ok"], told.object["witnesses"][0]["state"]) == (False, "objects")


def test_a_kept_cosignature_that_was_changed_is_an_alarm(
    run: Run, generate: Generate, home_path: Path, witnessed: Running
) -> None:
    generate("clip.mp4")
    with closing(sqlite3.connect(home_path / "ledger.sqlite3")) as connection, connection:
        connection.execute(
            "UPDATE anchor SET evidence = cast(replace(cast(evidence as text), 'partner', 'another') as blob)"
        )

    ended = run("audit", "verify", "--offline", "--home", home_path)

    assert ended.code == 5
    assert "is not one of this witness" in ended.out


def test_a_witness_that_is_away_costs_no_clip(
    run: Run, generate: Generate, home_path: Path, witnessed: Running
) -> None:
    stop(witnessed)

    made = generate("clip.mp4")
    events = run("audit", "query", "--type", "witness.failed", "--home", home_path, "--json").objects

    assert made.code == 0
    assert len(events) == 1


def test_required_witnesses_that_are_away_keep_the_clip_back(
    generate: Generate, home_path: Path, witnessed: Running, tmp_path: Path
) -> None:
    configure(home_path, 'mode = "best-effort"   #', 'mode = "require"   #')
    stop(witnessed)

    ended = generate("clip.mp4")

    assert ended.code == 1
    assert "must confirm the log" in ended.err
    assert [path.name for path in tmp_path.iterdir() if "clip" in path.name] == []


def test_a_witness_that_goes_away_at_the_last_moment_still_keeps_the_clip_back(
    generate: Generate, home_path: Path, witnessed: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from platemark.making.pipeline import ClipJob

    configure(home_path, 'mode = "best-effort"   #', 'mode = "require"   #')
    record = ClipJob._record

    def record_and_stop(self: ClipJob[Any, Any], *arguments: Any) -> None:
        record(self, *arguments)
        stop(witnessed)

    monkeypatch.setattr(ClipJob, "_record", record_and_stop)

    ended = generate("clip.mp4")

    assert ended.code == 1
    assert [path.name for path in tmp_path.iterdir() if "clip" in path.name] == []


def test_required_witnesses_that_confirm_let_the_clip_out(
    generate: Generate, home_path: Path, witnessed: Running
) -> None:
    configure(home_path, 'mode = "best-effort"   #', 'mode = "require"   #')

    assert generate("clip.mp4").code == 0


def test_a_witness_is_served_from_the_command_line_and_survives_a_restart(
    run: Run, generate: Generate, home_path: Path, log_key: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "platemark", "audit", "witness", "serve", tmp_path / "w", "--json",
               "--listen", "127.0.0.1:0"]  # fmt: skip
    sizes = []
    for options in (["--name", "cli.example/w1", "--log", log_key], []):
        with subprocess.Popen(
            [*map(str, command), *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as served:
            assert served.stdout is not None
            told = json.loads(served.stdout.readline())
            run("audit", "witness", "add", told["url"], told["key"], "--home", home_path)
            generate(f"clip-{len(sizes)}.mp4")
            sizes.append(run("audit", "witness", "list", "--home", home_path, "--json").object["size"])
            run("audit", "witness", "remove", "cli.example/w1", "--home", home_path)
            served.terminate()
            served.wait(timeout=60)

    assert told["logs"] == ["platemark.local/daily-example"]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize("listen", ["8741", "localhost", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999"])
def test_an_address_to_listen_on_is_a_host_and_a_port(run: Run, tmp_path: Path, listen: str) -> None:
    ended = run("audit", "witness", "serve", tmp_path / "w", "--name", "x", "--listen", listen)

    assert ended.code == 2
    assert "HOST:PORT" in ended.err


@pytest.mark.parametrize("url", ["http://a..example", "ftp://a.example", "http://me@a.example", "nothing"])
def test_an_address_that_nobody_can_have_is_a_wrong_use_of_the_command(
    run: Run, home_path: Path, running: Running, url: str
) -> None:
    ended = run("audit", "witness", "add", url, running.key, "--home", home_path)

    assert ended.code == 2
    assert "http or https address" in ended.err
    assert run("audit", "witness", "list", "--home", home_path, "--json").out == ""


def test_serving_what_is_no_log_is_a_wrong_use_of_the_command(run: Run, tmp_path: Path) -> None:
    ended = run("audit", "witness", "serve", tmp_path / "w", "--name", "partner.example/w1", "--log", "nonsense")

    assert ended.code == 2
    assert "verifier key" in ended.err
