"""How many files a run request leads through: a number that only somebody's decision may raise."""

from __future__ import annotations

import pytest
from tools.files_touched import PACKAGE, main, touched

#: Most files on the way from a published request to report.html. Lower it when it falls.
MOST = 97


@pytest.mark.slow
def test_the_way_of_a_request_is_counted_and_does_not_grow(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = touched()
    assert len(files) <= MOST, files
    assert {
        "runtime/functions.py",
        "app/dispatch.py",
        "app/relay.py",
        "app/aggregate.py",
        "app/finish.py",
        "adapters/embedded/bus.py",
        "adapters/http/loop.py",
        "rendering/page.py",
    } <= set(files)
    # Housekeeping, what is only imported, and what no request meets.
    assert not {"app/sweep.py", "adapters/embedded/timer.py", "domain/model/errors.py"} & set(files)
    assert all((PACKAGE / path).is_file() for path in files)
    assert main(["-v"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1].endswith(" files of src/fanfold are touched by one run request")
    assert int(printed[-1].split()[0]) == len(printed) - 1
