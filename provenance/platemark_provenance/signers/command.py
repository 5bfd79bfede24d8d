"""Claims signed by another program: content on its standard input, the signature on its standard output.

One rule: no shell, a program named in full that others cannot change, a time limit and a bound on what it may say.
"""

import base64
import json
import os
import selectors
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.ledger.subject_keys import KeyWrapper
from platemark_provenance.signers.algorithms import algorithm_named, raw_signature
from platemark_provenance.signers.callback import MAX_SIGNATURE_BYTES
from platemark_provenance.signers.uri import SignerRequest
from platemark_provenance.signers.wrapping import CallbackWrapper, WrapperRequest, wrapper_name

DEFAULT_TIMEOUT_S = 30.0
WRAPPING_TIMEOUT_S = 5.0
"""Keys are wrapped while an event waits to be kept."""
MAX_ARGUMENTS = 64


@dataclass(frozen=True, slots=True)
class CommandSigner:
    """Signs by running a program once for each signature.

    Args:
        alg: one of the names in `SIGNING_ALGORITHMS`.
        chain_pem: the certificates in PEM, leaf first.
        words: the program's absolute path and its arguments, as they are; no shell sees them.
        timeout_s: the program is stopped after so many seconds.

    The program's standard error is ours: what it says there reaches the operator.
    """

    alg: str
    chain_pem: bytes
    words: tuple[str, ...]
    timeout_s: float = DEFAULT_TIMEOUT_S

    def sign(self, data: bytes) -> bytes:
        """Run the program and give its signature as COSE wants it.

        Raises:
            KeyUnavailable: it cannot be run, took too long, failed, or said nothing or too much.
        """
        program = Path(self.words[0])
        _check_program(program)
        signature = _run(self.words, data, timeout_s=self.timeout_s)
        if not signature:
            raise KeyUnavailable(f"The signing program {program.name} gave no signature.")
        return raw_signature(algorithm_named(self.alg), signature)


def open_command_signer(uri: str, request: SignerRequest) -> CommandSigner:
    """Open `exec:/path/to/program`, or `exec:["/path/to/program", "--key", "newsroom"]` (a JSON list of words).

    Raises:
        KeyUnavailable: the program is not named in full, is missing, or can be changed by others.
    """
    words = _words(uri.removeprefix("exec:"))
    _check_program(Path(words[0]))
    return CommandSigner(request.alg, request.chain_pem, words)


def open_command_wrapper(uri: str, request: WrapperRequest) -> KeyWrapper:
    """Open a program that wraps keys, named as `open_command_signer` says.

    It is run once for each key, with one line of JSON on its standard input:
    `{"do": "wrap" or "unwrap", "subject": "…", "data": "base64"}`, and answers with the bytes on standard output. It
    must refuse to unwrap for another subject than it wrapped for.

    Raises:
        KeyUnavailable: the program is not named in full, is missing, or can be changed by others.
    """
    del request
    words = _words(uri.removeprefix("exec:"))
    _check_program(Path(words[0]))

    def ask(what: str, content: bytes, subject: str) -> bytes:
        """Run the program once."""
        _check_program(Path(words[0]))
        asked = {"do": what, "subject": subject, "data": base64.b64encode(content).decode()}
        return _run(words, json.dumps(asked).encode() + b"\n", timeout_s=WRAPPING_TIMEOUT_S)

    return CallbackWrapper(wrapper_name(uri), partial(ask, "wrap"), partial(ask, "unwrap"))


def _words(text: str) -> tuple[str, ...]:
    words: object = [text]
    if text.startswith("["):
        try:
            words = json.loads(text)
        except ValueError:
            words = None
    good = isinstance(words, list) and 0 < len(words) <= MAX_ARGUMENTS
    if not good or not isinstance(words, list) or not all(isinstance(word, str) and "\0" not in word for word in words):
        raise KeyUnavailable(
            "After exec: stands a program, or a JSON list of words: the program and its arguments.",
            fix="""For example: key = 'exec:["/usr/local/bin/sign-claim", "--key", "newsroom"]'""",
        )
    return tuple(str(word) for word in words)


def _check_program(program: Path) -> None:
    if not program.is_absolute():
        raise KeyUnavailable(
            f"A signing program is named with its full path; got {str(program)[:80]!r}.",
            fix="A name alone could find another program.",
        )
    try:
        status = program.stat()
    except OSError as error:
        raise KeyUnavailable(f"The signing program {program} cannot be used: {error.strerror}.") from error
    if not stat.S_ISREG(status.st_mode) or not os.access(program, os.X_OK):
        raise KeyUnavailable(f"The signing program {program} is not an executable file.", fix=f"chmod 755 {program}")
    if stat.S_IMODE(status.st_mode) & 0o022:
        raise KeyUnavailable(
            f"Others may change the signing program {program} (mode {stat.S_IMODE(status.st_mode):04o}).",
            fix=f"Run: chmod go-w {program}",
        )


def _run(words: tuple[str, ...], content: bytes, *, timeout_s: float) -> bytes:
    deadline = time.monotonic() + timeout_s
    # A file, not a pipe: a program that does not read must not block us while we write.
    with tempfile.TemporaryFile() as given:
        given.write(content)
        given.seek(0)
        process = _start(words, given)
    with process:
        try:
            answer = _read_answer(process, deadline)
            if len(answer) > MAX_SIGNATURE_BYTES:
                raise KeyUnavailable(
                    f"A signature has at most {MAX_SIGNATURE_BYTES} bytes; {Path(words[0]).name} gave more."
                )
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise KeyUnavailable(
                f"The signing program {Path(words[0]).name} took longer than {timeout_s:g} s and was stopped."
            ) from error
        finally:
            # Also what it started itself: a helper left behind would keep the pipe open.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if code != 0:
        raise KeyUnavailable(
            f"The signing program {Path(words[0]).name} ended with code {code}.",
            fix="What it said stands on standard error.",
        )
    return answer


def _start(words: tuple[str, ...], given: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        # The words come from the home's own configuration, and no shell sees them.
        return subprocess.Popen(words, stdin=given, stdout=subprocess.PIPE, start_new_session=True)  # noqa: S603
    except OSError as error:
        raise KeyUnavailable(f"The signing program {words[0]} could not be started: {error.strerror}.") from error


def _read_answer(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Read to the end of the output, to one byte over the bound, or to the deadline, whichever comes first."""
    answer = b""
    if process.stdout is None:
        return answer
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while len(answer) <= MAX_SIGNATURE_BYTES:
            if not ready.select(max(0.0, deadline - time.monotonic())):
                raise subprocess.TimeoutExpired(process.args, 0)
            piece = os.read(process.stdout.fileno(), MAX_SIGNATURE_BYTES + 1 - len(answer))
            if not piece:
                break
            answer += piece
    return answer
