"""A stamp that could not be had at once is not forgotten: it waits, is asked for again, and the ledger tells."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli_session import Run
from time_authority import Authority, open_time_authority

from platemark.clip import Clip
from platemark.errors import RequestError
from platemark.homes.home import Home, open_home
from platemark.making.stamping import add_waiting, queue_of, stamped_name
from platemark.studio import Studio
from platemark_provenance.ledger.event import EventType
from platemark_provenance.verification import read_provenance

NOWHERE = "http://127.0.0.1:9/tsr"


@pytest.fixture
def authority() -> Iterator[Authority]:
    with open_time_authority(datetime.now(UTC)) as running:
        yield running


def configure(home: Path, mode: str, url: str) -> None:
    path = home / "platemark.toml"
    line = f'timestamp = "{mode}"\ntsa_url = "{url}"'
    path.write_text(path.read_text("utf-8").replace('timestamp = "off"', line), "utf-8")


def make(home: Path, folder: Path) -> Clip:
    with Studio.open(home) as studio:
        return studio.generate("a calm sea", model="testcard", seconds=0.5, size="256x256", out=folder / "clip.mp4")


@pytest.fixture
def waiting_clip(home_path: Path, tmp_path: Path) -> Clip:
    """A clip made while the authority was out of reach."""
    configure(home_path, "best-effort", NOWHERE)
    return make(home_path, tmp_path)


def answering(home: Path, authority: Authority) -> Home:
    """The home once the authority can be reached; its root is trusted."""
    path = home / "platemark.toml"
    path.write_text(path.read_text("utf-8").replace(NOWHERE, authority.url), "utf-8")
    return open_home(home)


def trusting(run: Run, home: Path, authority: Authority, folder: Path) -> None:
    (folder / "tsa.pem").write_bytes(authority.root_pem)
    assert run("trust", "add", folder / "tsa.pem", "--kind", "tsa", "--home", home).code == 0


def events(home: Path, kind: EventType) -> list[dict[str, object]]:
    with Studio.open(home) as studio:
        found = sorted(studio.ledger.query(type=kind.value), key=lambda each: each.seq)
        return [dict(each.facts) for each in found]


def test_a_clip_made_without_its_stamp_is_published_and_waits(waiting_clip: Clip, home_path: Path) -> None:
    (waiting,) = queue_of(open_home(home_path)).waiting()

    assert (waiting.path, waiting.sha256, waiting.clip_id) == (
        waiting_clip.path,
        waiting_clip.sha256,
        waiting_clip.clip_id,
    )
    assert [each["authority"] for each in events(home_path, EventType.TIME_STAMP_WAITING)] == ["127.0.0.1:9"]


def test_a_clip_that_wanted_no_stamp_waits_for_none(home_path: Path, clip: Clip) -> None:
    assert clip.path.exists()
    assert queue_of(open_home(home_path)).waiting() == ()


def test_a_clip_that_got_its_stamp_waits_for_none(
    run: Run, home_path: Path, tmp_path: Path, authority: Authority
) -> None:
    trusting(run, home_path, authority, tmp_path)
    configure(home_path, "best-effort", authority.url)

    made = make(home_path, tmp_path)

    assert queue_of(open_home(home_path)).waiting() == ()
    assert read_provenance(made.path, open_home(home_path).trust_store()).timestamp == "trusted"


def test_the_stamp_is_added_to_a_copy_once_the_authority_answers(
    run: Run, waiting_clip: Clip, home_path: Path, tmp_path: Path, authority: Authority
) -> None:
    trusting(run, home_path, authority, tmp_path)
    home = answering(home_path, authority)

    ended = run("timestamps", "add", "--home", home_path, "--json")

    copy = stamped_name(waiting_clip.path)
    assert (ended.code, ended.object["outcome"], ended.object["copy"]) == (0, "added", str(copy))
    assert read_provenance(copy, home.trust_store()).timestamp == "trusted"
    assert queue_of(home).waiting() == ()
    assert run("verify", copy, "--home", home_path, "--json").object["verdict"] == "trusted"
    assert [each["of_sha256"] for each in events(home_path, EventType.TIME_STAMP_ADDED)] == [waiting_clip.sha256]


def test_an_authority_that_still_gives_none_is_asked_again_later(run: Run, waiting_clip: Clip, home_path: Path) -> None:
    first = run("timestamps", "add", "--home", home_path, "--json")
    second = run("timestamps", "add", "--home", home_path, "--json")
    third = run("timestamps", "add", "--all", "--home", home_path, "--json")

    assert [each.code for each in (first, second, third)] == [1, 0, 1]
    assert [each.object["outcome"] for each in (first, second, third)] == ["failed", "waits", "failed"]
    assert [each["attempts"] for each in events(home_path, EventType.TIME_STAMP_FAILED)] == [1, 2]
    assert not stamped_name(waiting_clip.path).exists()


@pytest.mark.parametrize("content", [None, b"another clip"])
def test_a_clip_that_is_gone_waits_no_more(waiting_clip: Clip, home_path: Path, content: bytes | None) -> None:
    waiting_clip.path.unlink()
    Path(waiting_clip.path).write_bytes(content) if content else None

    (told,) = add_waiting(open_home(home_path))

    assert (told.outcome, queue_of(open_home(home_path)).waiting()) == ("gone", ())
    assert [each["final"] for each in events(home_path, EventType.TIME_STAMP_FAILED)] == [True]


def test_what_waits_is_listed(run: Run, waiting_clip: Clip, home_path: Path) -> None:
    shown = run("timestamps", "list", "--home", home_path)
    told = run("timestamps", "list", "--home", home_path, "--json")

    assert str(waiting_clip.path) in shown.out
    assert told.object["clip_id"] == waiting_clip.clip_id


def test_an_empty_list_says_so(run: Run, home_path: Path) -> None:
    assert "No clip waits" in run("timestamps", "list", "--home", home_path).err


def test_a_home_without_an_authority_says_what_to_set(home_path: Path) -> None:
    with pytest.raises(RequestError, match="names no time-stamp authority"):
        list(add_waiting(open_home(home_path)))


def test_each_wait_is_twice_the_last_up_to_six_hours(waiting_clip: Clip, home_path: Path) -> None:
    (waiting,) = queue_of(open_home(home_path)).waiting()
    now = datetime(2026, 5, 1, tzinfo=UTC)

    waits = [replace(waiting, attempts=each).after_failure(now).not_before for each in (0, 1, 2, 20, 5000)]

    minutes = [(each - now) / timedelta(minutes=1) for each in waits if each is not None]
    assert minutes == [1, 2, 4, 360, 360]
