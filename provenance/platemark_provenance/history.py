"""Lay out what a file was made from and what was done to it, as its manifests tell it.

One rule: pure, and bounded: whatever a store holds, the result has so many nodes, steps and characters at most.
Everything here is the word of whoever signed it; nothing in this file says whether that is true.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from platemark_provenance.digest import JsonValue
from platemark_provenance.ingredients import find_faults
from platemark_provenance.plain_text import plain_text
from platemark_provenance.report_json import Store, actions, mapping, sequence, text

MAX_NODES = 200
MAX_DEPTH = 24
MAX_STEPS = 200
"""More than anybody reads. What is left out is counted (`History.left_out`)."""
LONGEST_NAME = 120

MANIFEST_IN_URL = re.compile(r"/c2pa/([^/]{1,256})")
"""Where a C2PA address names the manifest it is about. Source: C2PA 2.2, section 8.2 (JUMBF URIs)."""

NodeState = Literal["present", "untrusted", "failed", "unsigned", "missing"]
"""`present`: a manifest in which nothing failed; `untrusted`: nothing failed but trust in its signer; `unsigned`:
material without a manifest; `missing`: its manifest is named and not there."""
_OF_TRUST = ("signingCredential.", "timeStamp.", "cawg.")


@dataclass(frozen=True, slots=True)
class Step:
    """One action that a manifest declares.

    `at` is when, in the signer's own word; `source` is the last part of its IPTC digital source type.
    """

    action: str
    at: datetime | None
    agent: str | None
    source: str | None
    description: str | None
    manifest: str | None

    def to_json(self) -> dict[str, JsonValue]:
        """Give the step as JSON."""
        return {
            "action": self.action,
            "at": None if self.at is None else self.at.isoformat(),
            "agent": self.agent,
            "source": self.source,
            "description": self.description,
            "manifest": self.manifest,
        }


@dataclass(frozen=True, slots=True)
class Node:
    """The file, or something that went into it.

    `relationship` is the ingredient's (`parentOf`, `inputTo`, `componentOf`), None for the file itself; `codes` are
    the status codes that failed for it, now or as its signer recorded.
    """

    title: str | None
    relationship: str | None
    state: NodeState
    label: str | None
    signer: str | None
    generator: str | None
    signed_at: datetime | None
    codes: tuple[str, ...]
    ingredients: tuple["Node", ...]

    def to_json(self) -> dict[str, JsonValue]:
        """Give the node and all below it as JSON."""
        return {
            "title": self.title,
            "relationship": self.relationship,
            "state": self.state,
            "label": self.label,
            "signer": self.signer,
            "generator": self.generator,
            "signed_at": None if self.signed_at is None else self.signed_at.isoformat(),
            "codes": list(self.codes),
            "ingredients": [each.to_json() for each in self.ingredients],
        }


@dataclass(frozen=True, slots=True)
class History:
    """What a file was made from (`root`, the file itself at the top) and what was done, oldest first.

    `left_out` counts the nodes and steps that were over the bounds.
    """

    root: Node
    timeline: tuple[Step, ...]
    left_out: int = 0

    def to_json(self) -> dict[str, JsonValue]:
        """Give the history as JSON."""
        return {
            "manifest": self.root.to_json(),
            "timeline": [each.to_json() for each in self.timeline],
            "left_out": self.left_out,
        }


def read_history(store: Store, *, own_codes: tuple[str, ...] = ()) -> History:
    """Lay out the history that a report tells.

    Args:
        store: the library's report on a file.
        own_codes: the failures of the file's own manifest; a signature that does not hold names no signer.
    """
    walk = _Walk(store)
    root = walk.node(store.active_label, mapping({}), codes=own_codes, depth=0)
    steps = sorted(walk.steps, key=lambda step: (step.at is None, step.at.timestamp() if step.at else 0.0))
    return History(root, tuple(steps), walk.left_out)


_MADE = ("c2pa.created", "c2pa.edited", "c2pa.placed", "c2pa.opened")
"""The actions that say how the content itself came about. Source: C2PA 2.2, section 18.14."""


def declared_source(history: History) -> str | None:
    """Give the digital source type that a file's own manifest declares, None where it declares none.

    Where that manifest only says more about the file before it, the one below is asked. What material that went into
    it was, a photograph for example, is not what the file is.
    """
    node: Node | None = history.root
    while node is not None:
        for step in history.timeline:
            if step.manifest == node.label and step.source and step.action.startswith(_MADE):
                return step.source
        node = next((each for each in node.ingredients if each.relationship == "parentOf"), None)
    return None


def read_moment(value: object) -> datetime | None:
    """Read a time as manifests spell it; None where it is no time or has no zone."""
    try:
        moment = datetime.fromisoformat(text(value) or "")
        return moment if moment.tzinfo is not None and moment.timestamp() >= 0 else None
    except (ValueError, OverflowError):
        return None


def shown(name: object) -> str | None:
    """Give a name from a manifest as it may be shown; None where there is nothing to see."""
    found = text(name)
    return plain_text(found, LONGEST_NAME) or None if found else None


class _Walk:
    """One walk through a store. A manifest's steps are taken once; a manifest inside itself ends there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failed = _failures_by_label(store)
        self._above: list[str] = []
        self._told: set[str] = set()
        self._nodes = 0
        self.steps: list[Step] = []
        self.left_out = 0

    def node(self, label: str | None, ingredient: Mapping[str, object], *, codes: tuple[str, ...], depth: int) -> Node:
        """Make the node of one manifest, or of an ingredient that has none."""
        self._nodes += 1
        manifest = self._store.manifest(label)
        failed = tuple(dict.fromkeys((*codes, *self._failed.get(label or "", ()))))
        believed = not any(each.startswith("claimSignature.") for each in failed)
        certificate = mapping(manifest.get("signature_info")) if believed else {}
        return Node(
            title=shown(ingredient.get("title")) or shown(manifest.get("title")),
            relationship=shown(ingredient.get("relationship")),
            state=_state(label, manifest, failed),
            label=shown(label),
            signer=shown(certificate.get("issuer")) or shown(certificate.get("common_name")),
            generator=_generator(manifest),
            signed_at=read_moment(certificate.get("time")),
            codes=failed,
            ingredients=self._below(label, manifest, depth=depth),
        )

    def _below(self, label: str | None, manifest: Mapping[str, object], *, depth: int) -> tuple[Node, ...]:
        if label is None or label in self._above or depth >= MAX_DEPTH:
            self.left_out += len(sequence(manifest.get("ingredients")))
            return ()
        self._take_steps(label, sequence(manifest.get("assertions")))
        self._above.append(label)
        found: list[Node] = []
        for each in sequence(manifest.get("ingredients")):
            if self._nodes >= MAX_NODES:
                self.left_out += 1
                continue
            ingredient = mapping(each)
            below = text(ingredient.get("active_manifest"))
            found.append(self.node(below, ingredient, codes=(), depth=depth + 1))
        self._above.pop()
        return tuple(found)

    def _take_steps(self, label: str, assertions: Sequence[object]) -> None:
        if label in self._told:
            return
        self._told.add(label)
        for action in actions(assertions):
            if len(self.steps) >= MAX_STEPS:
                self.left_out += 1
                continue
            self.steps.append(_step(action, label))


