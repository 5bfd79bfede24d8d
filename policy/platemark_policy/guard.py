"""Ask a second opinion: an OpenAI-moderation-shaped service on this machine or on a host the publisher allows.

One rule: a guard can only raise the verdict. Its failure is a finding, its answer is bounded, and the prompt goes
nowhere but to the one address that was configured.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Protocol

from platemark_policy.allowed_server import LOOPBACK, Server, ServerRefused, allowed_server, connected
from platemark_policy.decision import Finding, Reason, Verdict
from platemark_policy.errors import PolicyError

_MAX_ANSWER_BYTES = 65_536
_FLAGGED = Reason(en="A second opinion asks for an editor.", ko="추가 심사에서 편집자 확인을 요청했습니다.")


class Guard(Protocol):
    """A second opinion on a text."""

    def objections(self, text: str) -> tuple[str, ...]:
        """Give the categories it objects to, none where it has no objection.

        Raises:
            PolicyError: it could not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class ModerationService:
    """A guard behind an address that answers like OpenAI's `/v1/moderations`.

    Args:
        url: such as http://127.0.0.1:8080/v1/moderations.
        timeout_s: how long an answer may take.
        allowed_hosts: hosts beside this machine that prompts may be sent to; those need https.
        private_network: whether those may lie in a private network.

    Raises:
        PolicyError: the address is not one that prompts may go to.
    """

    url: str
    timeout_s: float = 2.0
    allowed_hosts: frozenset[str] = field(default_factory=frozenset)
    private_network: bool = False

    def __post_init__(self) -> None:
        """Refuse an address that prompts may not go to."""
        try:
            self._server()
        except ServerRefused as error:
            raise PolicyError(
                "A guard listens on this machine, or on an allowed host over https.",
                fix="Name the host under [policy] guard_hosts.",
            ) from error

    def objections(self, text: str) -> tuple[str, ...]:
        """See `Guard.objections`."""
        try:
            answer = self._ask(json.dumps({"input": text}).encode("ascii"))
            result = json.loads(answer)["results"][0]
            flagged, categories = result["flagged"], result.get("categories", {})
        except (OSError, HTTPException, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise PolicyError(f"The guard did not answer as expected ({type(error).__name__}).") from error
        if not isinstance(flagged, bool) or not isinstance(categories, Mapping):
            raise PolicyError("The guard did not answer as expected (no verdict).")
        named = tuple(sorted(str(name)[:40] for name, is_so in categories.items() if is_so is True))
        return (named or ("flagged",)) if flagged or named else ()

    def _ask(self, body: bytes) -> bytes:
        server = self._server()
        with connected(server, timeout_s=self.timeout_s) as connection:
            connection.request("POST", server.target, body, {"Content-Type": "application/json"})
            with closing(connection.getresponse()) as response:
                answer = response.read(_MAX_ANSWER_BYTES + 1)
        if response.status != 200 or len(answer) > _MAX_ANSWER_BYTES:
            raise PolicyError(f"The guard answered with status {response.status} and {len(answer)} bytes.")
        return answer

    def _server(self) -> Server:
        hosts = (*LOOPBACK, *self.allowed_hosts)
        return allowed_server(self.url, hosts=hosts, private_network=self.private_network)


def ask_guard(guard: Guard, text: str) -> tuple[Finding, ...]:
    """Give the finding about what a guard objects to, none where it has no objection.

    Raises:
        PolicyError: the guard could not answer.
    """
    categories = guard.objections(text)
    if not categories:
        return ()
    return (Finding("G01", "second_opinion", Verdict.REVIEW, None, "prompt", _FLAGGED, True, "guard"),)
