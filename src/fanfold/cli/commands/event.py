"""``fanfold event``: the message that asks for a run, to paste where fanfold is not installed."""

from __future__ import annotations

import base64
import json
import shlex
from dataclasses import replace
from typing import Annotated

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.cli import run_options
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import SERVE_WORKS, form_of
from fanfold.cli.runs.store import has_store
from fanfold.cli.session import Session
from fanfold.domain.model.errors import NotConfigured
from fanfold.domain.model.request import RunRequest
from fanfold.messages.run_request import encode_run_request
from fanfold.messages.topology import RUN_REQUESTS
from fanfold.runtime.embedded import where_to_post

#: What ``--format`` takes.
FORMS = ("gcloud", "curl", "json")

#: Where Pub/Sub takes what is published.
PUBSUB = "https://pubsub.googleapis.com"

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The messages that ask for something, to paste into another terminal.",
)


@app.callback()
def event() -> None:
    """Print the messages that ask for something, to paste into another terminal."""


@app.command("run")
@run_options.asks
def run(
    context: typer.Context,
    *,
    request: RunRequest,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask for the plan only.")] = False,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="gcloud, curl or json.")
    ] = "gcloud",
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where curl posts to, if not to your serve.")
    ] = None,
) -> int:
    """Print what asks for a run: a gcloud line, a curl line, or the message itself.

    gcloud publishes on run-requests (FANFOLD_TOPIC_PREFIX and GOOGLE_CLOUD_PROJECT are used); curl
    posts to `fanfold serve` on this file, with its token (keep it to yourself), or on the google
    backend to Pub/Sub; json is the message itself, which both take.

    Examples:
      fanfold event run --tag daily
      fanfold event run plu --reason "new zoning plan" --format curl | sh
    """
    session = Session.of(context)
    form = form_of(output, FORMS)
    request = replace(request, dry_run=dry_run)
    _check(session, request)
    out(_written(session, request, form, url))
    return OK


def _written(session: Session, request: RunRequest, form: str, url: str | None) -> str:
    text = encode_run_request(request).data.decode()
    if form == "json":
        return text
    if form == "gcloud":
        return _gcloud(session, text)
    if session.settings.backend == "google":
        return _curl_to_pubsub(session, text, url or PUBSUB)
    address, token = where_to_post(session.settings) if has_store(session) else ("", "")
    if not token:
        why = f"nobody served {session.settings.database} yet, so nothing takes what curl posts"
        raise CommandError(why, SERVE_WORKS)
    return _curl(url or address, shlex.quote(f"Authorization: Bearer {token}"), text)


def _curl_to_pubsub(session: Session, text: str, url: str) -> str:
    settings = session.settings
    if not settings.project:
        raise NotConfigured("GOOGLE_CLOUD_PROJECT is not set: curl posts to a topic of a project")
    topic = f"projects/{settings.project}/topics/{settings.topic_prefix}{RUN_REQUESTS}"
    data = base64.b64encode(text.encode()).decode()
    header = '"Authorization: Bearer $(gcloud auth print-access-token)"'
    body = json.dumps({"messages": [{"data": data}]})
    return _curl(f"{url.rstrip('/')}/v1/{topic}:publish", header, body)


def _curl(url: str, authorization: str, body: str) -> str:
    return (
        f"curl -sS -X POST {shlex.quote(url)} -H {authorization} "
        f"-H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )


def _gcloud(session: Session, text: str) -> str:
    settings = session.settings
    words = ["gcloud", "pubsub", "topics", "publish", settings.topic_prefix + RUN_REQUESTS]
    if settings.project:
        words.append(f"--project={settings.project}")
    return f"{shlex.join(words)} --message={shlex.quote(text)}"


def _check(session: Session, request: RunRequest) -> None:
    """Refuse what the configuration here does not know; without one, print it all the same.

    Raises:
        Rejected: With one sentence for each problem.
    """
    catalogue = session.catalogue_or_none("the message is not checked")
    if catalogue is None:
        return
    now = SystemClock().now()
    run_options.planned(request, catalogue, now=now, histories={}, busy={})
