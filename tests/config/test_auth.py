"""How fanfold proves who it is to a collector, and that no credential travels in the clear."""

from __future__ import annotations

import pytest
from tests.config.cases import dvf, errors, of_dvf, read, refused

from fanfold.domain.model.collector import Auth, AuthKind

TOKEN = {"FUNCTION_AUTH_TOKEN": "t"}
PLAIN = Auth(AuthKind.BEARER, {"Authorization": "Bearer ${FUNCTION_AUTH_TOKEN}"})
MANAGED = Auth(AuthKind.BEARER, {"Authorization": "Bearer ${secret:FUNCTION_AUTH_TOKEN}"})


@pytest.mark.parametrize(
    ("settings", "auth"),
    [
        ("{auth: none}", Auth(AuthKind.NONE)),
        ("{auth: oidc}", Auth(AuthKind.OIDC)),
        ("{auth: {oidc: {}}}", Auth(AuthKind.OIDC)),
        ("{auth: {oidc: {audience: https://a/}}}", Auth(AuthKind.OIDC, audience="https://a/")),
        ("{auth: bearer}", PLAIN),
        ('{auth: {bearer: "${X:-y}"}}', Auth(AuthKind.BEARER, {"Authorization": "Bearer ${X:-y}"})),
        ('{auth: {header: {X-Key: "${FUNCTION_AUTH_TOKEN}"}}}', None),
        ('{auth: "${HOW:-none}"}', Auth(AuthKind.NONE)),
    ],
)
def test_it_is_read(settings: str, auth: Auth | None) -> None:
    expected = auth or Auth(AuthKind.HEADER, {"X-Key": "${FUNCTION_AUTH_TOKEN}"})
    assert dvf(settings, **TOKEN) == dvf(settings, **TOKEN)
    assert dvf(settings, **TOKEN).auth == expected


@pytest.mark.parametrize(
    ("env", "scheduler", "auth"),
    [
        ({}, "", Auth(AuthKind.NONE)),
        ({"FUNCTION_AUTH_TOKEN": ""}, "", Auth(AuthKind.NONE)),
        (TOKEN, "", PLAIN),
        ({"FANFOLD_BACKEND": "google"}, "", Auth(AuthKind.OIDC)),
        ({"FANFOLD_BACKEND": "google", **TOKEN}, "", PLAIN),
        ({}, "use_secret_manager: true", MANAGED),
        ({"FANFOLD_BACKEND": "google"}, "use_secret_manager: true", MANAGED),
    ],
)
def test_where_nothing_is_said_the_environment_decides(
    env: dict[str, str], scheduler: str, auth: Auth
) -> None:
    assert read(of_dvf(scheduler=scheduler), **env).catalogue.collector("dvf").spec.auth == auth


def test_a_plain_bearer_needs_its_token() -> None:
    assert "FUNCTION_AUTH_TOKEN is not set" in errors(of_dvf("{auth: bearer}"))[0]
    assert dvf("{auth: bearer}", **TOKEN).auth == PLAIN
    managed = read(of_dvf("{auth: bearer}", "use_secret_manager: true"))
    assert managed.catalogue.collector("dvf").spec.auth == MANAGED


@pytest.mark.parametrize(
    ("auth", "sentence"),
    [
        ("oicd", "'oicd' is not one of oidc, none, bearer"),
        ("{}", "choose one way"),
        ("{header: {}}", "choose one way"),
        ('{bearer: "${T}", header: {X-Key: "${T}"}}', "choose one way"),
        ("{bearer: [5]}", "a header's value is text"),
        ("{basic: x}", "unknown key 'basic'"),
        ("{oidc: {audience: x}}", "is not a URL"),
        ('{bearer: "${T}\\r\\nX: y"}', "on one line"),
        ('{header: {"X Y": "${T}"}}', "is not a header's name"),
        ('{header: {"X\\r\\nY": "${T}"}}', "is not a header's name"),
        ('{header: {x-key: "${T}", X-Key: "${T}"}}', "a header stands twice"),
        *(
            (f'{{header: {{{name}: "${{T}}"}}}}', "fanfold or the connection sets header")
            for name in ("Host", "content-length", "Idempotency-Key", "traceparent", "X-Fanfold-A")
        ),
    ],
)
def test_what_no_header_can_be_is_refused(auth: str, sentence: str) -> None:
    (only,) = errors(of_dvf(f"{{auth: {auth}}}"), T="t")
    assert sentence in only


def test_a_line_break_in_a_token_is_refused_when_the_file_is_read() -> None:
    error = refused(of_dvf('{auth: {bearer: "${T}"}}'), T="sesame\r\nX-Evil: 1")
    assert "on one line (in T)" in error.render()
    assert "sesame" not in error.render()


