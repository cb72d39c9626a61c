"""What is drawn on the page, before it is drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.rendering.varieties import (
    START,
    a_run,
    after,
    an_answer,
    an_entry,
    failed,
    many,
    mixed_night,
    retried_night,
    timed_out,
)

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.run import Attempt, Skip
from fanfold.domain.report.fold import fold
from fanfold.rendering.grid import SLOTS, Cell, Grid, grid
from fanfold.rendering.sparkline import line
from fanfold.rendering.timeline import MAX_BAD, Lane, Timeline, timeline


def drawn(report: dict[str, Any]) -> Timeline:
    made = timeline(report)
    assert made is not None
    return made


def lane(report: dict[str, Any], name: str) -> Lane:
    return next(lane for lane in drawn(report).lanes if lane.title.startswith(f"{name}:"))


def test_waits_attempts_and_the_usual_time_are_each_drawn() -> None:
    boxes = lane(mixed_night(), "plu").boxes
    assert [(box.kind, box.text) for box in boxes] == [
        ("queue", ""), ("bad", "1"), ("bad", "2"), ("ghost", ""),
    ]  # fmt: skip
    assert boxes[1].x + boxes[1].width < boxes[2].x


def test_everything_drawn_is_told_in_words() -> None:
    assert lane(mixed_night(), "plu").title == (
        "plu: failed after 2m29s; queued 41s; attempt 1: 1m01s, HTTP 503: upstream is busy;"
        " attempt 2: 58s, expected at least 40 records, got 0; usually 1m06s"
    )


def test_a_broken_collector_is_marked_beside_its_colour() -> None:
    assert lane(mixed_night(), "plu").icon == "bad"
    assert lane(mixed_night(), "dvf").icon == "ok"


def test_no_shape_leaves_the_drawing() -> None:
    slow = an_entry("a", past=CollectorHistory(seconds=(4000.0,)))
    quick = fold(a_run(1, 1), [slow], [an_answer("a", start=-9.0)])
    for report in (mixed_night(), many(60, 9, 3), quick):
        for one in drawn(report).lanes:
            for box in one.boxes:
                assert box.x >= 0
                assert box.x + box.width <= 100.1


def test_an_answer_that_never_came_is_drawn_to_its_end() -> None:
    report = fold(a_run(2, 2), [an_entry("a"), an_entry("b")], [
        timed_out("a", attempts=()), timed_out("b", start=None),
    ])  # fmt: skip
    assert [box.kind for box in lane(report, "a").boxes] == ["queue", "late open"]
    assert lane(report, "b").boxes == ()
    assert "timed out" in lane(report, "b").note


@pytest.mark.parametrize(("end", "texts"), [
    (2.0, ["03:15:00.112", "03:15:02.112"]),
    (7.0, ["03:15:02", "03:15:04", "03:15:06"]),
    (1260.0, ["03:15", "03:20", "03:25", "03:30", "03:35"]),
])  # fmt: skip
def test_the_axis_has_clock_times_however_short_the_run(end: float, texts: list[str]) -> None:
    report = fold(a_run(1, 1), [an_entry("a")], [an_answer("a", start=0.1, end=end)])
    ticks = drawn(report).ticks
    assert [tick.text for tick in ticks] == texts
    assert all(0 <= tick.x <= 100 for tick in ticks)


def test_clock_times_are_right_in_the_night_in_which_clocks_change() -> None:
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Paris; the clocks go back at 03:00
    late = an_answer("a", start_time=start, end_time=start + timedelta(hours=2))
    report = fold(a_run(1, 1, start_time=start), [an_entry("a")], [late])
    assert [tick.text for tick in drawn(report).ticks] == [
        "02:30",
        "02:00",
        "02:30",
        "03:00",
        "03:30",
    ]


def test_with_many_collectors_only_the_broken_the_slowest_and_the_late_are_drawn() -> None:
    made = drawn(many(500, 60, 30))
    assert MAX_BAD < len(made.lanes) <= MAX_BAD + 15
    assert {one.icon for one in made.lanes[:MAX_BAD]} == {"bad"}
    assert {one.icon for one in made.lanes[MAX_BAD:]} == {"ok"}
    assert "of 495" not in made.drawn
    assert made.drawn.endswith("of 500")


def test_nobody_asked_is_nothing_drawn() -> None:
    assert timeline(fold(a_run(0, 0), [], [])) is None


def test_a_line_joins_the_last_counts_with_this_one() -> None:
    made = line(mixed_night()["collectors"]["plu"])
    assert made is not None
    assert len(made.points.split()) == 14
    assert made.points.split()[-1] == "98,17"
    assert (made.kind, made.is_broken) == ("bad", False)
    report = fold(a_run(1, 1), [an_entry("a")], [an_answer("a", records=3)])
    assert line(report["collectors"]["a"]) is None


def made_grid(report: dict[str, Any]) -> Grid:
    made = grid(list(report["collectors"].items()), report)
    assert made is not None
    return made


def cells(report: dict[str, Any], name: str) -> list[Cell | None]:
    return list(next(row.cells for row in made_grid(report).rows if row.name == name))


def titles(report: dict[str, Any], name: str) -> list[str]:
    return [cell.title for cell in cells(report, name) if cell]


def test_a_run_without_a_count_breaks_the_line() -> None:
    past = CollectorHistory(records=(5, 6, 7))
    made = line(fold(a_run(1, 1), [an_entry("a", past=past)], [failed("a")])["collectors"]["a"])
    assert made is not None
    assert made.is_broken
    assert made.title.endswith("last none")
    assert float(made.points.split()[-1].split(",")[0]) < made.end_x


def test_a_row_ends_with_this_slot_and_shows_missed_ones_each_with_its_date() -> None:
    told = titles(mixed_night(), "plu")
    assert len(told) == SLOTS
    assert told[-2:] == ["Sun 22 Nov 03:15: succeeded", "Mon 23 Nov 03:15: failed"]
    kinds = [cell.kind for cell in cells(mixed_night(), "plu") if cell]
    assert kinds.count("miss") == 1
    plu = next(row for row in made_grid(mixed_night()).rows if row.name == "plu")
    assert plu.title == "30 slots: 27 succeeded, 2 failed, 1 missed"
    assert plu.now == "failed, new"


def test_a_column_is_one_slot_for_everybody() -> None:
    made = made_grid(mixed_night())
    assert len(made.columns) == made.slots == SLOTS
    for row in made.rows:
        for column, cell in zip(made.columns, row.cells, strict=True):
            assert cell is None or cell.title.startswith(column.title)
    assert [c.label for c in made.columns[:3]] == ["25", "26", "27"]
    assert [c.month for c in made.columns if c.month and not c.month_css] == ["Oct", "Nov"]


def test_narrow_screens_keep_the_newest_slots() -> None:
    columns = made_grid(mixed_night()).columns
    assert sum("s21" not in c.css for c in columns) == 12
    assert sum("s30" not in c.css for c in columns) == 21
    assert "now" in columns[-1].css


def test_a_past_without_dates_of_an_older_version_is_shown_all_the_same() -> None:
    report = fold(
        a_run(1, 1),
        [an_entry("a", past=CollectorHistory(outcomes="sm" + "f" * 40))],
        [an_answer("a")],
    )
    del report["collectors"]["a"]["history"]["times"]
    told = titles(report, "a")
    assert len(told) == SLOTS
    assert told[0] == "an earlier slot: failed"
    assert told[-1] == "Mon 23 Nov 03:15: succeeded"


def test_a_run_that_did_not_ask_a_collector_leaves_no_cell() -> None:
    past = CollectorHistory(outcomes="ss", times=(0, 86_400), kinds="ss")
    manifest = [an_entry("a"), an_entry("b", past=past, skip=Skip("not_selected"))]
    report = fold(a_run(2, 1, scheduled_for=None), manifest, [an_answer("a")])
    assert [cell and cell.kind for cell in cells(report, "b")][:2] == ["ok", "ok"]
    assert cells(report, "b")[2:] == [None]


def test_a_run_by_hand_has_a_narrow_column_that_pushes_no_slot_out() -> None:
    times = tuple(86_400 * number for number in range(31))
    past = CollectorHistory(outcomes="s" * 30 + "f", times=times, kinds="s" * 30 + "h")
    report = fold(a_run(1, 1, scheduled_for=None), [an_entry("a", past=past)], [an_answer("a")])
    made = made_grid(report)
    by_hand = [column for column in made.columns if column.css.startswith("h")]
    assert (made.slots, len(made.columns), len(by_hand)) == (SLOTS, SLOTS + 2, 2)
    assert [t.partition(", by hand: ")[2] for t in titles(report, "a")[-2:]] == [
        "failed", "succeeded",
    ]  # fmt: skip


def test_a_slot_that_was_tried_again_is_there_once_by_its_best_outcome() -> None:
    report = retried_night()
    for name in ("plu", "dvf", "sirene"):
        told = titles(report, name)
        assert len(told) == SLOTS
        assert len({title[:17] for title in told}) == SLOTS
    last = cells(report, "plu")[-1]
    assert last == Cell("ok", "retry", "Mon 23 Nov 03:15: succeeded when it was tried again")


def test_a_slot_that_had_succeeded_before_it_was_tried_again_stays_a_success() -> None:
    report = retried_night()
    plu = report["collectors"]["plu"]
    plu["status"], plu["earlier"][0]["status"] = "failed", "succeeded"
    last = cells(report, "plu")[-1]
    assert last is not None
    assert last.kind == "ok"


def test_slots_of_one_day_are_told_apart_by_their_hour() -> None:
    times = tuple(int(START.timestamp()) // 3600 * 3600 - 3600 * back for back in range(20, 0, -1))
    past = CollectorHistory(outcomes="s" * 20, times=times, kinds="s" * 20)
    made = made_grid(fold(a_run(1, 1), [an_entry("a", past=past)], [an_answer("a")]))
    assert [c.label for c in made.columns[-3:]] == ["01", "02", "03"]
    assert [c.month for c in made.columns if c.month and not c.month_css] == ["22 Nov", "23 Nov"]


def test_the_timeline_of_a_retry_draws_whom_it_asked() -> None:
    made = drawn(retried_night())
    assert [one.name for one in made.lanes if one.boxes] == ["plu"]
    assert "2 answers of earlier tries" in made.drawn


@pytest.mark.parametrize("slots", [1, 5, 60])
def test_the_grid_is_as_long_as_the_past_and_no_longer(slots: int) -> None:
    past = CollectorHistory(outcomes="s" * slots)
    report = fold(a_run(1, 1), [an_entry("a", past=past)], [an_answer("a")])
    assert len(titles(report, "a")) == min(slots + 1, SLOTS)


@pytest.mark.parametrize(("end", "kinds"), [(60.5, ["late"]), (90.0, ["late", "late open"])])
def test_what_was_open_at_the_end_for_more_than_a_second_is_drawn(
    end: float, kinds: list[str]
) -> None:
    tried = (Attempt(1, after(2), after(60), "retry", 503),)
    report = fold(a_run(2, 2), [an_entry("a"), an_entry("b")], [
        timed_out("a", start=2.0, end=end, attempts=tried), timed_out("b", end=end),
    ])  # fmt: skip
    drawn_boxes = [box.kind for box in lane(report, "a").boxes if "late" in box.kind]
    assert drawn_boxes == kinds
