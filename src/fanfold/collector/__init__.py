"""Write a collector: what fanfold asks becomes a call, what you return becomes the answer.

::

    from fanfold.collector import collector

    @collector
    def dvf(call):
        rows = read_rows(call.params["code"])
        return call.found(records=len(rows))

``dvf`` is now a function for functions-framework, and a WSGI application. This package needs the
standard library alone, loads nothing of fanfold's rest, and does no I/O when it is imported.
"""

from __future__ import annotations

from fanfold.collector.answer import Answer, Reported
from fanfold.collector.call import Call, Previous
from fanfold.collector.callback import Callback, NotDelivered
from fanfold.collector.decorator import collector
from fanfold.collector.failures import (
    BadAnswer,
    BadParams,
    BadRequest,
    CollectorFailure,
    GiveUp,
    OutOfTime,
    TryLater,
)
from fanfold.collector.retry_after import retry_after_s

__all__ = [
    "Answer",
    "BadAnswer",
    "BadParams",
    "BadRequest",
    "Call",
    "Callback",
    "CollectorFailure",
    "GiveUp",
    "NotDelivered",
    "OutOfTime",
    "Previous",
    "Reported",
    "TryLater",
    "collector",
    "retry_after_s",
]
