"""Secrets stay templates: checked when the file is read, filled in at the moment of use only."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config.cases import dvf, errors, of_dvf, read, refused

from fanfold.config import ConfigError
from fanfold.domain.model.collector import Auth, AuthKind
from fanfold.domain.syntax.references import KEPT_ELSEWHERE

SECRET = "hunter2-hunter2"
NOTIFY = of_dvf() + "notify: "


def test_a_template_is_kept_and_its_value_is_nowhere() -> None:
    loaded = read(of_dvf('{auth: {bearer: "${TOKEN}"}}'), TOKEN=SECRET)
    auth = loaded.catalogue.collector("dvf").spec.auth
    assert auth == Auth(AuthKind.BEARER, {"Authorization": "Bearer ${TOKEN}"})
    assert SECRET not in repr(loaded)


def test_notifications_keep_their_templates_too() -> None:
    text = NOTIFY + '{slack: "${SLACK}", heartbeat: "${secret:beat@7}"}\n'
    found = read(text, SLACK=f"https://hooks/{SECRET}", BEAT="x")
    assert found.catalogue.notify == {
        "on": ("failed", "recovered", "missed", "rejected"),
        "remind": (3, 7 * 86_400.0),
        "slack": "${SLACK}",
        "heartbeat": "${secret:beat@7}",
    }
    assert SECRET not in repr(found)


def test_a_literal_secret_is_refused_and_not_even_shown() -> None:
    for settings in (
        f"{{auth: {{bearer: {SECRET}}}}}",
        f"{{auth: {{header: {{X-Api-Key: '{SECRET}'}}}}}}",
        f"{{enabeld: 1, auth: {{bearer: {SECRET}}}, min: 2}}",
        "{enabeld: 1, auth: {bearer: 424242424242}}",
    ):
        error = refused(of_dvf(settings))
        assert "auth" in error.render()
        assert SECRET not in error.render()
        assert "424242" not in error.render()
    literal = dvf("{auth: {header: {X-Client: fanfold}}}").auth
    assert literal.headers == {"X-Client": "fanfold"}


@pytest.mark.parametrize(
    ("notify", "sentence"),
    [
        ('{slack: "http://hooks.example/x"}', "https only"),
        ("{webhook: ftp://x}", "is not a URL"),
        ('{slack: "${secret:hook@latest}"}', "is not a reference"),
        ("{on: [faild], slack: https://h}", "'faild' is not one of"),
        ("{slak: https://h}", "unknown key 'slak'"),
    ],
)
def test_notifications_are_checked_when_the_file_is_read(notify: str, sentence: str) -> None:
    assert sentence in errors(f"{NOTIFY}{notify}\n")[0]


def test_a_notification_that_stands_for_nothing_is_left_out() -> None:
    assert read(NOTIFY + '{heartbeat: "${BEAT:-}"}\n').catalogue.notify == {}
    assert read(NOTIFY + "{on: missed, slack: https://h}\n").catalogue.notify["on"] == ("missed",)


@pytest.mark.parametrize(
    ("notify", "env", "sentence"),
    [
        ('{slack: "${SLACK}"}', {}, "notify.slack: SLACK is not set"),
        ('{slack: "${SLACK:?ask Anna}"}', {"SLACK": ""}, "notify.slack: SLACK is empty"),
        ('{slack: "${SLACK}"}', {"SLACK": f"http://hooks/{SECRET}"}, "to this machine (in SLACK)"),
        ('{to: ["mailto://a@b.example", "${A}"]}', {}, "notify.to[1]: A is not set"),
        ('{to: ["${A}"]}', {"A": "#team"}, "this is no URL of Apprise (in A)"),
        ('{heartbeat: "${secret:beat}"}', {}, "secret beat is read from BEAT, which is not set"),
        ('{webhook: {url: "https://h/", secret: "${SIGN}"}}', {}, "secret: SIGN is not set"),
        (
            '{webhook: {url: "https://h/", secret: "${SIGN}"}}',
            {"SIGN": SECRET},
            "no secret of Standard Webhooks (in SIGN)",
        ),
    ],
)
def test_a_target_that_the_environment_does_not_make_keeps_no_run_from_starting(
    notify: str, env: dict[str, str], sentence: str
) -> None:
    found = read(f"{NOTIFY}{notify}\n", **env)

    (only,) = [each for each in found.warnings if each.untold]
    assert sentence in only.sentence
    assert "runs go on, and this target is told nothing" in only.what
    assert found.catalogue.notify  # its target stays: what it is not told is a dead letter
    assert SECRET not in only.render("config.yaml") + repr(found)


def test_a_target_that_is_not_set_is_an_error_among_errors() -> None:
    found = errors(NOTIFY + '{slack: "${SLACK}", on: faild}\n')
    assert found[0] == "notify.slack: SLACK is not set"
    assert "'faild' is not one of" in found[1]


def test_a_value_that_another_function_keeps_is_not_judged() -> None:
    assert read(NOTIFY + '{slack: "${SLACK}"}\n', SLACK=KEPT_ELSEWHERE).catalogue.notify
    infra = Path(__file__).parents[2] / "infra" / "main.tf"
    if infra.exists():
        assert f'"{KEPT_ELSEWHERE}"' in infra.read_text(encoding="utf-8")


def test_secret_manager_keeps_what_the_environment_does_not() -> None:
    settings = '{auth: {header: {X-Api-Key: "${secret:api-key@3}"}}}'
    assert "read from API_KEY, which is not set" in errors(of_dvf(settings))[0]
    assert dvf(settings, API_KEY="x").auth.headers == {"X-Api-Key": "${secret:api-key@3}"}
    managed = read(of_dvf(settings, "use_secret_manager: true"))
    assert managed.catalogue.use_secret_manager


def test_an_empty_token_is_a_missing_one() -> None:
    assert "TOKEN is empty" in errors(of_dvf('{auth: {bearer: "${TOKEN}"}}'), TOKEN="")[0]


def test_a_url_never_shows_its_password_or_query() -> None:
    for url in (f"https://u:{SECRET}@h/", f"https://h/?k={SECRET}#x"):
        with pytest.raises(ConfigError) as caught:
            read(of_dvf(), DVF_COLLECTOR_URL=url)
        assert SECRET not in caught.value.render()
    loaded = read(of_dvf(), DVF_COLLECTOR_URL=f"https://h/?k={SECRET}")
    assert loaded.origins["dvf.url"].value == "https://h/?••••"


HOOK = "{webhook: {url: 'https://h/${KEY}', secret: '${SIGN}'}}\n"


def test_a_webhook_has_a_url_and_a_secret_that_stay_templates() -> None:
    found = read(NOTIFY + HOOK, KEY="k", SIGN="whsec_" + "A" * 44)

    webhook = {"url": "https://h/${KEY}", "secret": "${SIGN}"}
    assert found.catalogue.notify["webhook"] == webhook
    assert [each.where for each in found.warnings if each.where.startswith("notify")] == []


@pytest.mark.parametrize(
    ("notify", "sentence"),
    [
        ("{webhook: 'https://h/'}", "events are sent without a signature"),
        ("{webhook: {url: 'https://h/'}}", "events are sent without a signature"),
        ("{webhook: {secret: '${SIGN}'}}", "a secret without a url: nothing is sent"),
    ],
)
def test_a_webhook_that_nobody_can_trust_or_that_sends_nothing_is_a_warning(
    notify: str, sentence: str
) -> None:
    found = read(f"{NOTIFY}{notify}\n", SIGN="whsec_" + "A" * 44)

    assert any(sentence in each.what for each in found.warnings)


def test_people_are_named_by_templates_and_what_stands_for_nothing_is_left_out() -> None:
    text = "{to: ['${A}', '${B:-}', 'mailto://x@y.example'], remind: {after: 2, every: 3d}}\n"
    found = read(NOTIFY + text, A="jsons://hooks.example/x")

    assert found.catalogue.notify["to"] == ("${A}", "mailto://x@y.example")
    assert found.catalogue.notify["remind"] == (2, 3 * 86_400.0)
    assert found.catalogue.notify["on"] == ("failed", "recovered", "missed", "rejected")
    assert [each.where for each in found.warnings if each.where.startswith("notify")] == []


@pytest.mark.parametrize(
    ("notify", "sentence"),
    [
        ("{to: ['json://hooks.example/x']}", "messages go over https only, or to this machine"),
        ("{to: ['mailto://x@y'], remind: {after: 15}}", "15 is more than 14"),
        ("{to: ['mailto://x@y'], remind: {after: 0}}", "0 is less than 1"),
    ],
)
def test_people_who_cannot_be_reached_are_an_error(notify: str, sentence: str) -> None:
    error = refused(f"{NOTIFY}{notify}\n")

    assert sentence in str(error)


def test_plain_http_to_this_machine_reaches_people() -> None:
    assert read(NOTIFY + "{to: ['json://127.0.0.1:9/x']}\n").catalogue.notify["to"]


def test_a_reminder_that_reaches_nobody_is_a_warning() -> None:
    found = read(NOTIFY + "{remind: {after: 2}}\n")

    assert any("nobody is reminded" in each.what for each in found.warnings)


@pytest.mark.parametrize(
    ("written", "is_masked"),
    [
        ("424242424242", True),
        ("4242.4242", True),
        ("true", True),
        ("2026-11-23", True),
    ],
)
def test_a_number_where_a_secret_stands_is_masked_and_nothing_else(
    written: str, *, is_masked: bool
) -> None:
    line = f"{{timeout: 31337h, auth: {{bearer: {written}}}, min: 4711}}"
    shown = refused(of_dvf(line)).render()
    assert (written not in shown) == is_masked
    assert "31337h" in shown
    assert "4711" in shown


@pytest.mark.parametrize(
    "settings",
    [
        f"auth: bearer {SECRET}",
        f"auth: Bearer {SECRET}",
        f"auth: {SECRET}",
        "auth: sesame",
        f"auth: 'X-Api-Key: {SECRET}'",
        f"auth: [{SECRET}]",
        f"auth: {{header: {SECRET}}}",
        f"auth: {{header: [{SECRET}]}}",
        f"auth: {{header: {{X-Key: [{SECRET}]}}}}",
        f"auth: {{header: {{X-Key: {{value: {SECRET}}}}}}}",
        f"auth: {{oidc: {SECRET}}}",
        f"auth: {{bearer: {{token: {SECRET}}}}}",
        f"auth: {{basic: {{user: a, password: {SECRET}}}}}",
        f"auth: {{token: {SECRET}}}",
        f"headers: {{Authorization: Bearer {SECRET}}}",
        f"headers: [{SECRET}]",
        f"token: {SECRET}",
        f"api_key: {SECRET}",
        f"basic: {SECRET}",
    ],
)
@pytest.mark.parametrize("place", ["of the collector", "at the top", "in the defaults"])
def test_a_credential_in_the_wrong_form_or_place_is_not_shown(settings: str, place: str) -> None:
    if place == "of the collector":
        error = refused(of_dvf(f"{{{settings}}}"))
    elif place == "at the top":
        error = refused(of_dvf() + f"dvf: {{url: 'https://h/', {settings}}}\n")
    else:
        error = refused(of_dvf(scheduler=f"defaults: {{{settings}}}"))
    shown = error.render() + str(error)
    assert SECRET not in shown
    assert "sesame" not in shown


@pytest.mark.parametrize("notify", ["{slack: %s}", "{webhook: %s}", "{to: ['%s']}"])
def test_an_address_that_is_a_secret_is_not_shown_for_its_missing_scheme(notify: str) -> None:
    address = f"hooks.example/services/{SECRET}"
    error = refused(of_dvf() + f"notify: {notify % address}\n")
    assert SECRET not in error.render() + str(error)


@pytest.mark.parametrize(
    ("written", "fix"), [("oicd", "did you mean 'oidc'?"), ("Bearer", "did you mean 'bearer'?")]
)
def test_a_mistyped_word_is_shown(written: str, fix: str) -> None:
    (only,) = refused(of_dvf(f"{{auth: {written}}}")).problems
    assert only.what == f"{written!r} is not one of oidc, none, bearer"
    assert (only.fix, written in only.text) == (fix, True)
