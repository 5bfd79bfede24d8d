"""The label's cue is WebVTT that a player reads: the label's own words, its language, the clip's whole length."""

from fractions import Fraction
from pathlib import Path

import pytest
from ffmpeg_clips import ffmpeg
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.media.cue import label_cue
from platemark.media.label import STANDARD_TEXTS, LabelSpec

DRAWABLE = st.text(st.sampled_from("AI <>&-;:/\"'가나é…"), min_size=1, max_size=60)


def cue_lines(text: str, *, seconds: Fraction = Fraction(2)) -> list[str]:
    return label_cue(LabelSpec(text, "en"), seconds).decode("utf-8").split("\n")


def test_it_is_a_webvtt_file_with_its_language_in_the_header_and_one_cue() -> None:
    written = label_cue(LabelSpec.standard("ko"), Fraction(2))

    assert written.decode("utf-8") == (
        "WEBVTT\nKind: captions\nLanguage: ko\n\nai-label\n00:00:00.000 --> 00:00:02.000\nAI 생성 영상\n"
    )


@pytest.mark.parametrize("language", sorted(STANDARD_TEXTS))
def test_every_standard_label_can_be_a_cue(language: str) -> None:
    written = label_cue(LabelSpec.standard(language), Fraction(1)).decode("utf-8")

    assert f"Language: {language}\n" in written
    assert written.endswith(f"\n{STANDARD_TEXTS[language]}\n")


@pytest.mark.parametrize(
    ("seconds", "end"),
    [
        (Fraction(1, 2), "00:00:00.500"),
        (Fraction(1, 3), "00:00:00.334"),
        (Fraction(1001, 30000), "00:00:00.034"),
        (Fraction(60), "00:01:00.000"),
        (Fraction(3_599_999, 1000), "00:59:59.999"),
        (Fraction(36_000_001, 10_000), "01:00:00.001"),
    ],
)
def test_it_ends_with_the_clip_rounded_up_to_the_millisecond(seconds: Fraction, end: str) -> None:
    assert cue_lines("AI", seconds=seconds)[5] == f"00:00:00.000 --> {end}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("AI & <b>film</b>", "AI &amp; &lt;b&gt;film&lt;/b&gt;"),
        ("AI --> 00:09", "AI --&gt; 00:09"),
        ("AI &lt; film", "AI &amp;lt; film"),
    ],
)
def test_what_would_be_markup_is_escaped(text: str, written: str) -> None:
    assert cue_lines(text)[6] == written


@given(DRAWABLE.filter(lambda text: any(map(str.isalnum, text))))
def test_no_wording_can_add_a_line_a_tag_or_a_second_cue(text: str) -> None:
    lines = cue_lines(text)

    assert len(lines) == 8
    assert [line for line in lines if "-->" in line] == [lines[5]]
    assert not set(lines[6]) & set("<>")


@pytest.mark.parametrize("language", ["", "e", "en\n\n00:00.000 --> 00:09.000\nnot AI", "en us", "en_US", "english-"])
def test_a_language_that_is_no_tag_is_refused_before_it_could_reach_a_header(language: str) -> None:
    with pytest.raises(RequestError, match="language is a tag"):
        LabelSpec("AI", language)


@pytest.mark.parametrize("language", ["en", "ko-KR", "zh-Hant-TW", "EN"])
def test_a_language_tag_is_taken(language: str) -> None:
    assert LabelSpec("AI", language).language == language


def test_ffmpeg_reads_the_words_and_the_times_back(tmp_path: Path) -> None:
    (tmp_path / "label.vtt").write_bytes(label_cue(LabelSpec("AI & <b>", "en"), Fraction(5, 2)))

    ffmpeg("-i", tmp_path / "label.vtt", tmp_path / "read.vtt")

    assert "00:00.000 --> 00:02.500\nAI & <b>\n" in (tmp_path / "read.vtt").read_text("utf-8")
