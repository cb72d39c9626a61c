from __future__ import annotations

from collections.abc import Mapping

import pytest

from fanfold.domain.rules.way_out import DIRECT, BadProxy, way_out
from fanfold.domain.syntax.urls import read_url

HTTPS, HTTP = "https://dvf.example.com/run", "http://dvf.example.com/run"


def place(url: str, env: Mapping[str, str], proxy: str = "") -> str:
    way = way_out(read_url(url), proxy, env)
    return f"{way.place} by {way.source}" if way.proxy else "direct"


@pytest.mark.parametrize(
    ("url", "env", "by"),
    [
        (HTTPS, {"HTTPS_PROXY": "http://p:1", "ALL_PROXY": "http://q:2"}, "p:1 by HTTPS_PROXY"),
        (HTTPS, {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "q:2"}, "q:2 by ALL_PROXY"),
        (HTTP, {"HTTP_PROXY": "http://p:1", "https_proxy": "q"}, "p:1 by HTTP_PROXY"),
        (HTTPS, {"https_proxy": "p", "HTTPS_PROXY": "q"}, "p:3128 by https_proxy"),
        (HTTPS, {"ALL_PROXY": "socks5h://p"}, "p:1080 by ALL_PROXY"),
        (HTTPS, {"HTTPS_PROXY": ""}, "direct"),
        (HTTP, {"HTTP_PROXY": "p", "REQUEST_METHOD": "GET"}, "direct"),
        ("https://127.0.0.1/", {"ALL_PROXY": "p"}, "direct"),
        ("https://localhost./", {"ALL_PROXY": "p"}, "direct"),
    ],
)
def test_the_variables_name_the_proxy(url: str, env: Mapping[str, str], by: str) -> None:
    assert place(url, env) == by


@pytest.mark.parametrize(
    ("exempt", "direct"),
    [
        ("*", True),
        ("example.com", True),
        (".example.com", True),
        ("*.example.com", True),
        ("DVF.Example.com.", True),
        ("dvf.example.com:443", True),
        ("dvf.example.com:8443", False),
        ("dvf.example.com:\u00b2", False),
        ("dvf.example.com:\u0664\u0664\u0663", False),
        ("dvf.example.com:" + "4" * 5000, False),
        ("a, b dvf.example.com", True),
        ("ample.com", False),
        ("example.org", False),
        ("", False),
        (".", False),
    ],
)
def test_no_proxy_names_hosts_and_domains(exempt: str, direct: bool) -> None:
    env = {"NO_PROXY": exempt}

    assert (place(HTTPS, env, "http://p:1") == "direct") == direct


@pytest.mark.parametrize(
    ("host", "exempt", "direct"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("[fd00::1]", "fd00::/8", True),
        ("[fd00::1]", "[fd00::1]:443", True),
        ("10.1.2.3", "2.3", False),
    ],
)
def test_no_proxy_names_addresses_and_networks(host: str, exempt: str, direct: bool) -> None:
    assert (place(f"https://{host}/", {"no_proxy": exempt}, "p") == "direct") == direct


def test_a_password_is_in_the_proxy_alone() -> None:
    way = way_out(read_url(HTTPS), "http://me:canary@p:1", {})

    assert way.proxy == "http://me:canary@p:1"
    assert (way.place, way.source) == ("p:1", "network.proxy")
    assert way.secrets == ("me:canary", "canary")


@pytest.mark.parametrize(
    "proxy", ["ftp://p", "http://", "http://p:0", "http://p/x", "a b", "é", "p\n"]
)
def test_what_is_no_proxy_is_refused(proxy: str) -> None:
    with pytest.raises(BadProxy, match=r"HTTPS_PROXY is not a proxy's URL"):
        way_out(read_url(HTTPS), "", {"HTTPS_PROXY": f"{proxy}x" if proxy == "p\n" else proxy})


def test_without_a_proxy_the_way_is_direct() -> None:
    assert way_out(read_url(HTTPS), "", {}) is DIRECT
