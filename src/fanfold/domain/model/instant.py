"""A point in time, as every value that is stored or sent holds it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

#: An aware datetime in UTC. A document whose text names no offset is refused when it is read.
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
