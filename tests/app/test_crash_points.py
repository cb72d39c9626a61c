"""Whatever port call fails, and however: the redelivery and the sweep end the run, balanced."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.app.doubles import Died, Fuse, died, unavailable
from tests.lane_world import LaneWorld
from tests.support import (
    MovingClock,
    StubClient,
    World,
    after,
    an_answer,
    broken,
    catalogue,
    collector,
    ok,
)

from fanfold.ports.bus import Message

CONFIGURED = catalogue(
    "dvf",
    collector("plu", backoff_s=10.0),
    collector("old", enabled=False),
    # One place: where jobs are held back, plu waits until dvf releases it.
    max_concurrent_collectors=1,
)


class Deployment:
    """A process on the file in *folder*, and the one that follows it should it die."""

    def __init__(self, folder: Path, fuse: Fuse, story: Story) -> None:
        self.folder = folder
        self.story = story
        self.clock = MovingClock()
        self.client = StubClient()
        self.published: list[tuple[str, Message]] = []
        self.client.says("plu", broken(503), ok(5))
        folder.mkdir()
        self.world = self._start(fuse)

    def _start(self, fuse: Fuse) -> World:
        return self.story.world(
            self.folder,
            configured=CONFIGURED,
            clock=self.clock,
            client=self.client,
            published=self.published,
            wrap=fuse.wrap,
            is_paced=self.story.is_paced,
        )

    def live_until_revision(self, revision: int) -> None:
        """Live on to the report's *revision*, long before the deadline, and one sweep more."""
        self._whatever_dies(lambda: self._live(revision))

    def calm_down(self) -> None:
        """Let what waits for its backoff come back."""
        self.clock.forward(600)
        self._whatever_dies(self._settle)

    def _whatever_dies(self, part: Callable[[], None]) -> None:
        try:
            part()
        except Died:
            # Its locks go with it; nothing of it is closed in order.
            self.world = self._start(Fuse())
            part()

    def _settle(self) -> None:
        self.world.settle()

    def _live(self, revision: int) -> None:
        self.world.settle()
        while (run := self.world.run_or_none()) is None or run.revision < revision:
            self.world.live(60)
            assert self.clock.at < after(3600 * revision)
        self.world.tick()


class Story(NamedTuple):
    """How many late answers come, and whether jobs are held back until there is a place.

    ``world`` is how jobs are worked: one by one, as on Google Cloud, or in the lane's commits.
    """

    lates: int
    is_paced: bool = False
    world: type[World] = World


def play(folder: Path, fuse: Fuse, story: Story) -> Deployment:
    """Ask for a run, and bring the story's late answers once it is announced."""
    lates = story.lates
    played = Deployment(folder, fuse, story)
    played.world.ask()
    for revision in range(1, lates + 2):
        played.live_until_revision(revision)
        if revision <= lates:
            late = an_answer("plu", run_id="r1", writer=f"late/{revision}", records=99)
            played.world.comes_late(late)
    played.calm_down()
    return played


@pytest.mark.parametrize(
    "story",
    [
        Story(lates=0),
        Story(lates=1),
        Story(lates=0, is_paced=True),
        Story(lates=0, world=LaneWorld),
        Story(lates=1, world=LaneWorld),
        Story(lates=0, is_paced=True, world=LaneWorld),
    ],
    ids=lambda story: f"{story.world.__name__}-{story.lates}-{story.is_paced}",
)
@pytest.mark.parametrize("fail", [died, unavailable])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failure_of_any_port_call_is_mended(
    tmp_path: Path,
    fail: Callable[[], None],
    when: str,
    story: Story,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Hundreds of reports are written here, and no power cut is played.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    whole = Fuse()
    play(tmp_path / "whole", whole, story).world.close()
    count = len(whole.calls)
    assert count > 30

    for at in range(1, count + 1):
        fuse = Fuse(fail, at, after=when == "after")
        played = play(tmp_path / str(at), fuse, story)
        where = f"{fail.__name__} {when} call {at}: {fuse.calls[at - 1]}"
        check(played.world, story.lates, where)
        # One call and one retry; a crash in the middle of a call may repeat it.
        assert played.client.called("dvf") <= 2, where
        assert played.client.called("plu") <= 3, where
        played.world.close()


def check(world: World, lates: int, where: str) -> None:
    assert world.outcomes() == {"dvf": "succeeded", "plu": "succeeded"}, where
    for revision in range(1, lates + 2):
        document: dict[str, Any] = json.loads(world.report(revision=revision) or b"{}")
        summary = document["summary"]
        assert list(document["collectors"]) == ["dvf", "plu", "old"], where
        assert (summary["total"], summary["succeeded"], summary["skipped"]) == (3, 2, 1), where
        assert len(document["late"]) == revision - 1, where
    events_at_port = world.finished_events()
    assert set(events_at_port) == {f"r1/{each + 1}" for each in range(lates + 1)}, where
    # One crash repeats one event at most: it is published before it is marked.
    assert len(events_at_port) <= lates + 2, where
    run = world.run()
    assert (run.revision, run.announced_at is not None) == (lates + 1, True), where
    assert world.dead() == [], where
    assert world.bus.waiting().keys() <= {"run-reports"}, where
