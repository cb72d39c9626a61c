"""The first page: did the last slot go well, who needs somebody, what runs, what is next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tests.console.conftest import Console, nightly
from tests.support import broken, ok


def test_a_good_morning_is_one_sentence_and_the_grid(console: Console) -> None:
    console.nights(3)
    page = console.page("/")
    assert "All 3 succeeded" in page.text
    assert "Needs attention" not in page.text
    assert "Last 3 slots" in page.text
    assert "Next Sun 1 Nov 05:00" in page.text


def test_who_fails_anew_stands_apart_from_who_still_does(console: Console) -> None:
    console.nights(2)
    console.night(plu=broken(500))
    console.night(dvf=broken(500))
    page = console.page("/")
    assert "1 of 3 succeeded" in page.text
    assert "1 new failure, 1 still failing (plu, dvf)" in page.text
    new, still = page.text.index("New 1"), page.text.index("Still failing 1")
    assert new < page.text.index("dvf http 500") < still
    assert still < page.text.index("plu ", still)
    assert "failing for 2 slots, since Sat 31 Oct" in page.text
    assert "last good Fri 30 Oct" in page.text
    assert "2 of the last 4 slots failed" in page.text


def test_who_recovered_is_named_with_how_long_it_took(console: Console) -> None:
    console.night()
    console.nights(2, plu=broken(500))
    console.night(plu=ok(12))
    page = console.page("/")
    assert "Recovered 1" in page.text
    assert "plu succeeded again after 2 failed slots" in page.text


def test_a_count_that_fell_by_much_is_worth_a_look(console: Console) -> None:
    console.nights(3, dvf=ok(31_874))
    console.night(dvf=ok(11_793))
    page = console.page("/")
    assert "Worth a look 1" in page.text
    assert "dvf records \N{MINUS SIGN}63 %: 11 793 after 31 874" in page.text


def test_every_cell_says_its_slot_and_outcome_and_opens_its_run(console: Console) -> None:
    good = console.night()
    bad = console.night(plu=broken(500))
    page = console.page("/")
    assert page.titles().count("Thu 29 Oct 05:00: succeeded") == 3
    assert page.titles().count("Fri 30 Oct 05:00: failed") == 1
    assert {f"/runs/{good}", f"/runs/{bad}"} <= set(page.links())


def test_a_run_under_way_is_shown_with_how_far_it_is(console: Console) -> None:
    console.nights(2)
    run_id = "by-hand"
    console.world.client.says("plu", lambda _: ok(5))
    console.world.ask(run_id=run_id)
    console.world.deliver()  # the request alone: its jobs wait
    page = console.page("/")
    assert "The run is at 0 of 3" in page.text
    assert f"/runs/{run_id}" in page.links()
    assert "0 of 3 done" in page.text


def test_a_slot_without_its_run_is_missing(console: Console) -> None:
    console.nights(2)
    console.world.clock.at += timedelta(days=1, hours=1)
    page = console.page("/")
    assert "no run came for the slot of Sat 31 Oct 05:00" in page.text
    assert "Missing 1 slot" in page.text


def test_nothing_ever_ran(console: Console) -> None:
    page = console.page("/")
    assert "nothing ran yet" in page.text


def test_a_configuration_that_cannot_be_read_is_named(console: Console) -> None:
    console.night()
    console.unknown = ("config.yaml: line 3: it is no cron",)
    assert "config.yaml: line 3: it is no cron" in console.page("/").text


def test_of_many_those_who_fail_stand_first_and_families_are_folded(
    console_of: Callable[..., Console],
) -> None:
    names = [f"{family}_{number:02}" for family in ("sirene", "plu") for number in range(30)]
    console = console_of(nightly(*names, "alone"))
    console.night()
    console.night(sirene_07=broken(500))
    page = console.page("/")
    assert page.text.index("Failing: 1") < page.text.index("Everything else: 60, by family")
    assert "sirene 29" in page.text
    assert "plu 30" in page.text
    assert "all 30 good" in page.text
    assert "sirene_08" not in page.text
    assert "alone" in page.text
