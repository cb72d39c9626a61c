"""The one table of what Google's errors mean."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions

from fanfold.adapters.google import errors
from fanfold.adapters.google.errors import FIRESTORE, SECRETS, STORAGE, TASKS, TOPIC, GoogleService
from fanfold.domain.model.errors import (
    BusUnavailable,
    FanfoldError,
    NotConfigured,
    Permanent,
    SecretsUnavailable,
    SinkUnavailable,
    StoreUnavailable,
    Transient,
    Unacceptable,
)

#: The libraries' classes say nothing of the types that they take.
api: Any = api_exceptions
auth: Any = auth_exceptions

SERVICES = [FIRESTORE, TOPIC, errors.SUBSCRIPTION, TASKS, STORAGE, SECRETS]

#: The error of each service that does not answer.
PASSING = {
    id(FIRESTORE): StoreUnavailable,
    id(TOPIC): BusUnavailable,
    id(errors.SUBSCRIPTION): BusUnavailable,
    id(TASKS): BusUnavailable,
    id(STORAGE): SinkUnavailable,
    id(SECRETS): SecretsUnavailable,
}

#: Fills every hint.
PLACE = {
    key: f"the-{key}"
    for key in ("project", "database", "name", "queue", "location", "account", "bucket", "version")
}


def raised_by(service: GoogleService, exc: Exception, *, patience_s: float = 0.0) -> FanfoldError:
    def fail() -> None:
        raise exc

    with pytest.raises(FanfoldError) as caught:
        errors.call(service, "doing it", fail, PLACE, patience_s=patience_s)
    return caught.value


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "exc",
    [
        api.Aborted("said"),
        api.BadGateway("said"),
        api.Cancelled("said"),
        api.DataLoss("said"),
        api.DeadlineExceeded("said"),
        api.GatewayTimeout("said"),
        api.InternalServerError("said"),
        api.ResourceExhausted("said"),
        api.ServiceUnavailable("said"),
        api.TooManyRequests("said"),
        api.Unknown("said"),
        api.from_http_status(408, "said"),
        auth.TransportError("said"),
        auth.RefreshError("said", retryable=True),
        requests.exceptions.ConnectionError("said"),
        requests.exceptions.ChunkedEncodingError("said"),
        requests.exceptions.ReadTimeout("said"),
        ConnectionResetError("said"),
    ],
    ids=repr,
)
def test_what_passes_is_transient_and_says_what_was_done(
    service: GoogleService, exc: Exception
) -> None:
    ours = raised_by(service, exc)

    assert isinstance(ours, Transient)
    assert type(ours) is PASSING[id(service)]
    assert str(ours).startswith("doing it within 0.0 s and 1 try: ")
    assert ("said" in str(ours)) is service.repeats_text


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "exc",
    [
        api.OutOfRange("said"),
        api.MethodNotImplemented("said"),
        api.from_http_status(410, "said"),
        api.from_http_status(413, "said"),
    ],
    ids=repr,
)
def test_what_is_never_taken_is_permanent_and_tried_once(
    service: GoogleService, exc: Exception
) -> None:
    tries = 0

    def fail() -> None:
        nonlocal tries
        tries += 1
        raise exc

    with pytest.raises(Unacceptable, match="doing it: "):
        errors.call(service, "doing it", fail, PLACE)
    assert tries == 1


@pytest.mark.parametrize("service", [FIRESTORE, TOPIC, errors.SUBSCRIPTION, TASKS, STORAGE])
def test_an_invalid_argument_is_permanent(service: GoogleService) -> None:
    assert isinstance(raised_by(service, api.InvalidArgument("said")), Permanent)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("exc", "command"),
    [
        (api.NotFound("said"), "create"),
        (api.PermissionDenied("said"), "add-iam-policy-binding"),
        (api.PermissionDenied("API has not been used in project p"), "gcloud services enable "),
        (api.Forbidden("it is disabled"), "gcloud services enable "),
        (api.Unauthenticated("said"), "gcloud auth application-default login"),
        (auth.DefaultCredentialsError("said"), "gcloud auth application-default login"),
        (auth.RefreshError("said"), "gcloud auth application-default login"),
    ],
    ids=repr,
)
def test_what_a_person_can_mend_names_the_command(
    service: GoogleService, exc: Exception, command: str
) -> None:
    ours = raised_by(service, exc)

    assert isinstance(ours, service.refused)
    assert command in str(ours)
    assert "{" not in str(ours)
    assert "the-" in str(ours) or "login" in command
    if "services enable" in command:
        assert f"{service.address} --project=the-project" in str(ours)


def test_the_bus_keeps_the_message_until_somebody_mended_what_is_refused() -> None:
    assert {each.refused for each in (TOPIC, errors.SUBSCRIPTION, TASKS)} == {BusUnavailable}
    assert {each.refused for each in (FIRESTORE, STORAGE, SECRETS)} == {NotConfigured}


def test_what_passes_is_tried_again_until_it_succeeds() -> None:
    left: list[Exception] = [api.ServiceUnavailable("no"), ConnectionResetError("no")]

    def work() -> int:
        if left:
            raise left.pop()
        return 7

    assert errors.call(FIRESTORE, "doing it", work, PLACE) == 7


def test_patience_is_measured_and_said() -> None:
    begun = time.monotonic()
    ours = raised_by(FIRESTORE, api.ServiceUnavailable("said"), patience_s=0.5)

    assert time.monotonic() - begun < 1.5
    assert str(ours).startswith("doing it within 0.")
    assert str(ours).endswith(" tries: ServiceUnavailable: said")


@pytest.mark.parametrize("kind", [api.NotFound, api.AlreadyExists, api.InvalidArgument])
def test_an_answer_that_the_caller_expects_is_raised_as_it_is(
    kind: Callable[[str], Exception],
) -> None:
    answer = kind("said")

    def fail() -> None:
        raise answer

    with pytest.raises(api.GoogleAPICallError) as caught:
        errors.call(FIRESTORE, "doing it", fail, PLACE, expected=(type(answer),))
    assert caught.value is answer


def test_an_error_of_our_own_passes_through() -> None:
    def fail() -> None:
        raise NotConfigured("install it")

    with pytest.raises(NotConfigured, match=r"^install it$"):
        errors.call(STORAGE, "doing it", fail, PLACE)


def test_what_secret_manager_said_is_in_no_error_nor_behind_it() -> None:
    for exc in (api.PermissionDenied("canary"), api.Unknown("canary"), api.OutOfRange("canary")):
        ours = raised_by(SECRETS, exc)

        assert "canary" not in str(ours)
        assert ours.__cause__ is None
        assert ours.__suppress_context__


def test_a_long_text_is_cut_and_stands_on_one_line() -> None:
    text = str(raised_by(FIRESTORE, api.InvalidArgument("a\nb" + "x" * 1000)))

    assert text == f"doing it: InvalidArgument: a b{'x' * 297}"
