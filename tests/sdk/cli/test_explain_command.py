"""`platemark explain` as somebody uses it who has just read a code."""

import json
from pathlib import Path

import pytest
from cli_session import Run


def test_a_code_is_told_with_what_to_do_next(run: Run) -> None:
    ended = run("explain", "assertion.bmffHash.mismatch")

    assert ended.code == 0
    assert ended.out.splitlines()[:3] == [
        "assertion.bmffHash.mismatch (status of a manifest)",
        "  The content of the video is not what was signed.",
        "  What to do next: Do not rely on the file. Ask whoever published it for the original, and compare the two.",
    ]


def test_in_korean(run: Run) -> None:
    ended = run("explain", "7", "--lang", "ko")

    assert "종료 코드" in ended.out
    assert "할 일:" in ended.out


def test_as_json_every_meaning_has_both_languages(run: Run) -> None:
    told = run("explain", "untrusted", "--json").object

    assert told["code"] == "untrusted"
    assert [each["code"] for each in told["meanings"]] == [
        "identity.untrusted",
        "signer.untrusted",
        "timestamp.untrusted",
    ]
    assert all({"en", "ko"} == each[part].keys() for each in told["meanings"] for part in ("meaning", "next"))


def test_an_unknown_code_is_a_wrong_use_and_near_ones_are_named(run: Run) -> None:
    ended = run("explain", "trustd", "--json")

    assert ended.code == 2
    assert "trusted" in ended.object["error"]["fix"]


def test_the_list_has_a_line_for_every_code(run: Run) -> None:
    told = run("explain", "--list", "--json").objects

    assert len(told) > 300
    assert {"c2pa", "rule", "clause", "exit", "axis"} <= {each["kind"] for each in told}


def test_the_list_for_people_names_each_code(run: Run) -> None:
    ended = run("explain", "--list")

    assert all(code in ended.out for code in ("R01.1", "KR-31-3", "signer.revoked", "check.byline"))


@pytest.mark.parametrize("words", [(), ("--list", "7"), ("  ",)])
def test_one_code_or_the_list_and_not_both(run: Run, words: tuple[str, ...]) -> None:
    assert run("explain", *words).code == 2


def test_a_rule_of_the_homes_own_pack_is_known_there(run: Run, home_path: Path) -> None:
    pack = home_path / "own.yaml"
    pack.write_text(
        "id: own\nversion: 2026.1.1\nextends: newsroom\nrules:\n"
        "  - id: Z09.1\n    category: house\n    action: review\n"
        "    overridable: true\n    when: {regex: ['\\bzebra\\b']}\n"
        "    reason: {en: Ask the zoo desk., ko: 동물원 담당에게 물으십시오.}\n"
        "    source: house rule\n    examples: {match: [a zebra], no_match: [a horse]}\n",
        "utf-8",
    )
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace('pack = ""', 'pack = "own.yaml"'), "utf-8")

    known = run("explain", "Z09.1", "--home", home_path, "--json")
    elsewhere = run("explain", "Z09.1", "--json")

    assert known.object["meanings"][0]["meaning"]["en"] == "Ask the zoo desk."
    assert elsewhere.code == 2
    assert json.loads(elsewhere.out)["error"]["type"] == "RequestError"
