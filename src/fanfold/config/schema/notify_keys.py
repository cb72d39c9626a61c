"""The shape of the section ``notify``: who is told what, and how.

Descriptions and defaults are as in :mod:`fanfold.config.schema.keys`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from fanfold.config.schema.types import (
    Duration,
    Moment,
    Rhythm,
    Section,
    Slots,
    Template,
    Url,
    UrlTemplate,
    setting,
)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _some(value: Any) -> Any:
    """Return a list without what stands for nothing."""
    listed = _listed(value)
    return [each for each in listed if each is not None] if isinstance(listed, list) else listed


class WebhookSection(Section):
    """A webhook for machines."""

    url: UrlTemplate | None = setting(None, "where every event is posted")
    secret: Template | None = setting(None, "signs the events: whsec_ and base64")


def _webhook(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


_WEBHOOK_SCHEMA = {
    "x-form": "{url, secret}, or a URL; each may be a reference",
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"url": {"type": "string"}, "secret": {"type": "string"}},
            "additionalProperties": False,
        },
    ],
}


class RemindSection(Section):
    """When people hear again of a collector that goes on failing."""

    after: Slots = setting(3, "the slot in a row, at most 14, on which it is told again")
    every: Duration = setting("7d", "how long after that, each time")


class LinksSection(Section):
    """Where people find what messages speak of."""

    base_url: Url = setting(
        "", "where the reports are served: messages link to base_url/RUN/report.html"
    )


class NotifySection(Section):
    """Who is told how a run ended."""

    on: Annotated[list[Moment], BeforeValidator(_listed)] = setting(
        ["failed", "recovered", "missed", "rejected"],
        "what people are told: changes; with succeeded, of every run that succeeded too",
    )
    to: Annotated[list[UrlTemplate], BeforeValidator(_some)] = setting(
        [], "people, by the URLs of Apprise: mailto://…, msteams://…, and a hundred more"
    )
    remind: RemindSection = setting({}, "when people hear again of what goes on failing")
    slack: UrlTemplate | None = setting(None, "a Slack webhook; the same as one more in to")
    webhook: (
        Annotated[WebhookSection, BeforeValidator(_webhook), WithJsonSchema(_WEBHOOK_SCHEMA)] | None
    ) = setting(
        None,
        "posted every finished, missed and refused event as a CloudEvent, "
        "signed by Standard Webhooks",
    )
    heartbeat: UrlTemplate | None = setting(
        None, "the ping URL of Healthchecks, for the runs of slots: /start, success, /fail"
    )
    proof_of_life: Rhythm = setting(
        "never", "weekly: people hear on Mondays at 08:00 that fanfold lives, and how the week was"
    )
    links: LinksSection = setting({}, "where messages link to")
