from __future__ import annotations

import pytest

from fanfold.domain.syntax.urls import BadUrl, Url, is_loopback, read_url


def test_a_url_is_taken_apart() -> None:
    assert read_url("https://Dvf.example:8443/run/a?key=1") == Url(
        "https://Dvf.example:8443/run/a?key=1", "https", "dvf.example", 8443, "/run/a", "key=1"
    )
    assert read_url("http://[::1]").place == "[::1]:80"
    assert read_url("https://h?x").without_query == "https://h"


@pytest.mark.parametrize(
    ("url", "says", "fix"),
    [
        ("https://*.example.com", "* stands for no host", "write the name of one host"),
        ("https://a..b/", "its host is not a host's name", "letters, digits"),
        (f"https://{'x' * 64}.b/", "its host is not a host's name", "at most 63"),
        ("https://[::g]/", "no IPv6 address", "[::1]"),
        ("https://[::1%25lo]/", "network card", "remove %"),
        ("https://h:65536/", "ports are from 1 to 65535", "a port"),
        ("https://h:0/", "ports are from 1 to 65535", "a port"),
        ("https://bücher.example/", "no URL holds", "write the host as xn--bcher-kva.example"),
        ("https://h/é", "no URL holds", "percent-encode"),
        ("https://u:p@h/", "user name or password", "auth:"),
        ("https://h/#a", "fragment", "remove #"),
    ],
)
def test_what_is_wrong_is_said_without_the_url(url: str, says: str, fix: str) -> None:
    with pytest.raises(BadUrl) as caught:
        read_url(url)

    assert says in str(caught.value)
    assert fix in caught.value.fix
    assert url not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("localhost", "LOCALHOST.", "127.0.0.1", "127.8.9.1", "::1")),
        *((host, False) for host in ("a.localhost", "127.1", "2130706433", "0x7f.1", "::", "")),
        *((host, False) for host in ("localhost.example", "127.0.0.1.nip.io", "0.0.0.0", "::1%1")),  # noqa: S104
        ("localhost..", False),
    ],
)
def test_this_machine_is_known_by_its_very_name(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback
