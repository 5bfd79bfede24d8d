"""What a request becomes: the caller's word first, then the environment, then the home's configuration."""

import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platemark.clip import Size
from platemark.config import CONFIG_NAME, Config, read_config
from platemark.errors import HomeError, LedgerUnavailable, OutputError, RequestError
from platemark.homes.home import init
from platemark.media.video import read_video_facts
from platemark.studio import GenerateOptions, Studio, request_from

PROMPT = "a calm blue sea at sunset"
KOREAN = "해 질 녘의 잔잔한 파란 바다"
SHORT: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "256x256", "seed": 7}
DESK_SETTINGS = """
[generation]
model = "testcard"
size = "320x256"
fps = 24
seconds = 0.5

[label]
language = "ko"
text = "AI 재현 영상"
"""


@pytest.fixture
def plain(tmp_path: Path) -> Config:
    """The configuration of a home that was told nothing."""
    return configured(tmp_path, "")


def configured(folder: Path, text: str) -> Config:
    (folder / CONFIG_NAME).write_text(text, encoding="utf-8")
    return read_config(folder)


def add_settings(home: Path, text: str) -> None:
    (home / CONFIG_NAME).write_text(text, encoding="utf-8")


def test_what_a_request_leaves_out_comes_from_the_configuration(tmp_path: Path) -> None:
    request = request_from(PROMPT, {}, configured(tmp_path, DESK_SETTINGS))

    assert (request.model, request.size, request.fps, request.seconds) == ("testcard", Size(320, 256), 24, 0.5)
    assert (request.label_language, request.label_text) == ("ko", "AI 재현 영상")


def test_what_a_request_says_wins_over_the_configuration(tmp_path: Path) -> None:
    said: GenerateOptions = {
        "model": "embedded",
        "size": "128x128",
        "fps": 8,
        "seconds": 1,
        "label_language": "en",
        "label_text": "AI scene",
    }

    request = request_from(PROMPT, said, configured(tmp_path, DESK_SETTINGS))

    assert (request.model, request.size, request.fps, request.seconds) == ("embedded", Size(128, 128), 8, 1)
    assert (request.label_language, request.label_text) == ("en", "AI scene")


def test_a_size_may_come_as_a_value_or_as_text(plain: Config) -> None:
    as_value = request_from(PROMPT, {"size": Size(640, 360), "seed": 1}, plain)
    as_text = request_from(PROMPT, {"size": "640x360", "seed": 1}, plain)

    assert as_value == as_text


def test_nobody_is_named_unless_the_request_names_them(plain: Config) -> None:
    request = request_from(PROMPT, {}, plain)

    assert (request.actor, request.byline, request.desk) == ("", "", "")


def test_a_seed_that_nobody_chose_differs_from_clip_to_clip_and_can_be_typed(plain: Config) -> None:
    seeds = {request_from(PROMPT, {}, plain).seed for _ in range(20)}

    assert len(seeds) > 1
    assert max(seeds) < 2**31


@pytest.mark.parametrize(
    ("prompt", "language"),
    [
        (PROMPT, "en"),
        (KOREAN, "ko"),
        ("a sign that reads 바다", "ko"),
        ("海の夕日", "en"),
        ("1234 !?", "en"),
    ],
)
def test_an_automatic_label_follows_the_prompts_script(plain: Config, prompt: str, language: str) -> None:
    assert request_from(prompt, {}, plain).label_language == language


def test_korean_in_decomposed_form_is_korean_too(plain: Config) -> None:
    # macOS hands out file names and pasted text in this form.
    prompt = unicodedata.normalize("NFD", KOREAN)

    assert request_from(prompt, {}, plain).label_language == "ko"


@pytest.mark.parametrize("prompt", [PROMPT, KOREAN])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_chosen_label_language_holds_whatever_the_prompt_is_written_in(
    plain: Config, prompt: str, language: str
) -> None:
    assert request_from(prompt, {"label_language": language}, plain).label_language == language


def test_auto_may_be_said_in_the_request_over_a_fixed_configuration(tmp_path: Path) -> None:
    config = configured(tmp_path, '[label]\nlanguage = "ko"\n')

    assert request_from(PROMPT, {"label_language": "auto"}, config).label_language == "en"


@pytest.mark.parametrize("size", ["513x512", "0x0", "-2x512", "99999x512", "wide", ""])
def test_an_impossible_size_is_refused(plain: Config, size: str) -> None:
    with pytest.raises(RequestError):
        request_from(PROMPT, {"size": size}, plain)


def test_the_homes_settings_reach_the_clip(home_path: Path, tmp_path: Path) -> None:
    add_settings(home_path, DESK_SETTINGS)

    with Studio.open(home_path) as studio:
        made = studio.generate(PROMPT, seed=1, out=tmp_path / "clip.mp4")

    facts = read_video_facts(made.path)
    assert (facts.width, facts.height, facts.fps, facts.frames) == (320, 256, 24, 12)
    assert (made.label.text, made.label.language) == ("AI 재현 영상", "ko")
    assert made.model.name == "testcard"


