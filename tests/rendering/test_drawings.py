"""What is drawn on the page, before it is drawn."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rendering.varieties import a_run, an_answer, an_entry, many, mixed_night, timed_out

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.report.fold import fold
from fanfold.rendering.strips import STRIP_RUNS, line, strip
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


def test_a_strip_ends_with_this_run_and_shows_missed_ticks() -> None:
    past = CollectorHistory(outcomes="sm" + "f" * 40)
    report = fold(a_run(1, 1), [an_entry("a", past=past)], [an_answer("a")])
    made = strip(("a", report["collectors"]["a"]))
    assert len(made.squares) == STRIP_RUNS
    assert (made.squares[-1].title, made.squares[0].sign) == (
        "this run: succeeded",
        "\N{MULTIPLICATION SIGN}",
    )
    plu = strip(("plu", mixed_night()["collectors"]["plu"]))
    assert plu.title == "last 30 runs: 27 succeeded, 2 failed, 1 no run happened"
    assert [square.kind for square in plu.squares].count("miss") == 1


@pytest.mark.parametrize("runs", [0, 5, 60])
def test_the_squares_stand_side_by_side_and_end_at_the_right(runs: int) -> None:
    past = CollectorHistory(outcomes="s" * runs)
    report = fold(a_run(1, 1), [an_entry("a", past=past)], [an_answer("a")])
    places = [each.x for each in strip(("a", report["collectors"]["a"])).squares]
    assert len(places) == min(runs + 1, STRIP_RUNS)
    assert places == [20 * place for place in range(STRIP_RUNS - len(places), STRIP_RUNS)]
