"""Read a YAML file of a rule pack as plain, located values: the only door to the YAML library.

One rule: text, lists and maps only, each with its line. No tags, no anchors, no aliases, no second document, no
duplicate keys, and bounds on size, depth and count, so that a pack is as harmless to read as it looks. Built on the
event stream, not on a constructor: nothing is ever instantiated from a file.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import yaml

from platemark_policy.errors import RulePackError

MAX_FILE_BYTES = 262_144
"""The largest pack file that is read."""

_MAX_DEPTH = 12
_MAX_VALUES = 20_000
# The C parser is ten times quicker; wheels carry it and some source builds do not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Content = str | tuple["Entry", ...] | Mapping[str, "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a YAML file and where it stands.

    Args:
        content: text as written (never a number or a truth value), a list, or a map.
        place: file name and line, for messages.
    """

    content: Content
    place: str

    def text(self) -> str:
        """Give the text.

        Raises:
            RulePackError: it is empty, a list or a map.
        """
        if not isinstance(self.content, str) or not self.content.strip():
            raise self.refusal("expected a text")
        return self.content.strip()

    def items(self) -> tuple["Entry", ...]:
        """Give the members of a list.

        Raises:
            RulePackError: it is not a list, or an empty one.
        """
        if not isinstance(self.content, tuple) or not self.content:
            raise self.refusal("expected a list with at least one member")
        return self.content

    def texts(self) -> tuple[str, ...]:
        """Give a list of texts.

        Raises:
            RulePackError: it is not a list, is empty, or has a member that is not a text.
        """
        return tuple(item.text() for item in self.items())

    def mapping(self) -> Mapping[str, "Entry"]:
        """Give a map whose keys are the file's own names.

        Raises:
            RulePackError: it is not a map.
        """
        if not isinstance(self.content, Mapping):
            raise self.refusal("expected a map")
        return self.content

    def fields(self, required: Iterable[str], optional: Iterable[str] = ()) -> Mapping[str, "Entry"]:
        """Give a map whose keys are ours.

        Raises:
            RulePackError: a required key is missing, or a key is unknown; the nearest known one is named.
        """
        fields = self.mapping()
        needed = set(required)
        known = needed | set(optional)
        for key, value in fields.items():
            if key not in known:
                near = get_close_matches(key, sorted(known), n=1, cutoff=0.0)
                raise value.refusal(f"unknown key {key!r}", fix=f"Did you mean {near[0]!r}?" if near else "")
        if missing := sorted(needed - set(fields)):
            raise self.refusal(f"missing {', '.join(missing)}")
        return fields

    def refusal(self, problem: str, *, fix: str = "") -> RulePackError:
        """Give the error to raise about this value."""
        return RulePackError(f"{self.place}: {problem}.", fix=fix)


def read_document(content: bytes, *, name: str) -> Entry:
    """Read one YAML document.

    Args:
        content: the file's bytes, UTF-8.
        name: what to call the file in messages.

    Raises:
        RulePackError: too large, not UTF-8, not YAML, or outside the part of YAML described above.
    """
    if len(content) > MAX_FILE_BYTES:
        raise RulePackError(f"{name}: expected at most {MAX_FILE_BYTES} bytes, got {len(content)}.")
    try:
        # Event by event: the parser needs quadratic time for deep nesting, so it must not run ahead of the bounds.
        return _Builder(yaml.parse(content.decode("utf-8"), Loader=_LOADER), name).document()
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RulePackError(f"{name}: not readable as YAML ({type(error).__name__}).") from error


class _Builder:
    """Build values from events while they are parsed; the first event out of bounds is the last one asked for."""

    def __init__(self, events: Iterator[yaml.Event], name: str) -> None:
        self._events = events
        self._name = name
        self._values = 0

    def document(self) -> Entry:
        """Read the one document there is.

        Raises:
            RulePackError: there is none, or more than one.
        """
        next(self._events)
        if not isinstance(next(self._events), yaml.DocumentStartEvent):
            raise self._not_one_document()
        entry = self._value(next(self._events), 0)
        next(self._events)
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            raise self._not_one_document()
        return entry

    def _not_one_document(self) -> RulePackError:
        return RulePackError(f"{self._name}: expected exactly one YAML document.")

    def _value(self, event: yaml.Event, depth: int) -> Entry:
        place = self._name if event.start_mark is None else f"{self._name}, line {event.start_mark.line + 1}"
        self._values += 1
        if self._values > _MAX_VALUES:
            raise RulePackError(f"{place}: expected at most {_MAX_VALUES} values.")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise RulePackError(f"{place}: anchors and aliases are not allowed.")
        if getattr(event, "tag", None) is not None:
            raise RulePackError(f"{place}: tags are not allowed.")
        if depth > _MAX_DEPTH:
            raise RulePackError(f"{place}: values may be nested {_MAX_DEPTH} deep.")
        if isinstance(event, yaml.ScalarEvent):
            return Entry(event.value, place)
        if isinstance(event, yaml.SequenceStartEvent):
            return Entry(tuple(self._members(depth)), place)
        return Entry(self._pairs(depth), place)

    def _members(self, depth: int) -> Iterator[Entry]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, depth + 1)

    def _pairs(self, depth: int) -> Mapping[str, Entry]:
        pairs: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if key.text() in pairs:
                raise key.refusal(f"{key.text()!r} appears twice")
            pairs[key.text()] = self._value(next(self._events), depth + 1)
        return pairs
