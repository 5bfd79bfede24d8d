"""The configuration refuses what it does not know."""

from pathlib import Path

import pytest

from platemark.config import CONFIG_NAME, MAX_CONFIG_BYTES, default_config_text, read_config, user_data_home
from platemark.errors import HomeError


def write(folder: Path, text: str) -> Path:
    (folder / CONFIG_NAME).write_text(text, encoding="utf-8")
    return folder


def test_the_text_of_a_new_home_reads_back_as_what_was_asked_for(tmp_path: Path) -> None:
    text = default_config_text(organisation='Daily "Example" \\ 뉴스', country="KR", language="ko")

    config = read_config(write(tmp_path, text))

    assert config.publisher.organisation == 'Daily "Example" \\ 뉴스'
    assert config.label.language == "ko"
    assert config.generation.size == "512x512"


def test_an_empty_file_gives_every_default(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, ""))

    assert (config.generation.model, config.generation.fps, config.label.language) == ("embedded", 12, "auto")


@pytest.mark.parametrize(
    ("text", "unknown", "nearest"),
    [
        ("[lable]\nlanguage = 'ko'\n", "lable", "label"),
        ("[label]\nlangauge = 'ko'\n", "label.langauge", "label.language"),
        ("[generation]\nframes_per_second = 3\n", "generation.frames_per_second", "generation."),
        ("orgnisation = 'x'\n", "orgnisation", "organisation"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_name(tmp_path: Path, text: str, unknown: str, nearest: str) -> None:
    with pytest.raises(HomeError, match=f"unknown key '{unknown}'") as caught:
        read_config(write(tmp_path, text))

    assert nearest in caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "[generation]\nsize = '513x512'\n",
        "[generation]\nfps = 0\n",
        "[generation]\nseconds = 1e9\n",
        "[label]\nlanguage = 'fr'\n",
        "[publisher]\ncountry = 'Korea'\n",
        "label = 3\n",
    ],
)
def test_an_impossible_value_is_refused_and_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(HomeError, match="is not valid"):
        read_config(write(tmp_path, text))


def test_a_value_from_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATEMARK_LABEL__LANGUAGE", "ko")

    config = read_config(write(tmp_path, "[label]\nlanguage = 'en'\n"))

    assert config.label.language == "ko"


def test_an_environment_variable_that_names_no_setting_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATEMARK_LABEL__LANGAUGE", "ko")

    with pytest.raises(HomeError, match="PLATEMARK_LABEL__LANGAUGE names no setting") as caught:
        read_config(write(tmp_path, ""))

    assert "PLATEMARK_LABEL__LANGUAGE" in caught.value.fix


def test_a_home_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=r"has format 2; this platemark knows formats up to 1"):
        read_config(write(tmp_path, "format = 2\n[something_new]\nx = 1\n"))


def test_text_that_is_not_toml_is_refused_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=r"not valid TOML.*line 1"):
        read_config(write(tmp_path, "[label\n"))


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / CONFIG_NAME).write_bytes(b"\xff\xfe\x00")

    with pytest.raises(HomeError, match="not valid TOML"):
        read_config(tmp_path)


def test_a_file_far_too_long_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=f"at most {MAX_CONFIG_BYTES}"):
        read_config(write(tmp_path, "#" * (MAX_CONFIG_BYTES + 1)))


def test_a_directory_without_the_file_is_said_to_be_no_home(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="is not a platemark home") as caught:
        read_config(tmp_path)

    assert "platemark init" in caught.value.fix


def test_the_user_data_directory_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert user_data_home() == tmp_path / "platemark"
