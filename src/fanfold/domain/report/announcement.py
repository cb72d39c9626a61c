"""What people are told of a run: one message, new before old, equal causes together.

The first line is enough on a locked phone. The text is plain: a chat or a mailbox shows it as it
is, and what a collector said can address nobody. However many collectors fail, it stays within what
the common services take.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fanfold.domain.model.run import Run
from fanfold.domain.rules.news import Change, News
from fanfold.domain.rules.schedule import zone_of
from fanfold.domain.syntax.text import one_line, plural

#: The longest first line, cause and list of names, in characters …
MAX_TITLE, MAX_CAUSE, MAX_NAMES = 160, 300, 400

#: … and of what a run changed: with the title and the links all of it stays below the 2,000
#: characters that Discord takes, the least among the common services.
MAX_CHANGES = 1300

_MARKS = {News.NEW: "✗", News.STILL: "✗", News.RECOVERED: "✓"}

#: What is said of a run that no schedule asked for.
_ASKED = {"ad_hoc": "asked by hand", "retry": "a retry"}

#: What makes a mention or a link in a chat, and what stands there instead.
_QUIET = str.maketrans(
    {"<": "(", ">": ")", "[": "(", "]": ")", "@": "(at)", "`": "'", "*": "·", "~": "-", "|": "/"}
)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A message to people: its first line, and the rest."""

    title: str
    body: str


def announce_changes(
    run: Run, changes: Sequence[Change], causes: Mapping[str, str], report: str
) -> Announcement:
    """Return the message that tells all *changes* of *run*; there is at least one.

    Args:
        run: The finished run.
        changes: What it changed for its collectors.
        causes: Why collectors failed, by name.
        report: Where the report is, empty if nowhere.
    """
    parts = [_slot_line(run), *_changes(changes, causes)]
    if any(each.news is not News.RECOVERED for each in changes):
        parts.append(f"To ask again what failed:\n    fanfold retry {run.run_id}")
    if report:
        parts.append(f"Report: {report}")
    return Announcement(_title(changes, causes), "\n\n".join(parts))


def announce_sentence(mark: str, sentence: str, *more: str) -> Announcement:
    """Return a message whose first line is *mark* and *sentence*."""
    return Announcement(_cut(f"{mark} {_quiet(sentence)}", MAX_TITLE), "\n\n".join(more))


def _changes(changes: Sequence[Change], causes: Mapping[str, str]) -> list[str]:
    """Return a part for each kind of news, new before old, within :data:`MAX_CHANGES`."""
    parts, left, untold = [], MAX_CHANGES, 0
    for news in News:
        of_news = [each for each in changes if each.news is news]
        lines = [_heading(news, of_news)] if of_news else []
        for count, group in _groups(of_news, causes):
            left -= len(group) + 1
            if left >= 0:
                lines.append(group)
            else:
                untold += count
        if len(lines) > 1:
            parts.append("\n".join(lines))
    return [*parts, f"… and {untold} more, in the report"] if untold else parts


def _slot_line(run: Run) -> str:
    at = (run.scheduled_for or run.start_time).astimezone(zone_of(run.timezone))
    name = run.trigger.by or _ASKED.get(run.trigger.kind, run.trigger.kind)
    return f"{_quiet(name)}, {at:%a %d %b %H:%M}: {_quiet(run.about.partition(':')[0])}"


def _title(changes: Sequence[Change], causes: Mapping[str, str]) -> str:
    """Return the first line: what is new, else what still fails, else what recovered."""
    news = next(each for each in News if any(change.news is each for change in changes))
    told = [each for each in changes if each.news is news]
    words = {
        News.NEW: ("{} failed", "{} new failures"),
        News.STILL: ("{} still failing, {} slots", "{} collectors still failing"),
        News.RECOVERED: ("{} recovered after {}", "{} collectors recovered"),
    }[news]
    if len(told) == 1:
        slots = told[0].slots
        span = str(slots) if news is News.STILL else plural(slots, "failed slot")
        text = words[0].format(told[0].collector, span)
    else:
        text = words[1].format(len(told))
    if news is not News.RECOVERED:
        groups = _by_cause(told, causes)
        cause, names = groups[0]
        share = "" if len(groups) == 1 else f" ({len(names)}), {len(told) - len(names)} more"
        text += f": {_cut(cause, MAX_TITLE - 60)}{share}"
    return _cut(f"{_MARKS[news]} {text}", MAX_TITLE)


def _heading(news: News, told: Sequence[Change]) -> str:
    return news.upper() if len(told) == 1 else f"{news.upper()}: {len(told)}"


def _groups(told: Sequence[Change], causes: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return how many collectors each group has, and its lines; equal causes are a group."""
    groups = []
    for cause, changes in _by_cause(told, causes):
        first = changes[0]
        if first.news is News.RECOVERED:
            groups += [
                (1, f"✓ {one.collector}, failed since {one.since:%a %d %b}") for one in changes
            ]
        elif len(changes) > 1:
            names = _listed([each.collector for each in changes])
            groups.append((len(changes), f"✗ {cause}: {len(changes)} collectors\n    {names}"))
        else:
            groups.append((1, f"✗ {cause}\n    {first.collector}{_past(first)}"))
    return groups


def _listed(names: Sequence[str]) -> str:
    """Return as many whole *names* as :data:`MAX_NAMES` takes, and how many are left."""
    shown = ""
    for number, name in enumerate(names):
        if len(shown) + len(name) + 2 > MAX_NAMES:
            return f"{shown}  and {len(names) - number} more"
        shown += f"  {name}" if shown else name
    return shown


def _past(change: Change) -> str:
    since = f", since {change.since:%a %d %b}" if change.news is News.STILL else ""
    good = change.last_good
    if good is None:
        return since
    records = "" if good.records is None else f", {plural(good.records, 'record')}"
    return f"{since}, last good {good.end_time:%a %d %b %H:%M} UTC{records}"


def _by_cause(
    told: Sequence[Change], causes: Mapping[str, str]
) -> list[tuple[str, Sequence[Change]]]:
    """Return the causes with their collectors, the commonest first."""
    groups: dict[str, list[Change]] = defaultdict(list)
    for each in told:
        groups[_cut(_quiet(causes.get(each.collector, "no reason is known")), MAX_CAUSE)].append(
            each
        )
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _quiet(text: str) -> str:
    """Return *text* in one line that nothing in it can mark up, reorder or address."""
    return one_line(text).translate(_QUIET)


def _cut(text: str, limit: int) -> str:
    return one_line(text, limit)
