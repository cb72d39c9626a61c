"""Late answers: listed whatever dies in between, in revisions without gaps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.app.doubles import Died, Ports, died, unavailable
from tests.conftest import MakeWorld
from tests.support import World, after, an_answer

from fanfold.app.finish import MAX_TAKEN
from fanfold.app.relay import store_answer
from fanfold.cli.runs.reports import report_of
from fanfold.domain.model.errors import ReportDiffers, StoreUnavailable
from fanfold.domain.model.run import Answer, LateAnswer
from fanfold.domain.model.states import Outcome


def final(make_world: MakeWorld, ports: Ports | None = None) -> World:
    """Return a world with a final run: dvf and plu timed out."""
    world = make_world(**({"wrap": ports.wrap} if ports else {}))
    world.ask()
    world.deliver()
    for name in ("dvf", "plu"):
        timed_out = an_answer(name, run_id="r1", writer="sweep", outcome=Outcome.TIMED_OUT)
        world.ledger.record(timed_out)
    world.parts.finisher.finish("r1")
    return world


def late(name: str = "dvf", **changes: Any) -> Answer:
    return an_answer(name, run_id="r1", **({"writer": "late"} | changes))


def report(world: World, revision: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(world.report(revision=revision) or b"null")
    return document


def listed(world: World) -> list[int]:
    """Return how many late answers each revision lists, and check that there is no gap."""
    last = world.run().revision
    assert world.report(revision=last + 1) is None
    return [len(report(world, number)["late"]) for number in range(1, last + 1)]


@pytest.mark.parametrize("step", ["record", "keep_late"])
def test_evidence_whose_keeper_died_is_listed_by_the_next_sweep(
    make_world: MakeWorld, step: str
) -> None:
    ports = Ports()
    world = final(make_world, ports)
    ports["ledger"].once_after(step, died)
    with pytest.raises(Died):
        store_answer(late(), ledger=world.parts.ledger, bus=world.parts.bus, now=world.clock.now())
    swept = world.parts.sweeper.sweep(world.configured)

    assert swept.revised == (["r1"] if step == "keep_late" else [])
    assert listed(world) == ([0, 1] if step == "keep_late" else [0])
    assert world.parts.sweeper.sweep(world.configured).revised == []


def test_late_answers_that_come_together_make_a_revision_each(make_world: MakeWorld) -> None:
    world = final(make_world)
    for number in (3, 1, 2):
        evidence = LateAnswer(late(writer=f"w{number}", records=number), after(100 + number))
        world.ledger.keep_late(evidence)
    world.parts.sweeper.sweep(world.configured)

    assert listed(world) == [0, 1, 2, 3]
    assert [one["records"] for one in report(world, 4)["late"]] == [1, 2, 3]
    assert world.finished_events() == ["r1/1", "r1/2", "r1/3", "r1/4"]


def test_evidence_that_overtakes_a_revision_is_listed_in_the_next(make_world: MakeWorld) -> None:
    """One process lists what it sees; the other's evidence, received before, comes after it."""
    ports = Ports()
    world = final(make_world, ports)
    world.ledger.keep_late(LateAnswer(late(writer="b", records=2), after(102)))

    def overtaken() -> None:
        world.ledger.keep_late(LateAnswer(late(writer="a", records=1), after(101)))
        other = make_world(clock=world.clock, client=world.client)
        other.parts.finisher.revise("r1")

    ports["sink"].once_after("write", overtaken)
    world.parts.finisher.revise("r1")
    world.parts.sweeper.sweep(world.configured)

    assert listed(world) == [0, 1, 2]
    assert sorted(one["records"] for one in report(world, 3)["late"]) == [1, 2]
    assert "held another report" in report(world, 3)["changes"][0]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("port", "step"), [("sink", "write"), ("bus", "publish"), ("ledger", "mark_announced")]
)
def test_a_revision_that_stopped_half_way_is_mended_without_a_gap(
    make_world: MakeWorld, port: str, step: str, when: str
) -> None:
    ports = Ports()
    world = final(make_world, ports)
    for name in ("dvf", "plu"):
        world.ledger.keep_late(LateAnswer(late(name), world.clock.now()))
    getattr(ports[port], f"once_{when}")(step, unavailable)
    with pytest.raises(StoreUnavailable):
        world.parts.finisher.revise("r1")
    world.parts.sweeper.sweep(world.configured)

    assert listed(world) == [0, 1, 2]
    assert set(world.finished_events()) == {"r1/1", "r1/2", "r1/3"}


