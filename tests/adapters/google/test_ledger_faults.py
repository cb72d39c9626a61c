"""What the Firestore ledger does when replies are lost, or nobody answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.api_core import exceptions as api
from tests.adapters.google.conftest import MakeClient, client_at
from tests.adapters.google.traffic import Proxy
from tests.support import (
    RUN_ID,
    START,
    a_closing,
    a_job,
    a_run,
    after,
    an_answer,
    an_attempt,
    entry,
)

from fanfold.adapters.google.ledger import FirestoreLedger
from fanfold.adapters.google.ledger.store import Store, connect
from fanfold.devstack.processes import free_ports
from fanfold.domain.model.errors import NotConfigured, StoreUnavailable
from fanfold.domain.model.run import LateAnswer, RunFigures
from fanfold.domain.rules.claim import Granted, Held

pytestmark = pytest.mark.emulator

MANIFEST = [entry("dvf"), entry("plu")]


class LossyLedger:
    """A ledger behind a proxy, and the same ledger without."""

    def __init__(self, lossy: FirestoreLedger, sound: FirestoreLedger, proxy: Proxy) -> None:
        self.lossy, self.sound, self.proxy = lossy, sound, proxy

    def lose(self) -> FirestoreLedger:
        """Return the ledger whose next reply is lost."""
        self.proxy.lose_next_reply()
        return self.lossy


@pytest.fixture
def both(firestore_host: str, make_client: MakeClient) -> Iterator[LossyLedger]:
    with Proxy(firestore_host) as proxy:
        ledger = FirestoreLedger(make_client(proxy.host))
        sound = FirestoreLedger(make_client())
        ledger.run("warm")
        yield LossyLedger(ledger, sound, proxy)


def begin(both: LossyLedger) -> None:
    """Start a run through the proxy, so that what is asked next is the write itself."""
    ledger = both.lossy
    ledger.create_run(a_run(manifest=MANIFEST), MANIFEST)
    ledger.create_jobs(RUN_ID, [a_job("dvf"), a_job("plu")])
    ledger.open_run(RUN_ID)


def test_a_creation_whose_reply_is_lost_is_mine(both: LossyLedger) -> None:
    assert both.lose().create_run(a_run(manifest=MANIFEST), MANIFEST)
    assert both.proxy.lost == 1
    assert list(both.sound.manifest(RUN_ID)) == MANIFEST


def test_jobs_whose_reply_is_lost_are_there_once(both: LossyLedger) -> None:
    both.lossy.create_run(a_run(manifest=MANIFEST), MANIFEST)
    both.lose().create_jobs(RUN_ID, [a_job("dvf"), a_job("plu")])

    assert both.proxy.lost == 1
    assert list(both.sound.jobs(RUN_ID)) == [a_job("dvf"), a_job("plu")]


def test_a_claim_whose_reply_is_lost_is_granted_to_whom_it_was(both: LossyLedger) -> None:
    begin(both)
    claimed = both.lose().claim(RUN_ID, "dvf", holder="h", now=START)

    assert both.proxy.lost == 1
    assert isinstance(claimed, Granted)
    assert claimed.lease.fence == 1
    assert both.sound.check(claimed.lease, now=after(1))


def test_a_thread_of_the_same_process_does_not_take_the_lost_claim_for_its_own(
    both: LossyLedger,
) -> None:
    begin(both)
    both.sound.claim(RUN_ID, "dvf", holder="h", now=START)

    assert isinstance(both.lossy.claim(RUN_ID, "dvf", holder="h", now=START), Held)


def test_an_answer_whose_reply_is_lost_is_mine(both: LossyLedger) -> None:
    begin(both)
    stored = both.lose().record(an_answer("dvf"))

    assert both.proxy.lost == 1
    assert stored == an_answer("dvf")
    assert both.sound.answer(RUN_ID, "dvf") == stored


def test_a_release_whose_reply_is_lost_is_said_to_be_held(both: LossyLedger) -> None:
    begin(both)
    claimed = both.lossy.claim(RUN_ID, "dvf", holder="h", now=START)
    assert isinstance(claimed, Granted)
    attempt = an_attempt(outcome="retry")
    losing = both.lossy
    commit = losing.store.commit

    def lossy_commit(batch: object) -> object:
        both.proxy.lose_next_reply()
        return commit(batch)

    losing.store.commit = lossy_commit  # type: ignore[method-assign, assignment]
    assert losing.release(claimed.lease, attempt, not_before=after(9))
    assert both.proxy.lost == 1
    assert both.sound.jobs(RUN_ID)[0].attempts == (attempt,)


def test_a_finalization_whose_reply_is_lost_is_mine_and_nobody_elses(both: LossyLedger) -> None:
    begin(both)
    losing = both.lossy
    commit = losing.store.commit

    def lossy_commit(batch: object) -> object:
        both.proxy.lose_next_reply()
        return commit(batch)

    losing.store.commit = lossy_commit  # type: ignore[method-assign, assignment]
    assert losing.finalize_run(RUN_ID, a_closing())
    assert both.proxy.lost == 1
    assert not both.sound.finalize_run(RUN_ID, a_closing())


def test_evidence_and_memory_whose_reply_is_lost_are_kept_once(both: LossyLedger) -> None:
    begin(both)
    both.lose().keep_late(LateAnswer(an_answer("dvf", writer="late"), after(9)))
    both.lossy.histories(["dvf"])
    both.lose().remember("r1", [RunFigures("dvf", "s", after(9))])

    assert both.proxy.lost == 2
    assert len(both.sound.lates(RUN_ID)) == 1
    assert both.sound.histories(["dvf"])["dvf"].outcomes == "s"


def test_where_nobody_answers_it_says_so_within_five_seconds(project: str) -> None:
    ledger = FirestoreLedger(client_at(f"127.0.0.1:{free_ports(1)[0]}", project))

    def spent_s(call: Callable[[], object]) -> float:
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"the emulator at 127.*within .* tries"):
            call()
        return time.monotonic() - begun

    calls: list[Callable[[], object]] = [
        lambda: ledger.run(RUN_ID),
        lambda: ledger.create_run(a_run(manifest=MANIFEST), MANIFEST),
        ledger.unannounced,
        lambda: ledger.remember("r1", [RunFigures("dvf", "s", after(9))]),
    ]
    with ThreadPoolExecutor(len(calls)) as pool:
        assert max(pool.map(spent_s, calls)) < 5
    ledger.close()


def test_a_projection_fails_in_silence(project: str, both: LossyLedger) -> None:
    begin(both)
    both.lossy.record(an_answer("dvf"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(both.lossy.cache, "document", _refuse)
        both.lossy.project(RUN_ID)
    both.lossy.project(RUN_ID)


@pytest.mark.parametrize(
    ("kind", "said", "mended_by"),
    [
        (api.PermissionDenied, "Missing or insufficient permissions.", "roles/datastore.user"),
        (
            api.PermissionDenied,
            "Cloud Firestore API has not been used in project p before",
            "gcloud services enable firestore.googleapis.com --project=p",
        ),
        (
            api.NotFound,
            "The database (default) does not exist for project p",
            "gcloud firestore databases create --project=p",
        ),
        (api.Unauthenticated, "no", "gcloud auth application-default login"),
    ],
)
def test_a_refusal_names_the_command_that_mends_it(
    kind: Callable[[str], Exception], said: str, mended_by: str
) -> None:
    client = client_at("127.0.0.1:1", "p")

    def refuse() -> None:
        raise kind(said)

    with pytest.raises(NotConfigured, match=mended_by):
        Store(client)._persist("read", refuse)
    client.close()  # type: ignore[no-untyped-call]


def _refuse(_: str) -> None:
    raise StoreUnavailable("no")


@pytest.mark.slow
def test_a_store_that_comes_back_is_found_within_seconds(
    firestore_host: str, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gRPC by itself looks again after 9 s and after 16 s."""
    (port,) = free_ports(1)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{port}")
    ledger = FirestoreLedger(connect(project))
    gone_until = time.monotonic() + 11
    while time.monotonic() < gone_until:
        with pytest.raises(StoreUnavailable):
            ledger.run(RUN_ID)
    with Proxy(firestore_host, port=port):
        begun = time.monotonic()
        assert ledger.run(RUN_ID) is None
        assert time.monotonic() - begun < 3.5
        ledger.close()
