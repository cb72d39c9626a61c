"""A second user of this machine, for what one user's files mean to another."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Nobody's user and group id. Without root's rights the tests' own user stands for the other.
OTHER = 65534 if os.geteuid() == 0 else os.getuid()


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that every user may enter: pytest's own are for their owner alone."""
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def become_other() -> None:
    """Go on as the other user. What is imported must be so by now: Python itself may be root's."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(OTHER)
        os.setuid(OTHER)


def as_other_user(script: str, *arguments: object) -> str:
    """Run *script*, which calls :func:`become_other`, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
