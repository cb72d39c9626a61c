"""What the example collectors share about their sources, so that each ``main.py`` shows its API.

What fanfold asks and may be answered is ``fanfold.collector``. Importing this package does no I/O:
sessions open, and samples load, with the first request.
"""

from .failures import CutShort, NotInSample, Truncated, UpstreamGarbage, UpstreamNotFound
from .serving import asking
from .shapes import features, field, objects
from .upstream import Api, Upstream

__all__ = [
    "Api",
    "CutShort",
    "NotInSample",
    "Truncated",
    "Upstream",
    "UpstreamGarbage",
    "UpstreamNotFound",
    "asking",
    "features",
    "field",
    "objects",
]
