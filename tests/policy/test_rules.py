"""Packs are loaded from files, whole or not at all, and once for the same bytes."""

from pathlib import Path

import pytest

from platemark_policy.document import MAX_FILE_BYTES
from platemark_policy.errors import RulePackError
from platemark_policy.pack import PackFiles
from platemark_policy.rules import load_pack

LIST_FILE = "lists:\n  nuts: {en: [nut]}\n"


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_a_pack_of_one_file_is_loaded(pack_file: Path) -> None:
    pack = load_pack(pack_file)

    assert (pack.pack_id.id, pack.pack_id.version, [rule.id for rule in pack.rules]) == ("tiny", "1", ["T1"])


def test_the_folder_beside_it_belongs_to_a_pack(pack_file: Path) -> None:
    folder = pack_file.with_suffix("")
    folder.mkdir()
    (folder / "nuts.yaml").write_text(LIST_FILE, encoding="utf-8")
    edit(pack_file, "{words: [apple]}", "{any: [{words: [apple]}, {list: nuts}]}")

    assert load_pack(pack_file).failing_examples() == ()


def test_the_same_bytes_are_checked_once(pack_file: Path) -> None:
    assert load_pack(pack_file) is load_pack(pack_file)


def test_changed_bytes_are_another_pack(pack_file: Path) -> None:
    before = load_pack(pack_file)
    edit(pack_file, "No apples.", "Still no apples.")

    after = load_pack(pack_file)

    assert before.pack_id.sha256 != after.pack_id.sha256
    assert after.rules[0].reason.en == "Still no apples."


def test_a_changed_list_is_another_pack(pack_file: Path) -> None:
    folder = pack_file.with_suffix("")
    folder.mkdir()
    (folder / "nuts.yaml").write_text(LIST_FILE, encoding="utf-8")
    before = load_pack(pack_file).pack_id
    edit(folder / "nuts.yaml", "nut]", "walnut]")

    assert load_pack(pack_file).pack_id.sha256 != before.sha256


def test_the_hash_tells_file_borders_apart() -> None:
    one = PackFiles(("a", "b"), (b"xy", b"z"))
    other = PackFiles(("a", "b"), (b"x", b"yz"))

    assert one.sha256() != other.sha256()


def test_a_pack_that_fails_its_own_examples_is_refused(pack_file: Path) -> None:
    edit(pack_file, "no_match: [a pear]", "no_match: [one apple]")

    with pytest.raises(RulePackError, match=r"fails its own examples: tiny\.yaml, line 11 \(T1\)"):
        load_pack(pack_file)


def test_a_refused_pack_stays_refused(pack_file: Path) -> None:
    edit(pack_file, "match: [an apple]", "match: [a pear]")

    with pytest.raises(RulePackError):
        load_pack(pack_file)
    with pytest.raises(RulePackError):
        load_pack(pack_file)


def test_a_missing_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulePackError, match=r"gone\.yaml cannot be read \(No such file"):
        load_pack(tmp_path / "gone.yaml")


def test_a_folder_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(RulePackError, match="cannot be read"):
        load_pack(tmp_path)


def test_a_pack_that_is_too_large_is_refused(pack_file: Path) -> None:
    pack_file.write_bytes(b"#" * (MAX_FILE_BYTES + 1))

    with pytest.raises(RulePackError, match="at most"):
        load_pack(pack_file)


def test_a_pack_of_too_many_files_is_refused(pack_file: Path) -> None:
    folder = pack_file.with_suffix("")
    folder.mkdir()
    [(folder / f"{index}.yaml").write_text(LIST_FILE, encoding="utf-8") for index in range(32)]

    with pytest.raises(RulePackError, match="at most 32 files"):
        load_pack(pack_file)


def test_the_pack_that_comes_with_platemark_is_the_default() -> None:
    assert load_pack().pack_id.id == "newsroom"
