"""What an editor mistypes ends in one sentence, in the language that was asked for, and changes nothing."""

import re
from pathlib import Path

import pytest
from cli_session import Run
from ffmpeg_clips import H264, PICTURE, ffmpeg

from platemark.homes.home import open_home

HANGUL = re.compile("[가-힣]")
CORRECT = ("--reason", "x", "--by", "Lee Sora")
WITHDRAW = ("--reason", "x")
MISTAKES = {
    "correct: no such clip": (("correct", "nothing", *CORRECT), 2),
    "correct: no name at all": (("correct", "", *CORRECT), 2),
    "correct: a folder": (("correct", "folder", *CORRECT), 2),
    "correct: a link to itself": (("correct", "loop", *CORRECT), 2),
    "correct: a name longer than any": (("correct", "x" * 9_000, *CORRECT), 2),
    "correct: a file of somebody else's": (("correct", "text.mp4", *CORRECT), 2),
    "correct: an empty reason": (("correct", "text.mp4", "--reason", " ", "--by", "Lee Sora"), 2),
    "correct: nobody": (("correct", "text.mp4", "--reason", "x", "--by", ""), 2),
    "withdraw: no such clip": (("withdraw", "nothing", *WITHDRAW), 2),
    "withdraw: a link to itself": (("withdraw", "loop", *WITHDRAW), 2),
    "export: no such format": (("export", "text.mp4", "--format", "telex"), 2),
    "export: a file of somebody else's": (("export", "text.mp4", "--format", "ninjs"), 2),
    "stamp: not a clip": (("stamp", "text.mp4", "--generator", "Veo 3"), 5),
    "stamp: an empty file": (("stamp", "empty.mp4", "--generator", "Veo 3"), 5),
    "stamp: a folder": (("stamp", "folder", "--generator", "Veo 3"), 2),
    "stamp: no generator": (("stamp", "clip.mp4", "--generator", ""), 2),
    "stamp: a generator that moves the cursor": (("stamp", "clip.mp4", "--generator", "Veo\x1b[2J"), 2),
    "stamp: a prompt too long": (("stamp", "clip.mp4", "--generator", "x", "--prompt", "b" * 50_000), 2),
    "stamp: no such source type": (("stamp", "clip.mp4", "--generator", "x", "--source-type", "photo"), 2),
    "stamp: a source let in without a reason": (("stamp", "text.mp4", "--generator", "x", "--reason", "ok"), 2),
    "stamp: a folder that is not there": (("stamp", "text.mp4", "--generator", "x", "--out", "no/x.mp4"), 2),
    "generate: nothing": (("generate", " ", "--model", "testcard"), 2),
    "generate: no time at all": (("generate", "rain", "--model", "testcard", "--seconds", "0"), 2),
    "generate: for years": (("generate", "rain", "--model", "testcard", "--seconds", "1e9"), 2),
    "generate: not a number": (("generate", "rain", "--model", "testcard", "--seconds", "nan"), 2),
    "generate: one pixel": (("generate", "rain", "--model", "testcard", "--size", "1x1"), 2),
    "generate: no size": (("generate", "rain", "--model", "testcard", "--size", "big"), 2),
    "generate: no such move": (("generate", "flying over green hills of blocks by day", "--actions", "fly"), 2),
    "generate: no such model": (("generate", "rain", "--model", "nothing"), 2),
    "comply: not a clip": (("comply", "text.mp4", "--profile", "cn-gb45438"), 5),
    "comply: no such file": (("comply", "nothing.mp4", "--profile", "cn-gb45438"), 5),
    "explain: no such code": (("explain", "no-such-code-at-all"), 2),
    "explain: a very long one": (("explain", "a" * 100_000), 2),
    "explain: a code and the list": (("explain", "R12.2", "--list"), 2),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mistakes") / "clip.mp4"
    ffmpeg(*PICTURE, *H264, path)
    return path


@pytest.fixture
def desk(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what is easily taken for a clip."""
    folder = tmp_path / "desk"
    (folder / "folder").mkdir(parents=True)
    (folder / "loop").symlink_to("loop")
    (folder / "text.mp4").write_text("not a clip")
    (folder / "empty.mp4").touch()
    (folder / "clip.mp4").write_bytes(clip.read_bytes())
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_a_mistake_is_one_korean_sentence_and_leaves_no_trace(
    run: Run, desk: Path, home_path: Path, mistake: str
) -> None:
    words, code = MISTAKES[mistake]
    before = sorted(desk.iterdir()), _events(home_path)

    ended = run(*words, "--home", home_path, "--lang", "ko")

    assert ended.code == code, ended.err
    assert HANGUL.search(ended.err)
    assert "internal error" not in ended.err
    assert "\x1b" not in ended.err
    assert (sorted(desk.iterdir()), _events(home_path)) == before


def _events(home_path: Path) -> int:
    with open_home(home_path).open_ledger() as ledger:
        return ledger.head().size
