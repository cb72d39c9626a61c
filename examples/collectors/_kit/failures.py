"""Every way a collector can fail, and how the caller should take it.

* CollectorFailure
  + BadRequest        400  the body is not the collector contract
  + BadParams         400  ``params`` asks for something that makes no sense
  + NotInSample       400  sample mode was asked for something the samples do not hold
  + Misconfigured     500  the environment is wrong; the same request can never succeed
  + OutOfTime         504  the deadline of the request has come
  + RateLimited       503  the upstream answered 429
  + UpstreamDown      503  no connection, a time-out, or a 5xx of the upstream
    + UpstreamBusy         its 502 or 503, which often passes within a second
  + UpstreamGarbage   502  a 2xx that is not what the upstream documents
    + CutShort        502  the answer stops before its end
  + UpstreamRefused   424  a 3xx or 4xx of the upstream; asking again cannot help
    + UpstreamNotFound     its 404, which some collectors expect
  + Truncated         424  the upstream stopped at its cap and did not say so

The statuses are chosen for a caller that reads nothing else: 408, 429 and 5xx are worth
another attempt, any other 4xx is not. ``retryable`` says the same in the body.
"""

from __future__ import annotations

from typing import ClassVar


class CollectorFailure(Exception):
    """Base of every failure that becomes an error answer; the message is one sentence."""

    #: HTTP status of the collector's own answer.
    status: ClassVar[int] = 500
    #: One word for programs.
    kind: ClassVar[str] = "failed"
    #: Whether the same request may succeed later.
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BadRequest(CollectorFailure):
    """The request is not the collector contract."""

    status = 400
    kind = "bad_request"


class BadParams(CollectorFailure):
    """A value of ``params`` is unknown or out of range."""

    status = 400
    kind = "bad_params"


class NotInSample(CollectorFailure):
    """The bundled samples hold no answer to this question."""

    status = 400
    kind = "not_in_sample"


class Misconfigured(CollectorFailure):
    """The environment of the collector is wrong."""

    kind = "misconfigured"


class OutOfTime(CollectorFailure):
    """The deadline came before the work was done."""

    status = 504
    kind = "deadline"
    retryable = True


class RateLimited(CollectorFailure):
    """The upstream asked for fewer requests."""

    status = 503
    kind = "upstream_rate_limited"
    retryable = True


class UpstreamDown(CollectorFailure):
    """The upstream could not be reached, or failed."""

    status = 503
    kind = "upstream_unavailable"
    retryable = True


class UpstreamBusy(UpstreamDown):
    """The upstream is there, and cannot answer at the moment."""


class UpstreamGarbage(CollectorFailure):
    """The upstream said 200 with something it does not document."""

    status = 502
    kind = "upstream_garbage"
    retryable = True


class CutShort(UpstreamGarbage):
    """The upstream's answer stops before its end."""

    kind = "truncated"


class UpstreamRefused(CollectorFailure):
    """The upstream does not accept this request, now or later."""

    status = 424
    kind = "upstream_refused"


class UpstreamNotFound(UpstreamRefused):
    """The upstream knows no such thing."""

    kind = "upstream_not_found"


class Truncated(CollectorFailure):
    """The upstream holds more than it will give; the message says how to ask for less."""

    status = 424
    kind = "truncated"
