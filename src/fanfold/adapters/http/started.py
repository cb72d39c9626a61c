"""A call on its way through the loop."""

from __future__ import annotations

from dataclasses import dataclass, field

import pycurl

from fanfold.adapters.http.preparing import Prepared
from fanfold.adapters.http.transfer import Exchange
from fanfold.domain.protocol.contract import Call


@dataclass(slots=True, eq=False)
class Started:
    """A call that was started: what it waits for is told by the place that holds it.

    ``addresses`` are what was looked up for it; None until it is ready to be sent. ``handle`` is
    its transfer's, while that is under way.
    """

    key: object
    call: Call
    until: float
    prepared: Prepared | None = None
    addresses: list[str] | None = None
    exchange: Exchange = field(default_factory=Exchange)
    handle: pycurl.Curl | None = None
    is_renewed: bool = False
