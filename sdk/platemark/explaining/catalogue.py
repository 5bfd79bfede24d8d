"""Every code that platemark prints, by what it means and what to do next.

One rule: what stands elsewhere is read from there: rules from their packs, clauses from their profiles, answers to
single questions from the words of reports. Only what has no other home stands in the two files beside this one.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from platemark.compliance.profile import PROFILES, load_profile
from platemark.errors import RequestError
from platemark.i18n import mark
from platemark_policy.document import Entry, read_document
from platemark_policy.pack import Rule
from platemark_provenance.axis_words import TITLES, VALUES
from platemark_provenance.digest import JsonValue

Kind = Literal[
    "c2pa", "exit", "verdict", "decision", "finding", "check", "certificate", "source", "axis", "rule", "clause"
]
KINDS: Mapping[Kind, str] = {
    "c2pa": mark("status of a manifest"),
    "exit": mark("exit code"),
    "verdict": mark("verdict on a file"),
    "decision": mark("decision of the policy"),
    "finding": mark("finding of the policy engine"),
    "check": mark("check of the publish gate"),
    "certificate": mark("rule for certificates"),
    "source": mark("refusal of a given file"),
    "axis": mark("answer to one question"),
    "rule": mark("rule of the policy pack"),
    "clause": mark("clause of a law or code"),
}
"""What each kind is called; English sentences, translated where they are shown."""
_PACKS = "platemark_policy"
_MOST_NEAR = 5
_SLIP = 0.92
"""How alike a code and a known one are that differ by a letter or two."""

_RULE_NEXT = {
    "block": {
        "en": "Change the request; what the rule protects has no exception here.",
        "ko": "요청을 바꾸십시오. 이 규칙에는 예외가 없습니다.",
    },
    "block-overridable": {
        "en": "Change the request, or appeal to the editors: platemark review request.",
        "ko": "요청을 바꾸거나 편집자에게 이의를 내십시오: platemark review request.",
    },
    "review": {
        "en": "Wait for an editor, or change the request so that the rule no longer applies.",
        "ko": "편집자를 기다리거나 규칙에 걸리지 않게 요청을 바꾸십시오.",
    },
}
_CLAUSE_NEXT = {
    "en": "Run `platemark comply FILE --html page.html` to see what was seen. A lawyer has to confirm the clause.",
    "ko": "`platemark comply FILE --html page.html`로 무엇을 보았는지 확인하십시오. 조항은 변호사가 확인해야 합니다.",
}


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One meaning of one code.

    Args:
        code: as it is printed; one that ends in `.*` stands for all that begin so.
        kind: where it is printed.
        meaning: what it says, by language.
        next_step: what to do about it, by language.
        source: where it comes from; may be empty.
    """

    code: str
    kind: Kind
    meaning: Mapping[str, str]
    next_step: Mapping[str, str]
    source: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """Give the entry as `platemark explain --json` prints it."""
        return {
            "code": self.code,
            "kind": self.kind,
            "meaning": dict(self.meaning),
            "next": dict(self.next_step),
            "source": self.source or None,
        }


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries, sorted by kind and code; one code can have several meanings."""

    entries: tuple[CodeEntry, ...]

    def explain(self, code: str) -> tuple[CodeEntry, ...]:
        """Give every meaning of a code.

        An answer to a single question is `signer.untrusted`, or `untrusted` for every question that has that answer.

        Raises:
            RequestError: no such code is known; near ones are named.
        """
        wanted = code.strip()
        return self._named(wanted) or self._answers(wanted) or self._family(wanted) or _unknown(wanted, self.entries)

    def _named(self, code: str) -> tuple[CodeEntry, ...]:
        exact = tuple(each for each in self.entries if each.code == code)
        return exact or tuple(each for each in self.entries if each.code.casefold() == code.casefold())

    def _answers(self, value: str) -> tuple[CodeEntry, ...]:
        ends = (f".{value}", f"check.{value}")
        return tuple(
            each for each in self.entries if each.kind in ("axis", "check") and value and each.code.endswith(ends)
        )

    def _family(self, code: str) -> tuple[CodeEntry, ...]:
        names = [each.code for each in self.entries]
        if difflib.get_close_matches(code, names, n=1, cutoff=_SLIP):
            return ()  # a slip of the finger is better told so than taken for a code that is new
        families = [each for each in self.entries if each.code.endswith(".*") and code.startswith(each.code[:-1])]
        return (max(families, key=lambda each: len(each.code)),) if families else ()


def load_catalogue(own_rules: Sequence[Rule] = ()) -> Catalogue:
    """Read every entry.

    Args:
        own_rules: of the pack in force, where that is another than those that come with platemark; they win.

    Raises:
        RulePackError: a profile or a file of words does not follow its form.
    """
    own = (_own_rule(rule) for rule in own_rules)
    found = (*_from_file("c2pa.yaml"), *_from_own(), *_shipped_rules(), *own, *_clauses())
    unique = {(each.kind, each.code): each for each in found}
    return Catalogue(tuple(unique[key] for key in sorted(unique)))


def _from_file(name: str) -> Iterator[CodeEntry]:
    yield from _groups(_document(name).fields(("groups",), ("axes",))["groups"])


def _from_own() -> Iterator[CodeEntry]:
    fields = _document("own.yaml").fields(("groups", "axes"))
    yield from _groups(fields["groups"])
    nexts = {name: _both(entry) for name, entry in fields["axes"].mapping().items()}
    for axis, values in VALUES["en"].items():
        for value in values:
            meaning = {
                language: f"{TITLES[language][axis]}: {VALUES[language][axis][value]}." for language in ("en", "ko")
            }
            code = f"{axis}.{value}"
            yield CodeEntry(code, "axis", meaning, nexts.get(code, nexts["otherwise"]))


def _groups(groups: Entry) -> Iterator[CodeEntry]:
    for group in groups.items():
        fields = group.fields(("kind", "next", "codes"))
        kind, next_step = _kind(fields["kind"]), _both(fields["next"])
        for code, meaning in fields["codes"].mapping().items():
            yield CodeEntry(code, kind, _both(meaning), next_step)


def _shipped_rules() -> Iterator[CodeEntry]:
    """Read the packs that come with platemark as they are written; nothing is decided, so no example is run."""
    for file in sorted((resources.files(_PACKS) / "packs").iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml"):
            rules = read_document(file.read_bytes(), name=file.name).mapping()["rules"]
            yield from (_shipped_rule(rule.mapping(), file.name) for rule in rules.items())


def _shipped_rule(fields: Mapping[str, Entry], pack: str) -> CodeEntry:
    overridable = fields["overridable"].text() == "true"
    next_step = _next_after(fields["action"].text(), overridable=overridable)
    return CodeEntry(
        fields["id"].text(), "rule", _both(fields["reason"]), next_step, f"{pack}; {fields['source'].text()}"
    )


def _own_rule(rule: Rule) -> CodeEntry:
    meaning = {"en": rule.reason.en, "ko": rule.reason.ko}
    next_step = _next_after(rule.action.value, overridable=rule.overridable)
    return CodeEntry(rule.id, "rule", meaning, next_step, rule.source)


def _next_after(action: str, *, overridable: bool) -> Mapping[str, str]:
    return _RULE_NEXT["block-overridable" if action == "block" and overridable else action]


def _clauses() -> Iterator[CodeEntry]:
    for name in PROFILES:
        profile = load_profile(name)
        for clause in profile.clauses:
            meaning = {
                language: f"{profile.title[language]}, {clause.clause}: {clause.text[language]}"
                for language in ("en", "ko")
            }
            yield CodeEntry(clause.id, "clause", meaning, _CLAUSE_NEXT, clause.source)


def _unknown(code: str, entries: tuple[CodeEntry, ...]) -> tuple[CodeEntry, ...]:
    names = {each.code.casefold(): each.code for each in entries}
    near = difflib.get_close_matches(code.casefold(), names, n=_MOST_NEAR, cutoff=0.5)
    beginning = [name for folded, name in names.items() if code and folded.startswith(code.casefold())][:_MOST_NEAR]
    shown = list(dict.fromkeys([*beginning, *(names[each] for each in near)]))[:_MOST_NEAR]
    fix = f"Near ones: {', '.join(shown)}." if shown else "List them with: platemark explain --list"
    raise RequestError(f"The code {code[:80]!r} is not one that platemark prints.", fix=fix)


def _document(name: str) -> Entry:
    return read_document((resources.files("platemark.explaining") / name).read_bytes(), name=name)


def _both(entry: Entry) -> Mapping[str, str]:
    fields = entry.fields(("en", "ko"))
    return {language: fields[language].text() for language in ("en", "ko")}


def _kind(entry: Entry) -> Kind:
    for kind in KINDS:
        if entry.text() == kind:
            return kind
    raise entry.refusal(f"unknown kind {entry.text()!r:.20}", fix=f"One of {', '.join(KINDS)}.")
