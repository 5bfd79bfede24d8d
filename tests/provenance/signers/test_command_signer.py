"""A signing program is run without a shell, for a bounded time, and believed only if it says a signature."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.signers.callback import MAX_SIGNATURE_BYTES
from platemark_provenance.signers.command import CommandSigner, open_command_signer
from platemark_provenance.signers.uri import SignerRequest

Program = Callable[[str], Path]


@pytest.fixture
def request_(pki: DevelopmentPki) -> SignerRequest:
    """A request for an Ed25519 signer: its signatures pass through unchanged."""
    return SignerRequest(pki.leaf_chain_pem, "ed25519")


def signer(program: Path, *arguments: str, timeout_s: float = 20.0) -> CommandSigner:
    return CommandSigner("ed25519", b"", (str(program), *arguments), timeout_s=timeout_s)


def test_the_content_comes_in_whole_and_the_answer_goes_out_whole(program: Program) -> None:
    count = program("#!/bin/sh\nwc -c | tr -d ' \\n'\n")

    assert signer(count).sign(b"x" * 1_000_000) == b"1000000"


def test_a_program_that_reads_nothing_does_not_block_us(program: Program) -> None:
    assert signer(program("#!/bin/sh\necho signature\n")).sign(b"x" * 1_000_000) == b"signature\n"


def test_the_words_reach_the_program_as_they_are(program: Program, request_: SignerRequest) -> None:
    echo = program('#!/bin/sh\nprintf "%s|" "$@"\n')
    words = [str(echo), "--key", "a b", "$HOME; rm -rf /", "*", "기사"]

    opened = open_command_signer(f"exec:{json.dumps(words)}", request_)

    assert opened.sign(b"").decode() == "--key|a b|$HOME; rm -rf /|*|기사|"


def test_a_program_alone_needs_no_list(program: Program, request_: SignerRequest) -> None:
    path = program("#!/bin/sh\necho yes\n")

    assert open_command_signer(f"exec:{path}", request_).sign(b"") == b"yes\n"


def test_a_program_that_fails_is_named_with_its_code_and_its_words_reach_the_operator(
    program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    failing = program("#!/bin/sh\necho 'no such key' >&2\nprintf half\nexit 7\n")

    with pytest.raises(KeyUnavailable, match=f"{failing.name} ended with code 7"):
        signer(failing).sign(b"content")

    assert "no such key" in capfd.readouterr().err


def test_a_program_that_says_nothing_gave_no_signature(program: Program) -> None:
    with pytest.raises(KeyUnavailable, match="gave no signature"):
        signer(program("#!/bin/sh\nexit 0\n")).sign(b"content")


def test_a_program_that_never_stops_talking_is_stopped(program: Program) -> None:
    start = time.monotonic()

    with pytest.raises(KeyUnavailable, match=f"at most {MAX_SIGNATURE_BYTES} bytes"):
        signer(program("#!/bin/sh\nexec yes\n")).sign(b"content")

    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    "text",
    ["exec sleep 60", "printf half; exec sleep 60", "sleep 60 & echo whole", "exec >&-; exec sleep 60"],
    ids=["says nothing", "says half", "leaves a helper behind", "closes its output"],
)
def test_a_program_that_takes_too_long_is_stopped_with_all_it_started(program: Program, text: str) -> None:
    slow = program(f"#!/bin/sh\n{text}\n")
    start = time.monotonic()

    with pytest.raises(KeyUnavailable, match=r"took longer than 0\.5 s"):
        signer(slow, timeout_s=0.5).sign(b"content")

    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("exec:sign-claim", "full path"),
        ("exec:./sign-claim", "full path"),
        ("exec:[]", "a program, or a JSON list"),
        ("exec:[1, 2]", "a program, or a JSON list"),
        ('exec:["/bin/true", "a\\u0000b"]', "a program, or a JSON list"),
        ('exec:["/bin/true"', "a program, or a JSON list"),
        (f"exec:{json.dumps(['/bin/true'] * 65)}", "a program, or a JSON list"),
        ("exec:/nowhere/sign-claim", "No such file"),
        ("exec:/tmp", "not an executable file"),
    ],
)
def test_a_program_that_is_not_named_well_is_refused_before_it_is_needed(
    uri: str, sentence: str, request_: SignerRequest
) -> None:
    with pytest.raises(KeyUnavailable, match=sentence):
        open_command_signer(uri, request_)


def test_a_file_that_may_not_be_run_is_refused(program: Program, request_: SignerRequest) -> None:
    path = program("#!/bin/sh\n")
    path.chmod(0o600)

    with pytest.raises(KeyUnavailable, match="not an executable file") as refused:
        open_command_signer(f"exec:{path}", request_)

    assert refused.value.fix == f"chmod 755 {path}"


@pytest.mark.parametrize("mode", [0o722, 0o770, 0o757])
def test_a_program_that_others_may_change_is_refused(program: Program, request_: SignerRequest, mode: int) -> None:
    path = program("#!/bin/sh\n")
    path.chmod(mode)

    with pytest.raises(KeyUnavailable, match=f"mode {mode:04o}") as refused:
        open_command_signer(f"exec:{path}", request_)

    assert refused.value.fix == f"Run: chmod go-w {path}"


def test_a_program_that_was_opened_up_later_is_refused_at_the_signature(
    program: Program, request_: SignerRequest
) -> None:
    path = program("#!/bin/sh\necho x\n")
    opened = open_command_signer(f"exec:{path}", request_)
    path.chmod(0o777)

    with pytest.raises(KeyUnavailable, match="Others may change"):
        opened.sign(b"content")


def test_a_program_of_another_kind_is_said_to_be_unusable(program: Program) -> None:
    path = program("not a program at all")

    with pytest.raises(KeyUnavailable, match="could not be started"):
        signer(path).sign(b"content")


def test_a_python_program_may_sign(program: Program) -> None:
    path = program(f"#!{sys.executable}\nimport sys\nsys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])\n")

    assert signer(path).sign(b"abc") == b"cba"
