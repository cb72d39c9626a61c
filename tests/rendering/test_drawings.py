"""What is drawn on the page, before it is drawn."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rendering.varieties import (
    a_run,
    after,
    an_answer,
    an_entry,
    many,
    mixed_night,
    retried_night,
    timed_out,
)

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.run import Attempt, Skip
from fanfold.domain.report.fold import fold
from fanfold.rendering.strips import STRIP_SLOTS, line, strip
from fanfold.rendering.timeline import RIGHT, WIDTH, Lane, Timeline, timeline


def drawn(report: dict[str, Any]) -> Timeline:
    made = timeline(report)
    assert made is not None
    return made


def lane(report: dict[str, Any], name: str) -> Lane:
    return next(lane for lane in drawn(report).lanes if lane.title.startswith(f"{name}:"))


def test_waits_attempts_and_the_usual_time_are_each_drawn() -> None:
    boxes = lane(mixed_night(), "plu").boxes
    assert [(box.kind, box.text) for box in boxes] == [
        ("queue", ""), ("ghost", ""), ("bad", "1"), ("bad", "2"),
    ]  # fmt: skip
    assert boxes[2].x + boxes[2].width < boxes[3].x


def test_everything_drawn_is_told_in_words() -> None:
    assert lane(mixed_night(), "plu").title == (
        "plu: failed after 2m29s; queued 41s; attempt 1: 1m01s, HTTP 503: upstream is busy;"
        " attempt 2: 58s, expected at least 40 records, got 0; usually 1m06s"
    )


def test_a_broken_collector_is_marked_beside_its_colour() -> None:
    assert lane(mixed_night(), "plu").label == "plu ✗"
    assert lane(mixed_night(), "dvf").label == "dvf"


def test_no_shape_leaves_the_drawing() -> None:
    slow = an_entry("a", past=CollectorHistory(seconds=(4000.0,)))
    quick = fold(a_run(1, 1), [slow], [an_answer("a", start=-9.0)])
    for report in (mixed_night(), many(60, 9, 3), quick):
        made = drawn(report)
        for one in made.lanes:
            assert one.y + made.lane_height <= made.height
            for box in one.boxes:
                assert made.left <= box.x
                assert box.x + box.width <= WIDTH - RIGHT + 1.5


def test_an_answer_that_never_came_is_drawn_to_its_end() -> None:
    report = fold(a_run(2, 2), [an_entry("a"), an_entry("b")], [
        timed_out("a", attempts=()), timed_out("b", start=None),
    ])  # fmt: skip
    assert [box.kind for box in lane(report, "a").boxes] == ["queue", "bad open"]
    assert lane(report, "b").boxes == ()
    assert "timed out" in lane(report, "b").end_text


def test_short_runs_count_from_their_start() -> None:
    report = fold(a_run(1, 1), [an_entry("a")], [an_answer("a", start=0.1, end=2.0)])
    assert [text for _, text in drawn(report).ticks] == [
        "+0s", "+400ms", "+800ms", "+1.2s", "+1.6s", "+2s",
    ]  # fmt: skip


def test_with_many_collectors_the_slowest_and_the_broken_are_drawn() -> None:
    made = drawn(many(500, 60, 30))
    assert 40 <= len(made.lanes) <= 80
    assert made.lanes[0].label.endswith("✗")
    assert str(500 - len(made.lanes)) in made.left_out


def test_nobody_asked_is_nothing_drawn() -> None:
    assert timeline(fold(a_run(0, 0), [], [])) is None


def test_a_line_joins_the_last_counts_with_this_one() -> None:
    made = line(mixed_night()["collectors"]["plu"])
    assert made is not None
    assert len(made.points.split()) == 14
    assert made.points.split()[-1] == "104,26"
    assert (made.kind, made.usual_y) == ("bad", 0)
    report = fold(a_run(1, 1), [an_entry("a")], [an_answer("a", records=3)])
    assert line(report["collectors"]["a"]) is None


def test_a_strip_ends_with_this_slot_and_shows_missed_ones_each_with_its_date() -> None:
    plu = strip(("plu", mixed_night()["collectors"]["plu"]), mixed_night())
    assert len(plu.squares) == STRIP_SLOTS
    assert plu.squares[-1].title == "Mon 23 Nov 03:15: failed"
    assert plu.squares[-2].title == "Sun 22 Nov 03:15: succeeded"
    assert plu.title == ("30 slots since Sun 25 Oct 03:15: 27 succeeded, 2 failed, 1 no run came")
    assert [square.kind for square in plu.squares].count("miss") == 1


def test_a_past_without_dates_of_an_older_version_is_shown_all_the_same() -> None:
    report = fold(
        a_run(1, 1),
        [an_entry("a", past=CollectorHistory(outcomes="sm" + "f" * 40))],
        [an_answer("a")],
    )
    del report["collectors"]["a"]["history"]["times"]
    made = strip(("a", report["collectors"]["a"]), report)
    assert len(made.squares) == STRIP_SLOTS
    assert made.squares[0].title == "an earlier slot: failed"


def test_a_run_that_did_not_ask_a_collector_leaves_no_square() -> None:
    past = CollectorHistory(outcomes="ss", times=(0, 86_400), kinds="ss")
    manifest = [an_entry("a"), an_entry("b", past=past, skip=Skip("not_selected"))]
    report = fold(a_run(2, 1, scheduled_for=None), manifest, [an_answer("a")])
    made = strip(("b", report["collectors"]["b"]), report)
    assert [square.kind for square in made.squares] == ["ok", "ok"]


def test_a_run_by_hand_is_a_small_mark_that_pushes_no_slot_out() -> None:
    times = tuple(86_400 * number for number in range(31))
    past = CollectorHistory(outcomes="s" * 30 + "f", times=times, kinds="s" * 30 + "h")
    report = fold(a_run(1, 1, scheduled_for=None), [an_entry("a", past=past)], [an_answer("a")])
    squares = strip(("a", report["collectors"]["a"]), report).squares
    slots = [square for square in squares if not square.is_mark]
    marks = [square for square in squares if square.is_mark]
    assert [square.x for square in slots] == [20 * number for number in range(STRIP_SLOTS)]
    assert [mark.title.partition(": ")[2] for mark in marks] == ["failed", "succeeded"]
    assert "by hand" in marks[0].title


def test_a_slot_that_was_tried_again_is_there_once_by_its_best_outcome() -> None:
    report = retried_night()
    for name in ("plu", "dvf", "sirene"):
        squares = strip((name, report["collectors"][name]), report).squares
        assert len(squares) == STRIP_SLOTS
        assert len({square.title[:17] for square in squares}) == STRIP_SLOTS
    plu = strip(("plu", report["collectors"]["plu"]), report)
    assert (plu.squares[-1].kind, plu.squares[-1].sign) == ("ok", "↻")
    assert plu.squares[-1].title == "Mon 23 Nov 03:15: succeeded when it was tried again"
    assert "28 succeeded (1 when tried again)" in plu.title


def test_the_timeline_of_a_retry_draws_whom_it_asked() -> None:
    made = drawn(retried_night())
    assert [one.label for one in made.lanes if one.boxes] == ["plu"]
    assert "2 answers of earlier tries" in made.left_out


@pytest.mark.parametrize("slots", [0, 5, 60])
def test_the_squares_stand_side_by_side_and_end_at_the_right(slots: int) -> None:
    past = CollectorHistory(outcomes="s" * slots)
    report = fold(a_run(1, 1), [an_entry("a", past=past)], [an_answer("a")])
    places = [each.x for each in strip(("a", report["collectors"]["a"]), report).squares]
    assert len(places) == min(slots + 1, STRIP_SLOTS)
    assert places == [20 * place for place in range(STRIP_SLOTS - len(places), STRIP_SLOTS)]


@pytest.mark.parametrize(("end", "kinds"), [(60.5, ["bad"]), (90.0, ["bad", "bad open"])])
def test_what_was_open_at_the_end_for_more_than_a_second_is_drawn(
    end: float, kinds: list[str]
) -> None:
    tried = (Attempt(1, after(2), after(60), "retry", 503),)
    report = fold(a_run(2, 2), [an_entry("a"), an_entry("b")], [
        timed_out("a", start=2.0, end=end, attempts=tried), timed_out("b", end=end),
    ])  # fmt: skip
    drawn_boxes = [box.kind for box in lane(report, "a").boxes if "bad" in box.kind]
    assert drawn_boxes == kinds
