"""``/collectors``: all of them, filtered; and one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flask import Blueprint, render_template, request, url_for

from fanfold.console.errors import NotHere
from fanfold.console.live_reports import live_reports
from fanfold.console.paging import Sheet, address, sheet
from fanfold.console.shown.collector import collector_page
from fanfold.console.shown.collectors import Known, known_of
from fanfold.console.shown.frame import frame
from fanfold.console.shown.slots_grid import MAX_ROWS, chosen_grid, family_of
from fanfold.console.site import site
from fanfold.domain.model import names
from fanfold.domain.syntax.text import count, one_line
from fanfold.views.overview import Overview

blueprint = Blueprint("collectors", __name__)

#: What the list can be narrowed to.
_ONLY: Mapping[str, Callable[[Known], bool]] = {
    "all": lambda _: True,
    "failing": lambda each: each.standing.is_bad,
    "stale": lambda each: each.is_stale,
    "running": lambda each: each.is_running,
    "disabled": lambda each: not each.is_enabled,
}


@blueprint.get("/collectors")
def collectors() -> str:
    """Return the list, of a family or of those whose name has the words that were typed."""
    overview, known = everything()
    only = request.args.get("only", "all")
    chosen = _chosen(known, only)
    found = sheet(chosen, MAX_ROWS, "collector")
    chips = [
        (f"{word} {count(number)}", address(only=word, page=None), word == only)
        for word, test in _ONLY.items()
        if (number := sum(map(test, known))) or word == "all"
    ]
    return render_template(
        "collectors.html.j2",
        grid=chosen_grid(overview, found.rows),
        sheet=Sheet((), found.number, found.newer, found.older, found.words),
        chips=chips,
        chosen=request.args,
        **frame("collectors"),
    )


@blueprint.get("/collectors/<name>")
def collector(name: str) -> str:
    """Return the page of one collector."""
    overview, known = everything()
    found = find_collector(known, name)
    page = collector_page(found, overview, site().parts.ledger, site().slots().origins)
    return render_template("collector.html.j2", page=page, **frame("collectors"))


def everything() -> tuple[Overview, list[Known]]:
    """Return how everything stands, and every collector."""
    overview = site().overview()
    return overview, known_of(overview, live_reports(site(), overview))


def find_collector(known: Sequence[Known], name: str) -> Known:
    """Return the collector called *name*.

    Raises:
        NotHere: There is none.
    """
    for each in known:
        if each.name == name:
            return each
    guess = names.did_you_mean(name[:200], [each.name for each in known])
    close = [each.name for each in known if f"'{each.name}'" in guess]
    close += [each.name for each in known if name and each.name.startswith(name[:3])]
    close = list(dict.fromkeys([*close, *(each.name for each in known[:8])]))[:8]
    paths = [(one_line(each, 63), url_for("collectors.collector", name=each)) for each in close]
    text = name[:80]
    raise NotHere(f"there is no collector {text!r}{guess}", paths)


def _chosen(known: Sequence[Known], only: str) -> list[Known]:
    test = _ONLY.get(only)
    if test is None:
        text = only[:60]
        raise NotHere(
            f"there is no list {text!r}",
            [(word, url_for("collectors.collectors", only=word)) for word in _ONLY],
        )
    words, family = request.args.get("q", "").casefold().split(), request.args.get("family", "")
    return [
        each
        for each in known
        if test(each)
        and all(word in each.name.casefold() for word in words)
        and (not family or family_of(each.name) == family)
    ]
