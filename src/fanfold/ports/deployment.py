"""What is deployed in a project of Google Cloud: ``fanfold doctor`` looks, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

#: A policy: who holds which role.
Policy = Mapping[str, Sequence[str]]


class NotSeen(Exception):
    """A look that brought nothing; the text says why, and names the right that is missing.

    ``is_missing`` tells that the thing itself does not exist.
    """

    def __init__(self, text: str, *, is_missing: bool = False) -> None:
        super().__init__(text)
        self.is_missing = is_missing


@dataclass(frozen=True, slots=True)
class Service:
    """A Cloud Run service.

    ``is_open`` tells that Cloud Run asks no caller who he is. ``hosts`` are the hosts of its
    addresses, and ``ingress`` says from where calls are let in: ``all``, or ``internal``.
    """

    name: str
    region: str
    is_open: bool
    hosts: tuple[str, ...] = ()
    ingress: str = "all"


class Deployment(Protocol):
    """Looks at one project.

    * *Each look on its own*: one that is not allowed raises NotSeen, and the others go on.
    * *In time*: all looks together end within the time that the whole was given.

    What is returned as a mapping is the service's own JSON document. Each method raises NotSeen.
    """

    @property
    def project(self) -> str:
        """The project that is looked at."""
        ...

    def services(self) -> list[Service]:
        """Return the Cloud Run services of every region."""
        ...

    def invokers(self, service: Service) -> Policy:
        """Return who holds which role on *service*."""
        ...

    def project_number(self) -> str:
        """Return the project's number, which is in the names of Google's own accounts."""
        ...

    def project_policy(self) -> Policy:
        """Return who holds which role in the whole project."""
        ...

    def pubsub_policy(self, kind: str, name: str) -> Policy:
        """Return who holds which role on a ``topic`` or a ``subscription``, as *kind* says."""
        ...

    def scheduler_jobs(self, region: str) -> list[Mapping[str, Any]]:
        """Return the jobs of Cloud Scheduler in *region*."""
        ...

    def queue(self, region: str, name: str) -> Mapping[str, Any]:
        """Return the queue of Cloud Tasks that is called *name* in *region*."""
        ...

    def bucket(self, name: str) -> Mapping[str, Any]:
        """Return what the bucket *name* is set to."""
        ...

    def bucket_policy(self, name: str) -> Policy:
        """Return who holds which role on the bucket *name*."""
        ...

    def alert_policies(self) -> list[Mapping[str, Any]]:
        """Return the alert policies of the project."""
        ...

    def has_points(self, metric_filter: str, within: timedelta) -> bool:
        """Return whether a time series of *metric_filter* has a point not older than *within*."""
        ...
