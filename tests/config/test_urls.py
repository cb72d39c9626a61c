"""Where a collector is: the first of the places that may say so, and only a URL that is safe."""

from __future__ import annotations

import pytest
from tests.config.cases import dvf, errors, of_dvf, read, refused, warnings

VARIABLE = {"DVF_COLLECTOR_URL": "https://env/"}


@pytest.mark.parametrize(
    ("settings", "scheduler", "env", "url"),
    [
        ("{url: https://own/}", "collector_urls: {dvf: https://listed/}", VARIABLE, "https://own/"),
        ("{}", "collector_urls: {dvf: https://listed/}", VARIABLE, "https://listed/"),
        ("{}", "base_function_url: https://base/fn/", VARIABLE, "https://env/"),
        ("{}", "base_function_url: https://base/fn/", {}, "https://base/fn/dvf"),
        ("{}", "defaults: {url: https://all/}", VARIABLE, "https://env/"),
        ("{}", "defaults: {url: https://all/}", {}, "https://all/"),
        ('{url: "${X:-}"}', "collector_urls: {dvf: https://listed/}", {}, "https://listed/"),
    ],
)
def test_the_first_place_that_says_so_decides(
    settings: str, scheduler: str, env: dict[str, str], url: str
) -> None:
    loaded = read(of_dvf(settings, scheduler), env)
    assert loaded.catalogue.collector("dvf").spec.url == url


def test_a_name_with_a_dash_has_an_underscore_in_its_variable() -> None:
    text = "scheduler: {collectors: {insee-contours: {}}}"
    loaded = read(text, {"INSEE_CONTOURS_COLLECTOR_URL": "https://h/"})
    assert loaded.catalogue.collector("insee-contours").spec.url == "https://h/"


def test_every_collector_without_a_url_is_told() -> None:
    text = "version: 2\nscheduler:\n  collectors:\n    a:\n    b: {enabled: false}\n    c: {}\n"
    found = refused(text, {}).problems
    assert [(each.what, each.line) for each in found] == [("a has no URL", 4), ("c has no URL", 6)]
    assert found[0].fix == "set A_COLLECTOR_URL, or write url: below it"


def test_a_disabled_collector_needs_no_url_and_no_variable() -> None:
    text = of_dvf('{enabled: false, url: "${X}", params: {a: "${Y}"}}')
    assert warnings(text, {}) == [
        "scheduler.collectors.dvf.url: X is not set; not needed here: dvf is not enabled",
        "scheduler.collectors.dvf.params.a: Y is not set; not needed here: dvf is not enabled",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://h",
        "http://127.0.0.1:80/a?b=c",
        "http://[::1]:8080/",
        "https://xn--bcher-kva.example/",
    ],
)
def test_a_url_is_taken_as_it_is(url: str) -> None:
    assert dvf(f"{{url: '{url}'}}").url == url


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://h/", "is not a URL"),
        ("HTTPS://h/", "is not a URL"),
        ("//h/", "is not a URL"),
        ("h/path", "is not a URL"),
        ("https://", "is not a URL"),
        ("https:///path", "is not a URL"),
        ("https://:80/", "is not a URL"),
        ("https://h:99999/", "not a URL"),
        ("https://h:0/", "is not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://u:p@h/", "user name or password"),
        ("https://u@h/", "user name or password"),
        ("https://h/#x", "fragment"),
        ("https://h/#", "fragment"),
        ("https://h/a b", "no URL holds"),
        ("https://h\\@evil/", "no URL holds"),
        ("https://bücher.example/", "no URL holds"),
        ("file:///etc/passwd", "is not a URL"),
        ("https://h/" + "a" * 2000, "is not a URL"),
    ],
)
def test_a_url_that_is_none_or_unsafe_is_refused(url: str, sentence: str) -> None:
    (only,) = errors(of_dvf(f"{{url: '{url}'}}"))
    assert sentence in only
    (only,) = errors(of_dvf(), {"DVF_COLLECTOR_URL": url})
    assert sentence in only
    assert "DVF_COLLECTOR_URL" in only


def test_a_line_break_inside_a_url_is_refused() -> None:
    assert "no URL holds" in errors(of_dvf(), {"DVF_COLLECTOR_URL": "https://h/\r\nX: y"})[0]


def test_a_url_of_nobody_is_an_error_or_in_an_old_file_a_warning() -> None:
    text = of_dvf("{}", "collector_urls: {dfv: 'https://h/'}")
    (only,) = refused(text).problems
    assert only.what == "no collector is called 'dfv'"
    assert only.fix == "did you mean 'dvf'?"
    assert "no collector is called" in warnings(text.replace("version: 2\n", ""))[0]
