"""Every benchmark is in one table, and runs the same from the command line, the library and its script."""

import json
import runpy
import sys
from importlib import import_module
from pathlib import Path

import pytest

from platemark.bench import policy
from platemark.bench.catalogue import BENCHES, run_bench
from platemark.bench.claims import Claim, Options
from platemark.cli import main
from platemark.errors import RequestError

SCRIPTS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the policy benchmark measure nothing and hold."""
    monkeypatch.setattr(policy, "measure", lambda options: [Claim(f"quick {options.quick}", 1.0, "ms", 2.0)])


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the policy benchmark measure nothing and fail."""
    monkeypatch.setattr(policy, "measure", lambda options: [Claim("too slow", 3.0, "ms", 2.0)])


@pytest.mark.parametrize("name", sorted(BENCHES))
def test_every_benchmark_can_be_measured_and_has_a_script(name: str) -> None:
    module = import_module(BENCHES[name].module)

    assert callable(module.measure)
    assert f'"bench", "{name}"' in (SCRIPTS / f"{name}.py").read_text(encoding="utf-8")


def test_every_script_is_a_benchmark() -> None:
    assert sorted(path.stem for path in SCRIPTS.glob("*.py")) == sorted(BENCHES)


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(RequestError, match="policy"):
        run_bench("speed", Options())


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_measured(tmp_path: Path, holding: None) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(RequestError, match="folder for plots"):
        run_bench("policy", Options(plots=tmp_path / "file" / "plots"))


def test_the_policy_benchmark_measures_what_it_names() -> None:
    result = run_bench("policy", Options(quick=True))

    assert {claim.unit for claim in result.claims} == {"ms", "share"}
    assert all(claim.value >= 0 for claim in result.claims)


@pytest.mark.usefixtures("holding")
def test_the_command_prints_one_object_and_draws(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = main(["bench", "policy", "--json", "--quick", "--plot", str(tmp_path)])

    result = json.loads(capsys.readouterr().out)
    assert code == 0
    assert result["name"] == "policy"
    assert result["claims"][0]["claim"] == "quick True"
    assert (tmp_path / "policy.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.usefixtures("failing")
def test_a_claim_that_does_not_hold_makes_the_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["bench", "policy"])

    assert code == 1
    assert capsys.readouterr().out.startswith("RED too slow: 3 ms (target <= 2)\n1 of 1 claims fail")


@pytest.mark.usefixtures("holding")
def test_the_script_is_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["policy.py", "--json"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPTS / "policy.py"), run_name="__main__")

    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["claims"][0]["claim"] == "quick False"


def test_without_a_name_the_benchmarks_are_listed_in_either_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--lang", "ko"]) == 0
    listed = capsys.readouterr().out

    assert "측정 대상" in listed
    assert "서명과 검증에 드는 시간과 메모리" in listed


def test_without_a_name_json_gives_one_object_a_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--json"]) == 0

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == list(BENCHES)
