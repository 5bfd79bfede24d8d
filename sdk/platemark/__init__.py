"""platemark: provenance-aware video generation for news publishers.

```python
import platemark

with platemark.Studio.open("newsroom") as studio:
    clip = studio.generate("city lights at night, light rain", seconds=2, seed=7)

report = platemark.verify(clip.path)
print(report.verdict, report.explain("ko"))
```

Names are loaded on first use: importing this package loads none of torch, c2pa, av or moviepy.
"""

import importlib
from typing import TYPE_CHECKING

from platemark._version import __version__

if TYPE_CHECKING:
    from platemark.clip import Clip, ClipRequest, Size
    from platemark.errors import (
        Cancelled,
        GenerationError,
        HomeError,
        KeyUnavailable,
        LedgerError,
        MediaError,
        MissingExtra,
        OutputError,
        PlatemarkError,
        PromptHeld,
        PromptRefused,
        RequestError,
        SigningError,
        SourceRefused,
        SourceReserved,
        SourceUntrusted,
        VerificationError,
        WatermarkError,
    )
    from platemark.generation.backend import CancelToken
    from platemark.homes.home import Home, init
    from platemark.progress import JobProgress
    from platemark.studio import AsyncStudio, Studio
    from platemark.verifying.verifier import verify
    from platemark_provenance.ledger.store import Ledger
    from platemark_provenance.verdict import Report, Verdict
else:
    _HOMES = {
        "AsyncStudio": "platemark.studio",
        "CancelToken": "platemark.generation.backend",
        "Clip": "platemark.clip",
        "ClipRequest": "platemark.clip",
        "Home": "platemark.homes.home",
        "JobProgress": "platemark.progress",
        "Ledger": "platemark_provenance.ledger.store",
        "Report": "platemark_provenance.verdict",
        "Size": "platemark.clip",
        "Studio": "platemark.studio",
        "Verdict": "platemark_provenance.verdict",
        "init": "platemark.homes.home",
        "verify": "platemark.verifying.verifier",
    }

    def __getattr__(name: str) -> object:
        """Load a public name on first use (PEP 562)."""
        home = _HOMES.get(name) or ("platemark.errors" if name in __all__ else None)
        if home is None:
            raise AttributeError(f"module 'platemark' has no attribute {name!r}")
        return getattr(importlib.import_module(home), name)

    def __dir__() -> list[str]:
        """List the public names."""
        return sorted(__all__)


__all__ = [
    "AsyncStudio",
    "CancelToken",
    "Cancelled",
    "Clip",
    "ClipRequest",
    "GenerationError",
    "Home",
    "HomeError",
    "JobProgress",
    "KeyUnavailable",
    "Ledger",
    "LedgerError",
    "MediaError",
    "MissingExtra",
    "OutputError",
    "PlatemarkError",
    "PromptHeld",
    "PromptRefused",
    "Report",
    "RequestError",
    "SigningError",
    "Size",
    "SourceRefused",
    "SourceReserved",
    "SourceUntrusted",
    "Studio",
    "Verdict",
    "VerificationError",
    "WatermarkError",
    "__version__",
    "init",
    "verify",
]
