"""A program that makes clips with one flaw each, for compliance checks. The file's name says the flaw.

Each is a real clip out of the real pipeline, or a copy of one, in which exactly one thing was done wrongly.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import tee
from pathlib import Path
from unittest import mock

import numpy as np
from c2pa import Builder, C2paSignerInfo, Context, Signer
from odd_clips import picture as photo
from odd_clips import write_clip
from PIL import Image
from time_authority import open_time_authority

from platemark.cli import main
from platemark.homes.home import init
from platemark.making.sources import override_for
from platemark.marking import MarkOptions, embed_file
from platemark.media.aigc import TAG, AigcStatement, to_xmp
from platemark.media.label import RenderedLabel
from platemark.media.reencoding import reencode
from platemark.media.video import Luma, remux_with_tags, remux_without_metadata
from platemark.media.xmp import append_packet
from platemark.media.yuv import RGB
from platemark.studio import Studio
from platemark_provenance.timestamps import NO_TIME_STAMP
from platemark_provenance.verification import read_provenance
from platemark_provenance.watermark.embed import Embedder

PROMPT = "a calm blue sea at sunset"
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CAMERA = {"digitalSourceType": SOURCE + "digitalCapture"}
MADE_AT = "2026-11-22T09:00:00+00:00"
Draw = Callable[[RenderedLabel, RGB, int], RGB]
_DRAW = RenderedLabel.draw
_MARK = Embedder.mark


@dataclass(frozen=True)
class Bench:
    """Where flawed files are made: a home with everything on, a stranger's home, and a folder."""

    studio: Studio
    stranger: Studio
    folder: Path

    def clip(self, name: str, *, draw: Draw | None = None, seconds: float = 0.5, **options: object) -> Path:
        """Make a clip whose label is drawn in another way."""
        path = self.folder / name
        wanted = {"size": "128x128", "seed": 7, "label_language": "en", **options}
        with _drawing(draw):
            self.studio.generate(PROMPT, model="testcard", seconds=seconds, out=path, **wanted)  # type: ignore[arg-type]
        return path

    def unmarked(self, name: str, draw: Draw | None = None) -> Path:
        """Make a clip with a label and no mark, and take its manifest away."""
        with mock.patch.object(Embedder, "mark", _mark_nothing):
            made = self.clip(f"unmarked for {name}", draw=draw)
        return self.stripped(made, name)

    def stripped(self, source: Path, name: str) -> Path:
        """Copy a clip without its manifest."""
        remux_without_metadata(source, self.folder / name)
        return self.folder / name

    @property
    def good(self) -> Path:
        """Give a clip without a flaw, made once."""
        path = self.folder / "good.mp4"
        return path if path.is_file() else self.clip(path.name)


def _mark_nothing(embedder: Embedder, frames: Iterable[Luma], *, is_loop: bool = False) -> Iterator[Luma]:
    """Find out which id the frames would carry, and hand them on as they came."""
    seen, marked = tee(frames)
    for frame, _ in zip(seen, _MARK(embedder, marked, is_loop=is_loop), strict=True):
        yield frame


@contextmanager
def _drawing(draw: Draw | None) -> Iterator[None]:
    count = iter(range(1_000_000))
    other = (lambda label, frame: draw(label, frame, next(count))) if draw else _DRAW
    with mock.patch.object(RenderedLabel, "draw", other):
        yield


@contextmanager
def open_bench(folder: Path) -> Iterator[Bench]:
    """Make both homes: time-stamps required, China's statement written."""
    with open_time_authority(datetime.now(UTC)) as authority:
        home = init(folder / "home", organisation="Daily Example")
        config = home.path / "platemark.toml"
        stamped = f'timestamp = "require"\ntsa_url = "{authority.url}"'
        text = config.read_text("utf-8").replace('timestamp = "off"', stamped)
        config.write_text(text.replace("write = false", "write = true"), "utf-8")
        (folder / "tsa.pem").write_bytes(authority.root_pem)
        init(folder / "stranger", organisation="Stranger")
        main(["trust", "add", str(folder / "tsa.pem"), "--kind", "tsa", "--home", str(home.path), "--quiet"])
        (folder / "files").mkdir()
        with Studio.open(home.path) as studio, Studio.open(folder / "stranger") as stranger:
            yield Bench(studio, stranger, folder / "files")


