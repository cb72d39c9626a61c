"""What tests need of the machine: skipped where a laptop lacks it, failed where CI does."""

from __future__ import annotations

import os
import shutil
from typing import Never

import pytest

#: Commands, or ``root``, that ``.ci/run`` could not get and has said so: skipped in CI, too.
LACKING = "FANFOLD_CI_LACKS"


def lacks(what: str) -> str:
    """Return why there is no *what* here, "" if there is: a command's name, or ``root``."""
    if what == "root":
        return "" if os.geteuid() == 0 else "only root makes files for another user"
    return "" if shutil.which(what) else f"{what} is not installed"


def give_up(missing: str, what: str = "") -> Never:
    """Skip the test for the reason *missing*; fail it in CI, unless *what* is known to lack."""
    required = os.environ.get("CI") or os.environ.get("FANFOLD_REQUIRE_EMULATORS") == "1"
    if required and what not in os.environ.get(LACKING, "").split():
        pytest.fail(missing)
    # The one place that skips: a laptop need not have each tool. In CI the line above fails.
    pytest.skip(missing)
