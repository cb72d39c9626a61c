"""Whether an answer is what its collector is expected to give: 200 OK is not yet success.

``unchanged`` means that there was nothing new, so counts are not held against anything then. Where
the collector did not count, an expectation that somebody wrote is broken, for a sign-in page counts
nothing either; a default is not, and the answer gets a warning. A broken expectation is never
retried: the collector would say the same again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from fanfold.domain.model.collector import CollectorHistory, Expect, Severity
from fanfold.domain.model.run import CheckedExpectation, Failure
from fanfold.domain.protocol.columns import change_words, changes_between
from fanfold.domain.protocol.findings import ReportedFigures
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, percent, plural

#: ``max_drop`` compares with the median of at most this many of the last successes …
DROP_WINDOW = 7

#: … and with nothing until there are this many.
DROP_NEEDS = 3


def check(
    expects: Sequence[Expect],
    findings: ReportedFigures,
    past: CollectorHistory,
    *,
    now: datetime,
    seconds: float,
) -> tuple[CheckedExpectation, ...]:
    """Return what became of each of *expects*, leaving out those that do not apply.

    Args:
        expects: The collector's expectations, in the configuration's order.
        findings: What the collector reported.
        past: What was known of it when the run was created.
        now: The instant of the answer, for ``max_age``.
        seconds: How long the collector took, for ``max_duration``.
    """
    checked = (_check(expect, findings, past, now, seconds) for expect in expects)
    return tuple(one for one in checked if one is not None)


def failure(checked: Sequence[CheckedExpectation]) -> Failure | None:
    """Return why the answer is a failure after all, or None. Warnings fail nobody."""
    broken = [one for one in checked if not one.ok and one.severity == Severity.FAIL]
    if not broken:
        return None
    sentences = (expected_words(one.name, one.expected, one.actual) for one in broken)
    return Failure("expectation", "; ".join(sentences), retryable=False)


def missing_count(expects: Sequence[Expect], findings: ReportedFigures) -> str:
    """Return the warning about an answer without a count, or ``""``.

    There is none where the collector has nothing to count (``unchanged``), where a written
    expectation of the count is broken and says it, and where no count is expected at all.
    """
    if findings.records is not None or findings.unchanged:
        return ""
    written = {expect.written for expect in expects if expect.name in COUNTED}
    return NO_COUNT if written == {False} else ""


def expected_words(name: str, expected: Any, actual: Any) -> str:
    """Return a broken expectation in words: ``expected at least 40 records, got 0``."""
    if actual is None:
        return f"expected {_WANTED[name](expected)}, got {_UNKNOWN.get(name, NO_COUNT)}"
    return _WORDS[name][0](expected, actual)


#: Expectations of a length of time.
_LENGTHS = frozenset({"max_age", "max_duration", "max_date_age"})


def checked_words(checked: CheckedExpectation) -> str:
    """Return what was expected and what came, whether it is broken or not."""
    name, expected, actual = checked.name, checked.expected, checked.actual
    if not checked.ok:
        return expected_words(name, expected, actual)
    return f"{name}: {_WANTED[name](expected)}; got {_got(name, actual)}"


def _got(name: str, actual: Any) -> str:
    if name == "schema":
        return str(actual)
    return duration(actual) if name in _LENGTHS else count(actual)


def returned_words(name: str, expected: Any, actual: Any) -> str:
    """Return the same about the collector: ``returned 0 records (expected at least 40)``."""
    if actual is None:
        return f"gave {_UNKNOWN.get(name, NO_COUNT)} (expected {_WANTED[name](expected)})"
    return _WORDS[name][1](expected, actual)


#: Expectations of the record count.
COUNTED = frozenset({"min_records", "max_records", "max_drop", "not_exactly"})

#: What is missing in an answer: to all expectations but those of :data:`_UNKNOWN`, this.
NO_COUNT = "no record count"

_UNKNOWN = {
    "max_age": "no revision that is a date",
    "max_date_age": "no data_until",
    "schema": "no schema",
}

#: What is expected, in words, where the answer does not say what it is about.
_WANTED: dict[str, Callable[[Any], str]] = {
    "min_records": lambda least: f"at least {plural(least, 'record')}",
    "max_records": lambda most: f"at most {plural(most, 'record')}",
    "max_drop": lambda drop: f"at most {percent(drop['max_drop'])} below the usual count",
    "not_exactly": lambda counts: f"any count but {', '.join(map(count, counts))}",
    "max_age": lambda most: f"a revision at most {duration(most)} old",
    "max_duration": lambda most: f"an answer within {duration(most)}",
    "max_date_age": lambda most: f"data at most {duration(most)} old",
    "schema": lambda _: "the columns of the last success",
}


_Words = Callable[[Any, Any], str]

_WORDS: dict[str, tuple[_Words, _Words]] = {
    "min_records": (
        lambda least, got: f"expected at least {plural(least, 'record')}, got {count(got)}",
        lambda least, got: f"returned {plural(got, 'record')} (expected at least {count(least)})",
    ),
    "max_records": (
        lambda most, got: f"expected at most {plural(most, 'record')}, got {count(got)}",
        lambda most, got: f"returned {plural(got, 'record')} (expected at most {count(most)})",
    ),
    "max_drop": (
        lambda drop, got: (
            f"expected at most {percent(drop['max_drop'])} below the usual"
            f" {plural(drop['median'], 'record')}, got {count(got)}"
        ),
        lambda drop, got: f"returned {plural(got, 'record')} (usually {count(drop['median'])})",
    ),
    "not_exactly": (
        lambda _, got: f"expected any count but {plural(got, 'record')}",
        lambda _, got: f"returned exactly {plural(got, 'record')} (a limit, not a count)",
    ),
    "max_age": (
        lambda most, got: f"expected a revision at most {duration(most)} old, got {duration(got)}",
        lambda most, got: f"is {duration(got)} old (expected at most {duration(most)})",
    ),
    "max_duration": (
        lambda most, got: f"expected an answer within {duration(most)}, took {duration(got)}",
        lambda most, got: f"took {duration(got)} (expected at most {duration(most)})",
    ),
    "max_date_age": (
        lambda most, got: f"expected data at most {duration(most)} old, got {duration(got)}",
        lambda most, got: f"has data {duration(got)} old (expected at most {duration(most)})",
    ),
    "schema": (
        lambda _, got: f"expected the columns of the last success, got others: {change_words(got)}",
        lambda _, got: f"has other columns ({change_words(got)})",
    ),
}


def _check(
    expect: Expect, findings: ReportedFigures, past: CollectorHistory, now: datetime, seconds: float
) -> CheckedExpectation | None:
    expected: Any = list(expect.value) if isinstance(expect.value, tuple) else expect.value
    if expect.name in {"min_records", "max_records"}:
        expected = int(expected)
    actual: float | None
    match expect.name:
        case "max_duration":
            actual = round(seconds, 3)
        case "max_age":
            actual = _age_s(findings.revision, now)
        case "max_date_age":
            actual = _age_s(findings.data_until, now)
        case "schema":
            return _schema(expect, findings, past)
        case _:
            actual = None if findings.unchanged else findings.records
    if actual is None and (findings.unchanged or not expect.written):
        return None
    if expect.name == "max_drop":
        usual = _usual(past)
        if usual is None and actual is not None:
            return None  # too few runs to say what is usual
        expected = {"max_drop": expect.value, "median": usual}
    ok = actual is not None and _HOLDS[expect.name](actual, expected)
    return CheckedExpectation(expect.name, expected, actual, ok, expect.severity.value)


def _schema(
    expect: Expect, findings: ReportedFigures, past: CollectorHistory
) -> CheckedExpectation | None:
    """Hold the schema against the last one that was accepted; the first one is accepted."""
    severity = expect.severity.value
    if findings.schema is None:
        if findings.unchanged:
            return None
        return CheckedExpectation("schema", UNCHANGED, None, ok=False, severity=severity)
    if past.schema is None:
        return None
    changes = changes_between(past.schema, findings.schema)
    actual = UNCHANGED if changes is None else {key: list(each) for key, each in changes.items()}
    return CheckedExpectation("schema", UNCHANGED, actual, changes is None, severity)


#: What a schema is expected to be, and is where nothing changed.
UNCHANGED = "unchanged"

_HOLDS: dict[str, Callable[[float, Any], bool]] = {
    "min_records": lambda actual, least: actual >= least,
    "max_records": lambda actual, most: actual <= most,
    "max_drop": lambda actual, drop: _drop(actual, drop["median"]) <= drop["max_drop"],
    "not_exactly": lambda actual, suspicious: actual not in suspicious,
    "max_age": lambda actual, most: actual <= most,
    "max_duration": lambda actual, most: actual <= most,
    "max_date_age": lambda actual, most: actual <= most,
}


def _usual(past: CollectorHistory) -> float | None:
    known = [records for records in past.records if records is not None][-DROP_WINDOW:]
    return median(known) if len(known) >= DROP_NEEDS else None


def _drop(actual: float, usual: float) -> float:
    """Return by what fraction of *usual* there is less, rounded so that 30 % of 10 is 3."""
    return round((usual - actual) / usual, 9) if usual else 0.0


def _age_s(revision: str | None, now: datetime) -> float | None:
    """Return the age of a revision that is a date or an instant, in seconds, else None."""
    try:
        made = datetime.fromisoformat(revision or "")
        made = made.astimezone(UTC) if made.tzinfo else made.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    if made.year < 1970 or made > now + timedelta(days=366):
        return None  # a number that happens to read as a date
    return max(0.0, round((now - made).total_seconds(), 3))
