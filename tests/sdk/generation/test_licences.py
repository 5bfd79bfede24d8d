"""Licences are data; restrictions add up, and nobody's word takes one away."""

from pathlib import Path

import pytest
from model_folders import whole_folder

from platemark.errors import LicenceForbids
from platemark.generation.licences import UNKNOWN, check_territories, find_licence
from platemark.generation.model_folder import ModelFolder, read_model_folder


def opened(path: Path, *, pipeline: str = "WanPipeline") -> ModelFolder:
    return read_model_folder(whole_folder(path / "model", pipeline=pipeline))


def with_card(folder: ModelFolder, card: str) -> ModelFolder:
    (folder.path / "README.md").write_text(card, encoding="utf-8")
    return folder


def test_a_folder_that_names_no_licence_is_said_to_have_an_unknown_one(tmp_path: Path) -> None:
    found = find_licence(opened(tmp_path))

    assert (found.expression, found.known, found.excluded) == (UNKNOWN, False, ())
    assert "find out before you publish" in found.conditions[0]


@pytest.mark.parametrize(
    "card",
    [
        "---\nlicense: apache-2.0\n---\n# Wan",
        '---\nlanguage: en\nlicense: "Apache-2.0"\n---\n',
        "---\nlicense: other\nlicense_name: apache-2.0\n---\n",
    ],
)
def test_the_front_matter_of_a_card_names_the_licence(tmp_path: Path, card: str) -> None:
    found = find_licence(with_card(opened(tmp_path), card))

    assert (found.expression, found.known) == ("Apache-2.0", True)


def test_words_in_a_cards_text_name_nothing(tmp_path: Path) -> None:
    found = find_licence(with_card(opened(tmp_path), "# Model\nlicense: mit"))

    assert found.expression == UNKNOWN


def test_a_licences_text_names_it_however_it_is_broken_into_lines(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    (folder.path / "LICENSE").write_text("   Apache License\n      Version 2.0, January 2004\n")

    assert find_licence(folder).expression == "Apache-2.0"


def test_hunyuan_video_excludes_korea_britain_and_the_whole_union(tmp_path: Path) -> None:
    found = find_licence(opened(tmp_path, pipeline="HunyuanVideoPipeline"))

    assert {"KR", "GB", "DE", "FR", "IE"} <= set(found.excluded)
    assert len(found.excluded) == 29
    assert "may not be used or shown there either" in found.conditions[0]


def test_a_card_does_not_free_a_class_of_models_from_its_licence(tmp_path: Path) -> None:
    folder = with_card(opened(tmp_path, pipeline="HunyuanVideoPipeline"), "---\nlicense: mit\n---\n")

    found = find_licence(folder, declared="Apache-2.0")

    assert "LicenseRef-Tencent-Hunyuan-Community" in found.expression
    assert "KR" in found.excluded


def test_ltx_2_says_that_disclosures_stay(tmp_path: Path) -> None:
    found = find_licence(opened(tmp_path, pipeline="LTX2Pipeline"))

    assert "may not be removed" in " ".join(found.conditions)


def test_an_operator_can_name_what_the_folder_does_not(tmp_path: Path) -> None:
    found = find_licence(opened(tmp_path), declared="LicenseRef-our-contract")

    assert (found.expression, found.known) == ("LicenseRef-our-contract", True)
    assert "platemark does not know it" in found.conditions[0]


@pytest.mark.parametrize("territories", [("KR",), ("US", "FR"), ("GB", "KR")])
def test_a_publisher_inside_an_excluded_territory_is_refused(territories: tuple[str, ...]) -> None:
    with pytest.raises(LicenceForbids, match=territories[-1]):
        check_territories("hunyuan", ("FR", "GB", "KR"), territories)


def test_a_publisher_outside_is_not_refused() -> None:
    check_territories("hunyuan", ("FR", "GB", "KR"), ("US", "JP"))
