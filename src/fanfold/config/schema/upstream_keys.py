"""The shape of the section ``upstreams``: what the sources behind the collectors can bear.

Descriptions and defaults are as in :mod:`fanfold.config.schema.keys`.
"""

from __future__ import annotations

from fanfold.config.schema.types import AtLeastOne, Duration, Failures, Section, setting


class BreakerSection(Section):
    """When a source is left alone."""

    failures: Failures = setting(
        5, "after so many calls in a row that found the source down it is left alone, at most 100"
    )
    pause: Duration = setting("2m", "how long; then one call tries whether it is up again")


class UpstreamSection(Section):
    """What one source can bear."""

    max_concurrent: AtLeastOne | None = setting(
        None, "how many of its collectors are called at the same time, at most"
    )
    per_minute: AtLeastOne | None = setting(
        None, "how many calls begin within any 60 s, at most; the tries after the first one count"
    )
    breaker: BreakerSection | None = setting(
        None, "leaves a source alone that is down; absent: each collector finds out by itself"
    )
