"""What the policy layer raises. The root is at the bottom, in `platemark_provenance.errors`."""

from typing import TYPE_CHECKING

from platemark_provenance.errors import PlatemarkError

if TYPE_CHECKING:
    from platemark_policy.decision import Decision


class PolicyError(PlatemarkError):
    """The policy layer could not do its work; the request is treated as refused."""


class RulePackError(PolicyError):
    """A rule pack is malformed, fails its own examples, or is of an unknown form. It was not used."""

    exit_code = 2


class PromptRefused(PolicyError):
    """The policy blocks this request.

    Args:
        decision: the decision, with every finding and its reason.
    """

    exit_code = 3

    def __init__(self, decision: "Decision") -> None:
        super().__init__("The policy refuses this request.", fix="Change the prompt; the findings say why.")
        self.decision = decision


class PromptHeld(PolicyError):
    """An editor must decide before this request goes on.

    Args:
        decision: the decision, with every finding and its reason.
        ticket: what the editor is given to find it again.
        seed: of the request; an approval counts for this seed alone.
    """

    exit_code = 8

    def __init__(self, decision: "Decision", ticket: str, *, seed: str = "") -> None:
        again = f" Once it is approved, give the same command again with --seed {seed}." if seed else ""
        super().__init__(
            f"This request waits for an editor (ticket {ticket}).", fix=f"Ask an editor to review it.{again}"
        )
        self.seed = seed
        self.decision = decision
        self.ticket = ticket


class ReviewRefused(PolicyError):
    """A person may not decide about a ticket, or not in this way; nothing changed."""

    exit_code = 3
