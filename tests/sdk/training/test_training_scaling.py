"""Loss against compute."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from platemark.errors import RequestError
from platemark.training.compute import Compute
from platemark.training.config import TrainingConfig
from platemark.training.scaling import CHART, DATA, SIZES, Plan, compare, main, next_mark
from platemark.training.scaling_chart import Series, draw_chart


@pytest.fixture
def sizes(tiny: TrainingConfig) -> list[TrainingConfig]:
    """Two tiny sizes."""
    wider = replace(tiny.transformer, width=48)
    return [replace(tiny, name="one"), replace(tiny, name="two", transformer=wider)]


@pytest.fixture
def plan(tmp_path: Path, cpu: Compute) -> Plan:
    """A second for everything."""
    return Plan(tmp_path / "work", cpu, minutes=0.01, autoencoder_minutes=0.003)


def test_a_comparison_leaves_data_and_a_chart(sizes: list[TrainingConfig], plan: Plan, tmp_path: Path) -> None:
    compare(plan, tmp_path / "out", sizes=sizes)

    data = json.loads((tmp_path / "out" / DATA).read_text())
    assert [size["name"] for size in data["sizes"]] == ["one", "two"]
    assert all(size["points"] for size in data["sizes"])
    assert "short runs" in data["caution"]
    assert "short runs" in (tmp_path / "out" / CHART).read_text()


def test_a_comparison_that_is_done_is_not_done_again(sizes: list[TrainingConfig], plan: Plan, tmp_path: Path) -> None:
    compare(plan, tmp_path / "first", sizes=sizes)

    compare(plan, tmp_path / "second", sizes=sizes)

    assert (tmp_path / "first" / DATA).read_text() == (tmp_path / "second" / DATA).read_text()


def test_the_sizes_share_an_autoencoder_and_grow() -> None:
    assert len({size.autoencoder for size in SIZES}) == 1
    assert [size.transformer.width for size in SIZES] == [64, 128, 192]


@pytest.mark.parametrize(("step", "mark"), [(0, 20), (19, 20), (20, 34), (34, 58), (1000, 1395)])
def test_measurements_come_ever_more_seldom(step: int, mark: int) -> None:
    assert next_mark(step) == mark


def test_a_device_that_is_none_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="auto, cpu or cuda"):
        main([str(tmp_path / "out"), "--device", "abacus"])

    assert list(tmp_path.iterdir()) == []


def test_a_chart_is_well_formed_and_names_its_lines() -> None:
    series = [Series("small & <old>", ((1e10, 4.0), (1e11, 2.0))), Series("large", ((1e11, 3.0),))]

    root = ElementTree.fromstring(draw_chart(series, caution="2 < 3"))

    words = "".join(root.itertext())
    assert "small & <old>" in words
    assert "2 < 3" in words
    assert len([element for element in root if element.tag.endswith("polyline")]) == 2


def test_more_operations_stand_further_right_and_less_loss_lower() -> None:
    chart = draw_chart([Series("a", ((1e10, 4.0), (1e11, 2.0)))], caution="")

    dots = [e for e in ElementTree.fromstring(chart) if e.tag.endswith("circle")]
    first, second = ((float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in dots)
    assert second[0] > first[0]
    assert second[1] > first[1]