def test_trouble_with_evidence_is_told_and_tried_again(make_world: MakeWorld) -> None:
    ports = Ports()
    world = final(make_world, ports)
    world.ledger.keep_late(LateAnswer(late(), world.clock.now()))
    ports["sink"].once_before("write", unavailable)
    swept = world.parts.sweeper.sweep(world.configured)
    assert swept.trouble == ["r1: not now"]
    assert listed(world) == [0]
    world.parts.sweeper.sweep(world.configured)
    assert listed(world) == [0, 1]


def planted(world: World, content: bytes, name: str = "report.json") -> None:
    folder = world.folder / "reports/r1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"status": "succeeded", "run_id": "r1"}', ", which says succeeded"),
        (b'{"status": "<script>"}', ""),
        (b"half a re", ""),
        (b"[" * 100_000, ""),
        (b"", ""),
    ],
)
def test_a_report_that_was_there_before_is_left_and_the_next_revision_says_so(
    make_world: MakeWorld, content: bytes, says: str
) -> None:
    """After a restore the ledger is older than the reports: what they say is not believed."""
    make_world()
    world = make_world()
    planted(world, content)
    world.ask()
    world.settle()

    assert (world.folder / "reports/r1/report.json").read_bytes() == content
    second = report(world, 2)
    assert second["status"] == world.run().status.value == "succeeded"
    (change,) = second["changes"]
    assert change.startswith(f"report.json held another report{says}: it is left as it was, and")
    assert (world.run().revision, world.run().late_listed) == (2, 0)
    assert str(world.run().report).endswith("report.r2.html")
    # What people are shown is the stored revision, and nothing is wrong with it.
    notes: list[str] = []
    shown = report_of(world.run(), world.ledger, world.sink, world.clock.now(), notes.append)
    assert (shown.content, notes) == (world.report(revision=2), [])
    # Late answers still find their place behind it.
    world.ledger.keep_late(LateAnswer(late(), world.clock.now()))
    world.parts.sweeper.sweep(world.configured)
    assert [len(report(world, number)["late"]) for number in (2, 3)] == [0, 1]


def test_the_same_report_written_again_is_no_new_revision(make_world: MakeWorld) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    world.ask()
    ports["ledger"].once_before("mark_announced", unavailable)
    world.live(60)

    assert world.run().revision == 1
    assert ports["sink"].called.count("write") == 2


def test_reports_planted_under_every_name_do_not_keep_the_run_from_its_end(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    for number in range(1, 30):
        planted(world, b"x", "report.json" if number == 1 else f"report.r{number}.json")
    world.ask()
    world.settle()
    assert world.run().announced_at is None
    world.live(3700)

    run = world.run()
    assert run.announced_at is not None
    assert (run.status.value, run.report) == ("failed", "")
    assert "stored already, with other content" in run.about


def test_a_report_whose_names_are_all_taken_is_given_up_after_twenty_more(
    make_world: MakeWorld,
) -> None:
    asked: list[int] = []

    class Taken:
        def __init__(self, port: Any) -> None:
            self.port = port

        def __getattr__(self, name: str) -> Any:
            return getattr(self.port, name)

        def write(self, report_to: str, run_id: str, documents: Any) -> str:
            (text,) = [text for name, text in documents.items() if name.endswith(".json")]
            asked.append(json.loads(b"".join(text))["revision"])
            raise ReportDiffers("something else is stored there", ("report.json",))

    world = make_world(wrap=lambda name, port: Taken(port) if name == "sink" else port)
    world.ask()
    world.deliver()
    for name in ("dvf", "plu"):
        world.ledger.record(an_answer(name, run_id="r1", writer="w"))
    with pytest.raises(ReportDiffers):
        world.parts.finisher.finish("r1")

    assert asked == list(range(1, MAX_TAKEN + 2))
    assert MAX_TAKEN == 20
