"""The shape of the file: every key, its form, its default and what it means.

The keys' descriptions are the documentation's tables and the JSON Schema's texts. Defaults are
written as a user would write them. Nothing here knows where a value came from.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import WithJsonSchema, WrapValidator, model_validator

from fanfold.config.schema import addresses, values
from fanfold.config.schema.console_keys import ConsoleSection
from fanfold.config.schema.notify_keys import NotifySection
from fanfold.config.schema.types import (
    LENGTH,
    NUMBER,
    NUMBERS,
    SCHEMA,
    SHARE,
    AtLeastOne,
    Bucket,
    Count,
    CountLimit,
    CountsLimit,
    Criticality,
    Cron,
    Duration,
    DurationLimit,
    Email,
    Flag,
    Folder,
    ModeWord,
    Names,
    OverlapWord,
    Params,
    Proxy,
    Queue,
    ScheduleName,
    SchemaLimit,
    Section,
    ShareLimit,
    SlowAfter,
    Tags,
    Template,
    Text,
    Tolerance,
    TransportWord,
    Url,
    Version,
    Zone,
    limit,
    setting,
)
from fanfold.config.schema.upstream_keys import UpstreamSection
from fanfold.config.schema.values import Wrong

with warnings.catch_warnings():
    # pydantic has a method of this name, which it does not want to be called any more.
    warnings.filterwarnings("ignore", 'Field name "schema"')

    class Expectations(Section):
        """What an answer must look like to count as a success."""

        min_records: Annotated[CountLimit, *limit("number", NUMBER)] = setting(
            1, "fewer records fail the collector; 0 says that empty is fine"
        )
        max_records: Annotated[CountLimit, *limit("number", NUMBER)] | None = setting(
            None, "more records are a warning"
        )
        max_drop: Annotated[ShareLimit, *limit("percentage", SHARE)] | None = setting(
            None,
            "a count this far below the median of the last 7 successes (at least 3) is a warning",
        )
        not_exactly: Annotated[CountsLimit, *limit("list of numbers", NUMBERS)] | None = setting(
            None, "exactly these counts are a warning: a round count is often the limit of a search"
        )
        max_age: Annotated[DurationLimit, *limit("duration", LENGTH)] | None = setting(
            None, "an answer whose revision is older is a warning"
        )
        max_duration: Annotated[DurationLimit, *limit("duration", LENGTH)] | None = setting(
            None, "a slower answer is a warning"
        )
        max_date_age: Annotated[DurationLimit, *limit("duration", LENGTH)] | None = setting(
            None, "an answer whose data_until is older is a warning"
        )
        schema: Annotated[SchemaLimit, *limit("unchanged | warn | fail", SCHEMA)] | None = setting(  # type: ignore[assignment]
            None, "other columns than those of the last success are a warning; fail: they fail it"
        )


class Retries(Section):
    """How a failure that may pass is tried again."""

    max: Count = setting(2, "tries after the first one")
    backoff: Duration = setting("30s", "wait before the first retry; it doubles each time")
    max_backoff: Duration = setting("10m", "longest wait between two tries")


class Oidc(Section):
    """A Google id token."""

    audience: Url = setting("", "audience of the token; empty is the URL without its query")


class AuthForms(Section):
    """One of the ways to prove who is calling; none of them set is ``none``."""

    bearer: Template | None = setting(None, "sent as Authorization: Bearer")
    header: dict[str, Template] | None = setting(None, "headers, each with a template")
    oidc: Oidc | None = setting(None, "a Google id token with an audience of its own")

    @model_validator(mode="after")
    def _one(self) -> AuthForms:
        chosen = [form for form in (self.bearer, self.header, self.oidc) if form is not None]
        if len(chosen) != 1 or self.header == {}:
            fix = "write auth: oidc, or one of bearer:, header: or oidc: with its value"
            raise Wrong("choose one way", fix)
        lowered = [name.lower() for name in self.header or {}]
        for name in self.header or {}:
            addresses.header_name(name)
        if len(set(lowered)) < len(lowered):
            raise Wrong("a header stands twice", "header names ignore upper and lower case")
        return self


_AUTH_WORDS: dict[str, Callable[[], AuthForms]] = {
    "oidc": lambda: AuthForms.model_construct(oidc=Oidc()),
    "none": AuthForms.model_construct,
    "bearer": lambda: AuthForms.model_construct(bearer=""),
}


#: What ``auth`` may be in one word.
AUTH_WORDS = tuple(_AUTH_WORDS)


def _auth(value: Any, handler: Callable[[Any], AuthForms]) -> AuthForms:
    if isinstance(value, dict):
        return handler(value)
    if isinstance(value, str) and value not in AUTH_WORDS and not values.is_near(value, AUTH_WORDS):
        # Somebody's token may stand here: it is not repeated.
        what = f"this is not one of {', '.join(AUTH_WORDS)}"
        raise values.Wrong(what, 'write auth: {bearer: "${VARIABLE}"} for a token')
    return _AUTH_WORDS[values.one_of(value, AUTH_WORDS)]()


_AUTH_SCHEMA = {
    "x-form": "oidc | none | bearer | {bearer: …} | {header: {…}} | {oidc: {audience: …}}",
    "anyOf": [
        {"enum": [*_AUTH_WORDS]},
        {"type": "string", "pattern": r"\$\{"},
        *(
            {
                "type": "object",
                "properties": {form: schema},
                "required": [form],
                "additionalProperties": False,
            }
            for form, schema in {
                "bearer": {"type": "string"},
                "header": {"type": "object", "additionalProperties": {"type": "string"}},
                "oidc": {"type": "object", "properties": {"audience": {"type": "string"}}},
            }.items()
        ),
    ],
}

AuthChoice = Annotated[AuthForms, WrapValidator(_auth), WithJsonSchema(_AUTH_SCHEMA)]


class CollectorSection(Section):
    """One collector, or ``scheduler.defaults``."""

    enabled: Flag = setting(default=True, description="false: never asked, and it needs no URL")
    schedule: Cron = setting(None, "when it is due, in scheduler.timezone; absent: by hand only")
    url: Url = setting("", "where the collector is called; absent: see *Where a collector is*")
    timeout: Duration = setting("9m", "longest time of one attempt; with mode: async of the answer")
    wait_timeout: Duration | None = setting(
        None, "longest wait for its first attempt; absent: as long as the run lasts"
    )
    heartbeat: Duration | None = setting(
        None, "with mode: async: no progress for so long ends it as timed out, before its timeout"
    )
    slow_after: SlowAfter | None = setting(
        None, "a warning while it runs: after a time, or after usual x 2, its median of 7 successes"
    )
    retries: Retries = setting({}, "how failures that may pass are tried again")
    auth: AuthChoice | None = setting(
        None, "how fanfold proves who it is: see the section of that name"
    )
    mode: ModeWord = setting("sync", "async: it answers 202 now and reports later")
    params: Params = setting({}, "sent with every call; a run request may replace some of them")
    tags: Tags = setting([], "words by which a run request can choose it")
    criticality: Criticality = setting(
        "required", "optional: the run can succeed although this collector fails"
    )
    on_overlap: OverlapWord = setting(
        "skip", "what to do while an earlier run still waits for this collector"
    )
    transport: TransportWord | None = setting(
        None, "how its job reaches the relay on Google Cloud; absent: see use_cloud_tasks"
    )
    expect: Expectations = setting({}, "what an answer must look like")
    upstream: Text | None = setting(
        None, "the source behind it: a name under upstreams; absent: the host of its URL"
    )


class GroupSection(Section):
    """Mirrors of one source."""

    any_of: Names = setting([], "the collectors of the group")
    at_least: AtLeastOne = setting(
        1, "how many of them are enough: then the failure of another one is tolerated"
    )


class SchedulerSection(Section):
    """What holds for every run."""

    timezone: Zone = setting("UTC", "zone in which schedules are read; TZ plays no part")
    name: ScheduleName = setting("scheduled", "the name of scheduled runs: their ids end in it")
    max_concurrent_collectors: AtLeastOne = setting(
        4, "how many collectors are called at the same time, at most"
    )
    run_timeout: Duration = setting(
        "2h", "after this time the report is written, even if collectors still run"
    )
    missed_after: Duration = setting("45m", "a slot that has no run after this time is missed")
    tolerated_failures: Tolerance = setting(
        0, "required collectors that may fail in a run that succeeded: 2, or 10%"
    )
    max_trigger_age: Duration = setting("24h", "older run requests are refused")
    use_cloud_tasks: Flag = setting(
        default=False,
        description="true: collectors without a transport are invoked through Cloud Tasks",
    )
    queue_name: Queue = setting("data-collectors", "the Cloud Tasks queue")
    service_account_email: Email = setting("", "who Cloud Tasks calls as")
    use_secret_manager: Flag = setting(
        default=False, description="false: ${secret:my-name} is read from the variable MY_NAME"
    )
    base_function_url: Url = setting("", "a collector without a URL is at this one, plus /NAME")
    collector_urls: dict[str, Url] = setting({}, "URLs of collectors, by name")
    defaults: CollectorSection = setting({}, "what every collector inherits")
    collectors: dict[str, CollectorSection] = setting({}, "the collectors, by name")
    groups: dict[str, GroupSection] = setting({}, "collectors that stand for one another, by name")


class ReportSection(Section):
    """Where reports go."""

    folder: Folder | None = setting(
        None, "a folder, relative to where fanfold is started; reports if there is no bucket either"
    )
    bucket: Bucket = setting(None, "a Cloud Storage bucket, with a prefix if you like")
    keep: Duration = setting("400d", "how long runs and reports are kept")


class NetworkSection(Section):
    """How collectors are reached."""

    proxy: Proxy | None = setting(
        None, "the proxy for every call but to this machine; absent: HTTPS_PROXY and its kind"
    )
    ca_file: Folder | None = setting(
        None, "certificates to trust; absent: REQUESTS_CA_BUNDLE and its kind, else the usual ones"
    )


class File(Section):
    """The whole file."""

    version: Version = setting(1, "2; absent is 1, the dialect of the old scheduler")
    scheduler: SchedulerSection = setting({}, "what runs, and when")
    report: ReportSection = setting({}, "where reports go")
    notify: NotifySection = setting({}, "who is told")
    network: NetworkSection = setting({}, "how collectors are reached")
    upstreams: dict[str, UpstreamSection] = setting({}, "what the sources can bear, by name")
    console: ConsoleSection = setting({}, "who may look at the console, and act in it")
