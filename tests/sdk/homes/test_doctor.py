"""The doctor finds each flaw, names it, and says how to mend it; no flaw stops the examination."""

import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from platemark.config import CONFIG_NAME
from platemark.errors import GenerationError
from platemark.homes.doctor import Finding, examine
from platemark.homes.home import init
from platemark_provenance.pki import create_development_pki

PARTS = {
    "platemark",
    "torch",
    "moviepy",
    "model weights",
    "home",
    "claim-signing key",
    "watermark secret",
    "trusted roots",
    "rule pack",
    "ledger",
    "certificate expiry",
    "free space",
}
Usage = namedtuple("Usage", "total used free")


def red(home: Path | None) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(home) if not finding.ok}


def configure(home: Path, old: str, new: str) -> None:
    path = home / CONFIG_NAME
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def certify(home: Path, *, since: timedelta) -> None:
    """Give a home keys whose certificates were issued so long ago."""
    made = create_development_pki("Daily Example", now=datetime.now(UTC) - since)
    files = {"root.pem": made.root_pem, "signing.chain.pem": made.leaf_chain_pem, "signing.key": made.leaf_key_pem}
    for name, content in files.items():
        (home / "keys" / name).write_bytes(content)


def garble(name: str) -> Callable[[Path], None]:
    return lambda home: (home / "keys" / name).write_bytes(b"5ecret-but-not-a-key") and None


def lose(name: str) -> Callable[[Path], None]:
    return lambda home: (home / name).unlink()


def expose(name: str) -> Callable[[Path], None]:
    return lambda home: (home / name).chmod(0o644)


def tamper(home: Path) -> None:
    """Change an event as somebody with the file would."""
    with sqlite3.connect(home / "ledger.sqlite3") as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        connection.executescript("".join(f"DROP TRIGGER {name};" for name, _ in guards))
        connection.execute("UPDATE event SET desk = 'sports' WHERE seq = 0")
        connection.executescript("".join(f"{sql};" for _, sql in guards))
    connection.close()


def test_a_fresh_home_is_well_in_every_part(home_path: Path) -> None:
    findings = examine(home_path)

    assert {finding.check for finding in findings} >= PARTS
    assert [finding for finding in findings if not finding.ok] == []
    assert all(finding.found for finding in findings)


def test_examining_a_home_changes_nothing_in_it(home_path: Path) -> None:
    before = {path: path.read_bytes() for path in sorted(home_path.rglob("*")) if path.is_file()}

    examine(home_path)

    assert {path: path.read_bytes() for path in sorted(home_path.rglob("*")) if path.is_file()} == before


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        (garble("signing.key"), "claim-signing key"),
        (garble("signing.chain.pem"), "claim-signing key"),
        (lose("keys/signing.chain.pem"), "claim-signing key"),
        (expose("keys/signing.key"), "claim-signing key"),
        (garble("watermark.key"), "watermark secret"),
        (expose("keys/watermark.key"), "watermark secret"),
        (garble("root.pem"), "trusted roots"),
        (garble("payload.key"), "ledger"),
        (lose("keys/payload.key"), "ledger"),
        (expose("keys/payload.key"), "ledger"),
        (garble("ledger.key"), "ledger"),
        (lambda home: (home / "ledger.sqlite3").write_bytes(b""), "ledger"),
        (lambda home: (home / "ledger.sqlite3").write_bytes(b"no database" * 100), "ledger"),
    ],
    ids=[
        "garbled_signing_key",
        "garbled_chain",
        "chain_gone",
        "exposed_signing_key",
        "garbled_watermark_secret",
        "exposed_watermark_secret",
        "garbled_root",
        "garbled_payload_key",
        "payload_key_gone",
        "exposed_payload_key",
        "garbled_ledger_key",
        "empty_ledger",
        "ledger_is_text",
    ],
)
def test_a_harmed_part_is_red_and_every_other_part_is_examined_all_the_same(
    home_path: Path, harm: Callable[[Path], None], check: str
) -> None:
    harm(home_path)

    findings = {finding.check: finding for finding in examine(home_path)}

    assert not findings[check].ok
    assert PARTS - {"certificate expiry"} <= set(findings)
    assert "5ecret" not in repr(findings)


@pytest.mark.parametrize(
    "harm",
    [
        garble("signing.key"),
        garble("signing.chain.pem"),
        expose("keys/watermark.key"),
        garble("root.pem"),
        lose("ledger.sqlite3"),
        lambda home: certify(home, since=timedelta(days=1000)),
        lambda home: certify(home, since=timedelta(days=-400)),
    ],
    ids=["key", "chain", "mode", "root", "ledger", "expired", "not_yet_valid"],
)
def test_every_red_line_says_how_to_mend_it(home_path: Path, harm: Callable[[Path], None]) -> None:
    harm(home_path)

    found = red(home_path)

    assert found
    assert [finding.check for finding in found.values() if not finding.fix.strip()] == []


