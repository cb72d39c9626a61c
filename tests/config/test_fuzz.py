"""Whatever the file and the environment hold, there is a configuration or a ConfigError."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.config.cases import NOW

from fanfold.config import ConfigError, Level, origins
from fanfold.config.file.source import source_of
from fanfold.config.loading import load_source

GOLDEN = Path(__file__).parent / "golden"
SEEDS = [
    (GOLDEN / "old-config.yaml").read_text(encoding="utf-8"),
    (GOLDEN / "bad.yaml").read_text(encoding="utf-8"),
    (Path(__file__).parents[2] / "config" / "config.yaml").read_text(encoding="utf-8"),
]
KEYS = [
    *("version", "scheduler", "defaults", "collectors", "collector_urls", "report", "notify", "on"),
    *(
        "dvf",
        "auth",
        "params",
        "enabled",
        "schedule",
        "url",
        "timeout",
        "retries",
        "max",
        "backoff",
    ),
    *("mode", "tags", "expect", "min_records", "max_drop", "value", "severity", "bearer", "header"),
    *(
        "oidc",
        "audience",
        "slack",
        "folder",
        "bucket",
        "keep",
        "timezone",
        "tolerated_failures",
        "",
    ),
]
WORDS = [
    *("true", "2", "1", "10m", "20%", "", "~", "sync", "async", "none", "oidc", "bearer", "-1"),
    *("'30 2 * * *'", "https://h/", "http://h/", '"${X}"', '"${secret:x}"', '"${"', "[1, 2]", "{}"),
    *("Europe/Paris", "gs://abc", "1.5", "'\\u202e'", '"\\0"', "99999999999999999999", "9d9h", "é"),
]
ENVIRONMENTS = st.dictionaries(
    st.sampled_from(["X", "HOOK", "DVF_COLLECTOR_URL", "FANFOLD_BACKEND", "FUNCTION_AUTH_TOKEN"]),
    st.sampled_from(["", "google", "https://h/?k=v", "http://h", "true", "a\nb", "${X}", "\x00"]),
)


def held(content: bytes, env: dict[str, str]) -> None:
    """Read *content*; an error points inside the file and can be shown."""
    error = None
    try:
        loaded = load_source(source_of(content, "config.yaml"), env, NOW)
    except ConfigError as exc:
        error = exc
    if error is None:
        found = loaded.warnings
        assert len(origins(loaded)) == len(loaded.origins)
        assert loaded.catalogue.collectors
    else:
        found = error.problems
        assert str(error).isprintable()
        assert error.render()
        assert any(each.level is Level.ERROR for each in found)
    lines = content.decode("utf-8", "replace").splitlines()
    for each in found:
        assert each.what
        assert 0 <= each.line <= len(lines) + 1
        assert each.line == 0 or 1 <= each.column <= len(each.text) + 1


@given(content=st.binary(max_size=200), env=ENVIRONMENTS)
@settings(deadline=None)
def test_any_bytes(content: bytes, env: dict[str, str]) -> None:
    held(content, env)


@given(text=st.text(max_size=200), env=ENVIRONMENTS)
@settings(deadline=None)
def test_any_text(text: str, env: dict[str, str]) -> None:
    held(text.encode("utf-8", "replace"), env)


@given(
    seed=st.sampled_from(SEEDS),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from([*WORDS, *KEYS]))),
    env=ENVIRONMENTS,
)
@settings(deadline=None, max_examples=150)
def test_a_good_file_with_bad_spots(
    seed: str, cuts: list[tuple[float, int, str]], env: dict[str, str]
) -> None:
    for place, length, word in cuts[:5]:
        start = int(place * len(seed))
        seed = seed[:start] + word + seed[start + length :]
    held(seed.encode("utf-8", "replace"), env)


def flow(depth: int) -> st.SearchStrategy[str]:
    """Return flow mappings of known keys and odd values."""
    if depth == 0:
        return st.sampled_from(WORDS)
    inner = st.one_of(st.sampled_from(WORDS), flow(depth - 1))
    pairs = st.lists(st.tuples(st.sampled_from(KEYS), inner), max_size=5, unique_by=lambda p: p[0])
    return pairs.map(lambda each: "{" + ", ".join(f"'{key}': {value}" for key, value in each) + "}")


@given(collector=flow(3), defaults=flow(2), notify=flow(1), env=ENVIRONMENTS)
@settings(deadline=None, max_examples=200)
def test_known_keys_with_odd_values(
    collector: str, defaults: str, notify: str, env: dict[str, str]
) -> None:
    text = (
        f"version: 2\nscheduler:\n  defaults: {defaults}\n  collectors:\n    dvf: {collector}\n"
        f"    b: {{url: https://b}}\nnotify: {notify}\n"
    )
    held(text.encode(), env)
