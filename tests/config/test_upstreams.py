"""What the file says of the sources behind the collectors."""

from __future__ import annotations

import pytest
from tests.config.cases import errors, read, refused, warnings

from fanfold.config import Level, Loaded
from fanfold.domain.model.upstream import Breaker, Upstream


def file(upstreams: str, *collectors: str, scheduler: str = "") -> str:
    entries = "".join(f"    c{n}: {each}\n" for n, each in enumerate(collectors))
    return (
        f"version: 2\nscheduler:\n  {scheduler}\n  collectors:\n    dvf: {{}}\n{entries}"
        f"upstreams: {upstreams}\n"
    )


def limits(loaded: Loaded, name: str = "dvf") -> Upstream | None:
    return loaded.catalogue.collector(name).spec.limits


def test_a_collector_has_the_limits_of_the_source_that_it_names() -> None:
    text = file(
        "{api.insee.fr: {max_concurrent: 2, per_minute: 30, breaker: {failures: 4, pause: 1m}}}",
        "{url: https://c.example, upstream: api.insee.fr}",
        "{url: https://c.example, upstream: API.insee.fr}",
        "{url: https://c.example, upstream: 'https://api.insee.fr/x'}",
    )
    expected = Upstream("api.insee.fr", 2, 30, Breaker(4, 60.0))
    loaded = read(text)
    assert [limits(loaded, f"c{n}") for n in range(3)] == [expected] * 3
    assert limits(loaded) is None
    assert loaded.catalogue.collector("c2").spec.upstream == "api.insee.fr"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("api.insee.fr", "https://API.insee.fr/v3?x=1"),
        ("api.insee.fr", "https://api.insee.fr:8443/v3"),
        ("api.insee.fr:8443", "https://api.insee.fr:8443/v3"),
    ],
)
def test_the_host_of_the_url_is_the_source_if_it_is_configured(name: str, url: str) -> None:
    loaded = read(file(f"{{'{name}': {{per_minute: 5}}}}"), DVF_COLLECTOR_URL=url)
    assert limits(loaded) == Upstream(name, per_minute=5)
    assert loaded.catalogue.collector("dvf").spec.upstream == name


def test_a_written_name_goes_before_the_host() -> None:
    text = file(
        "{dvf.example: {per_minute: 5}, other: {per_minute: 6}}",
        "{url: https://dvf.example, upstream: other}",
        "{url: https://dvf.example, upstream: for people}",
    )
    loaded = read(text)
    assert limits(loaded, "c0") == Upstream("other", per_minute=6)
    assert limits(loaded, "c1") is None
    assert loaded.catalogue.collector("c1").spec.upstream == "for people"


def test_without_the_section_there_are_no_limits() -> None:
    assert limits(read(file(""))) is None


def test_everything_that_is_wrong_is_told_at_once_with_its_place_and_the_fix() -> None:
    text = file(
        "{a: {max_concurrent: 0, per_minute: -1, breaker: {failures: 0, pause: 0s}},"
        " b: {max_conccurent: 2, breaker: {failures: 101, pauze: 2m, pause: 2}}, c: 5,"
        " d/e: {per_minute: 1}, F: {per_minute: 1}, f: {per_minute: 2}}"
    )
    wrong = [each for each in refused(text).problems if each.level is Level.ERROR]
    found = {each.where: (each.what, each.fix) for each in wrong}
    assert found["upstreams.a.max_concurrent"] == ("0 is less than 1", "write 1 or more")
    assert found["upstreams.a.per_minute"][0] == "-1 is less than 0"
    assert found["upstreams.a.breaker.failures"][0] == "0 is less than 1"
    assert "out of range" in found["upstreams.a.breaker.pause"][0]
    assert "did you mean 'max_concurrent'" in found["upstreams.b.max_conccurent"][1]
    assert found["upstreams.b.breaker.failures"][0] == "101 is more than 100"
    assert "did you mean 'pause'" in found["upstreams.b.breaker.pauze"][1]
    assert found["upstreams.b.breaker.pause"][1] == "is it seconds? write 2s"
    assert "is not a map" in found["upstreams.c"][0]
    assert found["upstreams.d/e"][1] == "write its host, such as api.insee.fr"
    assert "stands twice" in found["upstreams.f"][0]


def test_limits_in_the_wrong_place_are_sent_to_the_right_one() -> None:
    (only,) = errors("version: 2\nscheduler:\n  upstreams: {}\n  collectors: {dvf: {}}\n")
    assert "upstreams" in only


def test_a_source_that_nobody_names_is_a_warning() -> None:
    (only,) = warnings(file("{api.insee.fr: {per_minute: 5}}"))
    assert "upstreams.api.insee.fr: no enabled collector names it" in only


def test_a_name_that_is_nearly_a_source_is_a_warning() -> None:
    text = file(
        "{api.insee.fr: {per_minute: 5}}",
        "{url: https://c.example, upstream: api.inse.fr}",
        "{url: https://c.example, upstream: api.insee.fr}",
    )
    (only,) = read(text).warnings
    assert only.where == "scheduler.collectors.c0.upstream"
    assert only.fix == "did you mean 'api.insee.fr'?"


def test_a_source_without_a_limit_is_a_warning() -> None:
    (only,) = warnings(file("{dvf.example: {}}"))
    assert "it has no limit" in only


def test_limits_that_leave_a_run_too_little_time_are_a_warning() -> None:
    collectors = ["{url: https://dvf.example}"] * 119
    few = "{dvf.example: {per_minute: 30, breaker: {pause: 4m}}}"
    assert warnings(file(few, *collectors, scheduler="run_timeout: 20m")) == []
    slow, paused = warnings(file(few, *collectors, scheduler="run_timeout: 3m"))
    if "pause" in slow:
        slow, paused = paused, slow
    assert (
        "30 per minute and 120 collectors: the last one begins after 3m00s at the earliest" in slow
    )
    assert "the pause is as long as a run" in paused