@pytest.mark.parametrize("auth", ["oidc", "bearer", '{header: {X-Key: "${FUNCTION_AUTH_TOKEN}"}}'])
def test_no_credential_travels_over_plain_http(auth: str) -> None:
    settings = f"{{url: 'http://h.example/', auth: {auth}}}"
    (only,) = refused(of_dvf(settings), **TOKEN).problems
    assert "would send a credential over plain http" in only.what
    assert only.fix == "use https, or auth: none"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8:99", "[::1]:80"])
def test_except_inside_this_machine(host: str) -> None:
    assert dvf(f"{{url: 'http://{host}/', auth: bearer}}", **TOKEN).auth == PLAIN


@pytest.mark.parametrize(
    "host", ["localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "2130706433"]
)
def test_what_only_looks_like_this_machine_is_not(host: str) -> None:
    assert (
        "over plain http" in errors(of_dvf(f"{{url: 'http://{host}/', auth: bearer}}"), **TOKEN)[0]
    )


def test_a_token_found_by_default_travels_no_other_way() -> None:
    (only,) = errors(of_dvf("{url: 'http://h.example/'}"), **TOKEN)
    assert "auth, bearer here by default, would send a credential" in only
    assert dvf("{url: 'http://h.example/', auth: none}", **TOKEN).auth.kind is AuthKind.NONE


def test_a_collector_may_be_called_auth_or_params() -> None:
    text = "version: 2\nscheduler:\n  collectors:\n    auth: {timeout: ~}\n    params: {mode: x}\n"
    env = {"AUTH_COLLECTOR_URL": "https://h", "PARAMS_COLLECTOR_URL": "https://h"}
    (only,) = errors(text, env)
    assert only.startswith("scheduler.collectors.params.mode: 'x' is not one of")


@pytest.mark.parametrize(
    ("settings", "env", "place"),
    [
        ('{auth: {bearer: "Bearer ${T}"}}', {"T": "x"}, "T"),
        ('{auth: {bearer: "${T}"}}', {"T": "bearer hush"}, "T"),
        ('{auth: {bearer: "${secret:t}"}}', {"T": "Bearer hush"}, "t"),
        ("{auth: bearer}", {"FUNCTION_AUTH_TOKEN": "Bearer hush"}, "FUNCTION_AUTH_TOKEN"),
        ("{}", {"FUNCTION_AUTH_TOKEN": "Bearer hush"}, "FUNCTION_AUTH_TOKEN"),
        ('{auth: {header: {Authorization: "Bearer ${T}"}}}', {"T": "BEARER hush"}, "T"),
    ],
)
def test_the_word_bearer_twice_is_a_warning(settings: str, env: dict[str, str], place: str) -> None:
    (only,) = read(of_dvf(settings), **env).warnings
    assert only.what == f"the header would begin with Bearer Bearer: the second one is in {place}"
    assert "remove it" in only.fix
    assert "hush" not in only.render("x")


def test_the_word_bearer_once_is_none() -> None:
    for settings in (
        '{auth: {bearer: "${T}"}}',
        '{auth: {header: {Authorization: "Bearer ${T}"}}}',
    ):
        assert read(of_dvf(settings), T="bearers-token").warnings == ()


@pytest.mark.parametrize(
    ("settings", "scheduler", "where"),
    [
        ("{auth: bearer}", "", "scheduler.collectors.dvf.auth"),
        ("{}", "defaults: {auth: bearer}", "scheduler.defaults.auth"),
        ("{auth: bearer}", "use_secret_manager: true", ""),
        ("{auth: {bearer: '${OTHER}'}}", "", ""),
        ("{auth: none}", "", ""),
        ("{}", "", ""),
    ],
)
def test_only_a_plain_bearer_asks_for_its_token_and_is_shown_where_it_stands(
    settings: str, scheduler: str, where: str
) -> None:
    text = of_dvf(settings, scheduler)
    if not where:
        read(text, OTHER="sesame", DVF_COLLECTOR_URL="https://h/")
        return
    (only,) = refused(text).problems
    assert (only.where, only.what) == (where, "FUNCTION_AUTH_TOKEN is not set")
    assert only.fix == "set FUNCTION_AUTH_TOKEN"


@pytest.mark.parametrize(
    ("settings", "where", "what"),
    [
        (
            "{url: 'http://h/', auth: oidc}",
            "scheduler.collectors.dvf.url",
            "auth: oidc would send a credential over plain http",
        ),
        (
            "{url: 'http://h/'}",
            "scheduler.collectors.dvf.url",
            "auth, bearer here by default, would send a credential over plain http",
        ),
    ],
)
def test_the_way_of_a_credential_is_told_once_and_exactly(
    settings: str, where: str, what: str
) -> None:
    (only,) = refused(of_dvf(settings), **TOKEN).problems
    assert (only.where, only.what) == (where, what)
    # A URL that cannot be read is told alone, and one that is not there, too.
    for broken in ("url: 'http://h:x/'", "url: 'http://h/ /'"):
        assert not any("credential" in each for each in errors(of_dvf(f"{{{broken}}}"), **TOKEN))
    assert not any("credential" in each for each in errors(of_dvf(), {}, **TOKEN))