def test_the_environment_wins_over_the_homes_settings_and_reaches_the_clip(
    home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_settings(home_path, DESK_SETTINGS)
    monkeypatch.setenv("PLATEMARK_GENERATION__SIZE", "256x320")
    monkeypatch.setenv("PLATEMARK_GENERATION__FPS", "10")
    monkeypatch.setenv("PLATEMARK_LABEL__TEXT", "AI scene")
    monkeypatch.setenv("PLATEMARK_LABEL__LANGUAGE", "en")

    with Studio.open(home_path) as studio:
        made = studio.generate(PROMPT, seed=1, out=tmp_path / "clip.mp4")

    facts = read_video_facts(made.path)
    assert (facts.width, facts.height, facts.fps, facts.frames) == (256, 320, 10, 5)
    assert (made.label.text, made.label.language) == ("AI scene", "en")


def test_a_clip_without_a_name_is_named_after_its_seed_in_the_working_directory(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    made = studio.generate(PROMPT, **SHORT)

    assert made.path == tmp_path / "clip-7.mp4"
    assert made.path.is_file()


def test_a_relative_path_comes_back_absolute_and_as_text_or_path(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    made = studio.generate(PROMPT, **SHORT, out="clip.mp4")

    assert (made.path, made.receipt) == (tmp_path / "clip.mp4", tmp_path / "clip.mp4.tlog-proof")


def test_the_result_repeats_the_request_with_every_default_filled_in(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4", desk="weather")

    assert (made.request.prompt, made.request.desk, made.request.fps) == (PROMPT, "weather", 12)


def test_words_that_the_model_ignored_are_in_the_result(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate("calm calm sea", **SHORT, out=tmp_path / "clip.mp4")

    assert made.ignored_words == ("calm", "sea")


@pytest.mark.parametrize(
    "impossible",
    [
        {"label_language": "fr"},
        {"label_text": "x" * 61},
        {"label_text": "\N{SNOWMAN}"},
        {"label_text": "   "},
        {"label_text": "a label that is far too long for a picture this small, really"[:60]},
        {"size": "2048x256"},
    ],
    ids=["no_wording", "too_long", "no_glyph", "only_blanks", "does_not_fit", "too_long_and_thin_for_the_mark"],
)
def test_a_request_that_cannot_be_met_is_refused_before_anything_is_logged(
    studio: Studio, tmp_path: Path, impossible: GenerateOptions
) -> None:
    options: GenerateOptions = {**SHORT, **impossible}
    before = studio.ledger.head()

    with pytest.raises(RequestError):
        studio.generate(PROMPT, **options, out=tmp_path / "clip.mp4")

    assert studio.ledger.head() == before


def test_an_output_named_as_nothing_gets_the_standard_name(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert studio.generate(PROMPT, **SHORT, out="").path.name == "clip-7.mp4"


def test_where_no_home_is_found_the_studio_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLATEMARK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    with pytest.raises(HomeError, match="No platemark home") as caught:
        Studio.open()

    assert "platemark init" in caught.value.fix


def test_the_environment_names_the_home(home_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATEMARK_HOME", str(home_path))

    with Studio.open() as studio:
        assert studio.home.path == home_path


def test_a_studio_that_is_closed_makes_no_more_clips(home_path: Path, tmp_path: Path) -> None:
    with Studio.open(home_path) as studio:
        pass

    with pytest.raises(LedgerUnavailable, match="closed"):
        studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4")


def test_every_event_carries_the_clock_that_the_studio_was_given(home_path: Path, tmp_path: Path) -> None:
    noon = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)

    with Studio.open(home_path, clock=lambda: noon) as studio:
        made = studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4")
        times = {event.at for event in studio.ledger.trace(made.clip_id)}

    assert times == {noon}


def test_the_receipt_of_another_clip_is_not_replaced_without_being_asked(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4.tlog-proof").write_bytes(b"the proof of a clip that was moved away")

    with pytest.raises(OutputError, match="exists already"):
        studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4")

    assert (tmp_path / "clip.mp4.tlog-proof").read_bytes() == b"the proof of a clip that was moved away"


@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_publisher_that_changes_its_name_goes_on_with_its_ledger(
    home_path: Path, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Studio.open(home_path) as studio:
        studio.generate(PROMPT, **SHORT, out=tmp_path / "before.mp4")
    text = (home_path / CONFIG_NAME).read_text()
    changes = {"file": text.replace("Daily Example", "Evening Example"), "environment": text}
    (home_path / CONFIG_NAME).write_text(changes[where])
    variables = {"file": "Evening Example", "environment": "Morning Example"}
    monkeypatch.setenv("PLATEMARK_PUBLISHER__ORGANISATION", variables[where])

    with Studio.open(home_path) as studio:
        made = studio.generate(PROMPT, **SHORT, out=tmp_path / "after.mp4")

        assert made.receipt.is_file()
        assert studio.ledger.verify().ok


@pytest.mark.parametrize("organisation", ["한국방송공사 뉴스", "News 📰", "²³", "O'Neill & Söhne", "'" * 64])
def test_a_publisher_of_any_script_can_make_a_trusted_clip(tmp_path: Path, organisation: str) -> None:
    home = init(tmp_path / "newsroom", organisation=organisation)

    with Studio.open(home.path) as studio:
        made = studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4")

        assert made.decision.verdict == "allow"
        assert home.config.publisher.organisation == organisation
