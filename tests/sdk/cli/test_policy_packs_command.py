"""`platemark policy test|sign|install|explain`, each as an editor meets it."""

import json
import shutil
from pathlib import Path

import pytest
from cli_session import Run

import platemark_policy
from platemark.homes.home import init

STRICT = Path(platemark_policy.__file__).parent / "packs" / "strict.yaml"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return init(tmp_path / "desk").path


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    return Path(shutil.copy(STRICT, tmp_path / "strict.yaml"))


def test_a_pack_is_signed_installed_and_then_decides(run: Run, home: Path, strict: Path) -> None:
    before = run("policy", "check", "정원을 걷는 메르켈 수채화", "--home", home, "--json").object["verdict"]

    signed = run("policy", "sign", strict, "--home", home, "--json")
    installed = run("policy", "install", strict, "--home", home, "--json")
    after = run("policy", "check", "정원을 걷는 메르켈 수채화", "--home", home, "--json")

    assert (signed.code, installed.code, installed.object["pack"]) == (0, 0, "strict")
    assert (before, after.code, after.object["verdict"], after.object["pack"]["id"]) == ("review", 3, "block", "strict")


def test_a_pack_that_is_not_signed_is_not_installed(run: Run, home: Path, strict: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tmp_path / "desk", tmp_path / "again")) / "strict.yaml"
    shutil.copy(STRICT, other)
    run("policy", "sign", strict, "--home", home)

    ended = run("policy", "install", other, "--home", home)

    assert ended.code == 2
    assert "not signed" in ended.err
    assert run("policy", "check", "a calm sea", "--home", home, "--json").object["pack"]["id"] == "newsroom"


def test_a_home_without_a_publisher_installs_nothing(run: Run, home: Path, strict: Path) -> None:
    ended = run("policy", "install", strict, "--home", home)

    assert ended.code != 0
    assert "publisher's key" in ended.err


def test_a_pack_is_tried_on_its_own_examples(run: Run, strict: Path) -> None:
    ended = run("policy", "test", strict, "--json")

    result = ended.object
    assert (ended.code, result["pack"]["id"], result["compared_with"]["id"]) == (0, "strict", "newsroom")
    assert result["confusion"]["block"]["allow"] == 0
    assert len(result["changes"]) > 0


def test_a_pack_is_tried_on_labelled_prompts(run: Run, strict: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "prompts.jsonl"
    rows = [{"id": "a", "text": "참수 장면", "label": "block"}, {"id": "b", "text": "a calm sea", "label": "allow"}]
    corpus.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")

    result = run("policy", "test", strict, "--corpus", corpus, "--before", STRICT, "--json").object

    assert (result["prompts"], result["changes"]) == (2, [])
    assert (result["confusion"]["block"]["block"], result["confusion"]["allow"]["allow"]) == (1, 1)


def test_a_corpus_without_labels_is_refused_by_its_line(run: Run, strict: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "prompts.jsonl"
    corpus.write_text('{"text": "a secret prompt"}', encoding="utf-8")

    ended = run("policy", "test", strict, "--corpus", corpus)

    assert ended.code == 2
    assert "Prompt 1" in ended.err
    assert "secret" not in ended.err


def test_a_pack_that_fails_its_example_is_named_with_its_line(run: Run, strict: Path) -> None:
    strict.write_text(strict.read_text(encoding="utf-8").replace("a gardener", "Angela Merkel"), encoding="utf-8")

    ended = run("policy", "test", strict)

    assert ended.code == 2
    assert "strict.yaml, line" in ended.err


def test_a_decision_is_explained_from_its_json(run: Run, tmp_path: Path) -> None:
    saved = tmp_path / "decision.json"
    saved.write_text(run("policy", "check", "Godzilla dances", "--json").out, encoding="utf-8")

    english = run("policy", "explain", saved)
    korean = run("policy", "explain", saved, "--lang", "ko")

    assert english.out.startswith("This is refused.\nR06.1 (protected_character) asks for block")
    assert "편집자가 통과시킬 수 있습니다" in korean.out


@pytest.mark.parametrize("content", ["", "{}", "[]", "not json"])
def test_what_is_no_decision_is_not_explained(run: Run, tmp_path: Path, content: str) -> None:
    saved = tmp_path / "decision.json"
    saved.write_text(content, encoding="utf-8")

    assert run("policy", "explain", saved).code != 0
