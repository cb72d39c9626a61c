"""What a run costs on Firestore, counted as it is billed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.adapters.google.conftest import MakeClient
from tests.adapters.google.traffic import Counted, Tally
from tests.support import START, MovingClock, StubClient, catalogue

from fanfold.adapters.callback_tokens import HmacCallbackTokens
from fanfold.adapters.google.ledger import FirestoreLedger
from fanfold.adapters.google.ledger.counting import GATHER_S
from fanfold.adapters.google.ledger.runs import LATELY_S
from fanfold.adapters.masks import CollectorMasks
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.adapters.single_flight import SingleFlight
from fanfold.app.aggregate import Aggregator
from fanfold.app.dispatch import dispatch
from fanfold.app.finish import Finisher
from fanfold.app.relay import Relay
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.states import RunStatus
from fanfold.messages import events
from fanfold.ports.bus import Message
from fanfold.rendering import draw

pytestmark = pytest.mark.emulator

COUNT = 200

#: Writes of a run whatever its size: created with its manifest, opened, dispatched, final,
#: announced, shown a few times, remembered.
RUN_WRITES = 12

#: Reads of a run whatever its size.
RUN_READS = 30

#: Handlers at once. Counts and looks at the run are shared among those that wait.
HANDLERS = 32

TOKENS = HmacCallbackTokens(b"k" * 32)
MASKS = CollectorMasks(EnvironmentSecrets({}), TOKENS)


class Pocket:
    """Keeps what is published and written, for the test to carry."""

    def __init__(self) -> None:
        self.messages: dict[str, list[Message]] = {}

    def publish(self, topic: str, messages: Any) -> list[str]:
        self.messages.setdefault(topic, []).extend(messages)
        return [""] * len(messages)

    def write(self, report_to: str, run_id: str, documents: Mapping[str, Iterable[bytes]]) -> str:
        return f"{report_to}/{run_id}"

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        return None


class Functions:
    """The three functions, each on a ledger of its own or all on one."""

    def __init__(self, open_ledger: Callable[[], FirestoreLedger], configured: Catalogue) -> None:
        self.bus = Pocket()
        self.clock = MovingClock()
        self.configured = configured
        self.open_ledger = open_ledger

    def dispatch(self) -> None:
        ledger = self.open_ledger()
        dispatch(
            RunRequest(run_id="r1"),
            Arrival("m1", START),
            catalogue=self.configured,
            ledger=ledger,
            bus=self.bus,
            clock=self.clock,
            writer="w",
            finisher=self.finisher(ledger),
        )

    def collect(self) -> None:
        """Work on every job, and take in its result as soon as it is there."""
        relay = Relay(
            ledger=self.open_ledger(),
            bus=self.bus,
            client=StubClient(),
            clock=self.clock,
            jitter=lambda: 0.5,
            holder="h",
            callback_for=lambda _run, _name: None,
        )
        ledger = self.open_ledger()
        aggregator = Aggregator(ledger, self.finisher(ledger), TOKENS, MASKS, self.clock)

        def work(message: Message) -> None:
            relay.work(events.decode_job(message))
            result = self.bus.messages["collector-results"].pop()
            aggregator.take(events.decode_result(result))

        with ThreadPoolExecutor(HANDLERS) as pool:
            list(pool.map(work, self.bus.messages.pop("collector-jobs")))

    def finisher(self, ledger: FirestoreLedger) -> Finisher:
        share = SingleFlight[None]().ask
        return Finisher(ledger, self.bus, self.bus, draw, self.clock, share)


def run_counted(make_client: MakeClient, *, processes: int) -> Tally:
    """Return what a run of :data:`COUNT` collectors costs, all functions together."""
    tally = Tally()
    opened: list[FirestoreLedger] = []

    def open_ledger() -> FirestoreLedger:
        if processes > len(opened):
            client = make_client()
            Counted(client, tally)
            opened.append(FirestoreLedger(client))
        return opened[-1]

    functions = Functions(open_ledger, catalogue(*(f"c{number:03}" for number in range(COUNT))))
    functions.dispatch()
    functions.collect()
    run = opened[-1].run("r1")
    assert run is not None
    assert run.status is RunStatus.SUCCEEDED
    return tally


def test_a_collector_costs_five_writes_and_a_read_or_less_in_one_process(
    make_client: MakeClient,
) -> None:
    cost = run_counted(make_client, processes=1)

    assert cost.writes <= 5 * COUNT + RUN_WRITES
    assert cost.reads <= 1.1 * COUNT


def test_separate_functions_read_each_answer_once_and_little_else(
    make_client: MakeClient,
) -> None:
    began = time.monotonic()
    cost = run_counted(make_client, processes=3)
    took_s = time.monotonic() - began

    assert cost.writes <= 5 * COUNT + RUN_WRITES
    # Reads that do not grow with the run: its record, its manifest, the memory of collectors.
    assert cost.reads - cost.counts <= COUNT + RUN_READS + took_s / LATELY_S
    # However many answers come, the run is counted so often and no oftener.
    assert cost.counts <= 2 + took_s / GATHER_S
    # The last answers may be seen full by several handlers: one of them wins, the others lose.
    assert cost.refused <= 10
