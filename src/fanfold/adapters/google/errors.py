"""What the errors of Google's services mean: one table for every adapter of this package.

* **Passing.** The same call may succeed in a moment. :func:`call` repeats it for a few seconds.
  Then it raises the service's Transient error, and the message that caused the call comes back.
* **Refused.** A person has to mend something: a topic is missing, a permission, a login. The error
  names the command.
* **Unacceptable.** The service will never take this call, for instance a document that is too
  large. The error is Permanent: nobody repeats it.

Some errors are answers: "this document exists already". The caller of :func:`call` says which
ones it expects, and gets them as they are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from google.api_core import exceptions as api
from google.api_core import retry
from google.auth import exceptions as auth

from fanfold.domain.model.errors import (
    BusUnavailable,
    FanfoldError,
    NotConfigured,
    SecretsUnavailable,
    SinkUnavailable,
    StoreUnavailable,
    Unacceptable,
)

T = TypeVar("T")

#: How long a call that fails in passing is repeated, in seconds.
PATIENCE_S = 4.0

#: The first and the longest wait before a repeat, in seconds. Each wait is drawn from below these.
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 0.8

#: Most characters of a service's own text that an error repeats.
MAX_TEXT = 300

#: What a call of Google's libraries may raise. OSError: the network, as requests tells it.
RAISED = (api.GoogleAPIError, auth.GoogleAuthError, OSError)

_PASSING = (
    api.Aborted,
    api.BadGateway,
    api.Cancelled,
    api.DataLoss,
    api.GatewayTimeout,
    api.InternalServerError,
    api.RetryError,
    api.ServiceUnavailable,
    api.TooManyRequests,
    api.Unknown,
    auth.TransportError,
    OSError,
)

#: How gRPC says that one message is too large, by the code that also means "too many calls".
_TOO_LARGE = re.compile(r"message (larger than|exceeds) max")

_LOGIN = "there are no credentials that work: run `gcloud auth application-default login`"


@dataclass(frozen=True, slots=True)
class GoogleService:
    """How the errors of one service are read.

    Args:
        address: The name by which the service is switched on in a project.
        passing: The error for what passes.
        refused: The error for what a person has to mend. Publishing has a Transient one: the
            message in hand is not acknowledged before somebody mended it.
        hints: What an error means and the command that mends it, by the error's class. Names in
            braces are filled from the ``place`` that the caller of :func:`call` gives.
        repeats_text: Whether the service's own text may be shown. A text of Secret Manager may
            not: it goes where a secret must not go.
    """

    address: str
    passing: type[FanfoldError]
    refused: type[FanfoldError]
    hints: Mapping[type[Exception], str]
    repeats_text: bool = True


FIRESTORE = GoogleService(
    "firestore.googleapis.com",
    StoreUnavailable,
    NotConfigured,
    {
        api.NotFound: "there is no Firestore database: create it with `gcloud firestore databases "
        "create --project={project} --database='{database}' --location=eur3`",
        api.Forbidden: "no permission to use Firestore: run `gcloud projects add-iam-policy-binding"
        " {project} --member=serviceAccount:EMAIL --role=roles/datastore.user`",
        api.FailedPrecondition: "a Firestore query lacks its index: deploy firestore_indexes with "
        "`terraform apply` in infra/",
    },
)

TOPIC = GoogleService(
    "pubsub.googleapis.com",
    BusUnavailable,
    BusUnavailable,
    {
        api.NotFound: "there is no topic projects/{project}/topics/{name}: apply infra/, or "
        "`gcloud pubsub topics create {name} --project={project}`",
        api.Forbidden: "no permission to publish to projects/{project}/topics/{name}: apply "
        "infra/, or `gcloud pubsub topics add-iam-policy-binding {name} --project={project} "
        "--member=serviceAccount:EMAIL --role=roles/pubsub.publisher`",
    },
)

SUBSCRIPTION = GoogleService(
    "pubsub.googleapis.com",
    BusUnavailable,
    BusUnavailable,
    {
        api.NotFound: "there is no subscription projects/{project}/subscriptions/{name}: apply "
        "infra/, or `gcloud pubsub subscriptions create {name} --topic={name} --project={project}`",
        api.Forbidden: "no permission to read projects/{project}/subscriptions/{name}: apply "
        "infra/, or `gcloud pubsub subscriptions add-iam-policy-binding {name} "
        "--project={project} --member=user:EMAIL --role=roles/pubsub.subscriber`",
    },
)

TASKS = GoogleService(
    "cloudtasks.googleapis.com",
    BusUnavailable,
    BusUnavailable,
    {
        api.NotFound: "there is no queue {queue} in {location}: apply infra/, or `gcloud tasks "
        "queues create {queue} --project={project} --location={location}`",
        api.Forbidden: "no permission to create tasks in the queue {queue}: apply infra/, or "
        "`gcloud tasks queues add-iam-policy-binding {queue} --project={project} "
        "--location={location} --member=serviceAccount:EMAIL --role=roles/cloudtasks.enqueuer` "
        "and `gcloud iam service-accounts add-iam-policy-binding {account} --project={project} "
        "--member=serviceAccount:EMAIL --role=roles/iam.serviceAccountUser`",
    },
)

STORAGE = GoogleService(
    "storage.googleapis.com",
    SinkUnavailable,
    NotConfigured,
    {
        api.NotFound: "there is no bucket gs://{bucket} for the reports: apply infra/, or "
        "`gcloud storage buckets create gs://{bucket}`",
        api.Forbidden: "no permission to keep reports in gs://{bucket}: apply infra/, or `gcloud "
        "storage buckets add-iam-policy-binding gs://{bucket} --member=serviceAccount:EMAIL "
        "--role=roles/storage.objectUser`",
    },
)

SECRETS = GoogleService(
    "secretmanager.googleapis.com",
    SecretsUnavailable,
    NotConfigured,
    {
        api.NotFound: "the secret {name!r} has no version {version} in project {project}: look "
        "with `gcloud secrets versions list {name} --project={project}`, make one with `gcloud "
        "secrets create {name} --data-file=FILE --project={project}` or `gcloud secrets versions "
        "add {name} --data-file=FILE --project={project}`",
        api.FailedPrecondition: "version {version} of the secret {name!r} is disabled or "
        "destroyed: `gcloud secrets versions enable {version} --secret={name} "
        "--project={project}`",
        api.Forbidden: "no permission to read the secret {name!r}: apply infra/, or `gcloud "
        "secrets add-iam-policy-binding {name} --project={project} "
        "--member=serviceAccount:EMAIL --role=roles/secretmanager.secretAccessor`",
        api.InvalidArgument: "Secret Manager knows no secret {name!r} of project {project!r}: "
        "`gcloud secrets list`",
    },
    repeats_text=False,
)


def is_passing(exc: Exception) -> bool:
    """Return whether the call that raised *exc* may succeed if it is repeated in a moment."""
    if isinstance(exc, auth.GoogleAuthError) and exc.retryable:
        return True
    if isinstance(exc, api.TooManyRequests) and _TOO_LARGE.search(str(exc)):
        return False
    # 408 (Request Timeout) has no class of its own.
    return isinstance(exc, _PASSING) or getattr(exc, "code", None) == 408


def waits() -> Iterator[float]:
    """Return the waits before one repeat after the other, in seconds, without end."""
    endless: Iterator[float] = retry.exponential_sleep_generator(FIRST_WAIT_S, LONGEST_WAIT_S)
    return endless


def call(
    service: GoogleService,
    what: str,
    target: Callable[[], T],
    place: Mapping[str, str],
    *,
    expected: tuple[type[Exception], ...] = (),
    patience_s: float = PATIENCE_S,
) -> T:
    """Return what *target* returns. Repeat it for *patience_s* seconds while it fails in passing.

    Args:
        service: Whose errors *target* raises.
        what: What is done, for the error's text: "publishing to …".
        target: Makes one call, with a timeout and without repeats of its own.
        place: What fills the service's hints.
        expected: Errors that the caller reads as answers. They are raised as they are.
        patience_s: No repeat begins after this long, in seconds.

    Raises:
        FanfoldError: See the top of this module.
    """
    begun = time.monotonic()

    def last_error(
        failures: list[Exception], reason: object, _: float | None
    ) -> tuple[Exception, None]:
        last = failures[-1]
        if reason is retry.RetryFailureReason.TIMEOUT:
            spent_s = time.monotonic() - begun
            tries = "1 try" if len(failures) == 1 else f"{len(failures)} tries"
            last.add_note(f"within {spent_s:.1f} s and {tries}")
        return last, None

    try:
        result: T = retry.retry_target(
            target, is_passing, waits(), timeout=patience_s, exception_factory=last_error
        )
    except expected:
        raise
    except RAISED as exc:
        raise ours(service, what, exc, place) from (exc if service.repeats_text else None)
    return result


def ours(
    service: GoogleService, what: str, exc: Exception, place: Mapping[str, str]
) -> FanfoldError:
    """Return the error of fanfold's that *exc* is. See :func:`call` for the arguments."""
    text = " ".join(str(getattr(exc, "message", "") or exc).split())
    said = type(exc).__name__
    if service.repeats_text and text:
        said += f": {text[:MAX_TEXT]}"
    if is_passing(exc):
        tried = "".join(f" {note}" for note in getattr(exc, "__notes__", ())[-1:])
        return service.passing(f"{what}{tried}: {said}")
    hint = _hint(service, exc, text)
    if hint is not None:
        return service.refused(f"{hint.format(**place)} ({said})")
    return Unacceptable(f"{what}: {said}")


def _hint(service: GoogleService, exc: Exception, text: str) -> str | None:
    if isinstance(exc, auth.GoogleAuthError | api.Unauthorized):
        return _LOGIN
    if isinstance(exc, api.Forbidden) and ("has not been used" in text or "disabled" in text):
        return f"run `gcloud services enable {service.address} --project={{project}}`"
    hints = (hint for kind, hint in service.hints.items() if isinstance(exc, kind))
    return next(hints, None)