@pytest.mark.parametrize(
    "harm",
    [garble("signing.chain.pem"), garble("root.pem"), lose("keys/watermark.key"), tamper],
    ids=["chain", "root", "secret", "tampered"],
)
def test_what_was_found_is_one_line(home_path: Path, clip: object, harm: Callable[[Path], None]) -> None:
    harm(home_path)

    assert all("\n" not in finding.found + finding.fix for finding in examine(home_path))


def test_no_home_is_red_with_the_command_that_makes_one() -> None:
    assert "platemark init" in red(None)["home"].fix


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda home: (home / CONFIG_NAME).unlink(), "half-made"),
        (lambda home: (home / CONFIG_NAME).write_text("format = 2\n"), "format 2"),
        (lambda home: (home / CONFIG_NAME).write_text("[lable]\n"), "unknown key"),
        (lambda home: (home / "keys").chmod(0o755), "open to other users"),
        (lambda home: shutil.rmtree(home / "keys"), "no keys"),
    ],
    ids=["half_made", "newer", "misspelt", "exposed", "no_keys"],
)
def test_a_home_that_cannot_be_opened_is_one_red_line(
    home_path: Path, harm: Callable[[Path], object], words: str
) -> None:
    harm(home_path)

    found = red(home_path)

    assert list(found) == ["home"]
    assert words in found["home"].found


def test_a_signing_key_of_another_home_is_red(home_path: Path, tmp_path: Path) -> None:
    other = init(tmp_path / "other")
    shutil.copy(other.keys / "signing.key", home_path / "keys" / "signing.key")

    assert "not the one" in red(home_path)["claim-signing key"].found


def test_a_root_that_did_not_issue_the_signing_certificate_is_red(home_path: Path, tmp_path: Path) -> None:
    # Every clip would be refused at the signing step.
    other = init(tmp_path / "other")
    shutil.copy(other.keys / "root.pem", home_path / "keys" / "root.pem")

    assert red(home_path)


def test_a_ledger_key_that_did_not_sign_this_ledger_is_red(home_path: Path, clip: object, tmp_path: Path) -> None:
    other = init(tmp_path / "other")
    shutil.copy(other.keys / "ledger.key", home_path / "keys" / "ledger.key")

    assert list(red(home_path)) == ["ledger"]


def test_an_expired_certificate_is_red_twice_and_names_the_day(home_path: Path) -> None:
    certify(home_path, since=timedelta(days=1000))

    found = red(home_path)

    assert "expired" in " ".join(finding.found for finding in found.values())
    assert "certificate expiry" in found
    assert found["certificate expiry"].found.startswith("-")


def test_a_certificate_about_to_expire_is_red_and_one_with_months_left_is_not(home_path: Path) -> None:
    certify(home_path, since=timedelta(days=350))
    soon = red(home_path)
    certify(home_path, since=timedelta(days=200))
    later = red(home_path)

    assert list(soon) == ["certificate expiry"]
    assert later == {}


def test_a_tampered_ledger_is_red_and_names_the_first_wrong_event(home_path: Path, clip: object) -> None:
    tamper(home_path)

    found = red(home_path)

    assert list(found) == ["ledger"]
    assert "event 0" in found["ledger"].found
    assert "audit verify" in found["ledger"].fix


@pytest.mark.parametrize("content", [None, "rules: [", "id: x\n"], ids=["gone", "not_yaml", "not_a_pack"])
def test_a_rule_pack_that_cannot_be_trusted_is_red(home_path: Path, content: str | None) -> None:
    configure(home_path, 'pack = ""', 'pack = "own.yaml"')
    (home_path / ("own.yaml" if content is not None else "other.yaml")).write_text(content or "")

    assert list(red(home_path)) == ["rule pack"]


def test_a_configured_root_that_is_gone_is_red(home_path: Path) -> None:
    configure(home_path, "anchors = []", 'anchors = ["partner.pem"]')

    found = red(home_path)

    assert list(found) == ["trusted roots"]
    assert "partner.pem" in found["trusted roots"].found


def test_too_little_room_is_red(home_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**12, 10**12 - 10**6, 10**6))

    assert red(home_path)["free space"].found == "0.0 GB"


@pytest.mark.parametrize("module", ["torch", "moviepy"])
def test_a_missing_extra_is_told_with_the_command_that_installs_it(
    home_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else object())

    (finding,) = (each for each in examine(home_path) if each.check == module)

    assert "pip install 'platemark[generate]'" in finding.found + finding.fix


def test_damaged_weights_are_red(home_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(name: str) -> bool:
        raise GenerationError(f"The weights of {name} are not those in its card.")

    monkeypatch.setattr("platemark.homes.doctor.check_weights", damaged)

    assert red(home_path)["model weights"].fix == "Install platemark again."


def test_a_finding_has_the_same_four_fields_in_json() -> None:
    finding = Finding("ledger", False, "damaged", "Restore it.")

    assert finding.to_json() == {"check": "ledger", "ok": False, "found": "damaged", "fix": "Restore it."}
