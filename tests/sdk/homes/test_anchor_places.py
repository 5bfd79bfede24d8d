"""Places for anchors, from how they are written."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.homes.anchor_places import here, known_places, open_place, open_places
from platemark.homes.home import Home, open_home
from platemark_provenance.anchoring.directory import DirectoryPlace


@pytest.fixture
def home(home_path: Path) -> Home:
    """A fresh home."""
    return open_home(home_path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("/mnt/worm", "directory"), ("s3://log/main", "s3"), ("https://tsa.example/tsr?policy=1", "timestamp")],
)
def test_a_place_is_known_by_how_it_is_written(home: Home, name: str, kind: str) -> None:
    place = open_place(home, name)

    assert (place.kind, place.target) == (kind, name)


@pytest.mark.parametrize(
    "name",
    ["", " ", "/mnt/\x00", "/mnt/\nworm", "s3://", "s3:///", "ftp://a.example", "file:///mnt/worm", "https://",
     "https://tsa.example:99999/tsr", "https://[bad/tsr", "https://a..b/tsr", "https://tsa.example/한글",
     "https://me:secret@tsa.example", "https://tsa.example/a b"],
)  # fmt: skip
def test_what_is_no_place_is_refused_before_anything_is_sent(home: Home, name: str) -> None:
    with pytest.raises(RequestError, match="A place is a directory"):
        open_place(home, name)


def test_a_relative_directory_is_the_homes_in_its_configuration(home: Home) -> None:
    assert open_place(home, "worm") == DirectoryPlace(home.path / "worm")


def test_a_relative_directory_is_the_users_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert here("worm") == str(tmp_path / "worm")


@pytest.mark.parametrize("name", ["s3://log", "https://tsa.example", "", " "])
def test_what_is_no_relative_directory_stays_as_it_is_written(name: str) -> None:
    assert here(name) == name


def test_a_place_that_is_named_twice_is_one(home: Home, tmp_path: Path) -> None:
    assert len(open_places(home, [str(tmp_path), str(tmp_path), "s3://log/main", "s3://log/main/"])) == 2


def test_a_place_that_the_ledger_remembers_is_known_without_configuration(home: Home, tmp_path: Path) -> None:
    with home.open_ledger() as ledger:
        ledger.checkpoint()
        size = len(list(ledger.query()))
        ledger.anchors.keep(size, "directory", str(tmp_path), b"sha256:00")

        assert known_places(home, ledger) == (DirectoryPlace(tmp_path),)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40) | st.tuples(st.sampled_from(["s3", "http", "https"]), st.text(max_size=30)).map("://".join))
def test_whatever_is_written_is_a_place_or_a_plain_refusal(home: Home, name: str) -> None:
    try:
        place = open_place(home, name)
    except RequestError as error:
        assert error.fix
    else:
        assert place.target
