"""Runs of every variety, to be folded: one mixed night, a green one, a big one, and notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fanfold.domain.model.collector import CollectorHistory, CollectorSpec, Mode
from fanfold.domain.model.run import (
    Answer,
    Attempt,
    CheckedExpectation,
    EarlierTry,
    Entry,
    Failure,
    LateAnswer,
    Run,
    RunFigures,
    Skip,
    Trigger,
    Verdict,
)
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.report.balance import paired
from fanfold.domain.report.figures import Remembered
from fanfold.domain.report.fold import Folding, fold
from fanfold.rendering import Documents

START = datetime(2026, 11, 23, 2, 15, 0, 112_000, tzinfo=UTC)
RUN_ID = "2026-11-23T0215Z-nightly"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_run(total: int, asked: int, **changes: Any) -> Run:
    run = Run(
        run_id=RUN_ID,
        writer="w1",
        trigger=Trigger("schedule", by="nightly", message_id="1122"),
        start_time=START,
        deadline=after(7200),
        scheduled_for=START.replace(microsecond=0),
        total=total,
        asked=asked,
        timezone="Europe/Paris",
        tolerated_failures=0,
        report_to="reports",
        config_version="sha256:9f2c61d0",
        retry_of=None,
        expires_at=after(400 * 86_400),
    )
    return replace(run, **changes)


def an_entry(
    name: str, *, skip: Skip | None = None, past: CollectorHistory | None = None, **spec: Any
) -> Entry:
    made = CollectorSpec(name=name, url=f"https://{name}.example/", **spec)
    return Entry(made, skip=skip, past=past or CollectorHistory())


def an_answer(
    name: str,
    outcome: Outcome = Outcome.SUCCEEDED,
    *,
    start: float | None = 2.0,
    end: float = 41.0,
    **what: Any,
) -> Answer:
    """Return an answer whose single attempt took from *start* to *end*, in seconds of the run."""
    attempts: tuple[Attempt, ...] = ()
    if start is not None:
        word = "succeeded" if outcome is Outcome.SUCCEEDED else "failed"
        error = what.get("error")
        status = 502 if error and error.kind == "http" else None if error else 200
        attempts = (Attempt(1, after(start), after(end), word, status, error),)
    given: dict[str, Any] = {
        "run_id": RUN_ID,
        "collector": name,
        "writer": f"relay/{name}",
        "outcome": outcome,
        "end_time": after(end),
        "start_time": None if start is None else after(start),
        "queued_s": start,
        "attempts": attempts,
    }
    return Answer(**(given | what))


def failed(name: str, message: str = "HTTP 500", kind: str = "http", **what: Any) -> Answer:
    return an_answer(name, Outcome.FAILED, error=Failure(kind, message), **what)


def timed_out(name: str, end: float = 7200.0, **what: Any) -> Answer:
    error = Failure("deadline", "no answer by the run's deadline")
    return an_answer(name, Outcome.TIMED_OUT, end=end, error=error, **what)


def plu_answer() -> Answer:
    unavailable = Failure("http", "HTTP 503: upstream is busy", retryable=True)
    empty = Failure("expectation", "expected at least 40 records, got 0")
    return failed(
        "plu",
        empty.message,
        empty.kind,
        start=41.0,
        end=190.0,
        records=0,
        bytes=0,
        attempts=(
            Attempt(1, after(41), after(102), "retry", 503, unavailable),
            Attempt(2, after(132), after(190), "failed", 200, empty),
        ),
        expectations=(CheckedExpectation("min_records", 40, 0, ok=False, severity="fail"),),
        warnings=("zone-urba?partition=DU_35238 is empty; it is now DU_243500139 (PLUi)",),
    )


def nightly(past: CollectorHistory) -> CollectorHistory:
    """Return *past* with a slot for each of its outcomes, the last one the night before."""
    number = len(past.outcomes)
    last = int(START.timestamp()) // 60 * 60
    times = tuple(last - 86_400 * back for back in range(number, 0, -1))
    return replace(past, times=times, kinds="s" * number)


def retried_night() -> dict[str, Any]:
    """Return the report of a retry of the mixed night in which plu succeeded."""
    first = night_answers()
    manifest = [
        replace(entry, earlier=(EarlierTry(RUN_ID, plu.outcome, plu.end_time, plu.error, 2, 0),))
        if (plu := next((each for each in first if each.collector == entry.name), None))
        and entry.name == "plu"
        else replace(entry, skip=entry.skip or Skip("answered"), carried=plu)
        for entry in night_manifest()
    ]
    again = an_answer(
        "plu", run_id=f"{RUN_ID}-try2", records=412, bytes=120_000, start=17_850.0, end=17_916.0
    )
    run = a_run(
        4,
        1,
        run_id=f"{RUN_ID}-try2",
        retry_of=RUN_ID,
        trigger=Trigger("retry", message_id="3344"),
        start_time=after(17_840),
        deadline=after(17_840 + 7200),
    )
    return fold(run, manifest, [again])


def night_manifest() -> list[Entry]:
    dvf = CollectorHistory(
        (31_874,) * 14, (44.0,) * 7, "s" * 22 + "m" + "s" * 7, "2026-10-14", after(-86_400)
    )
    plu = CollectorHistory((412,) * 14, (66.0,) * 7, "s" * 11 + "f" + "s" * 10 + "m" + "s" * 7)
    steps = tuple(range(22_000, 24_001, 150))[-14:]
    sirene = CollectorHistory(steps, (1190.0,) * 7, "s" * 22 + "m" + "s" * 7, None, after(-86_400))
    insee = CollectorHistory((332,), (4.0,), "k" * 8 + "s" + "k" * 13 + "m" + "k" * 7, "2026-01-01")
    not_due = Skip("not_due", datetime(2026, 12, 1, 2, 15, tzinfo=UTC))
    return [
        an_entry("insee_contours", skip=not_due, past=nightly(insee), tags=("geo", "monthly")),
        an_entry("dvf", past=nightly(dvf), tags=("weekly",), upstream="files.data.gouv.fr"),
        an_entry("sirene", past=nightly(sirene), mode=Mode.ASYNC, tags=("daily",)),
        an_entry("plu", past=nightly(plu), tags=("zoning", "daily")),
    ]


def night_answers() -> list[Answer]:
    dvf = an_answer("dvf", records=31_874, bytes=4_100_000, unchanged=True, revision="2026-10-14")
    sirene = an_answer(
        "sirene",
        end=1264.198,
        records=24_160,
        bytes=38_000_000,
        artifacts=("gs://acme/sirene.parquet",),
        metrics={"pages": 967},
        attempts=(Attempt(1, after(2), after(2.4), "accepted", 202),),
    )
    return [dvf, plu_answer(), sirene]


def mixed_night(**changes: Any) -> dict[str, Any]:
    return fold(a_run(4, 3, **changes), night_manifest(), night_answers())


def revised_night() -> dict[str, Any]:
    late = LateAnswer(an_answer("plu", end=7300.0, records=412), after(7301))
    return fold(a_run(4, 3), night_manifest(), night_answers(), [late], revision=2)


def green_night() -> dict[str, Any]:
    manifest = [replace(entry, skip=None) for entry in night_manifest()]
    answers = [
        *(one for one in night_answers() if one.collector != "plu"),
        an_answer("plu", records=415, end=66.0, bytes=120_000),
        an_answer("insee_contours", records=332, end=6.5, bytes=900_000),
    ]
    return fold(a_run(4, 4), manifest, answers)


def many(collectors: int, broken: int, hung: int = 0) -> dict[str, Any]:
    names = [f"c{number:03d}" for number in range(1, collectors + 1)]
    past = CollectorHistory(tuple(range(900, 1040, 10)), (30.0,) * 7, "sssfsk" * 5)
    answers = [
        failed(name, "HTTP 502: bad gateway", end=20.0 + number % 50)
        if number < broken
        else timed_out(name, end=600.0)
        if number < broken + hung
        else an_answer(name, records=1000 + number, bytes=52_000 * number, end=12 + number % 90)
        for number, name in enumerate(names)
    ]
    manifest = [an_entry(name, past=past) for name in names]
    return fold(a_run(collectors, collectors), manifest, answers)


def closing(run: Run, manifest: Sequence[Entry], answers: Sequence[Answer]) -> Verdict:
    folding = Folding(run)
    for entry, answer in paired(manifest, answers):
        folding.take(entry, answer)
    return folding.closing()


def remembered(
    run: Run, manifest: Sequence[Entry], answers: Sequence[Answer]
) -> Sequence[RunFigures]:
    taken = Remembered(run)
    for entry, answer in paired(manifest, answers):
        taken.take(entry, answer)
    return taken.figures(run.start_time)


def drawn(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the documents to store, by file name."""
    drawing = Documents(report)
    for name, one in report["collectors"].items():
        drawing.add(name, one)
    return {name: b"".join(pieces) for name, pieces in drawing.documents(report).items()}


def notice(status: RunStatus, about: str) -> dict[str, Any]:
    return fold(a_run(0, 0, verdict=status, about=about), [], [])
