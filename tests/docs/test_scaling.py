"""The figures that docs/scaling.md computes are those of the code's limits, prices and model."""

from __future__ import annotations

import json
import re

import pytest
from tests.docs.documents import ROOT, text_of

from fanfold.adapters.google import errors
from fanfold.adapters.google.ledger import console_lines, history, run_cache, store
from fanfold.app import dispatch, sweep
from fanfold.domain.model.collector import Transport
from fanfold.domain.rules.push import CAUTIOUS, HOPEFUL, WIDE, night

PAGE = " ".join(text_of("docs/scaling.md").split())


@pytest.mark.parametrize(
    "said",
    [
        f"chunks of up to {store.MAX_FIELD_BYTES:,} bytes",
        f"lines for people up to {console_lines.MAX_LINES_BYTES:,} bytes",
        f"at most {store.MAX_COMMIT_WRITES} writes and {store.MAX_COMMIT_BYTES:,} bytes",
        f"in parts of {history.MAX_PART},",
        f"jobs in batches of {dispatch.BATCH}",
        f"every {console_lines.EVERY_S:.0f} s by each process for people",
        f"a sweep goes on after {sweep.RESUME_AFTER_S:.0f} s",
        f"keeps up to {run_cache.KEPT_ANSWERS:,} answers",
        f"in pages of {store.PAGE},",
        f"repeats each call for {errors.PATIENCE_S:.0f} s",
        f"100,000 are {-(-100_000 * 691 // store.MAX_FIELD_BYTES)} chunks",
    ],
)
def test_each_limit_is_the_code_s(said: str) -> None:
    assert said in PAGE


def test_the_deadline_and_the_instances_are_those_that_are_deployed() -> None:
    topology = json.loads((ROOT / "src/fanfold/messages/topology.json").read_text("utf-8"))
    deadline_s = topology["subscriptions"]["run-requests"]["ack_deadline_s"]
    assert f"{deadline_s} s a delivery" in PAGE
    sizes = (ROOT / "infra" / "functions.tf").read_text("utf-8")
    (concurrency, instances), *_ = re.findall(
        r'aggregator\s+= \{ concurrency = (\d+), cpu = "1", max_instances = (\d+)', sizes
    )
    assert f"{int(concurrency) * int(instances)} results at once" in PAGE
    assert 'memory        = "512Mi"' in sizes


def test_the_times_of_ten_thousand_are_the_model_s() -> None:
    def ends(places: int, length_s: float) -> tuple[float, float]:
        found = [
            night(
                [length_s] * 10_000, places=places, assumed=each, transport=Transport.PUBSUB
            ).end_s
            for each in (WIDE, HOPEFUL, CAUTIOUS)
        ]
        return min(found), max(found)

    for places, length_s in ((80, 2.0), (800, 2.0)):
        shortest, longest = ends(places, length_s)
        assert f"10,000, {places} | {shortest:.0f} s to {longest:.0f} s" in PAGE
    shortest, longest = ends(800, 60.0)
    assert f"{shortest / 60:.0f} min to {longest / 60:.0f} min | 13 min" in PAGE


@pytest.mark.parametrize(("thousands", "wall_s"), [(10, 782), (100, 7_502)])
def test_the_costs_are_the_prices_of_the_counts(thousands: int, wall_s: int) -> None:
    runs = thousands // 10
    bus = 2 * (2 * thousands * 1000 + 2) * 1000 / 2**40 * 40
    ledger = runs * (50_139 * 0.09 + 32_895 * 0.03) / 100_000
    relay = 10 * wall_s * (0.000024 + 0.5 * 0.0000025)
    night_usd = sum(round(each, 4) for each in (bus, ledger, relay))

    for each in (bus, ledger, relay):
        assert f" {each:.4f} " in PAGE
    assert f"{night_usd:.4f} a" in PAGE
    assert f"{night_usd * 30:.2f} a month" in PAGE
