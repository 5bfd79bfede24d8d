"""Take the C2PA library's JSON reports apart without trusting their shape.

One rule: a value of the wrong type reads as an empty one, which proves nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """One C2PA status code and the address of what it is about."""

    code: str
    url: str


@dataclass(frozen=True, slots=True)
class Statuses:
    """The status codes of one manifest, by outcome. Source: C2PA 2.2, section 15.2."""

    success: tuple[Status, ...]
    informational: tuple[Status, ...]
    failure: tuple[Status, ...]

    def succeeded(self) -> set[str]:
        """Give the codes of the checks that succeeded."""
        return {each.code for each in self.success}

    def failed(self) -> set[str]:
        """Give the codes of the checks that failed."""
        return {each.code for each in self.failure}

    def everything(self) -> set[str]:
        """Give the codes of all outcomes."""
        return {each.code for each in (*self.success, *self.informational, *self.failure)}


@dataclass(frozen=True, slots=True)
class Store:
    """A whole report: the manifests of a file and what the library found about them."""

    content: Mapping[str, object]

    @property
    def active_label(self) -> str | None:
        """The label of the manifest that speaks for the file."""
        return text(self.content.get("active_manifest"))

    @property
    def active(self) -> Mapping[str, object]:
        """The manifest that speaks for the file."""
        return self.manifest(self.active_label)

    @property
    def state(self) -> str | None:
        """The library's own summary: Trusted, Valid or Invalid."""
        return text(self.content.get("validation_state"))

    def manifest(self, label: object) -> Mapping[str, object]:
        """Give one manifest by its label; empty where there is none."""
        return mapping(mapping(self.content.get("manifests")).get(text(label) or ""))

    def active_statuses(self) -> Statuses:
        """Give the findings about the active manifest."""
        return statuses(mapping(self.content.get("validation_results")).get("activeManifest"))

    def ingredient_statuses(self) -> list[Statuses]:
        """Give the findings about ingredients that differ from what their signers recorded."""
        deltas = sequence(mapping(self.content.get("validation_results")).get("ingredientDeltas"))
        return [statuses(mapping(each).get("validationDeltas")) for each in deltas]


def statuses(value: object) -> Statuses:
    """Read one group of status codes."""
    group = mapping(value)
    return Statuses(
        success=status_list(group.get("success")),
        informational=status_list(group.get("informational")),
        failure=status_list(group.get("failure")),
    )


def status_list(value: object) -> tuple[Status, ...]:
    """Read a list of status codes; an entry without a code is kept, under a code of ours."""
    entries = (mapping(each) for each in sequence(value))
    return tuple(
        Status(text(each.get("code")) or "platemark.code.missing", text(each.get("url")) or "") for each in entries
    )


def actions(assertions: Sequence[object]) -> Iterator[Mapping[str, object]]:
    """Walk the actions in a manifest's assertions, in order."""
    for each in assertions:
        if str(mapping(each).get("label")).startswith("c2pa.actions"):
            for action in sequence(mapping(mapping(each).get("data")).get("actions")):
                yield mapping(action)


def mapping(value: object) -> Mapping[str, object]:
    """Take a JSON object for what it should be; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[object]:
    """Take a JSON array for what it should be; anything else is an empty one."""
    return value if isinstance(value, list) else ()


def text(value: object) -> str | None:
    """Take JSON text for what it should be; anything else is None."""
    return value if isinstance(value, str) else None
