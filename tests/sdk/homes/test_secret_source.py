"""A secret comes from where the configuration says, and from nowhere else."""

import getpass

import pytest

from platemark.errors import KeyUnavailable
from platemark.homes.secret_source import SecretSource


def test_a_variable_gives_its_bytes_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSROOM_PIN", "열려라 참깨 ")

    assert SecretSource("env:NEWSROOM_PIN")("the token") == "열려라 참깨 ".encode()


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("NEWSROOM_PIN", raising=False)
    source = SecretSource("env:NEWSROOM_PIN" if value is None else "env:NEWSROOM_EMPTY")
    monkeypatch.setenv("NEWSROOM_EMPTY", "")

    with pytest.raises(KeyUnavailable, match=r"the token is locked.*NEWSROOM_"):
        source("the token")


def test_where_nothing_is_said_nobody_is_asked() -> None:
    with pytest.raises(KeyUnavailable, match="nothing says where") as refused:
        SecretSource("")("the token")

    assert 'secret = "env:NAME" or "prompt"' in refused.value.fix


def test_a_person_is_asked_once_and_again_after_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(getpass, "getpass", lambda prompt: asked.append(prompt) or f"answer {len(asked)}")
    source = SecretSource("prompt")

    answers = [source("the token"), source("the token")]
    source.forget()

    assert [*answers, source("the token")] == [b"answer 1", b"answer 1", b"answer 2"]
    assert asked == ["Passphrase or PIN for the token: "] * 2


def test_two_things_are_asked_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda prompt: prompt[::-1])
    source = SecretSource("prompt")

    assert source("a token") != source("a key")


@pytest.mark.parametrize("error", [EOFError(), OSError("no terminal"), getpass.GetPassWarning("would show it")])
def test_without_a_terminal_nobody_is_asked_in_the_open(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(_: str) -> str:
        raise error

    monkeypatch.setattr(getpass, "getpass", fail)

    with pytest.raises(KeyUnavailable, match="no terminal to ask"):
        SecretSource("prompt")("the token")


def test_a_source_does_not_show_what_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda _: "s3cret")
    source = SecretSource("prompt")
    source("the token")

    assert "s3cret" not in repr(source)
