"""The places where a home leaves signed tree heads, from how they are written.

One rule: a place that cannot be opened is still a place; whoever asks is told what is missing.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from platemark.errors import RequestError
from platemark.homes.home import Home
from platemark_provenance.anchoring.directory import DirectoryPlace
from platemark_provenance.anchoring.place import AbsentPlace, AnchorUnavailable, Place
from platemark_provenance.ledger.anchors import AnchorKind
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.web_address import is_web_address


def known_places(home: Home, ledger: Ledger) -> tuple[Place, ...]:
    """Give every place that the configuration names or the ledger remembers, each once."""
    kinds: tuple[AnchorKind, ...] = ("directory", "s3", "timestamp")
    remembered = [target for kind in kinds for target in ledger.anchors.targets(kind)]
    return open_places(home, (*home.config.anchors.places, *remembered))


def open_places(home: Home, names: Sequence[str]) -> tuple[Place, ...]:
    """Give places by how they are written, each once.

    Args:
        home: relative directories are its.
        names: directories, `s3://bucket/prefix`, or addresses of time-stamp authorities (http, https).

    Raises:
        RequestError: one is none of these.
    """
    found = [open_place(home, name) for name in names]
    return tuple({(each.kind, each.target): each for each in found}.values())


def open_place(home: Home, name: str) -> Place:
    """Give one place; see `open_places`."""
    scheme, found, rest = name.partition("://")
    if not found and name.strip() and name.isprintable():
        return DirectoryPlace((home.path / name).absolute())
    if scheme == "s3" and rest.strip("/"):
        return _or_absent("s3", name.rstrip("/"), lambda: _bucket(home, name.rstrip("/")))
    if is_web_address(name):
        return _or_absent("timestamp", name, lambda: _authority(home, name))
    raise RequestError(
        f"A place is a directory, s3://bucket/prefix or a time-stamp authority's address; got {name[:80]!r}.",
        fix="Such as /mnt/worm, s3://newsroom-log/main or https://tsa.example/tsr",
    )


def _bucket(home: Home, name: str) -> Place:
    from platemark_provenance.anchoring.bucket import BucketPlace

    settings = home.config.anchors
    return BucketPlace(name, home.clock, settings.s3_endpoint, settings.s3_region)


def _authority(home: Home, name: str) -> Place:
    from platemark_provenance.anchoring.stamp import StampPlace

    return StampPlace(name, home.trust_store().tsa_anchors)


def _or_absent(kind: AnchorKind, target: str, opener: Callable[[], Place]) -> Place:
    try:
        return opener()
    except AnchorUnavailable as error:
        return AbsentPlace(kind, target, error)


def here(path: str) -> str:
    """Make a relative directory one of the working directory, where its user stands."""
    return path if "://" in path or not path.strip() else str(Path(path).absolute())
