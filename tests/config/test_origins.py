"""``fanfold config show --origin``: where each value came from."""

from __future__ import annotations

from tests.config.cases import read

from fanfold.config import origins

TEXT = """\
version: 2
scheduler:
  defaults: {timeout: 5m, params: {a: "01"}}
  collectors:
    dvf:
      enabled: ${ON:-true}
      mode: ${MODE}
      tags: [b, c]
      expect: {max_drop: {value: 20%, severity: fail}}
      auth: {bearer: "${TOKEN}"}
notify:
  slack: ${secret:hook}
"""


def test_every_value_says_where_it_came_from() -> None:
    lines = origins(read(TEXT, MODE="async", TOKEN="hush", HOOK="https://hush"))
    for expected in (
        "version = 2 (config.yaml:1)",
        "scheduler.timezone = UTC (default)",
        "scheduler.max_concurrent_collectors = 4 (default)",
        "dvf.enabled = true (config.yaml:6)",
        "dvf.mode = async (env MODE, config.yaml:7)",
        "dvf.timeout = 5m (defaults, config.yaml:3)",
        'dvf.params.a = "01" (defaults, config.yaml:3)'.replace('"01"', "01"),
        "dvf.tags = [b, c] (config.yaml:8)",
        "dvf.expect.min_records = 1 (default)",
        "dvf.expect.max_drop.value = 20% (config.yaml:9)",
        "dvf.auth.bearer = •••• (env TOKEN, config.yaml:10)",
        "dvf.url = https://dvf.example/run (env DVF_COLLECTOR_URL)",
        "dvf.retries.backoff = 30s (default)",
        "notify.slack = •••• (secret hook, config.yaml:12)",
        "report.keep = 400d (default)",
    ):
        assert expected in lines
    assert "hush" not in "".join(lines)


def test_each_key_has_one_line() -> None:
    loaded = read(TEXT, MODE="sync", TOKEN="t", HOOK="https://h")
    assert len(origins(loaded)) == len(loaded.origins) == len(set(origins(loaded)))


def test_an_auth_that_nobody_wrote_is_shown_too() -> None:
    text = "scheduler: {collectors: {dvf: {}}}"
    assert "dvf.auth = none (default)" in origins(read(text))
    token = origins(read(text, FUNCTION_AUTH_TOKEN="hush"))
    assert "dvf.auth = bearer •••• (env FUNCTION_AUTH_TOKEN)" in token


def test_text_that_looks_like_a_number_keeps_its_quotes() -> None:
    loaded = read('scheduler: {collectors: {dvf: {params: {a: "90", b: 90, c: x}}}}')
    shown = {key: each.value for key, each in loaded.origins.items() if "params" in key}
    assert shown == {"dvf.params.a": '"90"', "dvf.params.b": "90", "dvf.params.c": "x"}


def test_a_value_is_plain_whoever_decided_it() -> None:
    """YAML and JSON can write it: no enum, no mark of the parser's."""
    loaded = read("scheduler: {collectors: {dvf: {mode: async, tags: [a, 1], params: {a: [1]}}}}")
    for key, each in loaded.origins.items():
        assert type(each.value) is str, key
        assert type(each.setting) in {str, int, float, bool, list}, key
    assert loaded.origins["dvf.auth"].setting == "none"
    assert loaded.origins["dvf.params.a"].setting == [1]
    assert loaded.origins["dvf.url"].path == ("scheduler", "collectors", "dvf", "url")
