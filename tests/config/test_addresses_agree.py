"""What the check of the configuration takes is exactly what the call can send."""

from __future__ import annotations

import json

import pycurl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.adapters.http.calls import DEADLINE, RUN_ID
from tests.config.cases import errors, of_dvf, read

from fanfold.adapters.http.client import CurlCollectorClient
from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.http.preparing import NotSent, Preparation
from fanfold.adapters.http.transfer import new_handle
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.config import ConfigError
from fanfold.domain.model.collector import Auth, AuthKind, CollectorSpec
from fanfold.domain.protocol.contract import Call

HOSTS = st.sampled_from(
    [
        *(
            "h",
            "a.example",
            "A.example",
            "*.example.com",
            "a_b",
            "-a",
            "a-",
            "a..b",
            "a.",
            ".a",
            "",
        ),
        *(
            "x" * 63 + ".b",
            "x" * 64 + ".b",
            "127.0.0.1",
            "2130706433",
            "[::1]",
            "[::1%25lo]",
            "[::g]",
        ),
        *("[]", "xn--bcher-kva.example", "b%6fcher", "u@h", "u:p@h", "localhost", "localhost."),
        ".".join(["y" * 60] * 5),
    ]
)
PORTS = st.sampled_from(
    ["", "", ":80", ":0", ":65535", ":65536", ":", ":8a", ":00080", ":9999999999"]
)
PATHS = st.sampled_from(
    ["", "/", "/a/../b", "/%zz", "/a b", "/a[1]", "/a?b=c", "?x", "#f", "/é", "/\t", "//"]
)
URLS = st.tuples(
    st.sampled_from(["https://", "http://", "HTTPS://", "ftp://", "//", "", "https:/"]),
    HOSTS,
    PORTS,
    PATHS,
).map("".join)


def checked(text: str, env: dict[str, str]) -> bool:
    try:
        read(text, env)
    except ConfigError:
        return False
    return True


def prepared(spec: CollectorSpec, env: dict[str, str]) -> bool:
    """Return whether the call can be made, as far as it is known before the first byte."""
    secrets = EnvironmentSecrets(env)
    preparation = Preparation(CollectorCredentials(secrets), None, secrets, {})
    try:
        preparation.prepare(Call(spec, RUN_ID, 1, DEADLINE, 5.0), 1e12)
    except NotSent:
        return False
    return True


@given(url=URLS)
@example("https://*.example.com")
@example("https://" + "a" * 1992)
@settings(deadline=None, max_examples=300)
def test_the_check_takes_the_urls_that_the_call_takes(url: str) -> None:
    if not url:
        return  # none is written
    assert checked(of_dvf("{auth: none}"), {"DVF_COLLECTOR_URL": url}) == prepared(
        CollectorSpec("dvf", url), {}
    )


@given(url=URLS)
@settings(deadline=None, max_examples=300)
def test_libcurl_reads_every_url_that_is_taken(url: str) -> None:
    if not url or not prepared(CollectorSpec("dvf", url), {}):
        return
    handle = new_handle()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.OPENSOCKETFUNCTION, lambda *_: pycurl.SOCKET_BAD)
    handle.setopt(pycurl.RESOLVE, ["*:80:127.0.0.1", "*:443:127.0.0.1"])
    handle.setopt(pycurl.TIMEOUT_MS, 20)
    handle.setopt(pycurl.PROXY, "")
    handle.setopt(pycurl.XFERINFOFUNCTION, lambda *_: 0)
    with pytest.raises(pycurl.error) as caught:
        handle.perform()
    assert caught.value.args[0] != pycurl.E_URL_MALFORMAT


NAMES = st.sampled_from(
    [
        *("X-Key", "x" * 100, "x" * 101, "x" * 110, "X Y", "X:Y", "é", "", "Host", "X-Fanfold-A"),
        *(
            "Content-Length",
            "Transfer-Encoding",
            "traceparent",
            "Accept",
            "Proxy-X",
            "Upgrade",
            "Cookie",
        ),
    ]
)
VALUES = st.sampled_from(
    [
        "v",
        "v w",
        " v ",
        "",
        " ",
        "a\tb",
        "a\nb",
        "v\n",
        "é",
        "x" * 4000,
        "x" * 4001,
        "x" * 3993,
        "x" * 3994,
    ]
)


@given(name=NAMES, value=VALUES)
@example("x" * 110, "v")
@settings(deadline=None, max_examples=200)
def test_the_check_takes_the_headers_that_the_call_sends(name: str, value: str) -> None:
    env = {"DVF_COLLECTOR_URL": "https://h/", "T": value}
    settings_of_dvf = f"{{auth: {{header: {{{json.dumps(name)}: '${{T}}'}}}}}}"
    auth = Auth(AuthKind.HEADER, {name: "${T}"})

    assert checked(of_dvf(settings_of_dvf), env) == prepared(
        CollectorSpec("dvf", "https://h/", auth=auth), env
    )


@given(value=VALUES)
@settings(deadline=None, max_examples=60)
def test_the_check_takes_the_tokens_that_the_call_sends(value: str) -> None:
    env = {"DVF_COLLECTOR_URL": "https://h/", "T": value}
    auth = Auth(AuthKind.BEARER, {"Authorization": "Bearer ${T}"})

    assert checked(of_dvf("{auth: {bearer: '${T}'}}"), env) == prepared(
        CollectorSpec("dvf", "https://h/", auth=auth), env
    )


def test_a_wildcard_and_a_long_name_are_refused_with_the_place_and_the_fix() -> None:
    (only,) = errors(of_dvf("{url: 'https://*.example.com'}"))
    assert only.startswith("scheduler.collectors.dvf.url: 'https://*.example.com' is not a URL")

    (only,) = errors(of_dvf(f'{{auth: {{header: {{{"x" * 110}: "${{T}}"}}}}}}'), T="t")
    assert "has at most 100 characters, this one 110" in only


def test_the_client_is_what_prepares() -> None:
    secrets = EnvironmentSecrets({})
    client = CurlCollectorClient(CollectorCredentials(secrets), secrets, {})

    reply = client.invoke(Call(CollectorSpec("dvf", "https://*.x/"), RUN_ID, 1, DEADLINE, 5.0))

    assert reply.failure is not None
    assert "* stands for no host" in reply.failure.message
