"""`platemark webhooks`."""

from pathlib import Path

import pytest
from cli_session import Run

from platemark.webhooks.signature import read_secret


def test_the_secret_is_made_once_and_shown_as_receivers_expect_it(run: Run, home_path: Path) -> None:
    first = run("webhooks", "secret", "--home", home_path, "--json").object["secret"]

    again = run("webhooks", "secret", "--home", home_path, "--json").object["secret"]

    assert first == again
    assert len(read_secret(first)) == 32
    assert (home_path / "keys/webhook.key").stat().st_mode & 0o777 == 0o600


def test_status_says_how_far_the_telling_has_come(run: Run, home_path: Path) -> None:
    told = run("webhooks", "status", "--home", home_path, "--json").object

    assert (told["next_seq"], told["dead"]) == (0, [])
    assert told["events"] > 0


@pytest.mark.parametrize("language", ["en", "ko"])
def test_delivering_without_an_address_says_what_to_set(run: Run, home_path: Path, language: str) -> None:
    ended = run("webhooks", "deliver", "--home", home_path, "--lang", language)

    assert ended.code == 2
    assert "[webhooks]" in ended.err
    assert "url" in ended.err
