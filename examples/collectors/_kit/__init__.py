"""What the example collectors share, so that each ``main.py`` shows its API and nothing else.

Importing this package does no I/O: sessions open, and samples load, with the first request.
"""

from .contract import Request, Result
from .failures import (
    BadParams,
    CutShort,
    NotInSample,
    Truncated,
    UpstreamGarbage,
    UpstreamNotFound,
)
from .serving import serve
from .shapes import features, field, objects
from .upstream import Api, Upstream

__all__ = [
    "Api",
    "BadParams",
    "CutShort",
    "NotInSample",
    "Request",
    "Result",
    "Truncated",
    "Upstream",
    "UpstreamGarbage",
    "UpstreamNotFound",
    "features",
    "field",
    "objects",
    "serve",
]
