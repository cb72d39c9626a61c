"""Signals: the first is a request, nohup's is none, and what was before is put back."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from tests.cli.conftest import Folder, ended, eventually

from fanfold.cli.exit_codes import INTERRUPTED
from fanfold.cli.interrupt import interruptible
from fanfold.domain.syntax.command_line import quoted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in SIGNALS}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_sets_the_flag_and_afterwards_means_what_it_did(number: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in SIGNALS}
    with interruptible() as interrupt:
        assert not interrupt.wait(0)
        os.kill(os.getpid(), number)
        assert interrupt.wait(10)
        assert interrupt.by == number
    assert {each: signal.getsignal(each) for each in SIGNALS} == before


def test_under_nohup_a_hangup_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interruptible() as interrupt:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not interrupt.wait(0.2)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_run_whose_terminal_is_closed_is_kept(folder: Folder) -> None:
    folder.configure({"dvf": "slow/1"})
    process = folder.spawn("run", "--run-id", "mine")
    eventually(lambda: len(folder.collectors.calls) == 1)
    process.send_signal(signal.SIGHUP)
    stopped = ended(process)
    assert stopped.code == INTERRUPTED
    assert f"next: {quoted(sys.executable)} -m fanfold run --run-id mine" in stopped.err
    assert folder.run("run", "--run-id", "mine").code == 0