def _step(action: Mapping[str, object], label: str) -> Step:
    agent = action.get("softwareAgent")
    named = agent if isinstance(agent, str) else mapping(agent).get("name")
    source = text(action.get("digitalSourceType"))
    return Step(
        action=shown(action.get("action")) or "platemark.action.missing",
        at=read_moment(action.get("when")),
        agent=shown(named),
        source=shown(source.strip().rsplit("/", 1)[-1]) if source else None,
        description=shown(action.get("description")),
        manifest=shown(label),
    )


def _state(label: str | None, manifest: Mapping[str, object], failed: Sequence[str]) -> NodeState:
    if label is None:
        return "failed" if failed else "unsigned"
    if not manifest:
        return "missing"
    if any(not each.startswith(_OF_TRUST) for each in failed):
        return "failed"
    return "untrusted" if any(each.startswith("signingCredential.") for each in failed) else "present"


def _generator(manifest: Mapping[str, object]) -> str | None:
    first = mapping(next(iter(sequence(manifest.get("claim_generator_info"))), None))
    parts = (text(first.get("name")), text(first.get("version")))
    return shown(" ".join(each for each in parts if each) or text(manifest.get("claim_generator")))


def _failures_by_label(store: Store) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in find_faults(store):
        match = MANIFEST_IN_URL.search(each.status.url)
        if match is not None:
            found.setdefault(match[1], []).append(plain_text(each.status.code, LONGEST_NAME))
    return found
