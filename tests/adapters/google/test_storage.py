"""Reports in a bucket, on a server that honours conditions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.cloud import storage  # type: ignore[attr-defined,unused-ignore]
from tests.adapters.google.gcs import gcs_server
from tests.contracts.report_sink import DOCUMENTS, ReportSinkContract

from fanfold.adapters.google.reports import CACHE_CONTROL, GcsSink, ReportSinks
from fanfold.adapters.report_folder import FolderSink
from fanfold.domain.model.errors import NotConfigured, ReportDiffers
from fanfold.ports.outside import ReportSink


@pytest.fixture(scope="module")
def gcs_url() -> Iterator[str]:
    with gcs_server() as url:
        yield url


@pytest.fixture
def client(gcs_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[storage.Client]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_url)
    with storage.Client(project="demo") as client:
        yield client


@pytest.fixture
def bucket(client: storage.Client, request: pytest.FixtureRequest) -> Any:
    return client.create_bucket(f"b-{abs(hash(request.node.nodeid))}")


@pytest.fixture
def sink(client: storage.Client) -> GcsSink:
    return GcsSink("demo")


class TestGcsSink(ReportSinkContract):
    @pytest.fixture
    def sink(self, client: storage.Client) -> ReportSink:
        return GcsSink("demo")

    @pytest.fixture
    def report_to(self, bucket: Any) -> str:
        return f"gs://{bucket.name}/some/prefix"


class TestReportSinks(ReportSinkContract):
    """The folder of a backend that could write to a bucket as well."""

    @pytest.fixture
    def sink(self, client: storage.Client) -> ReportSink:
        return ReportSinks(GcsSink("demo"), FolderSink())

    @pytest.fixture
    def report_to(self, tmp_path: Path) -> str:
        return str(tmp_path / "reports")


def test_a_bucket_or_a_folder_is_chosen_by_the_place(bucket: Any, tmp_path: Path) -> None:
    sinks = ReportSinks(GcsSink("demo"), FolderSink())

    sinks.write(f"gs://{bucket.name}", "r1", {"report.html": [b"in the bucket"]})
    sinks.write(str(tmp_path), "r1", {"report.html": [b"in the folder"]})

    assert bucket.blob("r1/report.html").download_as_bytes() == b"in the bucket"
    assert (tmp_path / "r1" / "report.html").read_bytes() == b"in the folder"


@pytest.mark.parametrize("end", ["", "/"])
def test_the_place_is_one_to_copy_and_the_objects_say_what_they_are(
    sink: GcsSink, bucket: Any, end: str
) -> None:
    place = sink.write(f"gs://{bucket.name}/reports{end}", "r1", DOCUMENTS)

    assert place == f"gs://{bucket.name}/reports/r1/report.html"
    page, document = (bucket.get_blob(f"reports/r1/{name}") for name in DOCUMENTS)
    assert page.content_type == "text/html; charset=utf-8"
    assert document.content_type == "application/json"
    assert page.cache_control == CACHE_CONTROL


def test_of_many_that_write_the_same_at_once_none_fails(sink: GcsSink, bucket: Any) -> None:
    place = f"gs://{bucket.name}"
    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(sink.write, place, "r1", DOCUMENTS) for _ in range(8)]
        places = {each.result() for each in writes}

    assert places == {f"{place}/r1/report.html"}


def test_of_many_that_write_at_once_one_stays_and_the_others_are_told(
    sink: GcsSink, bucket: Any
) -> None:
    contents = [f"writer {number}".encode() for number in range(8)]
    place = f"gs://{bucket.name}"
    with ThreadPoolExecutor(8) as pool:
        writes = [
            pool.submit(sink.write, place, "r1", {"report.html": [each]}) for each in contents
        ]
        told = [type(each.exception()) for each in writes]

    assert (told.count(ReportDiffers), told.count(type(None))) == (7, 1)
    assert sink.read(place, "r1", "report.html") in contents
    assert bucket.get_blob("r1/report.html").generation is not None


def test_a_large_report_arrives_whole(sink: GcsSink, bucket: Any) -> None:
    content = bytes(range(256)) * 40_000  # above 8 MiB the client uploads in several requests
    sink.write(f"gs://{bucket.name}", "r1", {"report.html": [content]})

    assert sink.read(f"gs://{bucket.name}", "r1", "report.html") == content


def test_a_missing_bucket_is_said_with_the_command_that_makes_it(sink: GcsSink) -> None:
    with pytest.raises(NotConfigured, match="gcloud storage buckets create gs://no-such"):
        sink.write("gs://no-such/reports", "r1", DOCUMENTS)


def test_without_the_library_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.storage", None)
    monkeypatch.delattr("google.cloud.storage", raising=False)

    with pytest.raises(NotConfigured, match=r'pip install "fanfold\[storage\]"'):
        GcsSink("demo").write("gs://b", "r1", DOCUMENTS)


def test_without_a_bucket_s_name_the_form_is_named(sink: GcsSink) -> None:
    with pytest.raises(NotConfigured, match="gs://BUCKET"):
        sink.write("gs://", "r1", DOCUMENTS)
