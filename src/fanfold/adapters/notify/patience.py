"""How long a target may take for one message, whatever it does, and one message at a time.

A server that sends its answer byte by byte, or a mail server that never ends a line, keeps within
each timeout of a library and yet never ends. Nobody waits for it longer than :data:`LIMIT_S`.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

from fanfold.domain.model.errors import TargetAway

#: How long one message to one target may take, in seconds.
LIMIT_S = 30.0


class Patience:
    """Calls what tells a target, and gives up after ``limit_s`` seconds.

    A call that was given up goes on in a thread of its own. Until it ends no other message is sent
    to the same target, so that there is at most one such thread for each target.
    """

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._turns: dict[str, threading.Semaphore] = defaultdict(threading.Semaphore)
        self._lock = threading.Lock()

    def __call__(self, key: str, tell: Callable[[], None]) -> None:
        """Call *tell*, which tells the target of *key*, and raise what it raises.

        Raises:
            TargetAway: It did not end in time, or an earlier one still goes on.
        """
        with self._lock:
            turn = self._turns[key]
        limit = f"{self._limit_s:g} s"
        if not turn.acquire(timeout=self._limit_s):
            raise TargetAway(f"{_kind(key)} is busy with an earlier message for over {limit}")
        ended: list[BaseException | None] = []

        def work() -> None:
            try:
                tell()
                ended.append(None)
            except BaseException as exc:  # noqa: BLE001 - raised again in the caller's thread
                ended.append(exc)
            finally:
                turn.release()

        thread = threading.Thread(target=work, name=f"tell {_kind(key)}", daemon=True)
        thread.start()
        thread.join(self._limit_s)
        if not ended:
            raise TargetAway(f"{_kind(key)} took no message within {limit}")
        if ended[0] is not None:
            raise ended[0]


def _kind(key: str) -> str:
    """Return which kind of target *key* names: ``notify.webhook``."""
    return f"notify.{key.partition('/')[0]}"
