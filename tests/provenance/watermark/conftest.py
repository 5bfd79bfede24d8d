"""Keys, an index of issued ids, and one marked clip of each kind, made once."""

from collections.abc import Callable, Mapping

import made_clips as made
import pytest
from made_clips import Clip

from platemark_provenance.watermark.detect import Detection, Detector
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import WatermarkKeys, derive_keys, derive_mark_id
from platemark_provenance.watermark.payload import WatermarkId

Find = Callable[..., Detection]


@pytest.fixture(scope="session")
def keys() -> WatermarkKeys:
    return derive_keys(b"a watermark master for tests onl")


@pytest.fixture(scope="session")
def other_keys() -> WatermarkKeys:
    return derive_keys(b"the master of another publisher!")


@pytest.fixture(scope="session")
def mark_id(keys: WatermarkKeys) -> WatermarkId:
    return derive_mark_id(keys, b"the marked clip")


@pytest.fixture(scope="session")
def issued(keys: WatermarkKeys, mark_id: WatermarkId) -> IssuedIds:
    """A thousand ids, among them the one in the marked clips."""
    others = [derive_mark_id(keys, b"clip %d" % number) for number in range(999)]
    return IssuedIds.from_ids(keys, [*others, mark_id])


@pytest.fixture(scope="session")
def originals() -> Mapping[str, Clip]:
    """One clip of each kind, unmarked."""
    return {
        "ball": made.make_ball(1),
        "windows": made.make_windows(1),
        "black": made.make_flat(16),
        "white": made.make_flat(235),
        "grey": made.make_flat(126),
        "texture": made.make_texture(1),
    }


@pytest.fixture(scope="session")
def marked(originals: Mapping[str, Clip], keys: WatermarkKeys, mark_id: WatermarkId) -> Mapping[str, Clip]:
    """The same clips, marked with `mark_id`."""
    return {name: list(Embedder(keys, mark_id).mark(clip)) for name, clip in originals.items()}


@pytest.fixture(scope="session")
def find(keys: WatermarkKeys) -> Find:
    """Feed a clip to a detector and decide."""

    def search(
        clip: Clip,
        issued: IssuedIds | None = None,
        *,
        effort: str = "fast",
        under: WatermarkKeys = keys,
    ) -> Detection:
        detector = Detector(under)
        for frame in clip:
            detector.feed(frame)
        return detector.detect(issued, effort="full" if effort == "full" else "fast")

    return search
