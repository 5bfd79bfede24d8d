"""Load rule packs: what a publisher allows, as data that a person can read, check and sign off.

One rule: a pack is used whole or not at all. It is refused when it has an unknown key, a duplicate, an unsafe pattern,
an unknown list, or a rule that fails one of its own examples.
"""

import re
from functools import lru_cache
from pathlib import Path

from platemark_policy.document import MAX_FILE_BYTES
from platemark_policy.errors import RulePackError
from platemark_policy.pack import PackFiles, RulePack
from platemark_policy.pack_parser import parse_pack

_MAX_FILES = 32
_NEWSROOM = Path(__file__).parent / "packs" / "newsroom.yaml"
# Read again by the parser, which knows better; here it only says which files belong to the pack.
_EXTENDS = re.compile(rb"^extends: newsroom\s*$", re.MULTILINE)


def load_pack(path: Path | None = None) -> RulePack:
    """Load a rule pack, or the one that comes with platemark.

    A pack is `NAME.yaml` with its rules and, beside it, the folder `NAME` with its word lists. One that says
    `extends: newsroom` has all of that pack's rules and lists too, and its hash covers them. The same bytes are checked
    once in a process.

    Args:
        path: the main file.

    Raises:
        RulePackError: the pack is missing, too large, malformed, unsafe, or fails its own examples.
    """
    return _checked_pack(_read_files(path or _NEWSROOM))


def _read_files(path: Path) -> PackFiles:
    try:
        paths = [path, *sorted(path.with_suffix("").glob("*.yaml"))]
        if path != _NEWSROOM and _EXTENDS.search(_read_bounded(path)):
            paths += [_NEWSROOM, *sorted(_NEWSROOM.with_suffix("").glob("*.yaml"))]
        if len(paths) > _MAX_FILES:
            raise RulePackError(f"A rule pack has at most {_MAX_FILES} files, {path.name} has {len(paths)}.")
        contents = tuple(_read_bounded(file) for file in paths)
    except OSError as error:
        raise RulePackError(
            f"The rule pack {path.name} cannot be read ({error.strerror}).", fix="Check the path and its rights."
        ) from error
    return PackFiles(tuple(file.name for file in paths), contents)


def _read_bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise RulePackError(f"{path.name}: expected at most {MAX_FILE_BYTES} bytes.")
    return content


@lru_cache(maxsize=8)
def _checked_pack(files: PackFiles) -> RulePack:
    pack = parse_pack(files)
    if failing := pack.failing_examples():
        raise RulePackError(f"The rule pack fails its own examples: {'; '.join(failing[:5])}.", fix="Mend them.")
    return pack
