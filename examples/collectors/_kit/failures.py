"""How a source can fail, as failures of ``fanfold.collector``.

* CollectorFailure
  + NotInSample       400  sample mode was asked for something the samples do not hold
  + Misconfigured     500  the environment is wrong; the same request can never succeed
  + TryLater          503  retryable
    + RateLimited          the upstream answered 429
    + UpstreamDown         no connection, a time-out, or a 5xx of the upstream
      + UpstreamBusy       its 502 or 503, which often passes within a second
    + UpstreamGarbage 502  a 2xx that is not what the upstream documents
      + CutShort           the answer stops before its end
  + GiveUp            424  asking again cannot help
    + UpstreamRefused      a 3xx or 4xx of the upstream
      + UpstreamNotFound   its 404, which some collectors expect
    + Truncated            the upstream stopped at its cap and did not say so
"""

from __future__ import annotations

from fanfold.collector import CollectorFailure, GiveUp, TryLater


class NotInSample(CollectorFailure):
    """The bundled samples hold no answer to this question."""

    status = 400
    kind = "not_in_sample"


class Misconfigured(CollectorFailure):
    """The environment of the collector is wrong."""

    kind = "misconfigured"


class RateLimited(TryLater):
    """The upstream asked for fewer requests."""

    kind = "upstream_rate_limited"


class UpstreamDown(TryLater):
    """The upstream could not be reached, or failed."""


class UpstreamBusy(UpstreamDown):
    """The upstream is there, and cannot answer at the moment."""


class UpstreamGarbage(TryLater):
    """The upstream said 200 with something it does not document."""

    status = 502
    kind = "upstream_garbage"


class CutShort(UpstreamGarbage):
    """The upstream's answer stops before its end."""

    kind = "truncated"


class UpstreamRefused(GiveUp):
    """The upstream does not accept this request, now or later."""


class UpstreamNotFound(UpstreamRefused):
    """The upstream knows no such thing."""

    kind = "upstream_not_found"


class Truncated(GiveUp):
    """The upstream holds more than it will give; the message says how to ask for less."""

    kind = "truncated"
