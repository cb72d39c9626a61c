"""Google Cloud, or its emulators: Firestore, and every topic and subscription."""

from __future__ import annotations

from collections.abc import Iterator

from fanfold.cli.findings.finding import Finding, Level
from fanfold.cli.output import words
from fanfold.cli.session import Session
from fanfold.domain.model.errors import FanfoldError, NotConfigured
from fanfold.runtime.google import inventory


def pubsub(session: Session) -> Iterator[Finding]:
    """Give what is missing of the topics and subscriptions, or that all of them are there."""
    count = {"topic": 0, "subscription": 0}
    is_whole = True
    try:
        for kind, name, problem in inventory(session.settings):
            count[kind] += 1
            if problem:
                is_whole = False
                yield Finding(Level.ERROR, f"{kind} {name}", problem, words.APPLY_INFRA)
    except NotConfigured as exc:
        yield Finding(Level.ERROR, "Pub/Sub", str(exc), words.LOG_IN)
        return
    if is_whole:
        text = f"{count['topic']} topics and {count['subscription']} subscriptions are there"
        yield Finding(Level.OK, "Pub/Sub", text)


def unreachable(session: Session, exc: FanfoldError) -> Finding:
    """Return what is to be said of Firestore, which could not be read for the reason *exc*."""
    command = words.LOG_IN if session.settings.project else words.NAME_THE_PROJECT
    return Finding(Level.ERROR, "Firestore", str(exc), command)
