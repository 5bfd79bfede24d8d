"""Whatever code platemark can print, `platemark explain` knows it. The codes are collected from the code itself."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import get_args

import pytest

import platemark
import platemark_policy
import platemark_provenance
from platemark.cli import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_USAGE
from platemark.compliance.profile import PROFILES, load_profile
from platemark.errors import PlatemarkError
from platemark.explaining.catalogue import KINDS, Catalogue, load_catalogue
from platemark.i18n import translate
from platemark.verifying.remote_manifest import Why
from platemark_policy.decision import Verdict as Decision
from platemark_provenance.axes import EXIT_CODES, Axes, Verdict
from platemark_provenance.axis_words import AXES
from platemark_provenance.reading import FETCH_FAILED

SOURCES = tuple(Path(each.__file__).parent for each in (platemark, platemark_policy, platemark_provenance))
STATUS = re.compile(
    r"(assertion|claim|claimSignature|signingCredential|timeStamp|timeOfSigning|ingredient|manifest|hashedURI|algorithm|"
    r"general|platemark\.(manifest|media|code|action))\.[A-Za-z0-9_.-]*[A-Za-z0-9]"
)
FINDING = re.compile(r"[A-Z][0-9]{2}")


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


@cache
def trees() -> tuple[tuple[Path, ast.Module], ...]:
    files = (path for folder in SOURCES for path in sorted(folder.rglob("*.py")))
    return tuple((path, ast.parse(path.read_text("utf-8"))) for path in files)


def texts(*, under: str) -> Iterator[str]:
    """Every text written in a package; the ledger's events have names of the same form, and words of their own."""
    for path, tree in trees():
        if under in path.as_posix() and "/ledger/" not in path.as_posix():
            written = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            yield from (each for each in written if isinstance(each, str) and not each.endswith(".c2pa"))


def first_texts(call: str, *, place: int) -> set[str]:
    """Collect what is written at one place of every call of a function, where it is written out."""
    found = set()
    for _, tree in trees():
        for node in ast.walk(tree):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == call
            if named and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                found.add(str(node.args[place].value))
    return found


def errors(root: type[PlatemarkError] = PlatemarkError) -> Iterator[type[PlatemarkError]]:
    yield root
    for each in root.__subclasses__():
        yield from errors(each)


def statuses() -> set[str]:
    written = {text for text in texts(under="platemark_provenance/") if STATUS.fullmatch(text)}
    hashes = {
        f"assertion.{name}.{end}" for name in ("dataHash", "bmffHash", "boxesHash") for end in ("match", "mismatch")
    }
    fetched = {FETCH_FAILED + why for why in get_args(Why)}
    return {*written, *hashes, *fetched, "platemark.manifest.fetched"}


def rules() -> set[str]:
    packs = resources.files("platemark_policy") / "packs"
    files = [each.read_text("utf-8") for each in packs.iterdir() if each.name.endswith(".yaml")]
    return {found for text in files for found in re.findall(r"^  - id: (\S+)$", text, flags=re.MULTILINE)}


EXITS = {each.exit_code for each in errors()} | set(EXIT_CODES.values()) | {EXIT_INTERNAL, EXIT_USAGE, EXIT_INTERRUPTED}
CODES = {
    "c2pa": statuses(),
    "exit": {str(code) for code in EXITS},
    "verdict": {each.value for each in Verdict},
    "decision": {each.value for each in Decision},
    "finding": {text for text in texts(under="platemark_policy/") if FINDING.fullmatch(text)},
    "check": {f"check.{name}" for name in {*first_texts("FailedCheck", place=1), "approved"}},
    "certificate": first_texts("CertificateFinding", place=0),
    "source": {"input.rights.no-ai"},
    "axis": {f"{axis}.{value}" for axis in AXES for value in get_args(Axes.__annotations__[axis])},
    "rule": rules(),
    "clause": {clause.id for name in PROFILES for clause in load_profile(name).clauses},
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in sorted(codes)])
def test_a_code_that_can_be_printed_is_explained_in_both_languages(kind: str, code: str) -> None:
    entries = [each for each in catalogue().explain(code) if each.kind == kind]

    assert len(entries) == 1
    assert entries[0].code == code
    assert all(len(words[language]) > 5 for words in (entries[0].meaning, entries[0].next_step) for language in words)
    assert re.search("[가-힣]", entries[0].meaning["ko"] + entries[0].next_step["ko"])


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("c2pa", 30),
        ("exit", 9),
        ("finding", 14),
        ("check", 11),
        ("certificate", 24),
        ("axis", 29),
        ("rule", 50),
        ("clause", 25),
    ],
)
def test_the_collecting_finds_what_is_there(kind: str, least: int) -> None:
    assert len(CODES[kind]) >= least


def test_what_is_explained_and_has_a_list_of_its_own_can_be_printed() -> None:
    """An entry that nothing prints any more is stale; statuses of the C2PA library are its own to print."""
    own = {each.code for each in catalogue().entries if each.kind not in ("c2pa", "source")}

    assert own - set().union(*CODES.values()) == set()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_has_its_korean_name(kind: str) -> None:
    name = KINDS[kind]  # type: ignore[index]  # one of its own keys

    assert translate("ko", name) != name
