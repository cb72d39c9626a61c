"""``python -m fanfold.devstack``: see ``make emulators-run``.

Three addresses and ``ready`` go to stdout, a line each, for scripts; everything else to stderr, and
with it the lines to paste into a terminal in which ``gcloud`` is used.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from fanfold.devstack.processes import DidNotStart, StartInterrupted
from fanfold.devstack.stack import DevStack, StackOptions, with_defaults
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.rules import push
from fanfold.settings import read_settings

#: Time between two sweeps where nothing else is asked, in seconds.
SWEEP_EVERY_S = 5.0

#: How soon a signal is noticed, in seconds.
NOTICED_WITHIN_S = 0.1


class Interrupted:
    """Whether somebody asked to stop. A plain flag: a signal's handler may take no lock."""

    def __init__(self) -> None:
        self._is_set = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._take)

    def __call__(self) -> bool:
        """Return whether a signal came."""
        return self._is_set

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self._is_set = True


def main() -> int:
    """Run until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="make emulators-run", description="fanfold on the official emulators, on one machine."
    )
    parser.add_argument("--sweep-every", type=float, default=SWEEP_EVERY_S, metavar="SECONDS")
    parser.add_argument(
        "--push",
        choices=tuple(push.BY_NAME),
        help="deliver as slowly as Google Cloud may, and refuse what finds no place: 'wide' has no "
        "slow start, 'hopeful' and 'cautious' are the best and the worst of it",
    )
    arguments = parser.parse_args()
    is_interrupted = Interrupted()
    try:
        options = StackOptions(
            with_defaults(read_settings(os.environ)),
            Path(tempfile.mkdtemp(prefix="fanfold-emulators-")),
            arguments.sweep_every,
            with_examples=not os.environ.get("FANFOLD_CONFIG"),
            push=push.BY_NAME[arguments.push] if arguments.push else None,
        )
        return _run(DevStack(options, _say, is_interrupted), is_interrupted)
    except FanfoldError as exc:
        _say(str(exc))
        return 2


def _run(stack: DevStack, is_interrupted: Interrupted) -> int:
    try:
        stack.start()
        _say("before you use gcloud, or it addresses a real project:")
        for name, value in {**stack.hosts, **stack.for_gcloud()}.items():
            _say(f"  export {name}={shlex.quote(value)}")
        for name, value in stack.hosts.items():
            print(f"{name}={value}", flush=True)
        print("ready", flush=True)
        while not is_interrupted():
            time.sleep(NOTICED_WITHIN_S)
    except DidNotStart as exc:
        _say(str(exc))
        return 1
    except StartInterrupted:
        pass
    finally:
        _say("stopping")
        stack.stop()
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