# Labels


def _only(frames: Callable[[int], bool]) -> Draw:
    """Draw the label on some frames."""
    return lambda label, frame, index: _DRAW(label, frame) if frames(index) else frame.copy()


def _faint(label: RenderedLabel, frame: RGB, index: int) -> RGB:
    drawn = _DRAW(label, frame)
    box = label.box
    plate = drawn[box.y : box.y + box.height, box.x : box.x + box.width]
    plate[:] = (110 + (plate.astype(np.int16) - 110) // 5).astype(np.uint8)
    return drawn


def _small(label: RenderedLabel, frame: RGB, index: int) -> RGB:
    height, width = (round(side * 0.8) for side in label.pixels.shape[:2])
    small = np.asarray(Image.fromarray(label.pixels).resize((width, height), Image.Resampling.LANCZOS))
    drawn, right = frame.copy(), label.box.x + label.box.width
    drawn[label.box.y : label.box.y + height, right - width : right] = small[:, :, :3]
    return drawn


def _mirrored(label: RenderedLabel, frame: RGB, index: int) -> RGB:
    drawn, box = _DRAW(label, frame), label.box
    drawn[box.y : box.y + box.height, box.x : box.x + box.width] = drawn[
        box.y : box.y + box.height, box.x : box.x + box.width
    ][:, ::-1].copy()
    return drawn


def _covered(label: RenderedLabel, frame: RGB, index: int) -> RGB:
    drawn, box = _DRAW(label, frame), label.box
    if index == 3:
        drawn[box.y : box.y + box.height, box.x : box.x + box.width] = 16
    return drawn


# China's statement


def _stating(bench: Bench, name: str, tags: dict[str, str], packet: str = "") -> Path:
    """Make a clip whose container says something else."""

    def write(path: Path, statement: AigcStatement, *, through: Path) -> None:
        remux_with_tags(path, through, tags)
        if packet:
            append_packet(through, packet)
        through.replace(path)

    with mock.patch("platemark.making.pipeline.write_aigc", write):
        return bench.clip(name)


def _said(**fields: object) -> dict[str, str]:
    whole = {"Label": "1", "ContentProducer": "Daily Example", "ProduceID": "7", **fields}
    return {TAG: json.dumps({key: value for key, value in whole.items() if value is not None})}


# Manifests


def _signed(bench: Bench, source: Path, name: str, **changes: object) -> Path:
    """Sign a file with the home's key and a manifest of one's own; `stranger` signs with the other home's key."""
    action: dict[str, object] = {"action": "c2pa.created", "digitalSourceType": SOURCE + "trainedAlgorithmicMedia"}
    action |= {"when": MADE_AT, **dict(changes.get("action", {}))}  # type: ignore[call-overload]
    action = {key: value for key, value in action.items() if value is not None}
    definition = {
        "claim_generator_info": [changes.get("generator", {"name": "other", "version": "1"})],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    keys = (bench.stranger if changes.get("stranger") else bench.studio).home.path / "keys"
    chain, key = (keys / "signing.chain.pem").read_bytes(), (keys / "signing.key").read_bytes()
    output = io.BytesIO()
    with (
        Context.from_dict({"version": 1, "verify": {"verify_after_sign": False}}) as context,
        Signer.from_info(C2paSignerInfo(b"es256", chain, key, None)) as signer,
        Builder(json.dumps(definition), context) as builder,
    ):
        builder.sign(signer, str(changes.get("mime", "video/mp4")), io.BytesIO(source.read_bytes()), output)
    (bench.folder / name).write_bytes(output.getvalue())
    return bench.folder / name


def _flipped(bench: Bench, name: str, *, after: bytes, by: int) -> Path:
    content = bytearray(bench.good.read_bytes())
    content[content.rindex(after) + by] ^= 1
    (bench.folder / name).write_bytes(content)
    return bench.folder / name


def _transplanted(bench: Bench, name: str) -> Path:
    record = bench.studio.ledger.registry.record_for_label(_label_of(bench, bench.good))
    assert record is not None
    plain = bench.unmarked(f"before {name}", lambda label, frame, index: _DRAW(label, photo(128, 128, shift=2 * index)))
    marked = bench.folder / f"marked {name}"
    embed_file(bench.studio.home, plain, marked, options=MarkOptions(mark=record.mark_id.hex()))
    return _signed(bench, marked, name)


def _label_of(bench: Bench, path: Path) -> str:
    return read_provenance(path, bench.studio.home.trust_store()).active_label or ""


def _made_from_a_strangers_picture(bench: Bench, name: str) -> Path:
    plain = bench.folder / "photo.png"
    Image.fromarray(photo(128, 128)).save(plain)
    picture = _signed(bench, plain, "stranger.png", stranger=True, action=CAMERA, mime="image/png")
    allowed = override_for(("untrusted",), reason="seen by the desk")
    return bench.clip(name, images=[picture], override=allowed, actor="jw.kim")


def _with_sound(bench: Bench, name: str, *, captions: bool) -> Path:
    source, path = bench.folder / f"source of {name}", bench.folder / name
    write_clip(source, size=(192, 128), frames=6, sound=True)
    bench.studio.stamp(source, generator="elsewhere", out=path)
    beside = path.with_suffix(".vtt")
    beside.unlink(missing_ok=True)
    if captions:
        beside.write_text("WEBVTT\n\n00:00.000 --> 00:00.500\nAI-generated\n", "utf-8")
    return path


def _without_a_stamp(bench: Bench, name: str) -> Path:
    with mock.patch("platemark.homes.home.Home.time_stamp_policy", lambda self: NO_TIME_STAMP):
        return bench.clip(name)


def _still(bench: Bench, name: str, draw: Draw | None = None) -> Path:
    path = bench.folder / name
    with _drawing(draw):
        bench.studio.generate(PROMPT, model="testcard", size="256x256", label_language="en", out=path)
    return path


def _saved_again(bench: Bench, name: str) -> Path:
    source = _still(bench, f"source of {name}.png")
    with Image.open(source) as picture:
        picture.convert("RGB").save(bench.folder / name)
    return bench.folder / name


# All of them

Make = Callable[[Bench, str], Path]


@dataclass(frozen=True)
class Flaw:
    """A flaw: the file's name, how it is made, the profile it is held against, and the clauses that must fail there.

    `optional` are clauses that fail and may. `words` are further words of the command.
    """

    name: str
    make: Make
    profile: str
    fails: frozenset[str]
    optional: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()


def _flaw(name: str, make: Make, profile: str, fails: Sequence[str], *words: str, optional: Sequence[str] = ()) -> Flaw:
    return Flaw(name, make, profile, frozenset(fails), frozenset(optional), words)


def _label_flaw(name: str, draw: Draw, profile: str, fails: Sequence[str], *words: str, seconds: float = 0.5) -> Flaw:
    return _flaw(name, lambda bench, file: bench.clip(file, draw=draw, seconds=seconds), profile, fails, *words)


EU, KR, CA, CN = "eu-art50", "kr-ai-basic", "ca-sb942", "cn-gb45438"
NO_LABEL_CA = ("CA-a", "CA-a-words", "CA-a-clear")
NO_XMP = ("CN-im-xmp",)
OWN_SPELLING = AigcStatement("1", "Daily Example", "7")

FLAWS: tuple[Flaw, ...] = (
    # the label, in the pixels
    _label_flaw("label-missing.mp4", _only(lambda n: False), CA, NO_LABEL_CA),
    _label_flaw("label-missing-audience-told.mp4", _only(lambda n: False), KR, ("KR-31-3", "KR-31-3-clear"), "--told"),
    _label_flaw("label-missing-audience-not-told.mp4", _only(lambda n: False), KR,
                ("KR-31-1", "KR-31-2", "KR-31-3", "KR-31-3-clear")),
    _label_flaw("label-missing-from-the-first-frame.mp4", _only(lambda n: n > 0), EU, ("EU-50-4",)),
    _label_flaw("label-missing-from-the-last-frame.mp4", _only(lambda n: n < 5), KR, ("KR-31-3",), "--told"),
    _label_flaw("label-missing-from-a-middle-frame.mp4", _only(lambda n: n != 3), CA, ("CA-a",)),
    _label_flaw("label-on-every-other-frame.mp4", _only(lambda n: n % 2 == 0), CA, ("CA-a",)),
    _label_flaw("label-covered-in-one-frame.mp4", _covered, CA, ("CA-a",)),
    _label_flaw("label-only-in-the-first-second.mp4", _only(lambda n: n < 12), EU, ("EU-50-4",), seconds=2.25),
    _label_flaw("label-gone-after-one-second.mp4", _only(lambda n: n < 12), CN, ("CN-ex-opening",), seconds=2.25),
    _label_flaw("label-gone-after-the-break.mp4", _only(lambda n: n < 24), EU, ("EU-50-4-breaks",), "--breaks", "2",
                seconds=2.25),
    _label_flaw("label-late-after-the-break.mp4", _only(lambda n: n != 24), EU, ("EU-50-4-breaks",), "--breaks", "2",
                seconds=2.25),
    _label_flaw("label-too-faint.mp4", _faint, EU, ("EU-50-5",)),
    _label_flaw("label-too-faint-for-korea.mp4", _faint, KR, ("KR-31-3-clear",)),
    _flaw("label-too-small.mp4", lambda b, n: b.clip(n, draw=_small, size="256x256"), CN, ("CN-ex-height",)),
    _label_flaw("label-mirrored.mp4", _mirrored, CA, NO_LABEL_CA),
    _flaw("label-without-the-letters-ai.mp4", lambda b, n: b.clip(n, label_text="Machine made"), EU, ("EU-50-4-text",)),
    _flaw("label-without-the-letters-ai-in-california.mp4", lambda b, n: b.clip(n, label_text="Machine made"), CA,
          ("CA-a-words",)),
    # the manifest
    _flaw("manifest-stripped.mp4", lambda b, n: b.stripped(b.good, n), CA, ("CA-b1", "CA-b3")),
    _flaw("manifest-stripped-in-europe.mp4", lambda b, n: b.stripped(b.good, n), EU,
          ("EU-1.1.1", "EU-1.1.1-time", "EU-1.2"), optional=("EU-det",)),
    _flaw("manifest-lost-in-encoding-again.mp4", lambda b, n: _encoded(b, n), CA, ("CA-b1", "CA-b3")),
    _flaw("one-byte-of-the-manifest-flipped.mp4", lambda b, n: _flipped(b, n, after=b"org.platemark.label", by=60), CA,
          ("CA-b1", "CA-b2", "CA-b3")),
    _flaw("one-byte-of-the-picture-flipped.mp4", lambda b, n: _flipped(b, n, after=b"uuid\xbe\x7a", by=-12), CA,
          ("CA-b1", "CA-b2", "CA-b3")),
    _flaw("time-stamp-missing.mp4", _without_a_stamp, EU, ("EU-1.1.1-time",)),
    _flaw("signed-by-a-stranger.mp4", lambda b, n: _signed(b, b.stripped(b.good, f"p{n}"), n, stranger=True), CA,
          ("CA-b2", "CA-b3")),
    _flaw("says-it-was-taken-with-a-camera.mp4",
          lambda b, n: _signed(b, b.stripped(b.good, f"p{n}"), n, action=CAMERA),
          CA, ("CA-b3",)),
    _flaw("system-without-a-version.mp4",
          lambda b, n: _signed(b, b.stripped(b.good, f"p{n}"), n, generator={"name": "other"}), CA, ("CA-b1",)),
    _flaw("made-at-no-time.mp4", lambda b, n: _signed(b, b.stripped(b.good, f"p{n}"), n, action={"when": None}), CA,
          ("CA-b1",)),
    _flaw("made-from-a-strangers-picture.mp4", _made_from_a_strangers_picture, EU, ("EU-1.2",)),
    _flaw("byline-in-the-label.mp4", lambda b, n: b.clip(n, label_text="AI, Kim", byline="AI, Kim"), EU, (),
          optional=("EU-1.3",)),
    # the mark
    _flaw("watermark-missing.mp4", lambda b, n: _signed(b, b.unmarked(f"p{n}"), n), CA, ("CA-b4",)),
    _flaw("watermark-missing-and-not-in-the-log.mp4", lambda b, n: _signed(b, b.unmarked(f"p{n}"), n), EU,
          ("EU-1.1.1-time", "EU-1.1.2"), optional=("EU-1.1.3", "EU-1.3", "EU-det")),
    _flaw("watermark-of-another-clip.mp4", _transplanted, CA, ("CA-b2", "CA-b4")),
    # China's statement
    _flaw("aigc-missing.mp4", lambda b, n: _stating(b, n, {"comment": "x"}), CN, ("CN-im",), optional=NO_XMP),
    _flaw("aigc-says-maybe.mp4", lambda b, n: _stating(b, n, _said(Label="2")), CN, ("CN-im",), optional=NO_XMP),
    _flaw("aigc-says-suspected.mp4", lambda b, n: _stating(b, n, _said(Label="3")), CN, ("CN-im",), optional=NO_XMP),
    _flaw("aigc-without-a-producer.mp4", lambda b, n: _stating(b, n, _said(ContentProducer=None)), CN, ("CN-im",),
          optional=NO_XMP),
    _flaw("aigc-without-a-number.mp4", lambda b, n: _stating(b, n, _said(ProduceID=None)), CN, ("CN-im",),
          optional=NO_XMP),
    _flaw("aigc-label-is-a-number.mp4", lambda b, n: _stating(b, n, _said(Label=1)), CN, ("CN-im",), optional=NO_XMP),
    _flaw("aigc-is-no-json.mp4", lambda b, n: _stating(b, n, {TAG: "Label=1"}), CN, ("CN-im",), optional=NO_XMP),
    _flaw("aigc-too-long.mp4", lambda b, n: _stating(b, n, _said(ReservedCode1="x" * 300)), CN, ("CN-im",),
          optional=NO_XMP),
    _flaw("aigc-under-a-lower-case-name.mp4", lambda b, n: _stating(b, n, {"aigc": _said()[TAG]}), CN, ("CN-im",),
          optional=NO_XMP),
    _flaw("aigc-not-in-xmp.mp4", lambda b, n: _stating(b, n, _said()), CN, (), optional=NO_XMP),
    _flaw("aigc-of-another-clip-in-xmp.mp4",
          lambda b, n: _stating(b, n, _said(ProduceID="8"), to_xmp(OWN_SPELLING)), CN, (), optional=NO_XMP),
    # sound and stills
    _flaw("sound-without-captions.mp4", lambda b, n: _with_sound(b, n, captions=False), KR, ("KR-31-3-sound",)),
    _flaw("still-without-a-label.png", lambda b, n: _still(b, n, _only(lambda _: False)), CA, NO_LABEL_CA),
    _flaw("still-saved-again.png", _saved_again, CA, ("CA-b1", "CA-b3")),
    _flaw("still-saved-as-jpeg.jpg", _saved_again, CA, ("CA-b1", "CA-b3")),
)  # fmt: skip
"""One flaw each. In China's profile the wording is left to a test of its own: standard labels are English or Korean."""
NOT_FLAWED: tuple[Flaw, ...] = (
    _flaw("good.mp4", lambda b, n: b.good, f"{EU},{KR},{CA}", ()),
    _flaw("good-after-a-break.mp4", lambda b, n: b.good, EU, (), "--breaks", "0.2"),
    _flaw("label-missing-from-an-obvious-cartoon.mp4", lambda b, n: b.clip(n, draw=_only(lambda _: False)), EU, (),
          "--no-realistic"),
    _flaw("label-missing-from-what-a-user-shows.mp4", lambda b, n: b.clip(n, draw=_only(lambda _: False)), f"{EU},{CN}",
          (), "--role", "user"),
    _flaw("sound-with-captions.mp4", lambda b, n: _with_sound(b, n, captions=True), KR, ()),
    _flaw("aigc-written.mp4", lambda b, n: b.good, CN, ()),
)  # fmt: skip
"""The same files where the clause does not bind, and files without a flaw."""


def _encoded(bench: Bench, name: str) -> Path:
    reencode(bench.good, bench.folder / name, crf=14)
    return bench.folder / name
