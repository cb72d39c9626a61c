"""``python -m fanfold.devstack``: see ``make emulators-run``.

Three addresses and ``ready`` go to stdout, a line each, for scripts; everything else to stderr.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType

from fanfold.devstack.processes import DidNotStart
from fanfold.devstack.stack import DevStack, StackOptions, with_defaults
from fanfold.domain.model.errors import FanfoldError
from fanfold.settings import read_settings

#: Time between two sweeps where nothing else is asked, in seconds.
SWEEP_EVERY_S = 5.0


def main() -> int:
    """Run until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="make emulators-run", description="fanfold on the official emulators, on one machine."
    )
    parser.add_argument("--sweep-every", type=float, default=SWEEP_EVERY_S, metavar="SECONDS")
    arguments = parser.parse_args()
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        wanted = StackOptions(
            with_defaults(read_settings(os.environ)),
            Path(tempfile.mkdtemp(prefix="fanfold-emulators-")),
            arguments.sweep_every,
            with_examples=not os.environ.get("FANFOLD_CONFIG"),
        )
        return _run(DevStack(wanted, _say), stopping)
    except FanfoldError as exc:
        _say(str(exc))
        return 2


def _run(stand: DevStack, stopping: threading.Event) -> int:
    starting = threading.Thread(target=_stop_early, args=(stand, stopping), daemon=True)
    starting.start()
    try:
        stand.start()
        if not stopping.is_set():
            for name, value in stand.hosts.items():
                print(f"{name}={value}", flush=True)  # noqa: T201 - this is the answer
            print("ready", flush=True)  # noqa: T201
            stopping.wait()
    except DidNotStart as exc:
        _say(str(exc))
        return 1
    finally:
        _say("stopping")
        stand.stop()
    return 0


def _stop_early(stand: DevStack, stopping: threading.Event) -> None:
    """Let an interrupt during the start end the start."""
    stopping.wait()
    stand.children.stopping.set()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command talks


if __name__ == "__main__":
    sys.exit(main())
