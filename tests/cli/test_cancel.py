"""``fanfold cancel RUN --collector NAME``: one collector ends, the run goes on."""

from __future__ import annotations

from tests.cli.conftest import Folder


def test_one_collector_is_cancelled_and_one_that_is_not_asked_is_refused(folder: Folder) -> None:
    slow = {"dvf": "slow/0.6", "plu": "ok", "sirene": "ok"}
    folder.configure(slow, max_concurrent_collectors=1)
    assert folder.run("run", "--wait-timeout", "100ms", "--run-id", "mine").code == 3
    wrong = folder.run("cancel", "mine", "--collector", "plv")
    assert wrong.code == 2
    assert "did you mean 'plu'?" in wrong.err

    done = folder.run("cancel", "mine", "--collector", "plu", "--reason", "too slow")
    assert (done.code, done.out.splitlines()[0]) == (0, "run mine: plu cancelled")
    again = folder.run("cancel", "mine", "--collector", "plu")
    assert (again.code, "plu answered already" in again.err) == (2, True)
    status = folder.run("status", "mine", "--format", "json").json()
    assert status["status"] == "running"
    assert status["collectors"]["plu"]["error"] == "cancelled: too slow"
