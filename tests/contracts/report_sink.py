"""The promises of :class:`fanfold.ports.outside.ReportSink`, as tests.

Not collected by itself: each adapter subclasses it, and says how to make a sink and where to.
"""

from __future__ import annotations

import tracemalloc
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat

import pytest

from fanfold.domain.model.errors import ReportDiffers
from fanfold.ports.outside import ReportSink

CONTENTS = {"report.html": b"<p>\xc3\xa9", "report.json": b"{}"}
DOCUMENTS = {"report.html": [b"<p>", b"", b"\xc3", b"\xa9"], "report.json": [b"{}"]}


@dataclass(frozen=True)
class Made:
    """A document whose pieces are made each time that it is gone through."""

    make: Callable[[], Iterator[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        return self.make()


class ReportSinkContract(ABC):
    @pytest.fixture
    @abstractmethod
    def sink(self) -> ReportSink:
        """Return the sink."""

    @pytest.fixture
    @abstractmethod
    def report_to(self) -> str:
        """Return a place for reports, empty at first; it need not exist."""

    def test_what_was_written_can_be_read(self, sink: ReportSink, report_to: str) -> None:
        place = sink.write(report_to, "r1", DOCUMENTS)

        assert place.endswith("r1/report.html")
        assert {name: sink.read(report_to, "r1", name) for name in CONTENTS} == CONTENTS

    def test_created_only_what_is_there_is_left(self, sink: ReportSink, report_to: str) -> None:
        first = sink.write(report_to, "r1", DOCUMENTS)
        assert sink.write(report_to, "r1", DOCUMENTS) == first
        with pytest.raises(ReportDiffers):
            sink.write(report_to, "r1", {"report.html": [b"other"], "report-2.json": [b"new"]})

        assert sink.read(report_to, "r1", "report.html") == CONTENTS["report.html"]
        assert sink.read(report_to, "r1", "report-2.json") == b"new"

    @pytest.mark.parametrize("other", [b"", b"{ }", b"{}\n", b"[]"])
    def test_the_same_only_if_the_bytes_are(
        self, sink: ReportSink, report_to: str, other: bytes
    ) -> None:
        sink.write(report_to, "r1", {"report.json": [other]})
        with pytest.raises(ReportDiffers) as caught:
            sink.write(report_to, "r1", DOCUMENTS)

        assert caught.value.names == ("report.json",)
        assert sink.read(report_to, "r1", "report.json") == other
        assert sink.read(report_to, "r1", "report.html") == CONTENTS["report.html"]

    def test_a_write_that_stopped_half_way_is_completed(
        self, sink: ReportSink, report_to: str
    ) -> None:
        sink.write(report_to, "r1", {"report.html": DOCUMENTS["report.html"]})
        sink.write(report_to, "r1", DOCUMENTS)

        assert sink.read(report_to, "r1", "report.json") == b"{}"

    def test_runs_are_kept_apart(self, sink: ReportSink, report_to: str) -> None:
        sink.write(report_to, "r1", DOCUMENTS)

        assert sink.read(report_to, "r2", "report.html") is None
        assert sink.read(report_to, "r1", "other") is None

    def test_whole_or_not_there(self, sink: ReportSink, report_to: str) -> None:
        def broken() -> Iterator[bytes]:
            yield b"half"
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            sink.write(report_to, "r1", {"report.html": Made(broken)})
        assert sink.read(report_to, "r1", "report.html") is None
        sink.write(report_to, "r1", DOCUMENTS)
        assert sink.read(report_to, "r1", "report.html") == CONTENTS["report.html"]

    def test_piece_by_piece(self, sink: ReportSink, report_to: str) -> None:
        piece, number = bytes(range(256)) * 4096, 20
        tracemalloc.start()
        try:
            sink.write(report_to, "r1", {"report.html": Made(lambda: repeat(piece, number))})
            held_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

        assert held_bytes < len(piece) * number
        assert sink.read(report_to, "r1", "report.html") == piece * number
