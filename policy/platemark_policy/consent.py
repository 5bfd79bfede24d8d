"""Records of consent as the rules see them: whose name may stand in which kind of scene.

One rule: only a record that stands at the request's clock takes a finding about a named person away, and only at the
very words that are that person's name. No word of a prompt can do it, and a name written in disguise is no name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from platemark_policy.conditions import Reading
from platemark_policy.decision import Span
from platemark_policy.errors import PolicyError
from platemark_policy.language import find_unreadable, is_text
from platemark_policy.lexicon import term_problem
from platemark_policy.normalize import normalize

ConsentScope = Literal["likeness", "statements"]
"""`likeness`: the person may be shown. `statements`: also in realistic scenes, and speaking."""

SCOPES: tuple[ConsentScope, ...] = ("likeness", "statements")
"""Every scope; each includes those before it."""

NameDigest = Callable[[str], str]
"""Gives the keyed digest under which a name, as `name_as_term` gives it, is recorded."""

_SEPARATORS = str.maketrans({"-": " ", "'": " ", "’": " ", "_": " ", "·": " ", ".": " "})


@dataclass(frozen=True, slots=True)
class Consent:
    """One standing record of a person's consent.

    Args:
        id: of the record; decisions name it.
        names: keyed digests of how the person is called.
        scope: what was agreed to.
    """

    id: str
    names: frozenset[str]
    scope: ConsentScope


@dataclass(frozen=True, slots=True)
class Agreed:
    """What records say about the names in one prompt.

    Args:
        spans: for each scope, where names stand that a record covers.
        ids: the records whose person is named, in order.
    """

    spans: dict[str, frozenset[Span]]
    ids: tuple[str, ...]


def name_as_term(name: str) -> str:
    """Give a name as rules look for it: plain spelling, single spaces.

    Raises:
        PolicyError: it is empty, too long, or holds what no name in English or Korean holds.
    """
    term = plain_name(name)
    readable = is_text(name) and find_unreadable(name) is None
    if "*" in term or term_problem(term) is not None or not readable:
        raise PolicyError(
            "Expected a person's name of letters and spaces, 2 to 60 characters.", fix="Give it as prompts spell it."
        )
    return term


def find_agreed(text: str, reading: Reading, consents: Iterable[Consent], digest: NameDigest) -> Agreed:
    """Find the names in a prompt that records cover; the words looked at are those that the pack's lists found.

    Args:
        text: the prompt as it was given.
        reading: the same, read.
        consents: standing records.
        digest: of names, as the records have it.
    """
    standing = tuple(consents)
    named = {span: digest(plain_name(text[slice(*span)])) for spans in reading.terms.values() for span in spans}
    spans: dict[str, frozenset[Span]] = {
        scope: frozenset(
            span
            for each in standing
            if SCOPES.index(each.scope) >= SCOPES.index(scope)
            for span, name in named.items()
            if name in each.names
        )
        for scope in SCOPES
    }
    found = set(named.values())
    return Agreed(spans, tuple(sorted(each.id for each in standing if found & each.names)))


def plain_name(words: str) -> str:
    """Give words from a prompt as a name would be recorded."""
    return " ".join(normalize(words).text.translate(_SEPARATORS).split())
