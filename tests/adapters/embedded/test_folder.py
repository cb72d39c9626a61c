"""The embedded sink keeps the promises of the report sink, in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.contracts.report_sink import DOCUMENTS, ReportSinkContract

from fanfold.adapters.report_folder import FolderSink
from fanfold.domain.model.errors import NotConfigured, SinkUnavailable
from fanfold.ports.outside import ReportSink


class TestFolderSink(ReportSinkContract):
    @pytest.fixture
    def sink(self) -> ReportSink:
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

    def test_a_report_can_be_read_by_others(self, sink: ReportSink, report_to: str) -> None:
        place = sink.write(report_to, "r1", DOCUMENTS)

        assert Path(place).stat().st_mode & 0o777 == 0o644

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
