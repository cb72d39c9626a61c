"""Google Cloud, or its emulators: Firestore, topics and subscriptions, and what is deployed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from fanfold.cli.findings.deployed import Deployed
from fanfold.cli.findings.finding import Finding, Level
from fanfold.cli.output import words
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError, NotConfigured
from fanfold.domain.syntax.durations import duration
from fanfold.ports.deployment import NotSeen
from fanfold.runtime.google import EMULATORS, deployment, inventory


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
    except FanfoldError as exc:
        yield Finding(Level.ERROR, "Pub/Sub", str(exc), _way_in(exc))
        return
    if is_whole:
        text = f"{count['topic']} topics and {count['subscription']} subscriptions are there"
        yield Finding(Level.OK, "Pub/Sub", text)


def unreachable(session: Session, exc: FanfoldError) -> Finding:
    """Return what is to be said of Firestore, which could not be read for the reason *exc*."""
    command = _way_in(exc) if session.settings.project else words.NAME_THE_PROJECT
    return Finding(Level.ERROR, "Firestore", str(exc), command)


def _way_in(exc: FanfoldError) -> str:
    """Return the command for who could not reach a service: log in, or look at the network."""
    return words.LOG_IN if isinstance(exc, NotConfigured) else words.CONNECT_TO_GOOGLE


def deployed(session: Session, catalogue: Catalogue | None, timeout_s: float) -> Iterator[Finding]:
    """Give what is to be said of what is deployed; nothing on the emulators, where nothing is."""
    if any(session.env.get(each) for each in EMULATORS):
        return
    settings = session.settings
    try:
        looks = deployment(settings, timeout_s)
    except NotSeen as exc:
        yield Finding(Level.WARNING, "deployment", f"not looked at: {exc}", words.LOG_IN)
        return
    except NotConfigured:
        return  # said of Pub/Sub already
    yield from Deployed(looks, settings.topic_prefix, catalogue, settings.tasks_location).findings()


def within(until: float, subject: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Give what *look* finds, and an error if it has not ended at *until* on the monotonic clock.

    Google's libraries may wait longer than they are told, for a name or a token. So *look* has a
    thread of its own, and is left to itself if it takes too long: it only reads.
    """
    found: queue.Queue[Finding | BaseException | None] = queue.Queue()

    def work() -> None:
        try:
            for each in look():
                found.put(each)
            found.put(None)
        except BaseException as exc:  # noqa: BLE001 - whatever it is, whoever waits gets it
            found.put(exc)

    begun = time.monotonic()
    if begun >= until:
        yield Finding(Level.WARNING, subject, "not looked at: no time was left")
        return
    threading.Thread(target=work, name=f"fanfold-look-{subject}", daemon=True).start()
    while True:
        try:
            one = found.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            waited = duration(round(time.monotonic() - begun, 1))
            text = f"no answer in {waited}: is Google Cloud reached from here?"
            yield Finding(Level.ERROR, subject, text, words.CONNECT_TO_GOOGLE)
            return
        if one is None:
            return
        if isinstance(one, BaseException):
            raise one
        yield one
