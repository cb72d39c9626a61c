from __future__ import annotations

import pytest

from fanfold.adapters.http.credentials import CollectorCredentials, audience_of
from fanfold.adapters.id_tokens import IdToken
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.collector import Auth, AuthKind
from fanfold.domain.model.errors import NotConfigured

URL = "https://collector.example:8443/run/dvf?key=1#top"
ENV = {"TOKEN": "t-1"}


def credentials() -> CollectorCredentials:
    return CollectorCredentials(
        EnvironmentSecrets(ENV), lambda audience: IdToken(f"id-for-{audience}", 9e9)
    )


def test_no_auth_sends_nothing() -> None:
    assert credentials().headers(Auth(), URL) == {}


@pytest.mark.parametrize("kind", [AuthKind.BEARER, AuthKind.HEADER])
def test_templates_are_filled_at_each_call(kind: AuthKind) -> None:
    env = {"TOKEN": "old"}
    with_env = CollectorCredentials(EnvironmentSecrets(env))
    auth = Auth(kind, {"Authorization": "Bearer ${TOKEN}", "X-Site": "paris"})

    assert with_env.headers(auth, URL)["Authorization"] == "Bearer old"
    env["TOKEN"] = "new"
    assert with_env.headers(auth, URL) == {"Authorization": "Bearer new", "X-Site": "paris"}


def test_oidc_sends_an_id_token_for_the_url_without_its_query() -> None:
    headers = credentials().headers(Auth(AuthKind.OIDC), URL)

    assert headers == {"Authorization": "Bearer id-for-https://collector.example:8443/run/dvf"}


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example/", "https://a.example/"),
        ("https://a.example?x=/y", "https://a.example"),
        ("https://user:pw@a.example/p#f", "https://a.example/p"),
        ("https://a.example/p@q", "https://a.example/p@q"),
    ],
)
def test_the_audience_is_the_url_without_user_query_and_fragment(url: str, audience: str) -> None:
    assert audience_of(Auth(AuthKind.OIDC), url) == audience


def test_a_configured_audience_wins() -> None:
    assert (
        audience_of(Auth(AuthKind.OIDC, audience="https://b.example"), URL) == "https://b.example"
    )


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Transfer-Encoding", "Connection", "X Y", "X:Y", "X\r\nY", "", "é"],
)
def test_a_header_that_frames_the_request_or_is_none_is_refused(name: str) -> None:
    with pytest.raises(NotConfigured, match="cannot be set"):
        credentials().headers(Auth(AuthKind.HEADER, {name: "x"}), URL)


def test_an_auth_that_names_no_header_says_so() -> None:
    with pytest.raises(NotConfigured, match=r"write auth\.headers"):
        credentials().headers(Auth(AuthKind.BEARER), URL)
