"""The embedded sink keeps the promises of the report sink, in a folder."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from tests.adapters.embedded.other_user import OTHER
from tests.contracts.report_sink import CONTENTS, DOCUMENTS, ReportSinkContract

from fanfold.adapters.report_folder import FolderSink
from fanfold.domain.model.errors import NotConfigured, ReportDiffers, SinkUnavailable
from fanfold.ports.outside import ReportSink


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestFolderSink(ReportSinkContract):
    @pytest.fixture
    def sink(self) -> FolderSink:
        return FolderSink()

    @pytest.fixture
    def report_to(self, tmp_path: Path) -> str:
        return str(tmp_path / "deep" / "reports")

    def test_nothing_but_the_documents_is_left_in_the_folder(
        self, sink: ReportSink, report_to: str
    ) -> None:
        sink.write(report_to, "r1", DOCUMENTS)
        sink.write(report_to, "r1", DOCUMENTS)

        assert {path.name for path in (Path(report_to) / "r1").iterdir()} == set(DOCUMENTS)

    def test_a_report_is_for_its_owner_alone(self, sink: ReportSink, report_to: str) -> None:
        place = Path(sink.write(report_to, "r1", DOCUMENTS))

        assert mode_of(place) == 0o600
        assert [mode_of(each) for each in (place.parent, Path(report_to))] == [0o700, 0o700]

    @pytest.mark.parametrize(
        ("mode", "folder_mode"), [(0o640, 0o750), (0o644, 0o755), (0o660, 0o770), (0o600, 0o700)]
    )
    def test_a_configured_mode_is_that_of_every_file(
        self, report_to: str, mode: int, folder_mode: int
    ) -> None:
        before = os.umask(0o077)
        try:
            place = Path(FolderSink(mode).write(report_to, "r1", DOCUMENTS))
        finally:
            os.umask(before)

        assert [mode_of(each) for each in place.parent.iterdir()] == [mode, mode]
        assert [mode_of(each) for each in (place.parent, Path(report_to))] == [folder_mode] * 2

    def test_a_folder_that_is_there_keeps_its_mode(self, sink: ReportSink, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        sink.write(str(tmp_path), "r1", DOCUMENTS)

        assert mode_of(tmp_path) == 0o755

    def test_a_link_in_the_place_of_a_document_is_neither_followed_nor_believed(
        self, sink: ReportSink, report_to: str, tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside"
        outside.write_text("planted")
        folder = Path(report_to) / "r1"
        folder.mkdir(parents=True)
        (folder / "report.json").symlink_to(outside)
        assert sink.read(report_to, "r1", "report.json") is None

        sink.write(report_to, "r1", DOCUMENTS)
        assert sink.read(report_to, "r1", "report.json") == CONTENTS["report.json"]
        assert not (folder / "report.json").is_symlink()
        assert outside.read_text() == "planted"

    def test_a_link_in_the_place_of_a_runs_folder_is_neither_followed_nor_believed(
        self, sink: ReportSink, report_to: str, tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "report.json").write_text("planted")
        Path(report_to).mkdir(parents=True)
        (Path(report_to) / "r1").symlink_to(outside)
        assert sink.read(report_to, "r1", "report.json") is None

        sink.write(report_to, "r1", DOCUMENTS)
        assert sink.read(report_to, "r1", "report.json") == CONTENTS["report.json"]
        assert [each.name for each in outside.iterdir()] == ["report.json"]

    @pytest.mark.parametrize("planted", ["fifo", "folder", "socket"])
    def test_what_is_no_file_is_no_report(
        self, sink: ReportSink, report_to: str, planted: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sink.write(report_to, "r1", {"report.html": [b"x"]})
        monkeypatch.chdir(Path(report_to) / "r1")
        if planted == "fifo":
            os.mkfifo("report.json")
        elif planted == "folder":
            Path("report.json").mkdir()
        else:
            with socket.socket(socket.AF_UNIX) as taken:
                taken.bind("report.json")
        before = len(list(Path("/proc/self/fd").iterdir()))

        assert sink.read(report_to, "r1", "report.json") is None
        # It is in the way as another report would be: the next revision is written beside it.
        with pytest.raises(ReportDiffers):
            sink.write(report_to, "r1", {"report.json": [b"{}"]})
        assert len(list(Path("/proc/self/fd").iterdir())) == before

    @pytest.mark.needs("root")
    def test_what_root_writes_belongs_to_the_owner_of_the_folder(
        self, sink: ReportSink, report_to: str
    ) -> None:
        Path(report_to).mkdir(parents=True)
        os.chown(report_to, OTHER, OTHER)
        place = Path(sink.write(report_to, "r1", DOCUMENTS))

        for made in (place.parent, *place.parent.iterdir()):
            assert (made.stat().st_uid, made.stat().st_gid) == (OTHER, OTHER)

    def test_a_folder_that_can_be_written_passes_the_check(
        self, sink: FolderSink, report_to: str
    ) -> None:
        sink.check(report_to)

        assert list(Path(report_to).iterdir()) == []

    def test_a_full_disk_fails_the_check(
        self, sink: FolderSink, report_to: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(descriptor: int, content: bytes) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(SinkUnavailable, match="No space left"):
            sink.check(report_to)
        assert list(Path(report_to).iterdir()) == []

    def test_no_descriptor_is_left_open(self, sink: ReportSink, report_to: str) -> None:
        sink.write(report_to, "r0", DOCUMENTS)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for number in range(5):
            sink.write(report_to, f"r{number}", DOCUMENTS)
            sink.read(report_to, f"r{number}", "report.json")
            sink.read(report_to, f"r{number}", "absent")
        assert len(list(Path("/proc/self/fd").iterdir())) == before

    def test_a_bucket_is_not_for_this_backend(self, sink: ReportSink) -> None:
        with pytest.raises(NotConfigured, match=r"report\.folder"):
            sink.write("gs://bucket/reports", "r1", DOCUMENTS)

    def test_a_folder_that_cannot_be_made_is_unavailable(
        self, sink: ReportSink, tmp_path: Path
    ) -> None:
        (tmp_path / "taken").write_text("a file")

        with pytest.raises(SinkUnavailable, match="taken"):
            sink.write(str(tmp_path / "taken"), "r1", DOCUMENTS)
        with pytest.raises(SinkUnavailable):
            sink.read(str(tmp_path / "taken"), "r1", "report.html")

    def test_a_full_disk_leaves_no_half_report(
        self, sink: ReportSink, report_to: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(SinkUnavailable, match="No space left"):
            sink.write(report_to, "r1", DOCUMENTS)
        assert list((Path(report_to) / "r1").iterdir()) == []

        monkeypatch.undo()
        sink.write(report_to, "r1", DOCUMENTS)
        assert sink.read(report_to, "r1", "report.json") == b"{}"
