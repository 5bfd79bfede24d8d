"""The shape of the public package."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import platemark

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "c2pa", "av", "moviepy")


def loaded_after(statement: str) -> list[str]:
    code = f"import sys; {statement}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def test_importing_the_package_loads_no_heavy_library() -> None:
    assert loaded_after("import platemark") == []


def test_the_command_line_and_the_model_list_load_no_torch() -> None:
    assert "torch" not in loaded_after("import platemark.cli; platemark.cli.main(['models', 'list', '--quiet'])")


def test_every_public_name_can_be_had_and_is_documented() -> None:
    found = {name: getattr(platemark, name) for name in platemark.__all__}

    assert [name for name, value in found.items() if callable(value) and not value.__doc__] == []
    assert sorted(platemark.__all__) == dir(platemark)


def test_a_misspelt_name_is_an_attribute_error_like_any_other() -> None:
    with pytest.raises(AttributeError, match="Studoi"):
        _ = platemark.Studoi  # type: ignore[attr-defined]  # that it is not there is the point


def test_every_public_error_descends_from_the_one_root() -> None:
    errors = [value for name in platemark.__all__ if isinstance(value := getattr(platemark, name), type)]

    raised = [each for each in errors if issubclass(each, Exception)]
    assert raised
    assert all(issubclass(each, platemark.PlatemarkError) for each in raised)


def test_the_error_tree_in_the_docstring_names_every_error() -> None:
    module = importlib.import_module("platemark.errors")

    errors = [name for name in module.__all__ if isinstance(getattr(module, name), type)]
    assert [name for name in errors if name not in str(module.__doc__)] == []


@pytest.mark.parametrize("package", ["platemark", "platemark_policy", "platemark_provenance", "platemark_migrations"])
def test_every_package_says_that_it_is_typed(package: str) -> None:
    module = importlib.import_module(package)

    assert (Path(str(module.__file__)).parent / "py.typed").exists()


def test_the_base_install_works_without_torch(home_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from platemark.cli import main\n"
        f"home = {str(home_path)!r}\n"
        "codes = [main(['audit', 'verify', '--home', home]), main(['policy', 'check', 'a calm sea', '--home', home])]\n"
        "codes.append(main(['verify', home + '/platemark.toml', '--home', home]))\n"
        "sys.exit(0 if codes == [0, 0, 5] else str(codes))"
    )

    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr


def test_generating_without_torch_names_the_extra_to_install(home_path: Path) -> None:
    words = ["generate", "a calm blue sea at sunset", "--home", str(home_path), "--out", str(home_path / "x.mp4")]
    code = f"import sys; sys.modules['torch'] = None; from platemark.cli import main; sys.exit(main({words!r}))"

    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert ended.returncode == 2
    assert "platemark[generate]" in ended.stderr
