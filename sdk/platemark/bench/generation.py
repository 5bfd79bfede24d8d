"""How fast, how small and how good the embedded model is, each figure beside the ceiling or the peer of the same run.

One rule: nothing here is written down beforehand; a part that cannot be measured on this installation is a claim that
fails and says why.
"""

from platemark.bench.claims import Claim, Options
from platemark.bench.generation_cost import measure_cost
from platemark.bench.generation_diffusers import measure_diffusers
from platemark.bench.generation_edit import measure_edit
from platemark.bench.generation_quality import measure_quality
from platemark.bench.generation_sameness import measure_sameness


def measure(options: Options) -> list[Claim]:
    """Measure cost, sameness, the same model in diffusers, edits, and quality."""
    return [
        *measure_cost(options),
        *measure_sameness(options),
        *measure_diffusers(options),
        *measure_edit(options),
        *measure_quality(options),
    ]
