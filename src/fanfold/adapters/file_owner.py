"""Files and folders that root makes for somebody else: they get the owner of what they stand by.

``sudo fanfold run`` in the folder of a service must leave nothing that the service may not open.
"""

from __future__ import annotations

import os
from pathlib import Path


def take_owner(descriptor: int, model: os.stat_result) -> None:
    """Give an open file or folder the owner and group of *model*. Only root does; others own it."""
    if os.geteuid() == 0:
        os.fchown(descriptor, model.st_uid, model.st_gid)


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Make *path*, and the folders above it that are missing; each gets its parent's owner.

    Args:
        path: It may be there already, and is then left as it is.
        mode: Of every folder that is made, less the umask.

    Raises:
        OSError: It cannot be made, or something else has its name.
    """
    if path.is_dir():
        return
    make_folder(path.parent, mode)
    try:
        path.mkdir(mode)
    except FileExistsError:
        if path.is_dir():
            return
        raise
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        take_owner(descriptor, path.parent.stat())
    finally:
        os.close(descriptor)
