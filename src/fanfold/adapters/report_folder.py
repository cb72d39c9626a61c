"""Reports in a folder: see :class:`fanfold.ports.outside.ReportSink`.

What stands in the folder is for people and their browsers. Nobody but fanfold's own user needs to
write there, so files and folders are for that user alone unless a mode is configured. A symbolic
link is never followed: whoever plants one decides neither what is read nor where it is written.
"""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from fanfold.adapters.file_owner import make_folder, take_owner
from fanfold.adapters.report_pieces import digest_of
from fanfold.domain.model.errors import NotConfigured, ReportDiffers, SinkUnavailable
from fanfold.ports.outside import Chunks

#: Who may read a report, unless it is configured: its owner.
OWNER_ALONE = 0o600

#: What opening says of things that are no documents of ours: a symbolic link, a socket, and a file
#: of somebody else's.
_NOT_OURS = (errno.ELOOP, errno.ENXIO, errno.EACCES)

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class FolderSink:
    """Keeps each run's report in a folder of its own: ``<report_to>/<run id>/report.html``.

    Args:
        mode: Of the files that it makes. Its folders can be entered by whoever may read.
    """

    def __init__(self, mode: int = OWNER_ALONE) -> None:
        self.mode = mode
        self.folder_mode = mode | 0o100 | (mode & 0o044) >> 2

    def write(self, report_to: str, run_id: str, documents: Mapping[str, Chunks]) -> str:
        """See :meth:`fanfold.ports.outside.ReportSink.write`."""
        top = _top(report_to)
        with _unavailable(f"cannot write the report to {top / run_id}"):
            self._make_top(top)
            with self._folder_of_run(top, run_id) as folder:
                differing = [
                    name
                    for name, content in documents.items()
                    if not self._create(folder, name, content)
                ]
        if differing:
            raise ReportDiffers(str(top / run_id), differing)
        return str(top / run_id / next(iter(documents)))

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        """See :meth:`fanfold.ports.outside.ReportSink.read`. A symbolic link counts as absent."""
        top = _top(report_to)
        with _unavailable("cannot read the report"):
            try:
                folder = os.open(top / run_id, _OPEN_FOLDER)
            except FileNotFoundError:
                return None
            except OSError as exc:
                if (top / run_id).is_symlink():
                    return None
                raise exc from None
            try:
                return _content(folder, name)
            finally:
                os.close(folder)

    def check(self, report_to: str) -> None:
        """Return if a report can be written to *report_to* now.

        Raises:
            SinkUnavailable: It cannot, and may be later.
            NotConfigured: It cannot as configured.
        """
        top = _top(report_to)
        with _unavailable(f"reports cannot be written to {top}"):
            self._make_top(top)
            probe = top / f".{uuid.uuid4().hex}"
            descriptor = os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                os.write(descriptor, b"a full disk takes a name, but no byte")
            finally:
                os.close(descriptor)
                probe.unlink()

    def _make_top(self, top: Path) -> None:
        if not top.is_dir():
            make_folder(top.parent)
            make_folder(top, self.folder_mode)
            top.chmod(self.folder_mode)

    @contextmanager
    def _folder_of_run(self, top: Path, run_id: str) -> Iterator[int]:
        """Give a descriptor of the run's folder, made if it is absent or only a symbolic link."""
        path = top / run_id
        if path.is_symlink():
            path.unlink()
        is_new = False
        with suppress(FileExistsError):
            path.mkdir(self.folder_mode)
            is_new = True
        folder = os.open(path, _OPEN_FOLDER)
        try:
            if is_new:
                os.fchmod(folder, self.folder_mode)
                take_owner(folder, top.stat())
            yield folder
        finally:
            os.close(folder)

    def _create(self, folder: int, name: str, content: Chunks) -> bool:
        """Write *content* as *name*, unless it is there: a reader never sees half a report.

        Returns whether *name* then holds *content*.
        """
        unnamed = f".{name}.{uuid.uuid4().hex}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        descriptor = os.open(unnamed, flags, OWNER_ALONE, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(content)
                file.flush()
                os.fchmod(descriptor, self.mode)
                take_owner(descriptor, os.fstat(folder))
                os.fsync(descriptor)
            _remove_link(folder, name)
            os.link(unnamed, name, src_dir_fd=folder, dst_dir_fd=folder)
        except FileExistsError:
            return _holds(folder, name, content)
        finally:
            os.unlink(unnamed, dir_fd=folder)
        return True


def _top(report_to: str) -> Path:
    if report_to.startswith("gs://"):
        raise NotConfigured(
            f"reports go to {report_to}, which the embedded backend cannot write: "
            "set report.folder, or FANFOLD_BACKEND=google"
        )
    return Path(report_to)


def _content(folder: int, name: str) -> bytes | None:
    file = _opened(folder, name)
    if file is None:
        return None
    with file:
        return file.read()


def _holds(folder: int, name: str, content: Chunks) -> bool:
    """Return whether the document *name* is *content*, byte for byte."""
    file = _opened(folder, name)
    if file is None:
        return False
    with file:
        return digest_of(file) == digest_of(content)


def _opened(folder: int, name: str) -> BinaryIO | None:
    """Return the document *name*, open; None if there is none of ours."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as exc:
        if exc.errno in _NOT_OURS:
            return None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def _remove_link(folder: int, name: str) -> None:
    """Remove a symbolic link that somebody put where a document belongs."""
    with suppress(FileNotFoundError):
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=folder)


@contextmanager
def _unavailable(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise SinkUnavailable(f"{what}: {exc.strerror or exc}") from exc
