"""`platemark demo`: the guided tour, on a home of its own."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.errors import GenerationError, OutputError, RequestError
from platemark.i18n import mark


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the tour: what is shown, the command that shows it, and how that command ends."""

    told: str
    words: tuple[str, ...]
    code: int = 0


def demo(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder for the tour's home and files.")] = Path("demo"),
    model: Annotated[str, typer.Option(help="What draws the clip; the test card takes a second.")] = "testcard",
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Walk the whole road once, offline: make, verify, lose and recover, refuse, approve, correct, check, withdraw.

    Example: platemark demo tour --lang ko
    """
    del home  # the tour has a home of its own and never touches another
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    # Imported here: the tour runs every other command, and copying a clip needs the decoder.
    from platemark.cli import main
    from platemark.media.reencoding import reencode

    if not _is_free(folder):
        raise RequestError(f"{folder} is not an empty folder.", fix="Name a new one: platemark demo tour")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}.", fix="Choose another place.") from error
    passed_on = ["--lang", lang, *(["--json"] if as_json else []), *(["--quiet"] if quiet else [])]
    started = time.monotonic()
    for number, stop in enumerate(stops(folder.absolute(), model=model), start=1):
        out.note("")
        out.note("{number}. {told}", number=number, told=out.text(stop.told))
        out.note("   $ platemark {words}", words=" ".join(_shown(word) for word in stop.words))
        if stop.words[0] == "verify" and stop.words[1].endswith("copy.mp4"):
            reencode(folder / "clip.mp4", folder / "copy.mp4", crf=23)
        code = main([*stop.words, *passed_on])
        if code != stop.code:
            raise GenerationError(
                f"The tour stopped at number {number}: exit code {code} came where {stop.code} was expected.",
                fix="Why is told above it. Mend that, and start again in a new folder.",
            )
        if stop.words[0] == "init":
            _turn_the_gate_on(folder / "newsroom")
    out.note("That is all, in {seconds} s. What it made lies in {folder}.",
             seconds=round(time.monotonic() - started), folder=folder)  # fmt: skip


def stops(folder: Path, *, model: str) -> Iterator[Stop]:
    """Give the stops of the tour, in order.

    Args:
        folder: where everything is put.
        model: what draws the clip.
    """
    home = ("--home", str(folder / "newsroom"))
    clip, published = str(folder / "clip.mp4"), str(folder / "clip.published.mp4")
    yield Stop(mark("A home: keys, log and settings in one folder."), ("init", home[1], "--org", "Daily Example"))
    yield Stop(
        mark("A clip: screened, labelled, marked, signed, logged. The gate is on, so it is a draft."),
        ("generate", "city lights at night, light rain", "--model", model, "--seconds", "2", "--seed", "7",
         "--actor", "jw.kim", "--byline", "Kim Ji-woo", "--out", clip, *home),
    )  # fmt: skip
    yield Stop(mark("What is it? Trusted, and still a draft."), ("verify", clip, *home))
    yield Stop(
        mark("A copy that lost its credentials is led back to the record by its watermark."),
        ("verify", str(folder / "copy.mp4"), *home),
    )
    yield Stop(
        mark("The policy stops what looks like news, and says which rule and why."),
        ("policy", "check", "a news anchor announces that the president has resigned", *home), 8,
    )  # fmt: skip
    yield Stop(mark("Any code can be asked about."), ("explain", "R12.2", *home))
    yield Stop(
        mark("Nobody publishes their own clip."),
        ("publish", clip, "--approver", "jw.kim", "--reason", "mine", *home), 3,
    )  # fmt: skip
    yield Stop(
        mark("A second person does, once every check passes."),
        ("publish", clip, "--approver", "Lee Sora", "--reason", "Checked against the notes", *home),
    )
    yield Stop(
        mark("Clause by clause: what two laws ask of it."),
        ("comply", published, "--profile", "kr-ai-basic,ca-sb942", *home),
    )
    yield Stop(mark("What other newsroom systems are told."), ("export", published, "--format", "ninjs", *home))
    yield Stop(
        mark("Something said about it was wrong: every copy tells of the correction."),
        ("correct", published, "--reason", "The caption named the wrong city", "--by", "Lee Sora", *home),
    )
    yield Stop(
        mark("Taken back: every copy tells of that too."),
        ("withdraw", published, "--reason", "Wrong date", "--actor", "Lee Sora", *home),
    )
    yield Stop(mark("The copy without credentials knows it as well."), ("verify", str(folder / "copy.mp4"), *home))
    yield Stop(mark("And the log is whole."), ("audit", "verify", *home))


def _is_free(folder: Path) -> bool:
    try:
        return not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir()))
    except OSError as error:  # such as a folder that may not be listed
        raise OutputError(f"{folder} cannot be used: {error.strerror}.", fix="Choose another place.") from error


def _turn_the_gate_on(home: Path) -> None:
    config = home / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("gate = false", "gate = true", 1), "utf-8")


def _shown(word: str) -> str:
    return f'"{word}"' if " " in word else word
