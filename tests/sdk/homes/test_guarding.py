"""The guard that a configuration names is asked, or the engine does not open."""

from pathlib import Path

import pytest

from platemark.config import PolicySettings
from platemark.errors import HomeError
from platemark.homes.guarding import guards_for
from platemark.homes.home import open_home
from platemark_policy.errors import PolicyError
from platemark_policy.guard import ModerationService


def configured(home: Path, lines: str) -> Path:
    config = home / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace('guard = ""', lines), "utf-8")
    return home


def test_without_a_guard_nobody_is_asked(tmp_path: Path) -> None:
    assert guards_for(PolicySettings(), tmp_path) == ()


def test_an_address_on_this_machine_is_a_guard(tmp_path: Path) -> None:
    url = "http://127.0.0.1:8080/v1/moderations"

    assert guards_for(PolicySettings(guard=url, guard_seconds=3), tmp_path) == (ModerationService(url, 3.0),)


def test_an_allowed_host_is_a_guard_over_https(tmp_path: Path) -> None:
    settings = PolicySettings(guard="https://guard.example/v1", guard_hosts=("guard.example",))

    (guard,) = guards_for(settings, tmp_path)

    assert isinstance(guard, ModerationService)
    assert guard.allowed_hosts == {"guard.example"}


@pytest.mark.parametrize(
    "guard", ["https://guard.example/v1", "http://guard.example/v1", "ftp://127.0.0.1/x", "nonsense", "folder:nothing"]
)
def test_a_guard_that_cannot_be_used_keeps_the_engine_closed(home_path: Path, guard: str) -> None:
    home = open_home(configured(home_path, f'guard = "{guard}"'))

    with pytest.raises(PolicyError):
        home.policy_engine()


@pytest.mark.parametrize("lines", ['guard_form = "mine"', "guard_seconds = 0", "guards = 1", 'pictures = "off"'])
def test_there_is_no_setting_that_switches_a_check_off(home_path: Path, lines: str) -> None:
    with pytest.raises(HomeError):
        open_home(configured(home_path, lines))


def test_a_guard_that_does_not_answer_makes_prompts_wait(home_path: Path) -> None:
    home = open_home(configured(home_path, 'guard = "http://127.0.0.1:9/v1/moderations"'))

    decision = home.policy_engine().screen_prompt("a calm sea", at=home.clock(), decision_id="d")

    assert decision.verdict == "review"
    assert decision.degraded == ("guard 1: PolicyError",)
