"""How long a target may take for one message, whatever it does; no target waits for another.

A server that sends its answer byte by byte, or a mail server that never ends a line, keeps within
each timeout of a library and yet never ends. Nobody waits for it longer than :data:`LIMIT_S`.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from fanfold.domain.model.errors import TargetAway

#: How long one message to one target may take, in seconds.
LIMIT_S = 30.0

#: The part of that for which a message waits for the one before it.
_WAITS = 0.9


class Patience:
    """Tells targets side by side, and gives up on each after ``limit_s`` seconds.

    A call that was given up goes on in a thread of its own, and does what remains if the target
    ends after all. Until then no other message is sent to the same target, so that there is at most
    one such thread for each target that waits for an answer.
    """

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._turns: dict[str, threading.Semaphore] = defaultdict(threading.Semaphore)

    def __call__(
        self, tellings: Mapping[str, Callable[[], None]]
    ) -> Mapping[str, Exception | None]:
        """Call what tells each target; return by its key what went wrong, None if nothing did.

        A target that does not end in time, or with which an earlier message still goes on, went
        wrong with a TargetAway.
        """
        until = time.monotonic() + self._limit_s
        ended: dict[str, Exception | None] = {}
        threads = []
        for key, tell in tellings.items():
            work = (self._turns[key], key, tell, ended)
            thread = threading.Thread(
                target=self._work, args=work, name=f"tell {_kind(key)}", daemon=True
            )
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        late = TargetAway
        limit = f"{self._limit_s:g} s"
        return {
            key: ended[key]
            if key in ended
            else late(f"{_kind(key)} took no message within {limit}")
            for key in tellings
        }

    def _work(
        self,
        turn: threading.Semaphore,
        key: str,
        tell: Callable[[], None],
        ended: dict[str, Exception | None],
    ) -> None:
        if not turn.acquire(timeout=self._limit_s * _WAITS):
            ended[key] = TargetAway(f"{_kind(key)} is busy with an earlier message")
            return
        try:
            tell()
            ended[key] = None
        except Exception as exc:  # noqa: BLE001 - given back to the caller
            ended[key] = exc
        finally:
            turn.release()


def _kind(key: str) -> str:
    """Return which kind of target *key* names: ``notify.webhook``."""
    return f"notify.{key.partition('/')[0]}"
