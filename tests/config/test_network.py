"""The way out of this machine, as the file says it."""

from __future__ import annotations

import pytest
from tests.config.cases import errors, read, refused, warnings

FILE = "version: 2\nscheduler: {collectors: {dvf: {}}}\n"


def network(settings: str) -> str:
    return f"{FILE}network: {settings}\n"


def test_a_proxy_stays_a_template_and_travels_with_each_collector() -> None:
    template = "http://me:${secret:proxy-password}@proxy.example:3128"

    loaded = read(network(f'{{proxy: "{template}"}}'), PROXY_PASSWORD="sesame-canary")

    assert loaded.catalogue.collector("dvf").spec.proxy == template
    assert "sesame-canary" not in repr(loaded)
    assert loaded.origins["network.proxy"].value == "••••"


def test_without_the_section_the_host_s_settings_hold() -> None:
    spec = read(FILE).catalogue.collector("dvf").spec

    assert (spec.proxy, spec.ca_file) == ("", "")
    assert read(network('{proxy: "${X:-}"}')).catalogue.collector("dvf").spec.proxy == ""


@pytest.mark.parametrize(
    "settings",
    [
        "{proxy: 'ftp://p:1'}",
        "{proxy: 'http://p:99999'}",
        "{proxy: 'http://p/path'}",
        '{proxy: "${P}"}',
        '{proxy: "http://${P}"}',
    ],
)
def test_what_is_no_proxy_is_refused_with_the_place_and_the_fix(settings: str) -> None:
    (only,) = refused(network(settings), P="canary canary").problems

    assert only.where == "network.proxy"
    assert "this is not a proxy's URL" in only.what
    assert only.fix == "write http://proxy.example:3128"
    assert "canary" not in only.render("config.yaml")


@pytest.mark.parametrize(
    "proxy", ["http://me:pass-canary@p:1", "http://pass-canary@p:1", "http://me:pass-canary@${P}:1"]
)
def test_a_password_in_the_file_is_refused(proxy: str) -> None:
    error = refused(network(f'{{proxy: "{proxy}"}}'), P="p")

    assert "would be stored with every run" in error.render()
    assert "pass-canary" not in error.render()


def test_a_variable_that_names_no_proxy_is_an_error_of_whom_it_would_serve() -> None:
    (only,) = errors(FILE, HTTPS_PROXY="http://:canary", DVF_COLLECTOR_URL="https://dvf.example/")

    assert only.startswith("scheduler.collectors.dvf: HTTPS_PROXY is not a proxy's URL")
    assert "canary" not in only
    assert read(FILE, HTTPS_PROXY="http://:canary", NO_PROXY="dvf.example")


def test_a_file_of_certificates_that_is_not_here_is_a_warning() -> None:
    (only,) = warnings(network("{ca_file: /nowhere/authority.pem}"))

    assert only == "network.ca_file: there is no such file here that could be read"
    spec = read(network("{ca_file: /nowhere/authority.pem}")).catalogue.collector("dvf").spec
    assert spec.ca_file == "/nowhere/authority.pem"


def test_a_base_and_a_name_that_make_no_url_are_refused() -> None:
    base = "https://h/" + "a" * 1989
    text = f"version: 2\nscheduler: {{base_function_url: '{base}', collectors: {{dvf: {{}}}}}}\n"

    (only,) = errors(text, {})

    assert "over 2000 characters" in only
