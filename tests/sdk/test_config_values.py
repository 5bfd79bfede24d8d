"""Settings survive being written and read, whatever they say; what cannot be meant is refused in one line."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.clip import MAX_FPS, MAX_SIDE, MIN_FPS, MIN_SIDE, Size
from platemark.config import CONFIG_NAME, default_config_text, read_config
from platemark.errors import HomeError, RequestError

PRINTABLE = st.text(min_size=1, max_size=64).filter(lambda text: text.isprintable() and bool(text.strip()))


def read(folder: Path, text: str) -> object:
    (folder / CONFIG_NAME).write_text(text, encoding="utf-8")
    return read_config(folder)


@given(PRINTABLE, st.sampled_from(["auto", "en", "ko"]))
def test_any_publishers_name_comes_back_from_the_file_as_it_was(name: str, language: str) -> None:
    table = tomllib.loads(default_config_text(organisation=name, country="KR", language=language))

    assert table["publisher"] == {"organisation": name, "country": "KR"}
    assert table["label"] == {"language": language, "vtt": False, "icon": ""}


@pytest.mark.parametrize("name", ["a\nb", 'a"b', "a\\b", "a\tb", "tag \U000e0041", "plane \U000f0000", "'''", "#"])
def test_a_name_with_characters_that_mean_something_in_toml_comes_back_too(name: str) -> None:
    table = tomllib.loads(default_config_text(organisation=name, country="KR", language="en"))

    assert table["publisher"]["organisation"] == name


def test_the_text_of_a_new_home_names_every_section_that_there_is(tmp_path: Path) -> None:
    table = tomllib.loads(default_config_text(organisation="x", country="KR", language="en"))

    assert set(table) >= {"format", "publisher", "generation", "label", "policy", "trust"}


@given(
    st.integers(MIN_SIDE // 2, MAX_SIDE // 2).map(lambda half: 2 * half),
    st.integers(MIN_SIDE // 2, MAX_SIDE // 2).map(lambda half: 2 * half),
    st.integers(MIN_FPS, MAX_FPS),
)
def test_every_possible_size_and_rate_may_be_a_default(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int, fps: int
) -> None:
    folder = tmp_path_factory.mktemp("home")
    (folder / CONFIG_NAME).write_text(f'[generation]\nsize = "{width}X{height}"\nfps = {fps}\n')

    generation = read_config(folder).generation

    assert (generation.size, generation.fps) == (f"{width}x{height}", fps)


@given(st.integers(), st.integers())
def test_every_pair_of_numbers_is_a_size_or_a_request_error_that_names_the_bounds(width: int, height: int) -> None:
    possible = all(MIN_SIDE <= side <= MAX_SIDE and side % 2 == 0 for side in (width, height))

    try:
        found = str(Size(width, height))
    except RequestError as error:
        found = error.message

    assert (found == f"{width}x{height}") == possible
    assert possible or f"from {MIN_SIDE} to {MAX_SIDE}" in found


@pytest.mark.parametrize("value", ['"2"', "2.0", "2", "999999999999999999999", '"2.1"', "[2]"])
def test_a_newer_format_is_refused_however_it_is_written(tmp_path: Path, value: str) -> None:
    with pytest.raises(HomeError):
        read(tmp_path, f"format = {value}\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLATEMARK_LABEL", "ko"),
        ("PLATEMARK_LABEL", '{"language": "fr"}'),
        ("PLATEMARK_LABEL", '{"langauge": "ko"}'),
        ("PLATEMARK_TRUST__ANCHORS", "/srv/roots.pem"),
        ("PLATEMARK_TRUST__ANCHORS", "[1"),
        ("PLATEMARK_GENERATION", "[]"),
        ("PLATEMARK_GENERATION__FPS", "fast"),
        ("PLATEMARK_GENERATION__SECONDS", "nan"),
        ("PLATEMARK_GENERATION__SIZE", "513x512"),
        ("PLATEMARK_LABEL__LANGUAGE", ""),
        ("PLATEMARK_PUBLISHER__COUNTRY", "kr"),
        ("PLATEMARK_NO__SUCH", "1"),
    ],
)
def test_an_environment_variable_that_cannot_be_meant_is_refused(
    tmp_path: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(HomeError) as caught:
        read(tmp_path, "")

    assert "\n" not in str(caught.value)


def test_what_is_wrong_in_the_environment_is_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATEMARK_LABEL__LANGUAGE", "fr")

    with pytest.raises(HomeError, match="PLATEMARK_LABEL__LANGUAGE"):
        read(tmp_path, "[label]\nlanguage = 'ko'\n")


@pytest.mark.parametrize("name", ["PLATEMARK_LABEL_LANGUAGE", "PLATEMARK_POLICY_PACK", "PLATEMARK_POLCY__PACK"])
def test_a_setting_misspelt_in_the_environment_never_passes_in_silence(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A newsroom that believes its stricter pack to be in force must be told that it is not.
    monkeypatch.setenv(name, "strict.yaml")

    with pytest.raises(HomeError, match=name):
        read(tmp_path, "")


def test_a_list_of_roots_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATEMARK_TRUST__ANCHORS", '["a.pem", "b.pem"]')
    (tmp_path / CONFIG_NAME).write_text("")

    assert read_config(tmp_path).trust.anchors == ("a.pem", "b.pem")


def test_a_directory_in_place_of_the_configuration_is_one_line(tmp_path: Path) -> None:
    (tmp_path / CONFIG_NAME).mkdir()

    with pytest.raises(HomeError, match="platemark init") as caught:
        read_config(tmp_path)

    assert "\n" not in str(caught.value)
