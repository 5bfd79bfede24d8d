"""The documents build into a site, every link in them included, and every guide stands in its contents."""

from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).parents[2]
GUIDES = ("producers", "policy", "publishing", "verification", "developers", "platform", "auditing")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_the_documents_build_into_a_site(site: Path) -> None:
    assert (site / "index.html").is_file()


@pytest.mark.parametrize("guide", GUIDES)
def test_each_guide_is_a_page_and_in_the_contents(site: Path, guide: str) -> None:
    assert (site / guide / "index.html").is_file()
    assert f'href="{guide}/"' in (site / "index.html").read_text("utf-8")


def test_every_page_of_the_documents_is_in_the_site(site: Path) -> None:
    pages = [path.stem for path in (ROOT / "docs").glob("*.md") if path.stem != "index"]

    assert [page for page in pages if not (site / page / "index.html").is_file()] == []


def test_the_site_asks_no_other_server_for_anything(site: Path) -> None:
    text = (site / "index.html").read_text("utf-8")

    assert 'src="http' not in text
    assert 'rel="stylesheet" href="http' not in text
