"""Laws and codes as versioned rule files: which clause asks for which check, of whom, since when.

One rule: a rule file is data, read strictly; an unknown check, role or key is refused with its line, and every clause
says that a lawyer has yet to look at it until one has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources

from platemark.compliance.checks import CHECKS, PARAMETERS
from platemark.compliance.evidence import ROLES, Role, Situation
from platemark.errors import RequestError
from platemark_policy.document import Entry, read_document

PROFILES = ("eu-art50", "kr-ai-basic", "ca-sb942", "cn-gb45438")
"""The rule files that come with platemark."""
_PACKAGE = "platemark.compliance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause of a law or code.

    `text` says in a language what is asked for. `roles` are those it binds. `realistic` and `exported` limit it to such
    uses; None means any. `optional` clauses are reported and never fail a profile.
    """

    id: str
    clause: str
    since: date
    text: Mapping[str, str]
    check: str
    parameters: Mapping[str, str]
    roles: tuple[Role, ...]
    realistic: bool | None
    exported: bool | None
    optional: bool
    source: str
    needs_legal_review: bool

    def applies(self, situation: Situation, *, on: date) -> bool:
        """Say whether the clause binds in a situation on a day."""
        return (
            on >= self.since
            and situation.role in self.roles
            and self.realistic in (None, situation.realistic)
            and self.exported in (None, situation.exported)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One rule file."""

    id: str
    version: int
    jurisdiction: str
    title: Mapping[str, str]
    clauses: tuple[Clause, ...]


def load_profile(name: str) -> Profile:
    """Load one of the rule files that come with platemark.

    Raises:
        RequestError: there is no such profile.
        RulePackError: the file does not follow its form.
    """
    if name not in PROFILES:
        raise RequestError(f"Unknown compliance profile {name!r:.60}.", fix=f"One of {', '.join(PROFILES)}.")
    content = (resources.files(_PACKAGE) / "profiles" / f"{name}.yaml").read_bytes()
    return parse_profile(content, name=f"{name}.yaml")


def parse_profile(content: bytes, *, name: str) -> Profile:
    """Read a rule file.

    Args:
        content: UTF-8 YAML.
        name: what to call the file in messages.

    Raises:
        RulePackError: it does not follow the form; the line is named.
    """
    fields = read_document(content, name=name).fields(("id", "version", "jurisdiction", "title", "clauses"))
    clauses = tuple(_clause(entry) for entry in fields["clauses"].items())
    ids = [clause.id for clause in clauses]
    for entry, clause in zip(fields["clauses"].items(), clauses, strict=True):
        if ids.count(clause.id) > 1:
            raise entry.refusal(f"the id {clause.id!r} stands twice")
    return Profile(
        id=fields["id"].text(),
        version=_number(fields["version"]),
        jurisdiction=fields["jurisdiction"].text(),
        title=_both(fields["title"]),
        clauses=clauses,
    )


def _clause(entry: Entry) -> Clause:
    fields = entry.fields(
        ("id", "clause", "since", "text", "check", "roles", "source"),
        ("with", "realistic", "exported", "optional", "needs_legal_review"),
    )
    check = fields["check"].text()
    if check not in CHECKS:
        raise fields["check"].refusal(f"unknown check {check!r}", fix=f"One of {', '.join(CHECKS)}.")
    return Clause(
        id=fields["id"].text(),
        clause=fields["clause"].text(),
        since=_day(fields["since"]),
        text=_both(fields["text"]),
        check=check,
        parameters=_parameters(fields.get("with")),
        roles=tuple(_role(each) for each in fields["roles"].items()),
        realistic=_truth(fields.get("realistic")),
        exported=_truth(fields.get("exported")),
        optional=_truth(fields.get("optional")) or False,
        source=fields["source"].text(),
        # Whoever leaves it out has not had it looked at.
        needs_legal_review=_truth(fields.get("needs_legal_review")) is not False,
    )


def _both(entry: Entry) -> Mapping[str, str]:
    fields = entry.fields(("en", "ko"))
    return {language: fields[language].text() for language in ("en", "ko")}


def _parameters(entry: Entry | None) -> Mapping[str, str]:
    if entry is None:
        return {}
    values = entry.fields((), PARAMETERS)
    for name in set(values) & {"seconds", "share", "ratio"}:
        _positive(values[name])
    return {name: value.text() for name, value in values.items()}


def _positive(entry: Entry) -> None:
    try:
        valid = 0 < float(entry.text()) < 1e6
    except ValueError:
        valid = False
    if not valid:
        raise entry.refusal(f"expected a positive number, got {entry.text()!r:.20}")


def _number(entry: Entry) -> int:
    if not entry.text().isdecimal() or len(entry.text()) > 6:
        raise entry.refusal(f"expected a whole number, got {entry.text()!r:.20}")
    return int(entry.text())


def _day(entry: Entry) -> date:
    try:
        return date.fromisoformat(entry.text())
    except ValueError as error:
        raise entry.refusal(f"expected a day like 2026-08-02, got {entry.text()!r:.20}") from error


def _truth(entry: Entry | None) -> bool | None:
    if entry is None:
        return None
    if entry.text() not in ("true", "false"):
        raise entry.refusal(f"expected true or false, got {entry.text()!r:.20}")
    return entry.text() == "true"


def _role(entry: Entry) -> Role:
    for role in ROLES:
        if entry.text() == role:
            return role
    raise entry.refusal(f"unknown role {entry.text()!r:.20}", fix=f"One of {', '.join(ROLES)}.")
